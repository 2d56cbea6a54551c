/* SPDX-License-Identifier: Apache-2.0 */
/* C_GenerateKeyPair. */
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "module/token/blueprint_parts.h"
#include "module/token/key_material.h"
#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"

enum { EXPONENT_MAX = 8 }; /* bytes */

static const struct generator {
    CK_MECHANISM_TYPE mechanism;
    CK_KEY_TYPE type;
} generators[] = {
    {CKM_RSA_PKCS_KEY_PAIR_GEN, CKK_RSA},
    {CKM_EC_KEY_PAIR_GEN, CKK_EC},
    {CKM_EC_EDWARDS_KEY_PAIR_GEN, CKK_EC_EDWARDS},
};

/* Class and key type may be given if they are right. */
static CK_RV take_half(struct blueprint *half, CK_OBJECT_CLASS class, CK_KEY_TYPE type,
                       const CK_ATTRIBUTE *template, CK_ULONG count)
{
    unsigned kind = blueprint_kind(class, type);
    CK_RV rv = blueprint_take(half, kind, AT_GENERATE, template, count);
    if (rv != CKR_OK)
        return rv;
    const CK_ATTRIBUTE *given_class = blueprint_get(half, CKA_CLASS);
    const CK_ATTRIBUTE *given_type = blueprint_get(half, CKA_KEY_TYPE);
    if ((given_class && memcmp(given_class->pValue, &class, sizeof(class)) != 0) ||
        (given_type && memcmp(given_type->pValue, &type, sizeof(type)) != 0))
        return CKR_TEMPLATE_INCONSISTENT;
    blueprint_set_ulong(half, CKA_CLASS, class);
    blueprint_set_ulong(half, CKA_KEY_TYPE, type);
    blueprint_complete(half, kind);
    return blueprint_check_place(half, kind);
}

/* CKA_PUBLIC_EXPONENT: odd, from 65537 to 64 bits; 65537 if it is not given. */
static CK_RV read_exponent(const struct blueprint *for_public, BIGNUM *exponent)
{
    const CK_ATTRIBUTE *given = blueprint_get(for_public, CKA_PUBLIC_EXPONENT);
    if (!given)
        return BN_set_word(exponent, RSA_F4) == 1 ? CKR_OK : CKR_HOST_MEMORY;
    if (given->ulValueLen > EXPONENT_MAX ||
        !BN_bin2bn(given->pValue, (int)given->ulValueLen, exponent))
        return CKR_ATTRIBUTE_VALUE_INVALID;
    return BN_is_odd(exponent) && BN_get_word(exponent) >= RSA_F4 ? CKR_OK
                                                                  : CKR_ATTRIBUTE_VALUE_INVALID;
}

static CK_RV make_rsa(const struct blueprint *for_public, EVP_PKEY **ret_key)
{
    CK_ULONG bits = 0;
    EVP_PKEY *key = NULL;
    const CK_ATTRIBUTE *given = blueprint_get(for_public, CKA_MODULUS_BITS);
    if (!given)
        return CKR_TEMPLATE_INCOMPLETE;
    memcpy(&bits, given->pValue, sizeof(bits));
    if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX || bits % 8)
        return CKR_KEY_SIZE_RANGE;

    BIGNUM *exponent = BN_new();
    EVP_PKEY_CTX *ctx = crypto_key_ctx("RSA");
    CK_RV rv = exponent && ctx ? read_exponent(for_public, exponent) : CKR_HOST_MEMORY;
    if (rv == CKR_OK &&
        (EVP_PKEY_keygen_init(ctx) != 1 || EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, (int)bits) != 1 ||
         EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, exponent) != 1 ||
         EVP_PKEY_generate(ctx, &key) != 1))
        rv = CKR_FUNCTION_FAILED;
    EVP_PKEY_CTX_free(ctx);
    BN_free(exponent);
    if (rv == CKR_OK)
        *ret_key = key;
    return rv;
}

static EVP_PKEY *make_ec(const struct curve *curve)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *ctx = crypto_key_ctx("EC");
    if (!ctx || EVP_PKEY_keygen_init(ctx) != 1 ||
        EVP_PKEY_CTX_set_group_name(ctx, curve->name) != 1 || EVP_PKEY_generate(ctx, &key) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static CK_RV make_curve(const struct blueprint *for_public, CK_KEY_TYPE type, EVP_PKEY **ret_key)
{
    const struct curve *curve = NULL;
    const CK_ATTRIBUTE *given = blueprint_get(for_public, CKA_EC_PARAMS);
    if (!given)
        return CKR_TEMPLATE_INCOMPLETE;
    CK_RV rv = curve_find(span_of(given->pValue, given->ulValueLen), type, &curve);
    if (rv != CKR_OK)
        return rv;
    EVP_PKEY *key =
        type == CKK_EC ? make_ec(curve) : EVP_PKEY_Q_keygen(crypto_libctx(), NULL, curve->name);
    if (!key)
        return CKR_FUNCTION_FAILED;
    *ret_key = key;
    return CKR_OK;
}

/* What is of both halves may be given for the private one too, if it is the same. */
static bool do_agree(const struct blueprint *for_public, const struct blueprint *for_private)
{
    static const CK_ATTRIBUTE_TYPE shared[] = {CKA_EC_PARAMS, CKA_PUBLIC_EXPONENT};
    for (size_t i = 0; i < ARRAY_LEN(shared); i++) {
        const CK_ATTRIBUTE *a = blueprint_get(for_public, shared[i]);
        const CK_ATTRIBUTE *b = blueprint_get(for_private, shared[i]);
        if (b && !(a && span_equal(span_of(a->pValue, a->ulValueLen),
                                   span_of(b->pValue, b->ulValueLen))))
            return false;
    }
    return true;
}

/* One CKA_ID for both: what either template gave, or of the key. */
static void share_id(struct blueprint *for_public, struct blueprint *for_private)
{
    const CK_ATTRIBUTE *a = blueprint_get(for_public, CKA_ID);
    const CK_ATTRIBUTE *b = blueprint_get(for_private, CKA_ID);
    if (a && a->ulValueLen && !(b && b->ulValueLen))
        blueprint_set(for_private, CKA_ID, span_of(a->pValue, a->ulValueLen));
    else if (b && b->ulValueLen && !(a && a->ulValueLen))
        blueprint_set(for_public, CKA_ID, span_of(b->pValue, b->ulValueLen));
}

static CK_RV finish(struct blueprint *half, CK_OBJECT_CLASS class,
                    const struct generator *generator, const EVP_PKEY *key)
{
    unsigned kind = blueprint_kind(class, generator->type);
    CK_RV rv = blueprint_add_key(half, kind, key);
    if (rv == CKR_OK)
        blueprint_add_origin(half, kind, generator->mechanism);
    return rv;
}

CK_RV blueprint_generate(const CK_MECHANISM *mechanism, const CK_ATTRIBUTE *public_template,
                         CK_ULONG public_count, const CK_ATTRIBUTE *private_template,
                         CK_ULONG private_count, struct blueprint *ret_public,
                         struct blueprint *ret_private)
{
    const struct generator *generator = NULL;
    EVP_PKEY *key = NULL;
    for (size_t i = 0; i < ARRAY_LEN(generators); i++)
        if (generators[i].mechanism == mechanism->mechanism)
            generator = &generators[i];
    if (!generator)
        return CKR_MECHANISM_INVALID;
    CK_RV rv =
        take_half(ret_public, CKO_PUBLIC_KEY, generator->type, public_template, public_count);
    if (rv == CKR_OK)
        rv = take_half(ret_private, CKO_PRIVATE_KEY, generator->type, private_template,
                       private_count);
    if (rv == CKR_OK && !do_agree(ret_public, ret_private))
        rv = CKR_TEMPLATE_INCONSISTENT;
    if (rv != CKR_OK)
        return rv;

    (void)ERR_set_mark();
    rv = generator->type == CKK_RSA ? make_rsa(ret_public, &key)
                                    : make_curve(ret_public, generator->type, &key);
    (void)ERR_pop_to_mark();
    if (rv != CKR_OK)
        return rv;
    ret_private->key = key;
    share_id(ret_public, ret_private);
    rv = finish(ret_public, CKO_PUBLIC_KEY, generator, key);
    return rv == CKR_OK ? finish(ret_private, CKO_PRIVATE_KEY, generator, key) : rv;
}
