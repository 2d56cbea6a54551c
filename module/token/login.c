/* SPDX-License-Identifier: Apache-2.0 */
/* Login is the token's, shared by all its sessions (2.40 section 5.6). */
#include "module/token/login.h"

#include <string.h>

#include "module/backend/backend.h"
#include "module/token/audit.h"
#include "module/token/failure.h"
#include "module/token/handlers.h"
#include "remote/base/cleanup.h"

/* A token that says nothing else: other processes may try PINs first, one after another. */
enum { LOGIN_PATIENCE_MS = 60000 };

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

bool pin_asks_itself(const struct token *token, const CK_UTF8CHAR *pin)
{
    return !pin && token->is_foreign && token->has_protected_path;
}

CK_RV pin_take(const CK_UTF8CHAR *pin, CK_ULONG pin_len, struct secret **ret_secret)
{
    /* Nobody's, and not looked at: a NUL at its end would not count. */
    if (pin_len == 0 || memchr(pin, 0, pin_len))
        return failure(CKR_PIN_INCORRECT, "an empty PIN, or one with a NUL in it");
    enum sca_status st = secret_new(span_of(pin, pin_len), ret_secret);
    return st == SCA_INVALID ? CKR_PIN_INCORRECT : failure_of(st, NULL);
}

CK_RV pin_wait_begin(struct session *s, struct call *call)
{
    const struct token *token = s->slot->token;
    call_init(call, &clock_system,
              token->ops->patience_ms ? token->ops->patience_ms(token) : LOGIN_PATIENCE_MS);
    CK_RV rv = session_wait_begin(s, call);
    if (rv != CKR_OK)
        call_fini(call);
    return rv;
}

CK_RV pin_wait_end(struct session *s, struct call *call, enum sca_status status)
{
    CK_RV rv = failure_of(status, call);
    if (status == SCA_USER_AUTH)
        rv = CKR_PIN_INCORRECT;
    else if (status == SCA_NOT_FOUND)
        rv = failure(CKR_USER_PIN_NOT_INITIALIZED, "no PIN was chosen for this slot yet");
    rv = session_wait_end(s, call, rv);
    call_fini(call);
    return rv;
}

static CK_RV check_pin(struct session *s, enum token_user user, const CK_UTF8CHAR *pin,
                       CK_ULONG pin_len)
{
    struct token *token = s->slot->token;
    AUTO(secret_freep) struct secret *secret = NULL;
    struct call call;

    if (!token->needs_login)
        return CKR_OK; /* the phone is the guard: any PIN will do */
    bool may_have_pin = token->has_user_pin || token->ops->state;
    if (!may_have_pin || !token->ops->login)
        return failure(CKR_USER_PIN_NOT_INITIALIZED, "no PIN was chosen for this slot yet");
    CK_RV rv = pin_asks_itself(token, pin) ? CKR_OK : pin_take(pin, pin_len, &secret);
    if (rv == CKR_OK)
        rv = pin_wait_begin(s, &call);
    if (rv != CKR_OK)
        return rv;
    return pin_wait_end(s, &call, token->ops->login(token, &call, user, secret));
}

static bool is_otp(const CK_UTF8CHAR *pin, CK_ULONG pin_len)
{
    for (CK_ULONG i = 0; i < pin_len; i++)
        if (pin[i] < '0' || pin[i] > '9')
            return false;
    return pin_len == TOKEN_OTP_DIGITS;
}

static CK_RV take_for_operation(const struct token *token, const CK_UTF8CHAR *pin, CK_ULONG pin_len,
                                struct secret **ret_secret)
{
    if (pin_asks_itself(token, pin))
        return CKR_OK;
    if (!token->is_foreign && !is_otp(pin, pin_len))
        return failure(CKR_PIN_INCORRECT, "a one-time password is six digits");
    return pin_take(pin, pin_len, ret_secret);
}

/*
 * The one-time password or, for a foreign key, the PIN for the signature that was begun, or the
 * next message (2.40 section 11.6, CKU_CONTEXT_SPECIFIC). Whether it is right, only the service or
 * the token knows, when it signs.
 */
static CK_RV login_for_operation(struct session *s, const CK_UTF8CHAR *pin, CK_ULONG pin_len)
{
    struct operation *sign = NULL;
    struct secret *otp = NULL;

    CK_RV rv = operation_borrow(s, OPERATION_SIGN, OPERATION_FRESH, &sign);
    if (rv == CKR_OPERATION_NOT_INITIALIZED)
        rv = operation_borrow(s, OPERATION_MESSAGE_SIGN, OPERATION_FRESH, &sign);
    if (rv != CKR_OK)
        return rv;
    if (!operation_wants_login(s, sign)) /* the key has no CKA_ALWAYS_AUTHENTICATE */
        return operation_return(s, false, CKR_OPERATION_NOT_INITIALIZED);
    if (slot_login_state(s->slot) != SLOT_USER)
        return operation_return(s, false, CKR_USER_NOT_LOGGED_IN);
    rv = take_for_operation(s->slot->token, pin, pin_len, &otp);
    if (rv == CKR_OK) {
        secret_free(sign->otp);
        sign->otp = otp;
    }
    return operation_return(s, false, rv);
}

CK_RV login_begin(struct session *s, CK_USER_TYPE type, CK_UTF8CHAR *pin, CK_ULONG pin_len)
{
    if (type != CKU_SO && type != CKU_USER && type != CKU_CONTEXT_SPECIFIC)
        return CKR_USER_TYPE_INVALID;
    if (!pin && pin_len)
        return CKR_ARGUMENTS_BAD;
    if (type == CKU_CONTEXT_SPECIFIC)
        return login_for_operation(s, pin, pin_len);

    CK_RV rv = check_state(s->slot, type);
    if (rv != CKR_OK)
        return rv;
    if (type == CKU_SO && !slot_is_writable(s->slot))
        return failure(CKR_PIN_LOCKED, "this kind of slot has no security officer");
    rv = check_pin(s, type == CKU_SO ? TOKEN_SO : TOKEN_USER, pin, pin_len);
    return rv == CKR_OK ? slot_enter(s->slot, type == CKU_SO ? SLOT_SO : SLOT_USER) : rv;
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
    audit_flush(); /* while it is known what the token has */
    CK_RV rv = slot_logout(s->slot);
    if (rv != CKR_OK)
        return rv;
    if (s->slot->token->needs_login)
        session_end_signing(s->slot);
    slot_remove_private_session_objects(s->slot);
    return CKR_OK;
}
