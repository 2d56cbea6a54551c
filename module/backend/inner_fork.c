/* SPDX-License-Identifier: Apache-2.0 */
#include "module/backend/inner_fork.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "module/backend/inner.h"
#include "remote/base/clock.h"
#include "remote/base/reentry.h"

/* A signature of a USB token takes a few hundred; nobody notices a fork that takes as long. */
enum { FORK_WAIT_MS = 300, SHORT_WAIT_MS = 10 };

static atomic_uint forking; /* threads in fork */

/* A call that lasted too long for the fork before, and may never come back, is hardly waited for.
 * The mark goes before anybody looks: who does not wait for this fork sets it again. */
static void look_inside(struct inner *inner, uint64_t now)
{
    bool was_held = atomic_exchange(&inner->is_held, false);

    if (!inner_await_idle(inner, now + (was_held ? SHORT_WAIT_MS : FORK_WAIT_MS)))
        atomic_store(&inner->is_held, true);
}

/* A module that forks by itself is not waited for: it is its own thread that is inside. */
static void before_fork(void)
{
    uint64_t now = clock_system.now_ms(&clock_system);

    atomic_fetch_add(&forking, 1);
    for (struct inner *inner = inner_first(); inner; inner = inner->next)
        if (reentry_is_inside())
            atomic_store(&inner->is_held, !inner_await_idle(inner, now));
        else
            look_inside(inner, now);
}

static void after_fork(void)
{
    atomic_fetch_sub(&forking, 1);
}

static void in_child(void)
{
    atomic_store(&forking, 0);
}

bool inner_fork_watch(void)
{
    static atomic_bool is_watched;
    if (atomic_exchange(&is_watched, true))
        return true;
    if (pthread_atfork(before_fork, after_fork, in_child) == 0)
        return true;
    atomic_store(&is_watched, false);
    return false;
}

static bool is_near(void)
{
    return atomic_load(&forking) > 0;
}

/* False: forks have gone on for so long that the caller goes in all the same (the thread that forks
 * may be waiting for a lock of the host's that the caller has); a child leaves the module alone.
 * The mark comes first: a child may be made at any moment. */
static bool wait_for_forks(struct inner *inner)
{
    static const struct timespec moment = {.tv_nsec = 100000};
    uint64_t until = is_near() ? clock_system.now_ms(&clock_system) + FORK_WAIT_MS : 0;

    while (is_near()) {
        if (clock_system.now_ms(&clock_system) >= until) {
            atomic_store(&inner->is_held, true);
            return false;
        }
        (void)nanosleep(&moment, NULL);
    }
    return true;
}

/* Marks it as in use by a call, and false while somebody forks. */
static bool step_in(struct inner *inner)
{
    if (is_near())
        return false;
    atomic_fetch_add(&inner->inside, 1);
    if (!is_near())
        return true;
    atomic_fetch_sub(&inner->inside, 1);
    return false;
}

void inner_fork_step_out(struct inner *inner)
{
    atomic_fetch_sub(&inner->inside, 1);
}

void inner_fork_step_in(struct inner *inner)
{
    while (!step_in(inner))
        if (!wait_for_forks(inner)) {
            atomic_fetch_add(&inner->inside, 1);
            return;
        }
}

bool inner_fork_claim(struct inner *inner, atomic_bool *mark)
{
    for (;;) {
        bool is_late = !wait_for_forks(inner);
        if (atomic_exchange(mark, true))
            return false;
        if (is_late || !is_near())
            return true;
        atomic_store(mark, false);
    }
}
