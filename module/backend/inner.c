/* SPDX-License-Identifier: Apache-2.0 */
#include "module/backend/inner.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "module/backend/inner_fork.h"
#include "module/backend/inner_load.h"
#include "remote/base/cleanup.h"
#include "remote/base/clock.h"
#include "remote/base/reentry.h"

enum { REST_MS = 500, WAIT_MS = 100, EXIT_WAIT_MS = 500 };

/* All that were ever loaded, newest first; only added to. */
static struct inner *_Atomic all;

static atomic_bool is_exiting;

static const char ours[] = "it is this module, or one that loads it";
static const char lost[] = "another thread was using it when this process was forked";

/*
 * Exit handlers of libraries that were loaded before an inner module run after its destructors did,
 * and finish us then (pdfsig does); to call the module from there crashes it. This one runs before
 * its destructors, because it was registered after they were, sets a flag, and gives other threads
 * that are inside a moment to come out: they would crash there, too.
 */
static void note_exit(void)
{
    uint64_t until = clock_system.now_ms(&clock_system) + EXIT_WAIT_MS;

    atomic_store(&is_exiting, true);
    for (struct inner *inner = atomic_load(&all); inner; inner = inner->next)
        (void)inner_await_idle(inner, until);
}

bool inner_await_idle(const struct inner *inner, uint64_t until_ms)
{
    static const struct timespec moment = {.tv_nsec =
                                               100000}; /* most calls are shorter than 1 ms */
    int cancel_state = 0;
    bool is_idle = false;

    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    for (;;) {
        is_idle = atomic_load(&inner->inside) == 0 && !atomic_load(&inner->is_starting) &&
                  !atomic_load(&inner->is_changing);
        if (is_idle || clock_system.now_ms(&clock_system) >= until_ms)
            break;
        (void)nanosleep(&moment, NULL);
    }
    (void)pthread_setcancelstate(cancel_state, NULL);
    return is_idle;
}

static void set_up(struct inner *inner)
{
    atomic_store(&inner->is_starting, false);
    atomic_store(&inner->is_ready, false);
    atomic_store(&inner->is_released, false);
    atomic_store(&inner->is_changing, false);
    atomic_store(&inner->inside, 0);
    atomic_store(&inner->logins, 0);
    atomic_fetch_add(&inner->generation, 1);
    lock_init(&inner->lock, LOCK_LEAF);
    lock_cond_init(&inner->changed);
}

void inner_abandon(void)
{
    for (struct inner *inner = atomic_load(&all); inner; inner = inner->next) {
        inner->is_lost = inner->is_lost || atomic_load(&inner->is_held);
        set_up(inner);
    }
}

struct inner *inner_first(void)
{
    return atomic_load(&all);
}

/* Marks it as in use by a call, and false while somebody forks. */
static bool step_in(struct inner *inner)
{
    if (inner_fork_is_near())
        return false;
    atomic_fetch_add(&inner->inside, 1);
    if (!inner_fork_is_near())
        return true;
    atomic_fetch_sub(&inner->inside, 1);
    return false;
}

static void step_out(struct inner *inner)
{
    atomic_fetch_sub(&inner->inside, 1);
}

static void step_in_after_forks(struct inner *inner)
{
    while (!step_in(inner))
        if (!inner_fork_wait()) {
            atomic_store(&inner->is_held, true); /* first: a child may be made at any moment */
            atomic_fetch_add(&inner->inside, 1);
            return;
        }
}

/* As step_in, for what one thread does at a time; false: somebody else is at it. */
static bool claim(struct inner *inner, atomic_bool *mark)
{
    for (;;) {
        bool is_late = !inner_fork_wait();
        if (is_late)
            atomic_store(&inner->is_held, true);
        if (atomic_exchange(mark, true))
            return false;
        if (is_late || !inner_fork_is_near())
            return true;
        atomic_store(mark, false);
    }
}

static struct inner *find(const struct library_file *file)
{
    for (struct inner *inner = atomic_load(&all); inner; inner = inner->next)
        if (inner->file.device == file->device && inner->file.inode == file->inode)
            return inner;
    return NULL;
}

/* Calls its C_Initialize, by one thread at a time; nobody waits for one that does not come back. */
static enum sca_status start(struct inner *inner, char why[INNER_WHY_SIZE])
{
    if (inner->is_refused || inner->is_lost || !claim(inner, &inner->is_starting)) {
        (void)snprintf(why, INNER_WHY_SIZE, "%s",
                       inner->is_refused ? ours
                       : inner->is_lost  ? lost
                                         : "a C_Initialize of it has not returned yet");
        return SCA_INVALID;
    }
    reentry_enter();
    CK_RV rv = inner_initialize(inner);
    reentry_leave();
    atomic_store(&inner->is_starting, false);
    if (rv != CKR_OK) {
        (void)snprintf(why, INNER_WHY_SIZE, "its C_Initialize says 0x%lx", rv);
        return SCA_INVALID;
    }
    atomic_store(&inner->is_ready, true);
    return SCA_OK;
}

static void inner_free(struct inner *inner)
{
    library_file_fini(&inner->file);
    pthread_cond_destroy(&inner->changed);
    lock_fini(&inner->lock);
    free(inner);
}

static enum sca_status load(struct library_file *take_file, struct inner **ret_inner,
                            char why[INNER_WHY_SIZE])
{
    struct inner *inner = calloc(1, sizeof(*inner));
    if (!inner) {
        library_file_fini(take_file);
        return SCA_NOMEM;
    }
    inner->file = *take_file;
    set_up(inner);
    reentry_enter();
    enum sca_status st = inner_load(inner, why);
    reentry_leave();
    if (st != SCA_OK) {
        inner_free(inner);
        return st;
    }
    inner->next = atomic_load(&all);
    while (!atomic_compare_exchange_weak(&all, &inner->next, inner))
        continue;
    *ret_inner = inner;
    return SCA_OK;
}

/* It is asked once who it is; before that no token of it is shown. */
static enum sca_status introduce(struct inner *inner, char why[INNER_WHY_SIZE])
{
    step_in_after_forks(inner);
    reentry_enter();
    bool is_ours = inner_is_ours(inner);
    if (is_ours)
        (void)inner_finalize(inner);
    reentry_leave();
    step_out(inner);
    if (is_ours) {
        atomic_store(&inner->is_ready, false);
        inner->is_refused = true;
        (void)snprintf(why, INNER_WHY_SIZE, "%s", ours);
        return SCA_INVALID;
    }
    if (atexit(note_exit) != 0) {
        (void)snprintf(why, INNER_WHY_SIZE, "the end of the process cannot be watched");
        return SCA_INVALID;
    }
    return SCA_OK;
}

enum sca_status inner_open(const char *path, struct inner **ret_inner, char why[INNER_WHY_SIZE])
{
    AUTO(library_file_fini) struct library_file file = {.path = NULL};
    const char *reason = NULL;

    enum sca_status st = library_file_check(path, &file, &reason);
    if (st == SCA_OK && inner_file_is_ours(&file)) {
        reason = ours;
        st = SCA_INVALID;
    }
    if (st != SCA_OK) {
        (void)snprintf(why, INNER_WHY_SIZE, "%s", reason ? reason : sca_status_name(st));
        return st == SCA_NOMEM ? st : SCA_INVALID;
    }
    struct inner *inner = find(&file);
    if (!inner && !inner_fork_watch()) {
        (void)snprintf(why, INNER_WHY_SIZE, "forks cannot be watched");
        return SCA_INVALID;
    }
    if (!inner) {
        struct library_file taken = file;
        file.path = NULL;
        st = load(&taken, &inner, why);
    }
    if (st != SCA_OK || !inner)
        return st;
    if (!atomic_load(&inner->is_ready) && !atomic_load(&inner->is_released)) {
        st = start(inner, why);
        if (st == SCA_OK)
            st = introduce(inner, why);
    }
    if (st == SCA_OK)
        *ret_inner = inner;
    return st;
}

static void wait_for_change(struct inner *inner)
{
    lock_take(&inner->lock);
    if (atomic_load(&inner->is_changing))
        (void)lock_wait_for(&inner->lock, &inner->changed, WAIT_MS);
    lock_drop(&inner->lock);
}

/* After claim(inner, &inner->is_changing). */
static void end_change(struct inner *inner)
{
    lock_take(&inner->lock);
    atomic_store(&inner->is_changing, false);
    pthread_cond_broadcast(&inner->changed);
    lock_drop(&inner->lock);
}

/* If it does not start again, it is not ready and not released: nobody tries any more. */
static void wake(struct inner *inner)
{
    if (!claim(inner, &inner->is_changing))
        return; /* somebody else is at it */
    if (atomic_load(&inner->is_released) && !atomic_load(&is_exiting)) {
        reentry_enter();
        CK_RV rv = inner_initialize(inner);
        reentry_leave();
        atomic_store(&inner->is_released, false);
        atomic_store(&inner->is_ready, rv == CKR_OK);
    }
    end_change(inner);
}

bool inner_enter(struct inner *inner)
{
    for (;;) {
        step_in_after_forks(inner);
        bool may_enter = !atomic_load(&is_exiting); /* after the mark: the handler waits for that */
        bool is_changing = atomic_load(&inner->is_changing);
        if (may_enter && !is_changing && atomic_load(&inner->is_ready))
            break;
        step_out(inner);
        if (!may_enter)
            return false;
        if (is_changing)
            wait_for_change(inner);
        else if (atomic_load(&inner->is_released))
            wake(inner);
        else if (!atomic_load(&inner->is_ready))
            return false;
    }
    reentry_enter();
    return true;
}

bool inner_revive(struct inner *inner)
{
    if (atomic_load(&is_exiting))
        return false;
    CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};
    step_in_after_forks(inner);
    reentry_enter();
    CK_RV rv = inner->Initialize(&args); /* p11-kit still believes that it is */
    reentry_leave();
    step_out(inner);
    if (rv != CKR_OK && rv != CKR_CRYPTOKI_ALREADY_INITIALIZED)
        return false;
    atomic_fetch_add(&inner->generation, 1);
    return true;
}

static void finalize(struct inner *inner)
{
    reentry_enter();
    CK_RV rv = inner_finalize(inner);
    reentry_leave();
    if (rv != CKR_OK)
        return; /* it is not ours to end */
    atomic_fetch_add(&inner->generation, 1);
    atomic_store(&inner->is_released, true);
    atomic_store(&inner->is_ready, false);
    atomic_store(&inner->last_ms, clock_system.now_ms(&clock_system));
}

static bool is_unused(const struct inner *inner)
{
    return atomic_load(&inner->inside) == 0 && atomic_load(&inner->logins) == 0;
}

void inner_leave(struct inner *inner)
{
    reentry_leave();
    step_out(inner);
    if (!atomic_load(&inner->is_shared) || !is_unused(inner) || atomic_load(&is_exiting) ||
        !claim(inner, &inner->is_changing))
        return;
    if (is_unused(inner) && atomic_load(&inner->is_ready))
        finalize(inner);
    end_change(inner);
}

bool inner_rests(const struct inner *inner)
{
    return atomic_load(&inner->is_released) &&
           clock_system.now_ms(&clock_system) - atomic_load(&inner->last_ms) < REST_MS;
}
