/* SPDX-License-Identifier: Apache-2.0 */
/*
 * C_WaitForSlotEvent. Tokens of a certificate neither come nor go while a process runs, so there is
 * nothing to report yet; a thread that waits for it anyway waits until C_Finalize.
 */
#include "module/token/event.h"

#include <pthread.h>

#include "module/token/handlers.h"
#include "module/token/library.h"
#include "remote/base/lock.h"

static struct {
    struct lock lock;
    pthread_cond_t changed;
} events = {.lock = LOCK_INITIALIZER(LOCK_LEAF), .changed = PTHREAD_COND_INITIALIZER};

void event_wake_all(void)
{
    lock_take(&events.lock);
    pthread_cond_broadcast(&events.changed);
    lock_drop(&events.lock);
}

void event_abandon(void)
{
    lock_init(&events.lock, LOCK_LEAF);
    pthread_cond_init(&events.changed, NULL);
}

CK_RV event_wait(CK_FLAGS flags, CK_SLOT_ID *slot, void *reserved)
{
    if (!slot || reserved)
        return CKR_ARGUMENTS_BAD;
    if (flags & CKF_DONT_BLOCK)
        return CKR_NO_EVENT;
    lock_take(&events.lock);
    while (!library_is_finishing())
        lock_wait(&events.lock, &events.changed);
    lock_drop(&events.lock);
    return CKR_CRYPTOKI_NOT_INITIALIZED;
}
