/* SPDX-License-Identifier: Apache-2.0 */
/* One token of another module, from the day it is first seen to C_Finalize, plugged in or not. */
#include <stdlib.h>
#include <string.h>

#include "module/backend/forward.h"
#include "remote/base/cleanup.h"

/* For a module that says nothing sensible of its PINs' lengths. */
enum { PIN_MAX = 255 };

static uint64_t patience_ms(const struct token *base)
{
    enum { PATIENCE_MS = 60000 }; /* only to wait for a session: the token itself takes its time */
    (void)base;
    return PATIENCE_MS;
}

static void token_free(struct token *base)
{
    struct forward_token *token = (struct forward_token *)base;

    forward_logout(base);
    forward_drop_sessions(token, false);
    free(token->keys.items);
    secret_wipe(&token->wrong, sizeof(token->wrong));
    lock_fini(&token->lock);
    free(token);
}

static const struct token_ops forward_ops = {
    .list = forward_list,
    .sign = forward_sign,
    .login = forward_login,
    .logout = forward_logout,
    .is_logged_in = forward_is_logged_in,
    .state = forward_state,
    .set_pin = forward_set_pin,
    .patience_ms = patience_ms,
    .free = token_free,
};

/* What the token lets through, as it is told when the token is first seen. */
static CK_RV read_mechanisms(struct forward_token *token, CK_SLOT_ID slot)
{
    CK_MECHANISM_TYPE offered[INNER_MECHANISMS_MAX];
    CK_ULONG count = 0;

    if (!inner_enter(token->inner))
        return CKR_DEVICE_REMOVED;
    CK_RV rv = inner_mechanisms(token->inner, slot, offered, &count);
    inner_leave(token->inner);
    if (rv == CKR_OK)
        token->base.mechanism_count = forward_mechanisms(offered, count, token->mechanisms);
    return rv;
}

static CK_ULONG sensible(CK_ULONG len, CK_ULONG otherwise)
{
    return len <= PIN_MAX ? len : otherwise;
}

enum sca_status forward_token_new(const struct forward_seen *seen, CK_SLOT_ID id,
                                  struct token **ret_token)
{
    struct forward_token *token = calloc(1, sizeof(*token));
    if (!token)
        return SCA_NOMEM;
    token->section = seen->section;
    token->inner = seen->section->inner;
    token->identity = seen->identity;
    token->login = CK_INVALID_HANDLE;
    token->generation = atomic_load(&token->inner->generation);
    lock_init(&token->lock, LOCK_BACKEND);
    const struct forward_identity *identity = &token->identity;
    token->base = (struct token){
        .ops = &forward_ops,
        .slot_id = id,
        .identity = {.slot_description = identity->description,
                     .manufacturer = identity->manufacturer,
                     .label = identity->label,
                     .model = identity->model},
        .mechanisms = token->mechanisms,
        .pin_min = sensible(seen->pin_min, 0),
        .pin_max = seen->pin_max ? sensible(seen->pin_max, PIN_MAX) : PIN_MAX,
        .is_present = true,
        .needs_login = seen->flags & CKF_LOGIN_REQUIRED,
        .has_user_pin = seen->flags & CKF_USER_PIN_INITIALIZED,
        .has_protected_path = seen->flags & CKF_PROTECTED_AUTHENTICATION_PATH,
        .is_foreign = true,
    };
    memcpy(token->base.identity.serial, identity->serial, sizeof(identity->serial));
    if (read_mechanisms(token, seen->inner_slot) != CKR_OK) {
        token_free(&token->base);
        return SCA_GONE;
    }
    forward_token_attach(&token->base, seen->inner_slot);
    *ret_token = &token->base;
    return SCA_OK;
}

bool forward_token_is_one(const struct token *token)
{
    return token->ops == &forward_ops;
}

bool forward_token_is(const struct token *base, const struct forward_seen *seen)
{
    const struct forward_token *token = (const struct forward_token *)base;

    return forward_token_is_one(base) && token->section == seen->section &&
           strcmp(token->identity.serial, seen->identity.serial) == 0 &&
           strcmp(token->identity.label, seen->identity.label) == 0;
}

void forward_token_attach(struct token *base, CK_SLOT_ID inner_slot)
{
    struct forward_token *token = (struct forward_token *)base;

    lock_take(&token->lock);
    bool is_new = !token->is_there || token->inner_slot != inner_slot;
    token->is_there = true;
    token->inner_slot = inner_slot;
    lock_drop(&token->lock);
    if (is_new)
        forward_drop_sessions(token, true); /* they went with it when it was unplugged */
}

void forward_token_detach(struct token *base)
{
    struct forward_token *token = (struct forward_token *)base;

    lock_take(&token->lock);
    token->is_there = false;
    lock_drop(&token->lock);
    forward_drop_sessions(token, true);
}

/* How many wrong PINs, as the token layer counts: the inner one only says how near the end is. */
static unsigned wrong_pins(CK_FLAGS flags, CK_FLAGS low, CK_FLAGS final, CK_FLAGS locked)
{
    if (flags & locked)
        return TOKEN_PIN_TRIES;
    if (flags & final)
        return TOKEN_PIN_TRIES - 1;
    return flags & low ? 1 : 0;
}

enum sca_status forward_state(struct token *base, struct token_state *ret_state)
{
    struct forward_token *token = (struct forward_token *)base;
    CK_TOKEN_INFO info;

    lock_take(&token->lock);
    CK_SLOT_ID slot = token->inner_slot;
    bool is_there = token->is_there;
    lock_drop(&token->lock);
    memset(&info, 0, sizeof(info));
    if (!is_there || !inner_enter(token->inner))
        return SCA_GONE;
    CK_RV rv = token->inner->GetTokenInfo(slot, &info);
    inner_leave(token->inner);
    if (rv != CKR_OK) /* SoftHSM2 fails for a moment while another process logs in to its files */
        return forward_status(rv);
    *ret_state = (struct token_state){
        .is_initialized = true,
        .has_user_pin = info.flags & CKF_USER_PIN_INITIALIZED,
        .wrong_user_pins = wrong_pins(info.flags, CKF_USER_PIN_COUNT_LOW, CKF_USER_PIN_FINAL_TRY,
                                      CKF_USER_PIN_LOCKED),
        .wrong_so_pins =
            wrong_pins(info.flags, CKF_SO_PIN_COUNT_LOW, CKF_SO_PIN_FINAL_TRY, CKF_SO_PIN_LOCKED),
    };
    return SCA_OK;
}
