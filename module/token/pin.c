/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens and PINs being made and changed: C_InitToken, C_InitPIN, C_SetPIN. */
#include "module/token/failure.h"
#include "module/token/handlers.h"
#include "module/token/login.h"
#include "remote/base/cleanup.h"

enum { LABEL_LEN = 32, INIT_PATIENCE_MS = 60000 };

/* No session is opened from here to end_init: what it would find is just being replaced. */
static CK_RV begin_init(struct slot *slot)
{
    lock_take(&slot->lock);
    CK_RV rv = slot->sessions > 0 ? CKR_SESSION_EXISTS : CKR_OK;
    if (rv == CKR_OK && slot->is_being_made)
        rv = CKR_FUNCTION_FAILED; /* by another thread */
    slot->is_being_made |= rv == CKR_OK;
    lock_drop(&slot->lock);
    return rv;
}

static void end_init(struct slot *slot)
{
    lock_take(&slot->lock);
    slot->is_being_made = false;
    lock_drop(&slot->lock);
}

static CK_ULONG max_len(const struct slot *slot)
{
    return slot->token->pin_max - slot->token->otp_digits;
}

static bool is_length(const struct slot *slot, CK_ULONG pin_len)
{
    return pin_len >= slot->token->pin_min && pin_len <= max_len(slot);
}

/* Fixed length, padded with blanks (2.40 section 5.5); some programs pad with a NUL. */
static struct span trim_label(const CK_UTF8CHAR *label)
{
    size_t len = 0;
    for (size_t i = 0; i < LABEL_LEN && label[i]; i++)
        if (label[i] != ' ')
            len = i + 1;
    return span_of(label, len);
}

static CK_RV init_token(struct slot *slot, const struct secret *so_pin, struct span label)
{
    struct token *token = slot->token;
    struct call call;

    call_init(&call, &clock_system, INIT_PATIENCE_MS);
    enum sca_status st = token->ops->write->init_token(token, &call, so_pin, label);
    CK_RV rv = failure_of(st, &call);
    if (st == SCA_USER_AUTH)
        rv = CKR_PIN_INCORRECT;
    else if (st == SCA_GONE)
        rv = failure(CKR_FUNCTION_FAILED, "another program has just taken this empty slot; list "
                                          "the slots again: there is a new one");
    call_fini(&call);
    if (rv == CKR_OK)
        slot_forget_objects(slot);
    if (rv == CKR_OK || st == SCA_GONE)
        slot_expect_new();
    return rv;
}

static CK_RV check_init(struct slot *slot, CK_ULONG pin_len, struct span name)
{
    if (!slot_is_writable(slot))
        return CKR_TOKEN_WRITE_PROTECTED;
    if (!is_length(slot, pin_len))
        return failure(CKR_PIN_INCORRECT, "an SO PIN has %lu to %lu bytes", slot->token->pin_min,
                       slot->token->pin_max);
    return utf8_is_valid(name) ? CKR_OK
                               : failure(CKR_ARGUMENTS_BAD, "the token's label is not UTF-8");
}

CK_RV login_init_token(CK_SLOT_ID id, CK_UTF8CHAR *pin, CK_ULONG pin_len, CK_UTF8CHAR *label)
{
    struct slot *slot = NULL;
    AUTO(secret_freep) struct secret *so_pin = NULL;
    CK_RV rv = slot_find_present(id, &slot);
    if (rv != CKR_OK)
        return rv;
    if ((!pin && pin_len) || !label)
        return CKR_ARGUMENTS_BAD;
    rv = begin_init(slot);
    if (rv != CKR_OK)
        return rv;
    struct span name = trim_label(label);
    rv = check_init(slot, pin_len, name);
    if (rv == CKR_OK)
        rv = pin_take(pin, pin_len, &so_pin);
    if (rv == CKR_OK)
        rv = init_token(slot, so_pin, name);
    end_init(slot);
    return rv;
}

/* A new PIN of acceptable length. */
static CK_RV take_new(const struct session *s, const CK_UTF8CHAR *pin, CK_ULONG pin_len,
                      struct secret **ret_pin)
{
    if (!is_length(s->slot, pin_len))
        return failure(CKR_PIN_LEN_RANGE, "a PIN has %lu to %lu bytes", s->slot->token->pin_min,
                       max_len(s->slot));
    return pin_take(pin, pin_len, ret_pin);
}

CK_RV login_init_pin(struct session *s, CK_UTF8CHAR *pin, CK_ULONG pin_len)
{
    AUTO(secret_freep) struct secret *secret = NULL;
    struct token *token = s->slot->token;
    struct call call;

    if (!pin && pin_len)
        return CKR_ARGUMENTS_BAD;
    if (slot_login_state(s->slot) != SLOT_SO)
        return CKR_USER_NOT_LOGGED_IN;
    if (!slot_is_writable(s->slot))
        return CKR_TOKEN_WRITE_PROTECTED;
    CK_RV rv = take_new(s, pin, pin_len, &secret);
    if (rv == CKR_OK)
        rv = pin_wait_begin(s, &call);
    if (rv != CKR_OK)
        return rv;
    return pin_wait_end(s, &call, token->ops->write->init_pin(token, &call, secret));
}

/*
 * Nobody is logged in and the user's PIN is locked: the SO's, given as the old one, unlocks it with
 * the new one. That is what programs for smart cards do (pkcs11-tool --unlock-pin).
 */
static enum sca_status unlock(struct token *token, struct call *call, const struct secret *so_pin,
                              const struct secret *new_pin)
{
    enum sca_status st = token->ops->login(token, call, TOKEN_SO, so_pin);
    if (st != SCA_OK)
        return st;
    st = token->ops->write->init_pin(token, call, new_pin);
    token->ops->logout(token);
    return st;
}

/* Only a PIN that is locked is unlocked; and a person who guesses does not use up the SO's tries,
 * of which nothing gives any back. */
static bool may_unlock(struct slot *slot)
{
    enum { SO_TRIES_SPENT_MAX = 3 };
    struct token *token = slot->token;
    struct token_state state;

    return slot_is_writable(slot) && slot_login_state(slot) == SLOT_PUBLIC &&
           token->ops->state(token, &state) == SCA_OK && state.wrong_user_pins >= TOKEN_PIN_TRIES &&
           state.wrong_so_pins < SO_TRIES_SPENT_MAX;
}

static enum sca_status change_pin(struct slot *slot, struct call *call,
                                  const struct secret *old_pin, const struct secret *new_pin)
{
    struct token *token = slot->token;
    enum slot_login login = slot_login_state(slot);
    enum token_user user = login == SLOT_SO ? TOKEN_SO : TOKEN_USER;

    enum sca_status st = token->ops->set_pin(token, call, user, old_pin, new_pin);
    return st == SCA_PIN_LOCKED && may_unlock(slot) ? unlock(token, call, old_pin, new_pin) : st;
}

CK_RV login_set_pin(struct session *s, CK_UTF8CHAR *old_pin, CK_ULONG old_len, CK_UTF8CHAR *new_pin,
                    CK_ULONG new_len)
{
    AUTO(secret_freep) struct secret *old_secret = NULL;
    AUTO(secret_freep) struct secret *new_secret = NULL;
    struct call call;

    if ((!old_pin && old_len) || (!new_pin && new_len))
        return CKR_ARGUMENTS_BAD;
    if (!session_is_rw(s))
        return CKR_SESSION_READ_ONLY;
    if (!s->slot->token->ops->set_pin)
        return CKR_TOKEN_WRITE_PROTECTED;
    CK_RV rv = CKR_OK;
    if (!pin_asks_itself(s->slot->token, new_pin))
        rv = take_new(s, new_pin, new_len, &new_secret);
    if (rv == CKR_OK && !pin_asks_itself(s->slot->token, old_pin))
        rv = pin_take(old_pin, old_len, &old_secret);
    if (rv == CKR_OK)
        rv = pin_wait_begin(s, &call);
    if (rv != CKR_OK)
        return rv;
    return pin_wait_end(s, &call, change_pin(s->slot, &call, old_secret, new_secret));
}
