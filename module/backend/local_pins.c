/* SPDX-License-Identifier: Apache-2.0 */
/* PINs of local tokens: trying, choosing and changing them, and why that failed. */
#include "module/backend/local.h"

#include "remote/base/cleanup.h"

static const enum keystore_user users[] = {
    [TOKEN_USER] = KEYSTORE_USER,
    [TOKEN_SO] = KEYSTORE_SO,
};

static enum sca_status explain_locked(struct call *call, enum token_user user, const char *label,
                                      bool is_locked)
{
    if (!is_locked)
        return call_fail(call, SCA_PIN_LOCKED,
                         "the same wrong PIN of token %s was given again and again; it is not "
                         "looked at any more until another one is given",
                         label);
    if (user == TOKEN_SO)
        return call_fail(call, SCA_PIN_LOCKED,
                         "the SO PIN of token %s is locked after %d wrong tries; nothing unlocks "
                         "it, but the user PIN still works",
                         label, KEYSTORE_PIN_TRIES);
    return call_fail(call, SCA_PIN_LOCKED,
                     "the user PIN of token %s is locked after %d wrong tries; the SO PIN unlocks "
                     "it (C_InitPIN, pkcs11-tool --init-pin)",
                     label, KEYSTORE_PIN_TRIES);
}

/* Why a PIN was not taken. */
static enum sca_status explain(const struct local_token *token, struct call *call,
                               const struct keystore *keystore, enum token_user user,
                               enum sca_status status)
{
    struct keystore_info info;
    const char *why = NULL;

    bool is_about_pins =
        status == SCA_USER_AUTH || status == SCA_PIN_LOCKED || status == SCA_NOT_FOUND;
    if (!is_about_pins || keystore_info(keystore, &info, &why) != SCA_OK)
        return local_fail(token, call, status);
    const char *who = user == TOKEN_SO ? "SO" : "user";
    unsigned wrong = user == TOKEN_SO ? info.wrong_so_pins : info.wrong_user_pins;
    if (status == SCA_PIN_LOCKED)
        return explain_locked(call, user, info.label, wrong >= KEYSTORE_PIN_TRIES);
    if (status == SCA_NOT_FOUND)
        return call_fail(call, status,
                         "token %s has no %s PIN yet; the security officer sets it (C_InitPIN, "
                         "pkcs11-tool --init-pin)",
                         info.label, who);
    return call_fail(call, status, "wrong %s PIN of token %s: %u of %d tries are used", who,
                     info.label, wrong, KEYSTORE_PIN_TRIES);
}

enum sca_status local_login(struct token *base, struct call *call, enum token_user user,
                            const struct secret *pin)
{
    struct local_token *token = (struct local_token *)base;
    struct secret *master_key = NULL;
    struct local_keys *keys = NULL;
    struct pin_memory memory;
    struct keystore keystore;

    if (!local_keystore(token, &keystore))
        return call_fail(call, SCA_NOT_FOUND, "the slot is empty; C_InitToken makes a token");
    enum sca_status st = wrong_pins_borrow(&token->wrong, user, call, &memory);
    if (st != SCA_OK)
        return local_fail(token, call, st);
    st = keystore_login(&keystore, call, users[user], pin, &memory, &master_key);
    wrong_pins_return(&token->wrong, user, &memory);
    if (st != SCA_OK)
        return explain(token, call, &keystore, user, st);
    st = local_keys_new(master_key, &keys);
    if (st != SCA_OK)
        return local_fail(token, call, st);

    lock_take(&token->lock);
    struct local_keys *old = token->keys;
    token->keys = keys;
    token->is_user |= user == TOKEN_USER;
    lock_drop(&token->lock);
    local_keys_unref(old);
    return SCA_OK;
}

enum sca_status local_init_pin(struct token *base, struct call *call, const struct secret *pin)
{
    struct local_token *token = (struct local_token *)base;
    AUTO(local_keys_unrefp) struct local_keys *keys = local_take_keys(token, false);
    struct keystore keystore;

    if (!keys || !local_keystore(token, &keystore))
        return local_fail(token, call, SCA_USER_AUTH);
    enum sca_status st =
        keystore_init_pin(&keystore, call, local_keys_master(keys), pin, KEYSTORE_COST);
    return local_fail(token, call, st);
}

enum sca_status local_set_pin(struct token *base, struct call *call, enum token_user user,
                              const struct secret *old_pin, const struct secret *new_pin)
{
    struct local_token *token = (struct local_token *)base;
    struct pin_memory memory;
    struct keystore keystore;

    if (!local_keystore(token, &keystore))
        return call_fail(call, SCA_NOT_FOUND, "the slot is empty; C_InitToken makes a token");
    enum sca_status st = wrong_pins_borrow(&token->wrong, user, call, &memory);
    if (st != SCA_OK)
        return local_fail(token, call, st);
    st = keystore_set_pin(&keystore, call, users[user], old_pin, new_pin, &memory, KEYSTORE_COST);
    wrong_pins_return(&token->wrong, user, &memory);
    return st == SCA_OK ? st : explain(token, call, &keystore, user, st);
}
