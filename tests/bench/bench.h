/* SPDX-License-Identifier: Apache-2.0 */
/* Ratios in interleaved rounds: what is compared runs in turn within each round, in one process. */
#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "module/cryptoki.h"

enum { BENCH_ROUNDS_MIN = 7, BENCH_ROUNDS_MAX = 64 }; /* of a figure that counts */

/* One figure per round, and what README.md wants of its median. */
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

/* Did the CPU belong to others meanwhile? Then the round does not count (README.md). */
bool stopwatch_was_disturbed(const struct stopwatch *spent);

/*
 * Goes round until enough rounds count (9, or $BENCH_ROUNDS):
 *
 *   while (rounds_next(&rounds)) { measure; if (rounds_count(&rounds, is_disturbed)) add; }
 *
 * Each waits, not for ever, for a moment in which a few milliseconds of computing are not
 * disturbed. A disturbed round does not count. After three times as many as are wanted all do, and
 * a comment in the output says so. Fewer rounds than BENCH_ROUNDS_MIN try the suite out, at once,
 * on whatever machine. rounds_keep is for rounds that have no limit to tell by: those count after
 * which it is still calm.
 */
struct rounds {
    unsigned rejected;
    unsigned counted;
    unsigned doubtful;
};
bool rounds_next(const struct rounds *rounds);
bool rounds_count(struct rounds *rounds, bool is_disturbed);
bool rounds_keep(struct rounds *rounds);

/* What is measured: tests/bench/run says it in variables BENCH_... of the environment. */
struct bench {
    const char *ours; /* modules */
    const char *softhsm;
    const char *proxy;   /* p11-kit's, which finds SoftHSM2 alone */
    const char *client;  /* p11-kit's, of a server with SoftHSM2 */
    const char *stores;  /* the folder that tests/bench/stores.sh fills */
    const char *service; /* the emulator */
    const char *ca_file;
    const char *serial; /* of the certificate that bare libcurl signs with */
    const char *otp;    /* of an account without the phone, typed for each signature; else NULL */
    char **args;        /* what follows the part's name */
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
void bench_memory(const struct bench *bench);   /* P20 */
void bench_login(const struct bench *bench);    /* P21 */
void bench_growth(const struct bench *bench);   /* P9, of local slots */
void bench_idle(const struct bench *bench);     /* P22, of local slots */

/* Does what so many times and nothing else that depends on the number; for strace.
 * ours|softhsm|evp rsa|ec|info|slots|start|wrong TIMES */
void bench_repeat(const struct bench *bench);

/* Those that sign with the account of the configuration. */
void bench_remote(const struct bench *bench);         /* P5, P6. DELAY: text for the report */
void bench_crowd(const struct bench *bench);          /* P8, P10. CALLS, SECONDS to confirmation */
void bench_rate(const struct bench *bench);           /* P5. ours|bare SECONDS */
void bench_waits(const struct bench *bench);          /* P10. FIRST_MS STEP_MS TIMES */
void bench_first(const struct bench *bench);          /* P19. NAME of the CA file, for the report */
void bench_growth_account(const struct bench *bench); /* P9 */
void bench_idle_account(const struct bench *bench);   /* P22 */
void bench_lives(const struct bench *bench);          /* P19, for strace. TIMES */
void bench_signatures(const struct bench *bench);     /* P23, for strace. TIMES */

#endif
