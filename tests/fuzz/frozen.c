/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/frozen.h"

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#include "remote/base/lock.h"

enum { BEGIN_MS = 1000000, BEGIN_S = 1780000000 };

static uint64_t passed_ms;

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's names */
int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
time_t __wrap_time(time_t *now);
bool __wrap_lock_wait_for(struct lock *lock, pthread_cond_t *changed, unsigned timeout_ms);

void frozen_reset(void)
{
    passed_ms = 0;
}

void frozen_pass(uint64_t ms)
{
    passed_ms += ms;
}

/* libFuzzer measures with CLOCK_REALTIME, and so do the ages of files. */
int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    uint64_t ms = BEGIN_MS + passed_ms;

    if (clock == CLOCK_REALTIME)
        return __real_clock_gettime(clock, now);
    if (clock == CLOCK_REALTIME_COARSE)
        ms = passed_ms + BEGIN_S * UINT64_C(1000);
    now->tv_sec = (time_t)(ms / 1000);
    now->tv_nsec = (long)(ms % 1000) * 1000000L;
    return 0;
}

time_t __wrap_time(time_t *now)
{
    time_t seconds = BEGIN_S + (time_t)(passed_ms / 1000);

    if (now)
        *now = seconds;
    return seconds;
}

/* Nobody else is there to change anything. */
bool __wrap_lock_wait_for(struct lock *lock, pthread_cond_t *changed, unsigned timeout_ms)
{
    (void)lock;
    (void)changed;
    passed_ms += timeout_ms ? timeout_ms : 1;
    return false;
}
/* NOLINTEND(bugprone-reserved-identifier) */
