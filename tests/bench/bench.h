/* SPDX-License-Identifier: Apache-2.0 */
/* Ratios in interleaved rounds: what is compared runs in turn within each round, in one process. */
#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

#include <stddef.h>
#include <stdint.h>

#include "module/cryptoki.h"

enum { BENCH_ROUNDS = 9, BENCH_ROUNDS_MAX = 64 };

/* One figure per round, and what performance.md wants of its median. */
struct series {
    const char *goal;   /* "P5" */
    const char *name;   /* what the figure is */
    const char *target; /* "<= 1.05" */
    double values[BENCH_ROUNDS_MAX];
    size_t count;
};

void series_add(struct series *series, double value);

/* One CSV line: goal,name,target,median,min,max,rounds. */
void series_print(struct series *series);

/* Nanoseconds of wall time, and of this thread's CPU time. */
uint64_t bench_now_ns(void);
uint64_t bench_cpu_ns(void);

/* Loads a module and returns its 2.40 list; exits with a message on failure. */
CK_FUNCTION_LIST *bench_load(const char *path);

/* Exits with a message naming the call unless rv is CKR_OK. */
void bench_check(CK_RV rv, const char *call);

/* P12, P15, P16: start, sessions, look-ups, against SoftHSM2. P18: loading, in processes of its
 * own. */
void bench_local(const char *ours, const char *softhsm);
void bench_loading(const char *ours, const char *softhsm);

/* P5, P6: C_Sign against bare libcurl, whose answers take delay (text for the report) at the
 * service. */
void bench_remote(const char *ours, const char *service, const char *ca_file, const char *delay);

#endif
