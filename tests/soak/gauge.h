/* SPDX-License-Identifier: Apache-2.0 */
/* What a process needs: memory, descriptors, threads; early in its life and late. */
#ifndef TESTS_SOAK_GAUGE_H
#define TESTS_SOAK_GAUGE_H

#include <stdint.h>
#include <sys/types.h>

struct gauge_window {
    uint64_t rss_sum_kb;
    unsigned samples;
    unsigned fds_max;
    unsigned threads_max;
};

struct gauge {
    pid_t pid;
    unsigned rss_kb;
    unsigned fds;
    unsigned threads;
    struct gauge_window early; /* once it has warmed up */
    struct gauge_window late;
};

/* done_percent: of the whole run. */
void gauge_take(struct gauge *gauge, unsigned done_percent);
unsigned gauge_rss_kb(const struct gauge_window *window); /* on average; 0 without a sample */

#endif
