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

/* A call that lasted too long for the fork before, and may never come back, is hardly waited for; a
 * module that forks by itself not at all: it is its own thread that is inside. The mark is taken
 * away only when nobody is there: another thread that forks may rely on it. */
static void look_inside(struct inner *inner, uint64_t now)
{
    unsigned wait_ms = atomic_load(&inner->is_held) ? SHORT_WAIT_MS : FORK_WAIT_MS;
    bool is_idle = inner_await_idle(inner, reentry_is_inside() ? now : now + wait_ms);

    atomic_store(&inner->is_held, !is_idle);
    if (is_idle && !inner_await_idle(inner, now))
        atomic_store(&inner->is_held, true); /* by one who did not wait for this fork */
}

static void before_fork(void)
{
    uint64_t now = clock_system.now_ms(&clock_system);

    atomic_fetch_add(&forking, 1);
    for (struct inner *inner = inner_first(); inner; inner = inner->next)
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
 * may be waiting for a lock of the host's that the caller has). It counts itself in, then sets
 * is_held, so that a child leaves the module alone, and then goes in: a child may be made at any
 * moment, and who takes is_held away looks after that who is counted. */
static bool wait_for_forks(void)
{
    static const struct timespec moment = {.tv_nsec = 100000};
    uint64_t until = is_near() ? clock_system.now_ms(&clock_system) + FORK_WAIT_MS : 0;

    while (is_near()) {
        if (clock_system.now_ms(&clock_system) >= until)
            return false;
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
        if (!wait_for_forks()) {
            atomic_fetch_add(&inner->inside, 1);
            atomic_store(&inner->is_held, true);
            return;
        }
}

bool inner_fork_claim(struct inner *inner, atomic_bool *mark)
{
    for (;;) {
        bool is_late = !wait_for_forks();
        if (atomic_exchange(mark, true))
            return false;
        if (is_late)
            atomic_store(&inner->is_held, true);
        if (is_late || !is_near())
            return true;
        atomic_store(mark, false);
    }
}
