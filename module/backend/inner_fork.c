/* SPDX-License-Identifier: Apache-2.0 */
#include "module/backend/inner_fork.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "module/backend/inner.h"
#include "remote/base/clock.h"
#include "remote/base/reentry.h"

/* A signature of a USB token takes a few hundred; nobody notices a fork that takes as long. */
enum { FORK_WAIT_MS = 300 };

static atomic_uint forking; /* threads in fork */

/* A module that forks by itself is not waited for: it is its own thread that is inside. */
static void before_fork(void)
{
    uint64_t until = clock_system.now_ms(&clock_system);
    if (!reentry_is_inside())
        until += FORK_WAIT_MS;

    atomic_fetch_add(&forking, 1);
    for (struct inner *inner = inner_first(); inner; inner = inner->next)
        atomic_store(&inner->is_held, !inner_await_idle(inner, until));
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

static void wait_for_forks(void)
{
    static const struct timespec moment = {.tv_nsec = 100000};
    while (is_near())
        (void)nanosleep(&moment, NULL);
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
        wait_for_forks();
}

bool inner_fork_claim(atomic_bool *mark)
{
    for (;;) {
        wait_for_forks();
        if (atomic_exchange(mark, true))
            return false;
        if (!is_near())
            return true;
        atomic_store(mark, false);
    }
}
