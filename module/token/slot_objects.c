/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The objects of a slot: what the token lists, asked for once and again after a change, and what
 * sessions made for themselves. Both are immutable sets, replaced as a whole.
 */
#include "module/token/failure.h"
#include "module/token/session.h"
#include "module/token/slot.h"
#include "remote/base/cleanup.h"

void slot_forget_objects_locked(struct slot *slot, struct snapshot **ret_old)
{
    *ret_old = slot->token_objects;
    slot->token_objects = NULL;
    slot->epoch++;
}

void slot_forget_objects(struct slot *slot)
{
    struct snapshot *old = NULL;
    lock_take(&slot->lock);
    slot_forget_objects_locked(slot, &old);
    lock_drop(&slot->lock);
    snapshot_unref(old);
}

static uint64_t stamp_of(const struct slot *slot)
{
    return slot_is_writable(slot) ? slot->token->ops->write->stamp(slot->token) : 0;
}

/* What is known, if it still holds; its epoch in any case. */
static struct snapshot *take_known(struct slot *slot, bool is_fresh, uint64_t *ret_epoch)
{
    lock_take(&slot->lock);
    struct snapshot *known = slot->token_objects ? snapshot_ref(slot->token_objects) : NULL;
    uint64_t stamp = slot->stamp;
    *ret_epoch = slot->epoch;
    lock_drop(&slot->lock);

    if (known && is_fresh && stamp_of(slot) != stamp)
        snapshot_unrefp(&known);
    return known;
}

/* False if what is known was forgotten since that epoch: fresh may be out of date already. */
static bool remember(struct slot *slot, struct snapshot *fresh, uint64_t epoch, uint64_t stamp)
{
    struct snapshot *old = NULL;

    lock_take(&slot->lock);
    bool is_current = slot->epoch == epoch;
    if (is_current) {
        old = slot->token_objects;
        slot->token_objects = snapshot_ref(fresh);
        slot->stamp = stamp;
    }
    lock_drop(&slot->lock);
    snapshot_unref(old);
    return is_current;
}

CK_RV slot_snapshot(struct slot *slot, bool is_fresh, struct snapshot **ret_snapshot)
{
    enum { TRIES = 3 }; /* somebody who writes without a pause does not keep us for ever */
    uint64_t epoch = 0;

    for (int i = 1;; i++) {
        struct snapshot *snapshot = take_known(slot, is_fresh, &epoch);
        if (!snapshot) {
            uint64_t stamp = stamp_of(slot); /* before reading: a later write shows */
            enum sca_status st = snapshot_new(slot->token, &snapshot);
            if (st != SCA_OK)
                return failure_of(st, NULL);
            if (!remember(slot, snapshot, epoch, stamp) && i < TRIES) {
                snapshot_unref(snapshot);
                continue;
            }
        }
        *ret_snapshot = snapshot;
        return CKR_OK;
    }
}

struct snapshot *slot_session_objects(struct slot *slot)
{
    lock_take(&slot->lock);
    struct snapshot *objects = slot->session_objects ? snapshot_ref(slot->session_objects) : NULL;
    lock_drop(&slot->lock);
    return objects;
}

CK_RV slot_object(struct slot *slot, CK_OBJECT_HANDLE handle, struct object **ret_object)
{
    lock_take(&slot->lock);
    struct object *object = NULL;
    bool is_known = slot->token_objects != NULL;
    if (is_known)
        object = snapshot_find(slot->token_objects, handle);
    if (!object && slot->session_objects)
        object = snapshot_find(slot->session_objects, handle);
    if (object)
        (void)object_ref(object);
    lock_drop(&slot->lock);

    if (!object && !is_known) {
        AUTO(snapshot_unrefp) struct snapshot *snapshot = NULL;
        CK_RV rv = slot_snapshot(slot, false, &snapshot);
        if (rv != CKR_OK)
            return rv;
        object = snapshot_find(snapshot, handle);
        if (object)
            (void)object_ref(object);
    }
    if (!object)
        return CKR_OBJECT_HANDLE_INVALID;
    *ret_object = object;
    return CKR_OK;
}

bool slot_still_shows(struct slot *slot, CK_OBJECT_HANDLE handle, const struct object *object)
{
    lock_take(&slot->lock);
    const struct snapshot *set = object->number ? slot->token_objects : slot->session_objects;
    bool still = set && slot_shows(slot->login, object) && snapshot_find(set, handle) == object;
    lock_drop(&slot->lock);
    return still;
}

bool slot_shows(enum slot_login login, const struct object *object)
{
    return !object->is_private || login == SLOT_USER;
}

static bool has_handle(const struct object *object, const void *handle)
{
    return object->handle == *(const CK_OBJECT_HANDLE *)handle;
}

static bool is_owned(const struct object *object, const void *owner)
{
    return object->owner == *(const CK_SESSION_HANDLE *)owner;
}

static bool is_private(const struct object *object, const void *nothing)
{
    (void)nothing;
    return object->is_private;
}

/* Takes out what drops says. */
static CK_RV edit(struct slot *slot, bool (*drops)(const struct object *, const void *),
                  const void *arg)
{
    struct snapshot *old = NULL;
    enum sca_status st = SCA_OK;

    lock_take(&slot->lock);
    if (slot->session_objects) {
        struct snapshot *edited = NULL;
        st = snapshot_edit(slot->session_objects, drops, arg, NULL, &edited);
        if (st == SCA_OK) {
            old = slot->session_objects;
            slot->session_objects = edited;
        }
    }
    lock_drop(&slot->lock);
    snapshot_unref(old);
    return failure_of(st, NULL);
}

/* Whoever closes the session, logs out or destroys the object takes the same lock: either that came
 * first and is seen here, or it comes later and finds the object. */
static CK_RV may_put_locked(const struct slot *slot, const struct object *object,
                            const struct object *replaced, struct session *s) REQUIRES(slot->lock)
{
    if (!slot_shows(slot->login, object))
        return CKR_USER_NOT_LOGGED_IN;
    if (replaced && (!slot->session_objects ||
                     snapshot_find(slot->session_objects, replaced->handle) != replaced))
        return CKR_OBJECT_HANDLE_INVALID;
    return session_is_closed(s) ? CKR_SESSION_CLOSED : CKR_OK;
}

CK_RV slot_put_session_object(struct slot *slot, struct object *object,
                              const struct object *replaced, struct session *s)
{
    struct snapshot *edited = NULL;
    struct snapshot *old = NULL;

    lock_take(&slot->lock);
    CK_RV rv = may_put_locked(slot, object, replaced, s);
    if (rv == CKR_OK)
        rv = failure_of(
            snapshot_edit(slot->session_objects, has_handle, &object->handle, object, &edited),
            NULL);
    if (rv == CKR_OK) {
        old = slot->session_objects;
        slot->session_objects = edited;
    }
    lock_drop(&slot->lock);
    snapshot_unref(old);
    return rv;
}

/* Without memory for a smaller set, all of them go: no object outlives its session or login. */
static void remove_all_of(struct slot *slot, bool (*drops)(const struct object *, const void *),
                          const void *arg)
{
    if (edit(slot, drops, arg) == CKR_OK)
        return;
    lock_take(&slot->lock);
    struct snapshot *old = slot->session_objects;
    slot->session_objects = NULL;
    lock_drop(&slot->lock);
    snapshot_unref(old);
}

CK_RV slot_remove_session_object(struct slot *slot, CK_OBJECT_HANDLE handle)
{
    return edit(slot, has_handle, &handle);
}

void slot_remove_session_objects_of(struct slot *slot, CK_SESSION_HANDLE owner)
{
    remove_all_of(slot, is_owned, &owner);
}

void slot_remove_private_session_objects(struct slot *slot)
{
    remove_all_of(slot, is_private, NULL);
}
