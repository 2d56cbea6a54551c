/* SPDX-License-Identifier: Apache-2.0 */
/*
 * C_WaitForSlotEvent. The module has no thread of its own: the caller sleeps until a folder changes
 * and looks itself. Each event is told once in a process, to whichever thread takes it.
 */
#include "module/token/event.h"

#include "module/token/failure.h"
#include "module/token/handlers.h"
#include "module/token/library.h"
#include "module/token/slot_look.h"
#include "module/token/watch.h"
#include "remote/base/lock.h"

/* How often to look where the system cannot tell of changes: no inotify, or no folder yet. */
enum { LOOK_MS = 2000 };

static struct {
    struct lock lock; /* guards watch: opened by the first who waits, closed by C_Finalize */
    struct watch watch;
} events = {.lock = LOCK_INITIALIZER(LOCK_LEAF), .watch = WATCH_CLOSED};

static struct watch watch_now(void)
{
    lock_take(&events.lock);
    struct watch watch = events.watch;
    lock_drop(&events.lock);
    return watch;
}

void event_wake(void)
{
    struct watch watch = watch_now();
    watch_wake(&watch);
}

void event_stop(bool may_close)
{
    struct watch watch = watch_now();

    lock_take(&events.lock);
    events.watch = (struct watch)WATCH_CLOSED;
    lock_drop(&events.lock);
    if (may_close)
        watch_close(&watch);
}

void event_abandon(void)
{
    lock_init(&events.lock, LOCK_LEAF);
    watch_close(&events.watch);
}

static CK_RV open_watch(struct watch *ret_watch)
{
    struct watch watch = watch_now();
    struct watch spare = WATCH_CLOSED;

    if (!watch_is_open(&watch)) {
        const ino_t closed = watch.wake_inode;
        enum sca_status st = watch_open(&watch);
        if (st != SCA_OK)
            return failure(CKR_HOST_MEMORY, "there is no file descriptor left to wait with");
        lock_take(&events.lock);
        spare = events.watch;
        if (spare.wake >= 0 && spare.wake_inode != closed) { /* another thread was faster */
            spare = watch;
            watch = events.watch;
        }
        events.watch = watch;
        lock_drop(&events.lock);
        watch_close(&spare); /* what the host has left of it */
    }
    *ret_watch = watch;
    return CKR_OK;
}

/* Each time anew: a folder may have been made, or replaced. Returns how long to sleep at most. */
static int watch_folders(const struct watch *watch)
{
    const char *folder = NULL;
    bool has_all = true;

    for (size_t i = 0; (folder = slot_look_folder(i)); i++)
        has_all &= watch_folder(watch, folder);
    unsigned poll_ms = slot_look_poll_ms();
    if (poll_ms > 0 && poll_ms < LOOK_MS)
        return (int)poll_ms;
    return has_all ? -1 : LOOK_MS;
}

/* Asked behind the look: what it found may have to be looked at again soon. */
static int pause_ms(int timeout_ms)
{
    unsigned poll_ms = slot_look_poll_ms();

    return poll_ms > 0 && poll_ms < LOOK_MS ? (int)poll_ms : timeout_ms;
}

static CK_RV wait_for_event(CK_SLOT_ID *ret_id)
{
    struct watch watch;
    bool is_done = false;

    CK_RV rv = open_watch(&watch);
    if (rv != CKR_OK)
        return rv;
    while (rv == CKR_OK && !is_done) {
        /* First watching, then looking: a change is seen by one of the two. */
        int timeout_ms = watch_folders(&watch);
        if (library_is_finishing())
            rv = CKR_CRYPTOKI_NOT_INITIALIZED;
        else
            (void)slot_look(true);
        is_done = rv != CKR_OK || slot_take_event(ret_id);
        if (!is_done && watch_sleep(&watch, pause_ms(timeout_ms)) != SCA_OK)
            rv = failure(CKR_FUNCTION_FAILED, "the program has closed this module's descriptors");
    }
    /* What woke this thread may have been for another one too. */
    watch_wake(&watch);
    return rv;
}

CK_RV event_wait(CK_FLAGS flags, CK_SLOT_ID *slot, void *reserved)
{
    if (!slot || reserved)
        return CKR_ARGUMENTS_BAD;
    if (!(flags & CKF_DONT_BLOCK))
        return wait_for_event(slot);
    (void)slot_look(true);
    return slot_take_event(slot) ? CKR_OK : CKR_NO_EVENT;
}
