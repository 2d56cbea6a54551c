/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/decoded_key.h"

#include <openssl/evp.h>

#include "module/token/blueprint.h"
#include "module/token/key_material.h"
#include "remote/base/cleanup.h"
#include "remote/base/secret.h"
#include "tests/fuzz/feed.h"

static void require_same(const EVP_PKEY *key, const EVP_PKEY *again, CK_ATTRIBUTE_TYPE type)
{
    AUTO(buf_fini) struct buf first;
    AUTO(buf_fini) struct buf second;
    CK_RV rv = key_part(key, type, &first);

    require(rv == key_part(again, type, &second));
    require(span_equal(buf_span(&first), buf_span(&second)));
    require(rv != CKR_OK || key_part_is_secret(CKO_PRIVATE_KEY, type));
}

static void require_same_in_public(const EVP_PKEY *key, const EVP_PKEY *again,
                                   CK_ATTRIBUTE_TYPE type)
{
    AUTO(buf_fini) struct buf first;
    AUTO(buf_fini) struct buf second;

    buf_init(&first, SECRET_MAX, false);
    buf_init(&second, SECRET_MAX, false);
    enum sca_status st = key_public_part(key, type, &first);
    require(st == key_public_part(again, type, &second) && (st == SCA_OK) == (first.len > 0));
    require(span_equal(buf_span(&first), buf_span(&second)));
}

static void compare(const EVP_PKEY *key, const EVP_PKEY *again)
{
    static const CK_ATTRIBUTE_TYPE types[] = {
        CKA_VALUE,     CKA_MODULUS,    CKA_PUBLIC_EXPONENT, CKA_PRIVATE_EXPONENT, CKA_PRIME_1,
        CKA_PRIME_2,   CKA_EXPONENT_1, CKA_EXPONENT_2,      CKA_COEFFICIENT,      CKA_LABEL,
        CKA_EC_PARAMS, CKA_EC_POINT,   CKA_PUBLIC_KEY_INFO,
    };

    require(EVP_PKEY_eq(key, again) == 1);
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        require_same(key, again, types[i]);
        require_same_in_public(key, again, types[i]);
    }
}

void decoded_key(struct span der)
{
    AUTO(secret_freep) struct secret *written = NULL;
    EVP_PKEY *key = NULL;
    EVP_PKEY *again = NULL;

    if (key_from_pkcs8(der, &key) != SCA_OK)
        return;
    require(key_to_pkcs8(key, &written) == SCA_OK);
    require(key_from_pkcs8(secret_get(written), &again) == SCA_OK);
    compare(key, again);
    EVP_PKEY_free(key);
    EVP_PKEY_free(again);
}
