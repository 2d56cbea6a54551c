/* SPDX-License-Identifier: Apache-2.0 */
#include "module/token/library.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#include <openssl/crypto.h>

#include "module/token/event.h"
#include "module/token/failure.h"
#include "module/token/handlers.h"
#include "module/token/library_parts.h"
#include "module/token/session.h"
#include "module/token/text.h"
#include "remote/base/clock.h"
#include "remote/base/lock.h"
#include "remote/base/reentry.h"

enum library_state {
    LIBRARY_OFF,
    LIBRARY_READY,
    LIBRARY_ENDING, /* the process is: nothing but C_Finalize is possible any more */
    LIBRARY_FINISHING,
};

/* C_Finalize waits this long for calls that it has cancelled; then it leaves their memory alone.
 * The end of the process waits less, and then comes. */
enum { FINISH_WAIT_MS = 2000, FINISH_STEP_MS = 10, END_WAIT_MS = 500 };

/*
 * Each thread counts itself in one of several places, a cache line apart: threads that sign at the
 * same time would otherwise wait for one another's cache lines.
 */
enum { COUNTERS = 16, CACHE_LINE = 64 };
struct counter {
    _Alignas(CACHE_LINE) atomic_uint calls;
};

static struct {
    struct lock lock;        /* C_Initialize and C_Finalize, one at a time */
    pthread_cond_t left;     /* a call left while the library is finishing, or that is done */
    atomic_uint forks;       /* counted by the child handler of fork */
    atomic_uint forks_taken; /* forks when a thread began to forget the parent */
    atomic_uint forks_known; /* forks when this process first called C_Initialize */
    atomic_int state;
    struct counter inside[COUNTERS]; /* calls between library_enter and library_leave */
} library = {.lock = LOCK_INITIALIZER(LOCK_LIBRARY)};

/* All that is safe in a forked child. -z nodelete keeps it mapped for the life of the process. */
static void count_fork(void)
{
    atomic_fetch_add(&library.forks, 1);
}

static bool is_this_process(void)
{
    return atomic_load(&library.forks) == atomic_load(&library.forks_known) && !reentry_is_inside();
}

/* Of this thread: its counter, from 1, and the calls that it is in. */
static _Thread_local struct {
    unsigned place;
    unsigned depth;
} own;

static atomic_uint *own_counter(void)
{
    static atomic_uint threads;
    if (!own.place)
        own.place = 1 + atomic_fetch_add(&threads, 1) % COUNTERS;
    return &library.inside[own.place - 1].calls;
}

static unsigned count_inside(void)
{
    unsigned count = 0;
    for (int i = 0; i < COUNTERS; i++)
        count += atomic_load(&library.inside[i].calls);
    return count;
}

/* Not by a signal's handler that calls exit from within a call: that call may have the locks. */
static void wake_all(void)
{
    if (own.depth > 0)
        return;
    event_wake();
    session_cancel_all(CKR_CRYPTOKI_NOT_INITIALIZED);
}

/*
 * OpenSSL calls this at exit, before it takes itself apart: a thread that is still in a call would
 * crash in what is left. Whoever waits for the signer is woken; the journal knows the signature.
 *
 * OpenSSL calls its handlers last first: that of remote/base/crypto.c, registered later, has run by
 * now, and calls that leave here free no keys. The handler of backend/inner.c is in the C library's
 * list, and runs before or after both.
 */
static void end_calls(void)
{
    static const struct timespec moment = {.tv_nsec = 1000000};
    int state = LIBRARY_READY;

    if (!is_this_process())
        return; /* what was forked waits for nobody */
    if (atomic_compare_exchange_strong(&library.state, &state, LIBRARY_ENDING)) {
        wake_all();
    } else if (state != LIBRARY_FINISHING) {
        return;
    }
    uint64_t until = clock_system.now_ms(&clock_system) + END_WAIT_MS;
    while ((count_inside() > own.depth || atomic_load(&library.state) == LIBRARY_FINISHING) &&
           clock_system.now_ms(&clock_system) < until)
        (void)nanosleep(&moment, NULL);
}

/* False for lack of memory: a child would take itself for the parent. Threads that begin together
 * may add the handler twice: what counts is whether the number has changed. */
static bool watch_forks(void)
{
    static atomic_bool is_watched;

    if (!atomic_load(&is_watched) && pthread_atfork(NULL, NULL, count_fork) == 0)
        atomic_store(&is_watched, true);
    return atomic_load(&is_watched);
}

static void prepare_once(void)
{
    lock_cond_init(&library.left);
    (void)OPENSSL_atexit(end_calls); /* without it, exit is as dangerous as ever */
}

/*
 * A forked child is another application (2.40 section 6.6.1): it forgets what it inherited without
 * touching the parent's locks, sockets or sessions.
 */
static void forget_parent(void)
{
    unsigned forks = atomic_load(&library.forks);
    if (forks == atomic_load(&library.forks_known))
        return;
    unsigned taken = atomic_load(&library.forks_taken);
    if (taken == forks || !atomic_compare_exchange_strong(&library.forks_taken, &taken, forks)) {
        while (atomic_load(&library.forks_known) != forks)
            (void)sched_yield(); /* another thread of this child is at it */
        return;
    }
    lock_init(&library.lock, LOCK_LIBRARY);
    lock_cond_init(&library.left);
    for (int i = 0; i < COUNTERS; i++)
        atomic_store(&library.inside[i].calls, 0);
    library_parts_abandon();
    atomic_store(&library.state, LIBRARY_OFF);
    atomic_store(&library.forks_known, forks); /* last: until then nobody gets in */
}

static bool is_started(void)
{
    int state = atomic_load(&library.state);
    return state == LIBRARY_READY || state == LIBRARY_ENDING;
}

bool library_enter(void)
{
    if (atomic_load(&library.state) != LIBRARY_READY || !is_this_process())
        return false; /* without disturbing the count that C_Finalize waits for */
    atomic_fetch_add(own_counter(), 1);
    own.depth++;
    if (atomic_load(&library.state) == LIBRARY_READY)
        return true; /* nothing else can have changed for this thread */
    library_leave();
    return false;
}

void library_leave(void)
{
    own.depth--;
    atomic_fetch_sub(own_counter(), 1);
    if (library_is_finishing())
        pthread_cond_broadcast(&library.left);
}

bool library_is_finishing(void)
{
    return atomic_load(&library.state) >= LIBRARY_ENDING;
}

/* 2.40 section 5.4: all four callbacks or none; with callbacks alone we cannot work. */
static CK_RV check_initialize_args(const CK_C_INITIALIZE_ARGS *args)
{
    if (!args)
        return CKR_OK;
    int callbacks =
        !!args->CreateMutex + !!args->DestroyMutex + !!args->LockMutex + !!args->UnlockMutex;
    if (args->pReserved || (callbacks != 0 && callbacks != 4))
        return CKR_ARGUMENTS_BAD;
    /* An application that insists on its own mutexes: libcurl and OpenSSL need the system's. */
    return callbacks == 4 && !(args->flags & CKF_OS_LOCKING_OK) ? CKR_CANT_LOCK : CKR_OK;
}

CK_RV library_initialize(void *args)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    CK_RV rv = check_initialize_args(args);
    if (rv != CKR_OK)
        return rv;
    if (reentry_is_inside())
        return CKR_CRYPTOKI_ALREADY_INITIALIZED;
    if (!watch_forks())
        return CKR_HOST_MEMORY; /* the next C_Initialize tries again */
    pthread_once(&once, prepare_once);
    forget_parent();

    lock_take(&library.lock);
    while (atomic_load(&library.state) == LIBRARY_FINISHING)
        lock_wait(&library.lock, &library.left);
    if (atomic_load(&library.state) != LIBRARY_OFF) {
        rv = CKR_CRYPTOKI_ALREADY_INITIALIZED;
    } else {
        rv = library_parts_start();
        if (rv == CKR_OK)
            atomic_store(&library.state, LIBRARY_READY);
    }
    lock_drop(&library.lock);
    return rv;
}

/* False if some call would not leave in time. */
static bool wait_until_empty(void) REQUIRES(library.lock)
{
    /* By the clock: a call that leaves wakes this wait long before its step is over. */
    uint64_t until = clock_system.now_ms(&clock_system) + FINISH_WAIT_MS;
    while (count_inside() > 0 && clock_system.now_ms(&clock_system) < until)
        (void)lock_wait_for(&library.lock, &library.left, FINISH_STEP_MS);
    return count_inside() == 0;
}

CK_RV library_finalize(void *reserved)
{
    if (!is_started() || !is_this_process())
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (reserved)
        return CKR_ARGUMENTS_BAD;
    if (session_is_notifying())
        return failure(CKR_FUNCTION_FAILED, "C_Finalize from within a notification callback");

    lock_take(&library.lock);
    bool is_ours = is_started();
    bool is_empty = false;
    if (is_ours) {
        atomic_store(&library.state, LIBRARY_FINISHING);
        wake_all();
        is_empty = wait_until_empty();
    }
    lock_drop(&library.lock);
    if (!is_ours)
        return CKR_CRYPTOKI_NOT_INITIALIZED;

    library_parts_stop(is_empty);
    lock_take(&library.lock);
    atomic_store(&library.state, LIBRARY_OFF);
    pthread_cond_broadcast(&library.left);
    lock_drop(&library.lock);
    return CKR_OK;
}

CK_RV library_info(CK_INFO *info)
{
    if (!info)
        return CKR_ARGUMENTS_BAD;
    *info = (CK_INFO){
        .cryptokiVersion = {3, 2},
        .libraryVersion = {SMARTCA_VERSION_MAJOR, SMARTCA_VERSION_MINOR},
    };
    text_pad(info->manufacturerID, sizeof(info->manufacturerID), "libsmartca-pkcs11");
    text_pad(info->libraryDescription, sizeof(info->libraryDescription), "VNPT SmartCA PKCS#11");
    return CKR_OK;
}
