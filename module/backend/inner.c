/* SPDX-License-Identifier: Apache-2.0 */
#include "module/backend/inner.h"

#include <stdlib.h>
#include <time.h>

#include "module/backend/inner_fork.h"
#include "module/backend/inner_load.h"
#include "remote/base/clock.h"
#include "remote/base/reentry.h"

enum { REST_MS = 500, WAIT_MS = 100, EXIT_WAIT_MS = 500 };

static atomic_bool is_exiting;

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
    for (struct inner *inner = inner_first(); inner; inner = inner->next)
        (void)inner_await_idle(inner, until);
}

bool inner_watch_exit(void)
{
    return atexit(note_exit) == 0;
}

bool inner_is_exiting(void)
{
    return atomic_load(&is_exiting);
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

static void wait_for_change(struct inner *inner)
{
    lock_take(&inner->lock);
    if (atomic_load(&inner->is_changing))
        (void)lock_wait_for(&inner->lock, &inner->changed, WAIT_MS);
    lock_drop(&inner->lock);
}

/* After inner_fork_claim(inner, &inner->is_changing). */
static void end_change(struct inner *inner)
{
    lock_take(&inner->lock);
    atomic_store(&inner->is_changing, false);
    pthread_cond_broadcast(&inner->changed);
    lock_drop(&inner->lock);
}

/* False: it does not start now. It stays released, so that the next call tries again. */
static bool wake(struct inner *inner)
{
    CK_RV rv = CKR_OK;

    if (!inner_fork_claim(inner, &inner->is_changing))
        return true; /* somebody else is at it */
    if (atomic_load(&inner->state) == INNER_RELEASED && !inner_is_exiting()) {
        reentry_enter();
        rv = inner_initialize(inner);
        reentry_leave();
        if (rv == CKR_OK)
            atomic_store(&inner->state, INNER_READY);
    }
    end_change(inner);
    return rv == CKR_OK;
}

bool inner_enter(struct inner *inner)
{
    for (;;) {
        inner_fork_step_in(inner);
        bool may_enter = !inner_is_exiting(); /* after the mark: the handler waits for that */
        bool is_changing = atomic_load(&inner->is_changing);
        enum inner_state state = atomic_load(&inner->state);
        if (may_enter && !is_changing && state == INNER_READY)
            break;
        inner_fork_step_out(inner);
        if (!may_enter)
            return false;
        if (is_changing)
            wait_for_change(inner);
        else if (state == INNER_OFF || !wake(inner))
            return false;
    }
    reentry_enter();
    return true;
}

bool inner_revive(struct inner *inner)
{
    CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};
    CK_RV rv = CKR_FUNCTION_FAILED;

    inner_fork_step_in(inner);
    if (!inner_is_exiting()) {
        reentry_enter();
        rv = inner->Initialize(&args); /* p11-kit still believes that it is */
        reentry_leave();
    }
    inner_fork_step_out(inner);
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
    atomic_store(&inner->state, INNER_RELEASED);
    atomic_store(&inner->last_ms, clock_system.now_ms(&clock_system));
}

static bool is_unused(const struct inner *inner)
{
    return atomic_load(&inner->inside) == 0 && atomic_load(&inner->logins) == 0;
}

void inner_leave(struct inner *inner)
{
    reentry_leave();
    inner_fork_step_out(inner);
    if (!atomic_load(&inner->is_shared) || !is_unused(inner) ||
        !inner_fork_claim(inner, &inner->is_changing))
        return;
    if (!inner_is_exiting() && is_unused(inner) && atomic_load(&inner->state) == INNER_READY)
        finalize(inner);
    end_change(inner);
}

bool inner_rests(const struct inner *inner)
{
    return atomic_load(&inner->state) == INNER_RELEASED &&
           clock_system.now_ms(&clock_system) - atomic_load(&inner->last_ms) < REST_MS;
}
