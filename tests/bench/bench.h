/* SPDX-License-Identifier: Apache-2.0 */
/* Ratios in interleaved rounds: what is compared runs in turn within each round, in one process. */
#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "module/cryptoki.h"

enum { BENCH_ROUNDS = 9, BENCH_ROUNDS_MAX = 64, BENCH_REJECTED_MAX = 27 };

/* One figure per round, and what performance.md wants of its median. */
struct series {
    const char *goal;   /* "P5" */
    const char *target; /* "<= 1.05"; "us" and the like: for information */
    char name[96];      /* what the figure is; no comma */
    double values[BENCH_ROUNDS_MAX];
    size_t count;
};

void series_init(struct series *series, const char *goal, const char *target, const char *format,
                 ...) __attribute__((format(printf, 4, 5)));
void series_add(struct series *series, double value);

/* A comment with the raw rounds, and one CSV line: goal,name,target,median,min,max,rounds. */
void series_print(struct series *series);

/* Wall time and CPU time of a thread, nanoseconds. */
struct stopwatch {
    uint64_t wall;
    uint64_t cpu;
};

struct stopwatch stopwatch_start(void);
struct stopwatch stopwatch_stop(const struct stopwatch *start);

/* Did the CPU belong to others meanwhile? Then the round does not count (performance.md 7.2). */
bool stopwatch_was_disturbed(const struct stopwatch *spent);

/*
 * Goes round until BENCH_ROUNDS rounds count:
 *
 *   while (rounds_next(&rounds)) { measure; if (rounds_count(&rounds, is_disturbed)) add; }
 *
 * A disturbed round does not count. After BENCH_REJECTED_MAX of them all do, and a comment in the
 * output says so.
 */
struct rounds {
    unsigned rejected;
    unsigned counted;
    unsigned doubtful;
};
bool rounds_next(const struct rounds *rounds);
bool rounds_count(struct rounds *rounds, bool is_disturbed);

/* Waits for a moment in which a few milliseconds of computing are not disturbed; for rounds that
 * have no limit to tell by. Gives up after a while. */
void bench_wait_for_calm(void);

/* A module and the folder of stores (tests/bench/stores) it is measured with. */
struct bench {
    const char *ours;
    const char *softhsm;
    const char *stores;
};

/* Loads a module and returns its 2.40 list; exits with a message on failure. */
CK_FUNCTION_LIST *bench_load(const char *path);

/* Exits with a message naming the call unless rv is CKR_OK. */
void bench_check(CK_RV rv, const char *call);

/* Exits with a message unless is_fine. */
void bench_need(bool is_fine, const char *what);

void bench_rsa(const struct bench *bench);      /* P1, P3 */
void bench_ec(const struct bench *bench);       /* P2, P3 */
void bench_start(const struct bench *bench);    /* P12 */
void bench_find(const struct bench *bench);     /* P13, P14 */
void bench_sessions(const struct bench *bench); /* P15, P16 */
void bench_forward(const struct bench *bench);  /* P17 */
void bench_loading(const struct bench *bench);  /* P18 */
void bench_memory(const struct bench *bench);   /* P20 */
void bench_login(const struct bench *bench);    /* P21 */

/* Does what so many times and nothing else that depends on the number; for strace. */
void bench_repeat(const struct bench *bench, const char *module, const char *what,
                  unsigned long times);

/* P5, P6: C_Sign against bare libcurl, whose answers take delay (text for the report) at the
 * service. */
void bench_remote(const char *ours, const char *service, const char *ca_file, const char *delay);

/* P8, P10: so many calls at once, in one transaction confirmed after so many seconds. */
void bench_crowd(const char *ours, const char *calls, const char *confirmed_after_s);
void bench_rate(const char *ours, const char *service, const char *ca_file, const char *seconds);

#endif
