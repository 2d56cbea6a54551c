/* SPDX-License-Identifier: Apache-2.0 */
/* Objects and keys of a local token: listed, written, made ready for use. */
#include "module/backend/local.h"

#include "module/backend/local_objects.h"
#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"
#include "remote/base/log.h"

enum sca_status local_list(struct token *base, struct object_sink *sink)
{
    struct local_token *token = (struct local_token *)base;
    AUTO(local_keys_unrefp) struct local_keys *keys = local_take_keys(token, true);
    struct keystore_info info;
    struct keystore keystore;
    const char *why = NULL;

    enum sca_status st = local_read_info(token, &keystore, &info);
    if (st != SCA_OK)
        return st == SCA_NOT_FOUND ? SCA_OK : st; /* an uninitialised token has nothing */
    st = local_objects_list(&keystore, info.serial, local_keys_master(keys), sink, &why);
    if (st != SCA_OK)
        log_line(LOG_LEVEL_WARNING, "token %s: its objects cannot be read: %s", token->name,
                 why ? why : sca_status_name(st));
    return st;
}

/* Keys that are gone or new are not to be found in the cache. */
static void forget_keys(struct local_token *token, const struct object_change *changes,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!changes[i].is_removed && !changes[i].key.len)
            continue;
        lock_take(&token->lock);
        EVP_PKEY *key = token->keys ? local_keys_drop(token->keys, changes[i].number) : NULL;
        lock_drop(&token->lock);
        crypto_pkey_free(key);
    }
}

enum sca_status local_apply(struct token *base, struct call *call, struct object_change *changes,
                            size_t count)
{
    struct local_token *token = (struct local_token *)base;
    AUTO(local_keys_unrefp) struct local_keys *keys = local_take_keys(token, true);
    struct keystore keystore;

    for (size_t i = 0; i < count; i++)
        if (!keys && changes[i].is_private && !changes[i].is_removed)
            return local_fail(token, call, SCA_USER_AUTH);
    enum sca_status st = SCA_NOT_FOUND;
    if (local_keystore(token, &keystore))
        st = local_objects_write(&keystore, call, local_keys_master(keys), changes, count);
    if (st == SCA_OK)
        forget_keys(token, changes, count);
    return local_fail(token, call, st);
}

struct decoding {
    enum sca_status (*decode)(struct span der, EVP_PKEY **ret_key);
    EVP_PKEY *key;
};

static void decoding_fini(struct decoding *decoding)
{
    crypto_pkey_free(decoding->key);
}

static enum sca_status decode_one(void *arg, const struct keystore_object *object)
{
    struct decoding *decoding = arg;
    return object->key.len ? decoding->decode(object->key, &decoding->key) : SCA_NOT_FOUND;
}

enum sca_status local_load_key(struct token *base, struct call *call, unsigned number,
                               enum sca_status (*decode)(struct span der, EVP_PKEY **ret_key),
                               EVP_PKEY **ret_key)
{
    struct local_token *token = (struct local_token *)base;
    AUTO(local_keys_unrefp) struct local_keys *keys = NULL;
    struct keystore keystore;
    const char *why = NULL;

    lock_take(&token->lock);
    EVP_PKEY *known = token->is_user ? local_keys_find(token->keys, number) : NULL;
    if (!known && token->is_user)
        keys = local_keys_ref(token->keys);
    lock_drop(&token->lock);
    if (known) {
        *ret_key = known;
        return SCA_OK;
    }
    if (!keys || !local_keystore(token, &keystore))
        return local_fail(token, call, SCA_USER_AUTH);

    AUTO(decoding_fini) struct decoding decoding = {.decode = decode};
    enum sca_status st =
        keystore_read(&keystore, local_keys_master(keys), number, decode_one, &decoding, &why);
    if (st != SCA_OK && why)
        return call_fail(call, st, "token %s: its key %u cannot be read: %s", token->name, number,
                         why);
    if (st != SCA_OK)
        return local_fail(token, call, st);
    lock_take(&token->lock);
    local_keys_keep(keys, number, decoding.key, ret_key);
    lock_drop(&token->lock);
    return SCA_OK;
}
