/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/http/pool.h"

#include "remote/http/http.h"

#include "remote/base/lock.h"

#include <semaphore.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { SLICE_MS = 1000 };

/* One caller in the queue; lives on its stack. slot is the pool's until the caller has left it. */
struct waiter {
    struct waiter *next;
    struct pool_slot *slot; /* handed over by whoever gave it back */
    sem_t bell;             /* rung at the hand-over and by call_cancel, which may take no lock */
};

static struct lock pool_lock = LOCK_INITIALIZER(LOCK_POOL);
static struct pool_slot slots[HTTP_CONNECTIONS_MAX];
static struct waiter *first_waiter;
static struct waiter **last_waiter = &first_waiter;
static uint64_t uses;

static struct pool_slot *better(struct pool_slot *best, struct pool_slot *slot, bool want_newest)
{
    if (!best)
        return slot;
    return (slot->used_at > best->used_at) == want_newest ? slot : best;
}

static struct pool_slot *slot_find_locked(const char *identity) REQUIRES(pool_lock)
{
    struct pool_slot *same = NULL;
    struct pool_slot *empty = NULL;
    struct pool_slot *other = NULL;

    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
        struct pool_slot *slot = &slots[i];
        if (slot->is_busy)
            continue;
        if (!slot->engine)
            empty = empty ? empty : slot;
        else if (strcmp(slot->identity, identity) == 0)
            same = better(same, slot, true);
        else
            other = better(other, slot, false);
    }
    struct pool_slot *found = same ? same : empty ? empty : other;
    if (found)
        found->is_busy = true;
    return found;
}

/* Makes a slot idle, or hands it to who waits longest: nobody who comes later can overtake. */
static void slot_release_locked(struct pool_slot *slot) REQUIRES(pool_lock)
{
    struct waiter *waiter = first_waiter;

    slot->used_at = ++uses;
    if (!waiter) {
        slot->is_busy = false;
        return;
    }
    first_waiter = waiter->next;
    if (!first_waiter)
        last_waiter = &first_waiter;
    waiter->slot = slot;
    (void)sem_post(&waiter->bell);
}

static void waiter_remove_locked(const struct waiter *waiter) REQUIRES(pool_lock)
{
    struct waiter **at = &first_waiter;
    while (*at && *at != waiter)
        at = &(*at)->next;
    if (!*at)
        return;
    *at = waiter->next;
    if (!*at)
        last_waiter = at;
}

static void waiter_ring(void *waiter)
{
    (void)sem_post(&((struct waiter *)waiter)->bell);
}

static uint64_t sooner(uint64_t a_ms, uint64_t b_ms)
{
    return a_ms < b_ms ? a_ms : b_ms;
}

unsigned pool_sleep_ms(const struct call *call)
{
    uint64_t now = call_now_ms(call);
    uint64_t until = sooner(now + SLICE_MS, call->deadline_ms);
    if (call->keep_going)
        until = sooner(until, call->next_tick_ms);
    return until > now ? (unsigned)(until - now) : 1;
}

static void waiter_sleep(struct waiter *waiter, unsigned ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(ms / 1000);
    until.tv_nsec += (long)(ms % 1000) * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    (void)sem_clockwait(&waiter->bell, CLOCK_MONOTONIC, &until); /* early returns are harmless */
}

static struct pool_slot *waiter_slot(const struct waiter *waiter)
{
    lock_take(&pool_lock);
    struct pool_slot *slot = waiter->slot;
    lock_drop(&pool_lock);
    return slot;
}

static enum sca_status waiter_wait(struct waiter *waiter, struct call *call)
{
    enum sca_status st = call_set_wake(call, waiter_ring, waiter);

    while (st == SCA_OK && !waiter_slot(waiter)) {
        if (call_tick(call) != SCA_OK)
            st = call_fail(call, SCA_CANCELLED, "cancelled while waiting for a connection");
        else if (call_left_ms(call) == 0)
            st = call_fail(call, SCA_NETWORK,
                           "no time was left while other requests had all %d connections",
                           HTTP_CONNECTIONS_MAX);
        else
            waiter_sleep(waiter, pool_sleep_ms(call));
    }
    call_clear_wake(call);
    return st;
}

/* The slot that came while its receiver gave up goes to the next one. */
static enum sca_status waiter_leave(struct waiter *waiter, enum sca_status st,
                                    struct pool_slot **ret_slot)
{
    lock_take(&pool_lock);
    if (!waiter->slot)
        waiter_remove_locked(waiter);
    else if (st != SCA_OK)
        slot_release_locked(waiter->slot);
    else
        *ret_slot = waiter->slot;
    lock_drop(&pool_lock);
    (void)sem_destroy(&waiter->bell);
    return st;
}

enum sca_status pool_take(struct call *call, const char *identity, struct pool_slot **ret_slot)
{
    struct waiter waiter = {0};
    (void)sem_init(&waiter.bell, 0, 0); /* cannot fail with these arguments */

    lock_take(&pool_lock);
    struct pool_slot *slot = slot_find_locked(identity);
    if (!slot) {
        *last_waiter = &waiter;
        last_waiter = &waiter.next;
    }
    lock_drop(&pool_lock);

    if (!slot)
        return waiter_leave(&waiter, waiter_wait(&waiter, call), ret_slot);
    (void)sem_destroy(&waiter.bell);
    *ret_slot = slot;
    return SCA_OK;
}

void pool_give(struct pool_slot *slot)
{
    lock_take(&pool_lock);
    slot_release_locked(slot);
    lock_drop(&pool_lock);
}

struct pool_slot *pool_take_idle(void)
{
    struct pool_slot *found = NULL;

    lock_take(&pool_lock);
    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX && !found; i++)
        if (!slots[i].is_busy && slots[i].engine)
            found = &slots[i];
    if (found)
        found->is_busy = true;
    lock_drop(&pool_lock);
    return found;
}

/* 0 is "none" in memory, so that the static table needs no initialiser: fd n is kept as n + 1. */
bool pool_fd_add(struct pool_slot *slot, int fd)
{
    struct stat info = {0};
    if (fstat(fd, &info) != 0)
        return false;
    for (size_t i = 0; i < POOL_FDS_MAX; i++)
        if (atomic_load(&slot->fds[i]) == 0) {
            slot->fd_inodes[i] = info.st_ino;
            atomic_store(&slot->fds[i], fd + 1);
            return true;
        }
    return false;
}

void pool_fd_remove(struct pool_slot *slot, int fd)
{
    if (fd < 0)
        return;
    for (size_t i = 0; i < POOL_FDS_MAX; i++)
        if (atomic_load(&slot->fds[i]) == fd + 1)
            atomic_store(&slot->fds[i], 0);
}

static void slot_abandon(struct pool_slot *slot)
{
    for (size_t i = 0; i < POOL_FDS_MAX; i++) {
        int kept = atomic_exchange(&slot->fds[i], 0);
        struct stat info;
        /* A daemon may have closed what it inherited and opened its own under that number. */
        if (kept > 0 && fstat(kept - 1, &info) == 0 && S_ISSOCK(info.st_mode) &&
            info.st_ino == slot->fd_inodes[i])
            (void)close(kept - 1);
    }
    slot->engine = NULL;
    slot->identity = NULL;
    slot->is_busy = false;
}

void pool_abandon(void)
{
    lock_init(&pool_lock, LOCK_POOL);
    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++)
        slot_abandon(&slots[i]);
    first_waiter = NULL;
    last_waiter = &first_waiter;
}
