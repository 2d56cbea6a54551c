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

/* Not sleep_ms: a millisecond is longer than most calls. */
static void rest(void)
{
    static const struct timespec moment = {.tv_nsec = 100000};
    (void)nanosleep(&moment, NULL);
}

static bool is_in_use(const struct inner *inner)
{
    return atomic_load(&inner->inside) > 0 || atomic_load(&inner->is_starting) ||
           atomic_load(&inner->is_changing);
}

/* A module that forks is inside itself, and a notification may fork: they wait for nobody. */
static void before_fork(void)
{
    int cancel_state = 0;
    bool may_wait = !reentry_is_inside();
    uint64_t until = clock_system.now_ms(&clock_system) + FORK_WAIT_MS;

    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    atomic_fetch_add(&forking, 1);
    for (struct inner *inner = inner_first(); inner; inner = inner->next) {
        while (is_in_use(inner) && may_wait && clock_system.now_ms(&clock_system) < until)
            rest();
        atomic_store(&inner->is_held, is_in_use(inner));
    }
    (void)pthread_setcancelstate(cancel_state, NULL);
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

bool inner_fork_is_near(void)
{
    return atomic_load(&forking) > 0;
}

void inner_fork_wait(void)
{
    while (inner_fork_is_near())
        rest();
}
