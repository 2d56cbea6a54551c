/* SPDX-License-Identifier: Apache-2.0 */
/* The program; what it measures is in the other files. tests/bench/run calls it. */
#include "tests/bench/bench.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"

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

static const struct {
    const char *name;
    void (*run)(const struct bench *bench);
} parts[] = {
    {"rsa", bench_rsa},           {"ec", bench_ec},
    {"start", bench_start},       {"find", bench_find},
    {"sessions", bench_sessions}, {"loading", bench_loading},
    {"memory", bench_memory},     {"login", bench_login},
    {"forward", bench_forward},
};

static int usage(void)
{
    fputs("bench PART OURS SOFTHSM STORES\n"
          "    PART: rsa ec start find sessions loading memory login forward\n"
          "bench repeat OURS SOFTHSM STORES ours|softhsm|evp rsa|ec|info|slots|start TIMES\n"
          "bench remote OURS URL CA_FILE DELAY\n"
          "bench crowd OURS CALLS SECONDS\n"
          "bench rate OURS|bare URL CA_FILE SECONDS\n",
          stderr);
    return 2;
}

int main(int argc, char **argv)
{
    if (argc == 6 && strcmp(argv[1], "remote") == 0) {
        bench_remote(argv[2], argv[3], argv[4], argv[5]);
        return 0;
    }
    if (argc == 6 && strcmp(argv[1], "rate") == 0) {
        bench_rate(argv[2], argv[3], argv[4], argv[5]);
        return 0;
    }
    if (argc == 5 && strcmp(argv[1], "crowd") == 0) {
        bench_crowd(argv[2], argv[3], argv[4]);
        return 0;
    }
    if (argc < 5)
        return usage();
    struct bench bench = {.ours = argv[2], .softhsm = argv[3], .stores = argv[4]};
    if (argc == 8 && strcmp(argv[1], "repeat") == 0) {
        bench_repeat(&bench, argv[5], argv[6], strtoul(argv[7], NULL, 10));
        return 0;
    }
    for (size_t i = 0; argc == 5 && i < ARRAY_LEN(parts); i++)
        if (strcmp(argv[1], parts[i].name) == 0) {
            parts[i].run(&bench);
            return 0;
        }
    return usage();
}
