/* SPDX-License-Identifier: Apache-2.0 */
/* What a piece of work costs a process that has done nothing else yet. */
#ifndef TESTS_BENCH_FOOTPRINT_H
#define TESTS_BENCH_FOOTPRINT_H

#include "tests/bench/bench.h"

struct footprint {
    double us;
    double cpu_us;   /* of this thread */
    double rss_kb;   /* added to the process, of /proc/self/smaps_rollup */
    double dirty_kb; /* of it private and dirty */
};

/* Forks; the child calls prepare (may be NULL), then work, and measures the second. What they do to
 * arg, the parent does not see. */
struct footprint footprint_of(void (*prepare)(void *arg), void (*work)(void *arg), void *arg);

#endif
