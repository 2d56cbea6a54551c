/* SPDX-License-Identifier: Apache-2.0 */
/* What a process needs: memory, descriptors, threads; early in its life and late. */
#ifndef TESTS_SOAK_GAUGE_H
#define TESTS_SOAK_GAUGE_H

#include <sys/types.h>

struct gauge_window {
    unsigned rss_min_kb; /* what is always there: a login needs 128 MiB for half a second */
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

#endif
