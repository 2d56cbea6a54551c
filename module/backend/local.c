/* SPDX-License-Identifier: Apache-2.0 */
#include "module/backend/local.h"

#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/base/log.h"
#include "remote/keystore/shelf.h"

/* Keys on this computer know PSS and elliptic curves, which the service does not have. */
static const CK_MECHANISM_TYPE mechanisms[] = {
    CKM_SHA256_RSA_PKCS,
    CKM_SHA384_RSA_PKCS,
    CKM_SHA512_RSA_PKCS,
    CKM_RSA_PKCS,
    CKM_RSA_PKCS_PSS,
    CKM_SHA256_RSA_PKCS_PSS,
    CKM_SHA384_RSA_PKCS_PSS,
    CKM_SHA512_RSA_PKCS_PSS,
    CKM_ECDSA,
    CKM_ECDSA_SHA256,
    CKM_ECDSA_SHA384,
    CKM_ECDSA_SHA512,
    CKM_ECDSA_SHA1,
    CKM_EDDSA,
    CKM_RSA_PKCS_KEY_PAIR_GEN,
    CKM_EC_KEY_PAIR_GEN,
    CKM_EC_EDWARDS_KEY_PAIR_GEN,
};

_Static_assert(sizeof(((struct token_state *)0)->label) == KEYSTORE_LABEL_SIZE &&
                   sizeof(((struct token_state *)0)->serial) == KEYSTORE_SERIAL_SIZE,
               "a token shows its keystore's label and serial number as they are");

bool local_keystore(const struct local_token *token, struct keystore *ret_keystore)
{
    *ret_keystore = (struct keystore){.state_dir = token->state_dir, .name = token->name};
    return !atomic_load(&token->base.is_spare);
}

struct local_keys *local_take_keys(struct local_token *token, bool only_users)
{
    struct local_keys *keys = NULL;

    lock_take(&token->lock);
    if (token->keys && (token->is_user || !only_users))
        keys = local_keys_ref(token->keys);
    lock_drop(&token->lock);
    return keys;
}

enum sca_status local_fail(const struct local_token *token, struct call *call,
                           enum sca_status status)
{
    static const char *const reasons[SCA_STATUS_COUNT] = {
        [SCA_NOMEM] = "there is not enough memory",
        [SCA_INVALID] = "its file is damaged; beside it is the generation before, .token.old",
        [SCA_NOT_FOUND] = "the object is not there any more; list the objects again",
        [SCA_IO] = "its file cannot be read, written or locked; smartca doctor tells more",
        [SCA_CANCELLED] = "given up while waiting for other programs",
        [SCA_UNCONFIRMED] = "other programs kept it busy for too long; try again",
        [SCA_USER_AUTH] = "nobody is logged in",
        [SCA_NO_SPACE] = "disk or quota is full, or the object too large; nothing was changed",
        [SCA_GONE] = "another program has made a new token of it; log out and in again",
    };
    if (status == SCA_OK || call->note[0])
        return status;
    const char *reason = reasons[status] ? reasons[status] : sca_status_name(status);
    return call_fail(call, status, "token %s: %s", token->name, reason);
}

enum sca_status local_read_info(const struct local_token *token, struct keystore *ret_keystore,
                                struct keystore_info *ret_info)
{
    const char *why = NULL;

    if (!local_keystore(token, ret_keystore))
        return SCA_NOT_FOUND;
    enum sca_status st = keystore_info(ret_keystore, ret_info, &why);
    if (st != SCA_OK && st != SCA_NOT_FOUND)
        log_line(LOG_LEVEL_WARNING, "%s/tokens/%s.token: %s", token->state_dir, token->name,
                 why ? why : sca_status_name(st));
    return st;
}

static enum sca_status local_state(struct token *base, struct token_state *ret_state)
{
    const struct local_token *token = (const struct local_token *)base;
    struct keystore_info info;
    struct keystore keystore;

    enum sca_status st = local_read_info(token, &keystore, &info);
    if (st == SCA_NOT_FOUND) {
        *ret_state = (struct token_state){.is_initialized = false};
        return SCA_OK;
    }
    if (st != SCA_OK)
        return st;
    struct token_state state = {
        .is_initialized = true,
        .has_user_pin = info.has_user_pin,
        .wrong_user_pins = info.wrong_user_pins,
        .wrong_so_pins = info.wrong_so_pins,
    };
    memcpy(state.label, info.label, sizeof(state.label));
    memcpy(state.serial, info.serial, sizeof(state.serial));
    *ret_state = state;
    return SCA_OK;
}

static uint64_t local_stamp(const struct token *base)
{
    const struct local_token *token = (const struct local_token *)base;
    struct keystore keystore;
    return local_keystore(token, &keystore) ? keystore_stamp(&keystore) : 0;
}

void local_logout(struct token *base)
{
    struct local_token *token = (struct local_token *)base;

    lock_take(&token->lock);
    struct local_keys *keys = token->keys;
    token->keys = NULL;
    token->is_user = false;
    lock_drop(&token->lock);
    local_keys_unref(keys);
}

static void local_free(struct token *base)
{
    struct local_token *token = (struct local_token *)base;
    local_keys_unref(token->keys);
    wrong_pins_fini(&token->wrong);
    lock_fini(&token->lock);
    free(token);
}

static const struct token_write_ops write_ops = {
    .stamp = local_stamp,
    .init_token = local_init_token,
    .init_pin = local_init_pin,
    .apply = local_apply,
    .load_key = local_load_key,
};

static const struct token_ops local_ops = {
    .list = local_list,
    .login = local_login,
    .logout = local_logout,
    .state = local_state,
    .set_pin = local_set_pin,
    .write = &write_ops,
    .free = local_free,
};

/* Of the slot, not of what is in it: it stays true when the empty slot is taken. By hand, because
 * ten thousand tokens are made when a company's catalogue is opened. */
static void describe(struct local_token *token)
{
    static const char of_token[] = "Self-signed token ";
    static const char of_spare[] = "Self-signed: a new token";
    enum { SHOWN = 8 }; /* digits of the name */

    _Static_assert(sizeof(of_token) + SHOWN <= sizeof(token->description) &&
                       sizeof(of_spare) <= sizeof(token->description),
                   "description is too short");
    if (token->name[0] == 0) {
        memcpy(token->description, of_spare, sizeof(of_spare));
        return;
    }
    memcpy(token->description, of_token, sizeof(of_token));
    memcpy(token->description + sizeof(of_token) - 1, token->name, SHOWN); /* a NUL is behind */
}

enum sca_status local_token_new(const char *state_dir, const char *name, CK_SLOT_ID slot_id,
                                struct token **ret_token)
{
    if (name && !shelf_is_name(name))
        return SCA_INVALID;
    struct local_token *token = calloc(1, sizeof(*token));
    if (!token)
        return SCA_NOMEM;
    token->state_dir = state_dir;
    lock_init(&token->lock, LOCK_BACKEND);
    wrong_pins_init(&token->wrong, &token->lock);
    if (name)
        memcpy(token->name, name, sizeof(token->name));
    describe(token);
    token->base = (struct token){
        .ops = &local_ops,
        .slot_id = slot_id,
        .identity = {.slot_description = token->description,
                     .manufacturer = "VNPT eContract",
                     .label = "",
                     .model = "Self-signed"},
        .mechanisms = mechanisms,
        .mechanism_count = ARRAY_LEN(mechanisms),
        .pin_min = KEYSTORE_PIN_MIN,
        .pin_max = KEYSTORE_PIN_MAX,
        .is_present = true,
        .is_spare = !name,
        .needs_login = true,
        .has_random = true,
    };
    *ret_token = &token->base;
    return SCA_OK;
}

void local_token_claim(struct token *base, const char *name)
{
    struct local_token *token = (struct local_token *)base;

    if (base->ops != &local_ops || !shelf_is_name(name))
        return;
    lock_take(&token->lock);
    if (atomic_load(&base->is_spare)) {
        memcpy(token->name, name, sizeof(token->name));
        atomic_store(&base->is_spare, false);
    }
    lock_drop(&token->lock);
}
