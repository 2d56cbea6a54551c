/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/base/lock.h"

#include <assert.h>
#include <time.h>

/*
 * The rank that this thread holds is for the assertions alone: without them it is not kept. A
 * thread's own variable costs a shared library a call each time, and a signature takes nine locks.
 */
#ifndef NDEBUG
static _Thread_local int held;

static void note_taken(struct lock *lock)
{
    lock->outer = held;
    held = (int)lock->rank;
}

static void note_dropped(const struct lock *lock)
{
    held = lock->outer;
}

/* Before the mutex is taken: what would be a deadlock is told of. */
static void check_rank(const struct lock *lock)
{
    assert(held < (int)lock->rank);
}

bool lock_none_held(void)
{
    return held == 0;
}
#else
static void note_taken(const struct lock *lock)
{
    (void)lock;
}

static void note_dropped(const struct lock *lock)
{
    (void)lock;
}

static void check_rank(const struct lock *lock)
{
    (void)lock;
}

bool lock_none_held(void)
{
    return true;
}
#endif

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
    check_rank(lock);
    pthread_mutex_lock(&lock->mutex);
    note_taken(lock);
}

void lock_drop(struct lock *lock) NO_LOCK_ANALYSIS
{
    note_dropped(lock);
    pthread_mutex_unlock(&lock->mutex);
}

/* While it waits this thread holds what it held before, and then again; the lock's own note may
 * have been written by other holders meanwhile. */
void lock_wait(struct lock *lock, pthread_cond_t *changed)
{
    note_dropped(lock);
    pthread_cond_wait(changed, &lock->mutex);
    note_taken(lock);
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

    note_dropped(lock);
    int rc = pthread_cond_timedwait(changed, &lock->mutex, &until);
    note_taken(lock);
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
