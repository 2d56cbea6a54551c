/* SPDX-License-Identifier: Apache-2.0 */
#include "module/backend/local_keys.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"

struct kept {
    unsigned number;
    EVP_PKEY *key;
};

struct local_keys {
    atomic_uint refs;
    struct secret *master_key;
    struct kept *kept; /* by rising number */
    size_t count;
    size_t room;
    struct local_keys *next_left;
};

static _Atomic(struct local_keys *) left_behind; /* where leak checkers find them */

enum sca_status local_keys_new(struct secret *take_master_key, struct local_keys **ret_keys)
{
    struct local_keys *keys = calloc(1, sizeof(*keys));

    if (!keys) {
        secret_free(take_master_key);
        return SCA_NOMEM;
    }
    atomic_init(&keys->refs, 1);
    keys->master_key = take_master_key;
    *ret_keys = keys;
    return SCA_OK;
}

struct local_keys *local_keys_ref(struct local_keys *keys)
{
    atomic_fetch_add_explicit(&keys->refs, 1, memory_order_relaxed);
    return keys;
}

void local_keys_unref(struct local_keys *keys)
{
    if (!keys || atomic_fetch_sub(&keys->refs, 1) != 1)
        return;
    secret_freep(&keys->master_key);
    if (crypto_has_ended()) {
        keys->next_left = atomic_exchange(&left_behind, keys);
        return;
    }
    for (size_t i = 0; i < keys->count; i++)
        crypto_pkey_free(keys->kept[i].key);
    free(keys->kept);
    free(keys);
}

void local_keys_unrefp(struct local_keys **keys)
{
    local_keys_unref(*keys);
    *keys = NULL;
}

const struct secret *local_keys_master(const struct local_keys *keys)
{
    return keys ? keys->master_key : NULL;
}

/* The place of that number, or where it would be. */
static size_t place(const struct local_keys *keys, unsigned number)
{
    size_t low = 0;
    size_t high = keys->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (keys->kept[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_at(const struct local_keys *keys, size_t at, unsigned number)
{
    return at < keys->count && keys->kept[at].number == number;
}

EVP_PKEY *local_keys_find(const struct local_keys *keys, unsigned number)
{
    size_t at = place(keys, number);
    if (!is_at(keys, at, number) || EVP_PKEY_up_ref(keys->kept[at].key) != 1)
        return NULL;
    return keys->kept[at].key;
}

static bool make_room(struct local_keys *keys)
{
    if (keys->count < keys->room)
        return true;
    size_t room = keys->room ? 2 * keys->room : 4;
    struct kept *kept = realloc(keys->kept, room * sizeof(*kept));
    if (!kept)
        return false;
    keys->kept = kept;
    keys->room = room;
    return true;
}

void local_keys_keep(struct local_keys *keys, unsigned number, EVP_PKEY *key, EVP_PKEY **ret_key)
{
    size_t at = place(keys, number);

    if (is_at(keys, at, number)) {
        key = keys->kept[at].key;
    } else if (make_room(keys) && EVP_PKEY_up_ref(key) == 1) {
        memmove(keys->kept + at + 1, keys->kept + at, (keys->count - at) * sizeof(*keys->kept));
        keys->kept[at] = (struct kept){.number = number, .key = key};
        keys->count++;
    }
    (void)EVP_PKEY_up_ref(key); /* a counter that cannot overflow */
    *ret_key = key;
}

EVP_PKEY *local_keys_drop(struct local_keys *keys, unsigned number)
{
    size_t at = place(keys, number);
    if (!is_at(keys, at, number))
        return NULL;
    EVP_PKEY *key = keys->kept[at].key;
    keys->count--;
    memmove(keys->kept + at, keys->kept + at + 1, (keys->count - at) * sizeof(*keys->kept));
    return key;
}
