/* SPDX-License-Identifier: Apache-2.0 */
/* Login is the token's, shared by all its sessions (2.40 section 5.6). */
#include "module/backend/backend.h"
#include "module/token/failure.h"
#include "module/token/handlers.h"
#include "module/token/session.h"
#include "remote/base/cleanup.h"

static bool has_ro_session_locked(const struct slot *slot) REQUIRES(slot->lock)
{
    return slot->sessions > slot->rw_sessions;
}

/* Whether the login state lets this user come in; PINs are not looked at yet. */
static CK_RV check_state(struct slot *slot, CK_USER_TYPE type)
{
    CK_RV rv = CKR_OK;

    lock_take(&slot->lock);
    enum slot_login wanted = type == CKU_SO ? SLOT_SO : SLOT_USER;
    if (slot->login == wanted)
        rv = CKR_USER_ALREADY_LOGGED_IN;
    else if (slot->login != SLOT_PUBLIC)
        rv = CKR_USER_ANOTHER_ALREADY_LOGGED_IN;
    else if (type == CKU_SO && has_ro_session_locked(slot))
        rv = CKR_SESSION_READ_ONLY_EXISTS;
    lock_drop(&slot->lock);
    return rv;
}

static CK_RV check_pin(struct session *s, const CK_UTF8CHAR *pin, CK_ULONG pin_len)
{
    struct token *token = s->slot->token;
    AUTO(secret_freep) struct secret *secret = NULL;
    struct call call;

    if (!token->needs_login)
        return CKR_OK; /* the phone is the guard: any PIN will do */
    if (!token->has_user_pin || !token->ops->login)
        return failure(CKR_USER_PIN_NOT_INITIALIZED, "no PIN was chosen for this slot yet");
    enum sca_status st = secret_new(span_of(pin, pin_len), &secret);
    if (st != SCA_OK)
        return st == SCA_INVALID ? CKR_PIN_INCORRECT : failure_of(st, NULL);

    call_init(&call, &clock_system, token->ops->patience_ms(token));
    CK_RV rv = session_wait_begin(s, &call);
    if (rv == CKR_OK) {
        st = token->ops->login(token, &call, secret);
        rv = st == SCA_USER_AUTH ? CKR_PIN_INCORRECT : failure_of(st, &call);
        rv = session_wait_end(s, &call, rv);
    }
    call_fini(&call);
    return rv;
}

static CK_RV login_as_user(struct session *s, const CK_UTF8CHAR *pin, CK_ULONG pin_len)
{
    CK_RV rv = check_pin(s, pin, pin_len);
    if (rv != CKR_OK)
        return rv;
    struct slot *slot = s->slot;
    lock_take(&slot->lock);
    if (slot->sessions == 0)
        rv = CKR_SESSION_CLOSED; /* the last one went while the PIN was looked at */
    else if (slot->login == SLOT_PUBLIC)
        slot->login = SLOT_USER;
    else
        rv = CKR_USER_ALREADY_LOGGED_IN; /* another thread was faster */
    lock_drop(&slot->lock);
    if (rv == CKR_SESSION_CLOSED && slot->token->ops->logout)
        slot->token->ops->logout(slot->token);
    return rv;
}

CK_RV login_begin(struct session *s, CK_USER_TYPE type, CK_UTF8CHAR *pin, CK_ULONG pin_len)
{
    if (type != CKU_SO && type != CKU_USER && type != CKU_CONTEXT_SPECIFIC)
        return CKR_USER_TYPE_INVALID;
    if (!pin && pin_len)
        return CKR_ARGUMENTS_BAD;
    if (type == CKU_CONTEXT_SPECIFIC)
        return CKR_OPERATION_NOT_INITIALIZED; /* no key here has CKA_ALWAYS_AUTHENTICATE */

    CK_RV rv = check_state(s->slot, type);
    if (rv != CKR_OK)
        return rv;
    if (type == CKU_SO)
        return failure(CKR_PIN_LOCKED, "this kind of slot has no security officer");
    return login_as_user(s, pin, pin_len);
}

/* 3.0 section 5.6.9. The slot stands for one identity already: a user name adds nothing. */
CK_RV login_user(struct session *s, CK_USER_TYPE type, CK_UTF8CHAR *pin, CK_ULONG pin_len,
                 CK_UTF8CHAR *name, CK_ULONG name_len)
{
    if (!name && name_len)
        return CKR_ARGUMENTS_BAD;
    return login_begin(s, type, pin, pin_len);
}

CK_RV login_end(struct session *s)
{
    CK_RV rv = slot_logout(s->slot);
    if (rv == CKR_OK && s->slot->token->needs_login)
        session_end_signing(s->slot);
    return rv;
}

CK_RV login_init_token(CK_SLOT_ID id, CK_UTF8CHAR *pin, CK_ULONG pin_len, CK_UTF8CHAR *label)
{
    struct slot *slot = NULL;
    CK_RV rv = slot_find_present(id, &slot);
    if (rv != CKR_OK)
        return rv;
    if ((!pin && pin_len) || !label)
        return CKR_ARGUMENTS_BAD;
    lock_take(&slot->lock);
    bool has_sessions = slot->sessions > 0;
    lock_drop(&slot->lock);
    return has_sessions ? CKR_SESSION_EXISTS : CKR_TOKEN_WRITE_PROTECTED;
}

CK_RV login_init_pin(struct session *s, CK_UTF8CHAR *pin, CK_ULONG pin_len)
{
    if (!pin && pin_len)
        return CKR_ARGUMENTS_BAD;
    if (slot_login_state(s->slot) != SLOT_SO)
        return CKR_USER_NOT_LOGGED_IN;
    return CKR_TOKEN_WRITE_PROTECTED;
}

CK_RV login_set_pin(struct session *s, CK_UTF8CHAR *old_pin, CK_ULONG old_len, CK_UTF8CHAR *new_pin,
                    CK_ULONG new_len)
{
    if ((!old_pin && old_len) || (!new_pin && new_len))
        return CKR_ARGUMENTS_BAD;
    return session_is_rw(s) ? CKR_TOKEN_WRITE_PROTECTED : CKR_SESSION_READ_ONLY;
}
