/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "module/backend/forward.h"

enum { RETRY_MS = 20 };

static void forget_login_locked(struct forward_token *token) REQUIRES(token->lock)
{
    if (token->login != CK_INVALID_HANDLE && token->is_login_ours)
        atomic_fetch_sub(&token->inner->logins, 1);
    token->login = CK_INVALID_HANDLE;
}

/* The module was started again, or somebody finalised it: what we had of it is gone. */
static void forget_if_void_locked(struct forward_token *token) REQUIRES(token->lock)
{
    unsigned long generation = atomic_load(&token->inner->generation);
    if (token->generation == generation)
        return;
    token->generation = generation;
    token->idle_count = 0;
    token->keys.count = 0;
    forget_login_locked(token);
}

static CK_RV open_session(struct forward_token *token, CK_SLOT_ID slot, struct call *call,
                          CK_SESSION_HANDLE *ret_session)
{
    for (;;) {
        CK_RV rv = token->inner->OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, ret_session);
        bool is_full = rv == CKR_SESSION_COUNT || rv == CKR_TOKEN_RESOURCE_EXCEEDED;
        if (!is_full || !call || call_wait(call, RETRY_MS) != SCA_OK)
            return rv;
        lock_take(&token->lock);
        bool has_one = token->idle_count > 0;
        if (has_one)
            *ret_session = token->idle[--token->idle_count];
        lock_drop(&token->lock);
        if (has_one)
            return CKR_OK;
    }
}

static void find_key_locked(struct forward_token *token, unsigned number, struct forward_key *key)
    REQUIRES(token->lock)
{
    for (size_t i = 0; number && i < token->keys.count; i++)
        if (token->keys.items[i].number == number) {
            *key = token->keys.items[i];
            return;
        }
}

CK_RV forward_take(struct forward_token *token, struct call *call, unsigned key_number,
                   struct forward_lease *ret_lease)
{
    struct forward_lease lease = {.session = CK_INVALID_HANDLE};

    if (!inner_enter(token->inner))
        return CKR_DEVICE_REMOVED;
    lock_take(&token->lock);
    forget_if_void_locked(token);
    bool is_there = token->is_there;
    lease.slot = token->inner_slot;
    lease.generation = token->generation;
    if (token->idle_count > 0)
        lease.session = token->idle[--token->idle_count];
    find_key_locked(token, key_number, &lease.key);
    lock_drop(&token->lock);

    CK_RV rv = is_there ? CKR_OK : CKR_DEVICE_REMOVED;
    if (rv == CKR_OK && lease.session == CK_INVALID_HANDLE)
        rv = open_session(token, lease.slot, call, &lease.session);
    if (rv == CKR_OK)
        *ret_lease = lease;
    else
        inner_leave(token->inner);
    return rv;
}

void forward_give(struct forward_token *token, const struct forward_lease *lease, bool is_sound)
{
    lock_take(&token->lock);
    bool is_ours = token->is_there && token->generation == lease->generation &&
                   lease->generation == atomic_load(&token->inner->generation);
    bool is_kept = is_ours && is_sound && token->idle_count < FORWARD_IDLE_MAX;
    if (is_kept)
        token->idle[token->idle_count++] = lease->session;
    lock_drop(&token->lock);
    if (is_ours && !is_kept)
        (void)token->inner->CloseSession(lease->session); /* nothing can be done about it */
    inner_leave(token->inner);
}

void forward_drop_sessions(struct forward_token *token, bool is_void)
{
    CK_SESSION_HANDLE idle[FORWARD_IDLE_MAX];
    size_t count = 0;
    bool is_inside = !is_void && inner_enter(token->inner);

    lock_take(&token->lock);
    forget_if_void_locked(token);
    while (token->idle_count > 0)
        idle[count++] = token->idle[--token->idle_count];
    if (is_void) {
        token->keys.count = 0;
        forget_login_locked(token);
    }
    lock_drop(&token->lock);
    for (size_t i = 0; is_inside && i < count; i++)
        (void)token->inner->CloseSession(idle[i]); /* nothing can be done about it */
    if (is_inside)
        inner_leave(token->inner);
}

bool forward_recover(struct forward_token *token, CK_RV rv)
{
    if (rv == CKR_CRYPTOKI_NOT_INITIALIZED)
        return inner_revive(token->inner);
    if (rv == CKR_SESSION_HANDLE_INVALID || rv == CKR_SESSION_CLOSED) {
        forward_drop_sessions(token, true); /* the host closed all sessions of the token */
        return true;
    }
    return rv == CKR_OPERATION_ACTIVE || rv == CKR_KEY_HANDLE_INVALID ||
           rv == CKR_OBJECT_HANDLE_INVALID;
}
