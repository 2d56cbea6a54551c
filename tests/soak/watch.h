/* SPDX-License-Identifier: Apache-2.0 */
/* One soak, and the process that watches over it. */
#ifndef TESTS_SOAK_WATCH_H
#define TESTS_SOAK_WATCH_H

#include <stdio.h>

#include "tests/integration/harness.h"
#include "tests/soak/book.h"
#include "tests/soak/dice.h"
#include "tests/soak/gauge.h"
#include "tests/soak/post.h"

enum { PROCESSES = WORKERS + 1 }; /* the last one runs the tool */

struct soak {
    struct world world;
    struct office *office;
    struct book book;
    struct dice dice;
    struct gauge gauges[WORKERS];
    pid_t processes[PROCESSES]; /* 0: has ended */
    int posts;
    FILE *diary;
    uint64_t seed;
    uint64_t begun_ms;
    uint64_t run_ms;
    uint64_t drain_ms; /* when the end began; 0: not yet */
};

uint64_t soak_ms(const struct soak *soak); /* since it began */

/* The tool's exit code; what it printed is in soak.out. */
int soak_run_tool(const struct soak *soak, const char *const *args);

/* Until all processes have ended, or a promise was broken: see the book. */
void watch(struct soak *soak);

/* The last look at everything, when nobody works any more. */
void watch_judge(struct soak *soak);

#endif
