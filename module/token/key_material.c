/* SPDX-License-Identifier: Apache-2.0 */
#include "module/token/key_material.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "module/token/key_numbers.h"
#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"

struct span key_value(const CK_ATTRIBUTE *template, CK_ULONG count, CK_ATTRIBUTE_TYPE type)
{
    for (CK_ULONG i = 0; i < count; i++)
        if (template[i].type == type)
            return span_of(template[i].pValue, template[i].ulValueLen);
    return span_of(NULL, 0);
}

/* Are the primes primes, and is all the rest what they make it? */
static bool is_pair(EVP_PKEY *key)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(crypto_libctx(), key, NULL);
    bool is = ctx && EVP_PKEY_pairwise_check(ctx) == 1;
    EVP_PKEY_CTX_free(ctx);
    return is;
}

static bool is_rsa(EVP_PKEY *key, bool is_private,
                   BIGNUM *const numbers[static KEY_RSA_PUBLIC_NUMBERS])
{
    if (!BN_is_odd(numbers[KEY_RSA_MODULUS]) || !BN_is_odd(numbers[KEY_RSA_EXPONENT]) ||
        BN_is_one(numbers[KEY_RSA_EXPONENT]))
        return false;
    int bits = EVP_PKEY_get_bits(key);
    if (bits < RSA_BITS_MIN || bits > (is_private ? RSA_BITS_MAX : RSA_PUBLIC_BITS_MAX))
        return false;
    return !is_private || is_pair(key);
}

static CK_RV read_rsa(bool is_private, const CK_ATTRIBUTE *template, CK_ULONG count,
                      EVP_PKEY **ret_key)
{
    struct key_numbers numbers;
    size_t wanted = is_private ? KEY_RSA_NUMBERS : KEY_RSA_PUBLIC_NUMBERS;
    if (!key_numbers_init(&numbers))
        return CKR_HOST_MEMORY;
    for (size_t i = 0; i < wanted; i++)
        key_numbers_add(&numbers, key_rsa_numbers[i].name,
                        key_value(template, count, key_rsa_numbers[i].type));
    AUTO(crypto_pkey_freep) EVP_PKEY *key = key_numbers_make(&numbers, "RSA", is_private);
    bool is_good = key && is_rsa(key, is_private, numbers.list);
    key_numbers_fini(&numbers);
    if (!is_good)
        return CKR_ATTRIBUTE_VALUE_INVALID;
    *ret_key = TAKE(key);
    return CKR_OK;
}

/* CKA_PUBLIC_KEY_INFO, if the template has it: of the same key? Encodings of one may differ. */
static bool is_info_of(const EVP_PKEY *key, struct span info)
{
    if (!info.len)
        return true;
    const unsigned char *der = info.ptr;
    AUTO(crypto_pkey_freep)
    EVP_PKEY *given = d2i_PUBKEY_ex(NULL, &der, (long)info.len, crypto_libctx(), NULL);
    return given && der == info.ptr + info.len && EVP_PKEY_eq(given, key) == 1;
}

static CK_RV read_key(enum object_kind kind, const CK_ATTRIBUTE *template, CK_ULONG count,
                      EVP_PKEY **ret_key)
{
    bool is_private = kind & KIND_PRIVATE;
    if (kind & KIND_RSA)
        return read_rsa(is_private, template, count, ret_key);
    CK_KEY_TYPE type = kind & (KIND_PUBLIC_ED | KIND_PRIVATE_ED) ? CKK_EC_EDWARDS : CKK_EC;
    return key_read_on_curve(type, is_private, template, count, ret_key);
}

static CK_RV read_and_check(enum object_kind kind, const CK_ATTRIBUTE *template, CK_ULONG count,
                            EVP_PKEY **ret_key)
{
    AUTO(crypto_pkey_freep) EVP_PKEY *key = NULL;
    unsigned long before = ERR_peek_last_error();
    (void)ERR_set_mark();
    CK_RV rv = read_key(kind, template, count, &key);
    if (rv == CKR_OK && !is_info_of(key, key_value(template, count, CKA_PUBLIC_KEY_INFO)))
        rv = CKR_TEMPLATE_INCONSISTENT;
    if (rv != CKR_OK && crypto_lacked_memory(before))
        rv = CKR_HOST_MEMORY;
    (void)ERR_pop_to_mark();
    if (rv == CKR_OK)
        *ret_key = TAKE(key);
    return rv;
}

CK_RV key_read(enum object_kind kind, const CK_ATTRIBUTE *template, CK_ULONG count,
               EVP_PKEY **ret_key)
{
    CK_RV rv = read_and_check(kind, template, count, ret_key);

    /* Not always does OpenSSL say that it had no memory: a template is wrong when that is said
     * twice. */
    return rv == CKR_ATTRIBUTE_VALUE_INVALID ? read_and_check(kind, template, count, ret_key) : rv;
}
