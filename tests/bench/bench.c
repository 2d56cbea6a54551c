/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   bench local OURS SOFTHSM             P12 P15 P16 P18
 *   bench remote OURS URL CA_FILE DELAY  P5 P6, at a service that answers after DELAY ms
 */
#include "tests/bench/bench.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void series_add(struct series *series, double value)
{
    if (series->count < BENCH_ROUNDS_MAX)
        series->values[series->count++] = value;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return left < right ? -1 : left > right;
}

void series_print(struct series *series)
{
    qsort(series->values, series->count, sizeof(series->values[0]), compare);
    printf("%s,%s,%s,%.3f,%.3f,%.3f,%zu\n", series->goal, series->name, series->target,
           series->values[series->count / 2], series->values[0], series->values[series->count - 1],
           series->count);
    fflush(stdout);
}

static uint64_t read_clock(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

uint64_t bench_now_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t bench_cpu_ns(void)
{
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

void bench_check(CK_RV rv, const char *call)
{
    if (rv == CKR_OK)
        return;
    fprintf(stderr, "bench: %s failed with 0x%lx\n", call, rv);
    exit(1);
}

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

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "local") == 0) {
        bench_loading(argv[2], argv[3]);
        bench_local(argv[2], argv[3]);
        return 0;
    }
    if (argc == 6 && strcmp(argv[1], "remote") == 0) {
        bench_remote(argv[2], argv[3], argv[4], argv[5]);
        return 0;
    }
    fprintf(stderr, "usage: bench local OURS SOFTHSM | bench remote OURS URL CA_FILE DELAY\n");
    return 2;
}
