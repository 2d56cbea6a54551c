/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/base/lock.h"

#include <assert.h>
#include <time.h>

static _Thread_local int held;

void lock_init(struct lock *lock, enum lock_rank rank)
{
    *lock = (struct lock)LOCK_INITIALIZER(rank);
    pthread_mutex_init(&lock->mutex, NULL);
}

void lock_fini(struct lock *lock)
{
    pthread_mutex_destroy(&lock->mutex);
}

void lock_take(struct lock *lock) NO_LOCK_ANALYSIS
{
    assert(held < (int)lock->rank);
    pthread_mutex_lock(&lock->mutex);
    lock->outer = held;
    held = (int)lock->rank;
}

void lock_drop(struct lock *lock) NO_LOCK_ANALYSIS
{
    held = lock->outer;
    pthread_mutex_unlock(&lock->mutex);
}

/* The mutex is released while waiting, so the holder's note of its outer rank has to be kept aside.
 */
void lock_wait(struct lock *lock, pthread_cond_t *changed)
{
    int outer = lock->outer;
    held = outer;
    pthread_cond_wait(changed, &lock->mutex);
    lock->outer = outer;
    held = (int)lock->rank;
}

bool lock_wait_for(struct lock *lock, pthread_cond_t *changed, unsigned timeout_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(timeout_ms / 1000);
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }

    int outer = lock->outer;
    held = outer;
    int rc = pthread_cond_timedwait(changed, &lock->mutex, &until);
    lock->outer = outer;
    held = (int)lock->rank;
    return rc == 0;
}

void lock_cond_init(pthread_cond_t *changed)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(changed, &attr);
    pthread_condattr_destroy(&attr);
}

bool lock_none_held(void)
{
    return held == 0;
}
