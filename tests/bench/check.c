/* SPDX-License-Identifier: Apache-2.0 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/bench/bench.h"

CK_FUNCTION_LIST *bench_load(const char *path)
{
    CK_RV (*get)(CK_FUNCTION_LIST **) = NULL;
    CK_FUNCTION_LIST *list = NULL;
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library)
        *(void **)&get = dlsym(library, "C_GetFunctionList");
    if (!get) {
        fprintf(stderr, "bench: %s\n", dlerror());
        exit(1);
    }
    bench_check(get(&list), "C_GetFunctionList");
    return list;
}

void bench_check(CK_RV rv, const char *call)
{
    if (rv == CKR_OK)
        return;
    fprintf(stderr, "bench: %s failed with 0x%lx\n", call, rv);
    exit(1);
}

void bench_need(bool is_fine, const char *what)
{
    if (is_fine)
        return;
    fprintf(stderr, "bench: %s\n", what);
    exit(1);
}
