/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/keystore/wrap.h"

#include <string.h>

#include "remote/base/cleanup.h"

/* What the tag covers beside the key. */
struct bound {
    struct wrap_place place;
    uint32_t cost;
    uint32_t r;
    uint32_t p;
    uint32_t reserved;
};

_Static_assert(sizeof(struct wrap) == 3 * 4 + WRAP_SALT_SIZE + 28 + CRYPT_KEY_SIZE, "no padding");
_Static_assert(sizeof(struct bound) == 16 + 2 * WRAP_ID_SIZE + 4 * 4, "no padding");

static struct bound bound_of(const struct wrap_place *place, const struct wrap *wrap)
{
    return (struct bound){.place = *place, .cost = wrap->cost, .r = wrap->r, .p = wrap->p};
}

bool wrap_is_there(const struct wrap *wrap)
{
    return wrap->cost != 0;
}

bool wrap_is_sound(const struct wrap *wrap)
{
    static const struct wrap none;

    if (!wrap_is_there(wrap))
        return memcmp(wrap, &none, sizeof(none)) == 0;
    return wrap->cost >= CRYPT_COST_MIN && wrap->cost <= CRYPT_COST_MAX &&
           wrap->r == CRYPT_BLOCKS && wrap->p == CRYPT_LANES;
}

static enum sca_status box_of_pin(const struct wrap *wrap, const struct secret *pin,
                                  struct crypt_box **ret_box)
{
    uint8_t key[CRYPT_KEY_SIZE];

    enum sca_status st =
        crypt_stretch(secret_get(pin), span_of(wrap->salt, sizeof(wrap->salt)), wrap->cost, key);
    if (st == SCA_OK)
        st = crypt_box_new(key, ret_box);
    secret_wipe(key, sizeof(key));
    return st;
}

enum sca_status wrap_make(const struct wrap_place *place, const struct secret *pin,
                          const struct secret *key, unsigned cost, struct wrap *ret_wrap)
{
    AUTO(crypt_box_freep) struct crypt_box *box = NULL;
    struct wrap wrap = {.cost = cost, .r = CRYPT_BLOCKS, .p = CRYPT_LANES};
    const struct span parts[] = {secret_get(key), {0}};

    if (!wrap_is_there(&wrap) || !wrap_is_sound(&wrap) || parts[0].len != sizeof(wrap.key))
        return SCA_INVALID;
    enum sca_status st = crypt_random(wrap.salt, sizeof(wrap.salt));
    if (st == SCA_OK)
        st = box_of_pin(&wrap, pin, &box);
    if (st != SCA_OK)
        return st;
    struct bound bound = bound_of(place, &wrap);
    st = crypt_seal(box, span_of(&bound, sizeof(bound)), parts, wrap.key, &wrap.mark);
    if (st == SCA_OK)
        *ret_wrap = wrap;
    return st;
}

enum sca_status wrap_open(const struct wrap_place *place, const struct secret *pin,
                          const struct wrap *wrap, struct secret **ret_key)
{
    AUTO(crypt_box_freep) struct crypt_box *box = NULL;
    uint8_t key[CRYPT_KEY_SIZE];

    if (!wrap_is_there(wrap) || !wrap_is_sound(wrap))
        return SCA_INVALID;
    enum sca_status st = box_of_pin(wrap, pin, &box);
    if (st != SCA_OK)
        return st;
    struct bound bound = bound_of(place, wrap);
    st = crypt_open(box, span_of(&bound, sizeof(bound)), &wrap->mark,
                    span_of(wrap->key, sizeof(wrap->key)), key);
    if (st == SCA_OK)
        st = secret_new(span_of(key, sizeof(key)), ret_key);
    secret_wipe(key, sizeof(key));
    return st == SCA_MISMATCH ? SCA_USER_AUTH : st;
}
