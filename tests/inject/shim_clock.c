/* SPDX-License-Identifier: Apache-2.0 */
/* A clock on the wall that somebody sets. */
#include <stdatomic.h>
#include <sys/time.h>
#include <time.h>

#include "tests/inject/strike.h"

static atomic_long ahead;

void inject_set_clock(long seconds)
{
    atomic_store(&ahead, seconds);
}

int clock_gettime(clockid_t clock, struct timespec *ret_now)
{
    REAL(int, "clock_gettime", clockid_t, struct timespec *);
    int status = real(clock, ret_now);
    if (status == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        ret_now->tv_sec += atomic_load(&ahead);
    return status;
}

time_t time(time_t *ret_now)
{
    REAL(time_t, "time", time_t *);
    time_t now = real(NULL) + atomic_load(&ahead);
    if (ret_now)
        *ret_now = now;
    return now;
}

int gettimeofday(struct timeval *restrict ret_now, void *restrict zone)
{
    REAL(int, "gettimeofday", struct timeval *, void *);
    int status = real(ret_now, zone);
    if (status == 0)
        ret_now->tv_sec += atomic_load(&ahead);
    return status;
}
