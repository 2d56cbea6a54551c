/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REMOTE_BASE_CLOCK_H
#define REMOTE_BASE_CLOCK_H

#include <stdint.h>

struct call;

/*
 * Time, behind a pointer so that a test can tell a story of minutes in microseconds.
 * wait() sleeps at most ms milliseconds and returns early when the call is cancelled.
 */
struct clock {
    uint64_t (*now_ms)(const struct clock *clock); /* monotonic */
    int64_t (*wall_s)(const struct clock *clock);  /* seconds since 1970, UTC */
    void (*wait)(const struct clock *clock, struct call *call, uint64_t ms);
};

/* The real one. */
extern const struct clock clock_system;

#endif
