/* SPDX-License-Identifier: Apache-2.0 */
/* What a piece of work costs a process that has done nothing else yet. */
#ifndef TESTS_BENCH_FOOTPRINT_H
#define TESTS_BENCH_FOOTPRINT_H

#include "tests/bench/subject.h"

struct footprint {
    double us;
    double rss_kb;   /* added to the process, of /proc/self/smaps_rollup */
    double dirty_kb; /* of it private and dirty */
};

/* Forks; the child calls prepare (may be NULL), then work, and measures the second. subject is the
 * child's own copy. */
struct footprint footprint_of(void (*prepare)(struct subject *subject),
                              void (*work)(struct subject *subject), const struct subject *subject);

#endif
