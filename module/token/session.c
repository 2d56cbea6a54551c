/* SPDX-License-Identifier: Apache-2.0 */
#include "module/token/session.h"

#include <stdlib.h>
#include <string.h>

#include "module/token/audit.h"
#include "module/token/handle_map.h"
#include "module/token/handlers.h"
#include "module/token/slot_look.h"

static struct {
    struct lock lock; /* guards map */
    struct handle_map map;
} sessions;

void session_start(void)
{
    lock_init(&sessions.lock, LOCK_LEAF);
    handle_map_init(&sessions.map, SESSIONS_MAX);
}

void session_abandon_all(void)
{
    /* The places leak on purpose: a stuck call, or the parent process, may still look at them. */
    session_start();
}

CK_SESSION_HANDLE session_handle(const struct session *s)
{
    return s ? s->handle : CK_INVALID_HANDLE;
}

bool session_is_closed(struct session *s)
{
    lock_take(&s->lock);
    bool is_closed = s->is_closed;
    lock_drop(&s->lock);
    return is_closed;
}

bool session_is_rw(const struct session *s)
{
    return s->flags & CKF_RW_SESSION;
}

struct session *session_find(CK_SESSION_HANDLE handle)
{
    lock_take(&sessions.lock);
    struct session *s = handle_map_find(&sessions.map, handle);
    if (s)
        atomic_fetch_add(&s->refs, 1);
    lock_drop(&sessions.lock);
    return s;
}

void session_unref(struct session *s)
{
    if (atomic_fetch_sub(&s->refs, 1) != 1)
        return;
    operation_clear(&s->operation);
    ready_key_clear(&s->warm);
    lock_fini(&s->lock);
    free(s);
}

static CK_RV enlist(struct session *s, CK_SESSION_HANDLE *ret_handle)
{
    lock_take(&sessions.lock);
    CK_SESSION_HANDLE handle = handle_map_add(&sessions.map, s);
    s->handle = handle;
    bool is_full = handle_map_is_full(&sessions.map);
    lock_drop(&sessions.lock);
    if (handle == CK_INVALID_HANDLE)
        return is_full ? CKR_SESSION_COUNT : CKR_HOST_MEMORY;
    *ret_handle = handle; /* s itself may be closed by another thread already */
    return CKR_OK;
}

/* The token went while the session was opened: either this or slot_look.c closes it. */
static CK_RV close_orphan(CK_SESSION_HANDLE handle)
{
    struct session *s = session_find(handle);
    if (s) {
        (void)session_close(s);
        session_unref(s);
    }
    return CKR_TOKEN_NOT_PRESENT;
}

CK_RV session_open(CK_SLOT_ID id, CK_FLAGS flags, void *application, CK_NOTIFY notify,
                   CK_SESSION_HANDLE *handle)
{
    struct slot *slot = NULL;
    CK_RV rv = slot_find_present(id, &slot);
    if (rv != CKR_OK)
        return rv;
    if (!handle)
        return CKR_ARGUMENTS_BAD;
    if (!(flags & CKF_SERIAL_SESSION))
        return CKR_SESSION_PARALLEL_NOT_SUPPORTED;
    if ((flags & CKF_ASYNC_SESSION) && !slot->token->ops->async)
        return CKR_SESSION_ASYNC_NOT_SUPPORTED;

    if (slot->token->is_spare)
        return CKR_TOKEN_NOT_RECOGNIZED; /* programs try it while they list: not worth a log line */

    bool is_rw = flags & CKF_RW_SESSION;
    struct session *s = aligned_alloc(SESSION_ALIGN, sizeof(*s));
    if (!s)
        return CKR_HOST_MEMORY;
    memset(s, 0, sizeof(*s));
    rv = slot_count_in(slot, is_rw);
    if (rv != CKR_OK) {
        free(s);
        return rv;
    }
    atomic_init(&s->refs, 1);
    s->slot = slot;
    s->flags = flags & (CKF_RW_SESSION | CKF_SERIAL_SESSION | CKF_ASYNC_SESSION);
    s->notify = notify;
    s->application = application;
    lock_init(&s->lock, LOCK_SESSION);

    CK_SESSION_HANDLE opened = CK_INVALID_HANDLE;
    rv = enlist(s, &opened);
    if (rv != CKR_OK) {
        slot_count_out(slot, is_rw);
        session_unref(s);
        return rv;
    }
    if (!atomic_load(&slot->is_present))
        return close_orphan(opened);
    *handle = opened;
    return CKR_OK;
}

/* Takes the session out of the map: false if somebody else was faster. */
static bool unlist(struct session *s)
{
    lock_take(&sessions.lock);
    bool was_there = handle_map_remove(&sessions.map, s->handle) == s;
    lock_drop(&sessions.lock);
    return was_there;
}

CK_RV session_close(struct session *s)
{
    if (!unlist(s))
        return CKR_SESSION_HANDLE_INVALID;

    lock_take(&s->lock);
    s->is_closed = true;
    session_interrupt_locked(s, CKR_SESSION_CLOSED);
    lock_drop(&s->lock);
    audit_flush(); /* while it is known what the token has */
    slot_remove_session_objects_of(s->slot, s->handle);
    slot_count_out(s->slot, session_is_rw(s));
    session_unref(s); /* the map's; the caller has its own */
    return CKR_OK;
}

/*
 * A reference to the next session of a slot, of every slot if it is NULL, from place *index on;
 * NULL behind the last. What is opened or closed meanwhile may be seen or not. Needs no memory: a
 * logout must reach every session without any, too.
 */
static struct session *next_session(const struct slot *slot, size_t *index)
{
    struct session *found = NULL;

    lock_take(&sessions.lock);
    while (!found && *index < handle_map_places(&sessions.map)) {
        struct session *s = handle_map_at(&sessions.map, (*index)++);
        if (s && (!slot || s->slot == slot))
            found = s;
    }
    if (found)
        atomic_fetch_add(&found->refs, 1);
    lock_drop(&sessions.lock);
    return found;
}

static void close_sessions(const struct slot *slot)
{
    struct session *s = NULL;

    for (size_t i = 0; (s = next_session(slot, &i));) {
        (void)session_close(s); /* closed by another thread meanwhile: just as well */
        session_unref(s);
    }
}

CK_RV session_close_all(CK_SLOT_ID id)
{
    struct slot *slot = NULL;
    CK_RV rv = slot_find(id, &slot);
    if (rv == CKR_OK)
        close_sessions(slot);
    return rv;
}

void session_cancel_all(CK_RV rv)
{
    struct session *s = NULL;

    for (size_t i = 0; (s = next_session(NULL, &i));) {
        lock_take(&s->lock);
        session_interrupt_locked(s, rv);
        lock_drop(&s->lock);
        session_unref(s);
    }
}

void session_end_signing(struct slot *slot)
{
    struct session *s = NULL;

    for (size_t i = 0; (s = next_session(slot, &i));) {
        operation_end(s, OPERATION_SIGN);
        operation_end(s, OPERATION_SIGN_RECOVER);
        operation_end(s, OPERATION_MESSAGE_SIGN);
        struct ready_key warm = operation_take_warm(s);
        ready_key_clear(&warm);
        session_unref(s);
    }
}

void session_stop(void)
{
    close_sessions(NULL);
    handle_map_fini(&sessions.map);
    lock_fini(&sessions.lock);
}

static CK_STATE session_state(struct session *s)
{
    switch (slot_login_state(s->slot)) {
    case SLOT_SO:
        return CKS_RW_SO_FUNCTIONS;
    case SLOT_USER:
        return session_is_rw(s) ? CKS_RW_USER_FUNCTIONS : CKS_RO_USER_FUNCTIONS;
    case SLOT_PUBLIC:
    default:
        return session_is_rw(s) ? CKS_RW_PUBLIC_SESSION : CKS_RO_PUBLIC_SESSION;
    }
}

/* NSS finds out here that a token was unplugged, and whether it has to ask for a PIN. */
static bool look_at_foreign(struct session *s)
{
    struct token *token = s->slot->token;

    (void)slot_look(false);
    if (session_is_closed(s))
        return false;
    if (slot_login_state(s->slot) == SLOT_PUBLIC && token->ops->is_logged_in &&
        token->ops->is_logged_in(token))
        (void)slot_enter(s->slot, SLOT_USER); /* another thread may have been faster */
    return true;
}

CK_RV session_info(struct session *s, CK_SESSION_INFO *info)
{
    if (!info)
        return CKR_ARGUMENTS_BAD;
    if (s->slot->token->is_foreign && !look_at_foreign(s))
        return CKR_SESSION_HANDLE_INVALID;
    *info = (CK_SESSION_INFO){
        .slotID = s->slot->token->slot_id,
        .state = session_state(s),
        .flags = s->flags,
    };
    lock_take(&s->lock);
    info->ulDeviceError = s->device_error;
    lock_drop(&s->lock);
    return CKR_OK;
}

static bool has_operation(struct session *s)
{
    lock_take(&s->lock);
    bool has = s->operation.kind != OPERATION_NONE;
    lock_drop(&s->lock);
    return has;
}

/* No operation here can be saved: a running hash lives in OpenSSL, a signature with a person. */
CK_RV session_get_state(struct session *s, CK_BYTE *state, CK_ULONG *state_len)
{
    (void)state;
    if (!state_len)
        return CKR_ARGUMENTS_BAD;
    return has_operation(s) ? CKR_STATE_UNSAVEABLE : CKR_OPERATION_NOT_INITIALIZED;
}

CK_RV session_set_state(struct session *s, CK_BYTE *state, CK_ULONG state_len,
                        CK_OBJECT_HANDLE encryption_key, CK_OBJECT_HANDLE authentication_key)
{
    (void)s;
    (void)encryption_key;
    (void)authentication_key;
    return !state && state_len ? CKR_ARGUMENTS_BAD : CKR_SAVED_STATE_INVALID;
}
