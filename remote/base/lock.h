/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mutexes with ranks. A thread takes locks in rising rank only, which makes a deadlock impossible;
 * debug builds assert it. Nobody waits, calls back or does I/O under a rank below LOCK_JOURNAL, but
 * for C_Initialize, which reads its files under LOCK_LIBRARY.
 */
#ifndef REMOTE_BASE_LOCK_H
#define REMOTE_BASE_LOCK_H

#include <pthread.h>
#include <stdbool.h>

#if defined(__clang__)
#define LOCKABLE         __attribute__((capability("mutex")))
#define REQUIRES(lock)   __attribute__((requires_capability(lock)))
#define ACQUIRES(lock)   __attribute__((acquire_capability(lock)))
#define RELEASES(lock)   __attribute__((release_capability(lock)))
#define NO_LOCK_ANALYSIS __attribute__((no_thread_safety_analysis))
#else
#define LOCKABLE
#define REQUIRES(lock)
#define ACQUIRES(lock)
#define RELEASES(lock)
#define NO_LOCK_ANALYSIS
#endif

enum lock_rank {
    LOCK_LIBRARY = 1, /* C_Initialize, C_Finalize, the table of slots */
    LOCK_SLOT,        /* login state and the object snapshot of a slot */
    LOCK_SESSION,     /* the operation of a session */
    LOCK_BACKEND,     /* a backend's own state */
    LOCK_JOURNAL,     /* the transaction journal: held over its small file I/O */
    LOCK_POOL,        /* the connection pool */
    LOCK_LEAF,        /* handle map, log, anything that takes no other lock */
};

struct LOCKABLE lock {
    pthread_mutex_t mutex;
    enum lock_rank rank;
    int outer; /* rank this thread held before; written and read by the holder only */
};

#define LOCK_INITIALIZER(the_rank)                                                                 \
    {                                                                                              \
        .mutex = PTHREAD_MUTEX_INITIALIZER, .rank = (the_rank)                                     \
    }

void lock_init(struct lock *lock, enum lock_rank rank);
void lock_fini(struct lock *lock);
void lock_take(struct lock *lock) ACQUIRES(*lock);
void lock_drop(struct lock *lock) RELEASES(*lock);

/* Waits on changed (a condition on CLOCK_MONOTONIC) with the lock released meanwhile. */
void lock_wait(struct lock *lock, pthread_cond_t *changed) REQUIRES(*lock);

/* The same, at most timeout_ms milliseconds. False when the time is over. */
bool lock_wait_for(struct lock *lock, pthread_cond_t *changed, unsigned timeout_ms) REQUIRES(*lock);

/* Initialises a condition for the two waits above. */
void lock_cond_init(pthread_cond_t *changed);

/* True if this thread holds no lock of this library: asserted before anything that may take long.
 */
bool lock_none_held(void);

#endif
