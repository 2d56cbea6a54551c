/* SPDX-License-Identifier: Apache-2.0 */
#include "module/token/key_material.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include "module/token/blueprint.h"
#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"

enum { DER_OCTET_STRING = 0x04, DER_LONG = 0x81, POINT_MAX = 1 + 2 * 66, NUMBERS_MAX = 9 };

static struct span value_of(const CK_ATTRIBUTE *template, CK_ULONG count, CK_ATTRIBUTE_TYPE type)
{
    for (CK_ULONG i = 0; i < count; i++)
        if (template[i].type == type)
            return span_of(template[i].pValue, template[i].ulValueLen);
    return span_of(NULL, 0);
}

/* Numbers on their way into a key; the secret ones are wiped afterwards. */
struct numbers {
    OSSL_PARAM_BLD *builder;
    BIGNUM *list[NUMBERS_MAX];
    size_t count;
    bool is_bad;
};

static bool numbers_init(struct numbers *numbers)
{
    *numbers = (struct numbers){.builder = OSSL_PARAM_BLD_new()};
    return numbers->builder != NULL;
}

static void numbers_fini(struct numbers *numbers)
{
    for (size_t i = 0; i < numbers->count; i++)
        BN_clear_free(numbers->list[i]);
    OSSL_PARAM_BLD_free(numbers->builder);
}

static void numbers_add(struct numbers *numbers, const char *name, struct span value)
{
    BIGNUM *number = value.len <= RSA_PUBLIC_BITS_MAX / 8 + 1 ? BN_secure_new() : NULL;
    if (!number || !BN_bin2bn(value.ptr, (int)value.len, number) ||
        OSSL_PARAM_BLD_push_BN(numbers->builder, name, number) != 1)
        numbers->is_bad = true;
    if (number)
        numbers->list[numbers->count++] = number;
}

static EVP_PKEY *make(const char *type, OSSL_PARAM_BLD *builder, int selection)
{
    EVP_PKEY *key = NULL;
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(crypto_libctx(), type, NULL);
    if (!params || !ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &key, selection, params) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    return key;
}

/* Does the private part belong to the public one? */
static bool is_pair(EVP_PKEY *key)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(crypto_libctx(), key, NULL);
    bool is = ctx && EVP_PKEY_pairwise_check(ctx) == 1;
    EVP_PKEY_CTX_free(ctx);
    return is;
}

static const struct {
    CK_ATTRIBUTE_TYPE type;
    const char *name;
} rsa_numbers[] = {
    {CKA_MODULUS, OSSL_PKEY_PARAM_RSA_N},
    {CKA_PUBLIC_EXPONENT, OSSL_PKEY_PARAM_RSA_E},
    {CKA_PRIVATE_EXPONENT, OSSL_PKEY_PARAM_RSA_D},
    {CKA_PRIME_1, OSSL_PKEY_PARAM_RSA_FACTOR1},
    {CKA_PRIME_2, OSSL_PKEY_PARAM_RSA_FACTOR2},
    {CKA_EXPONENT_1, OSSL_PKEY_PARAM_RSA_EXPONENT1},
    {CKA_EXPONENT_2, OSSL_PKEY_PARAM_RSA_EXPONENT2},
    {CKA_COEFFICIENT, OSSL_PKEY_PARAM_RSA_COEFFICIENT1},
};

/* The five that make signing quick; a template has all of them or is taken without. */
static bool has_primes(const CK_ATTRIBUTE *template, CK_ULONG count)
{
    for (size_t i = 3; i < ARRAY_LEN(rsa_numbers); i++)
        if (value_of(template, count, rsa_numbers[i].type).len == 0)
            return false;
    return true;
}

static CK_RV read_rsa(bool is_private, const CK_ATTRIBUTE *template, CK_ULONG count,
                      EVP_PKEY **ret_key)
{
    struct numbers numbers;
    if (!numbers_init(&numbers))
        return CKR_HOST_MEMORY;
    size_t wanted = 2;
    if (is_private)
        wanted = has_primes(template, count) ? ARRAY_LEN(rsa_numbers) : 3;
    for (size_t i = 0; i < wanted; i++)
        numbers_add(&numbers, rsa_numbers[i].name, value_of(template, count, rsa_numbers[i].type));
    EVP_PKEY *key = numbers.is_bad ? NULL
                                   : make("RSA", numbers.builder,
                                          is_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY);
    int bits = key ? EVP_PKEY_get_bits(key) : 0;
    bool is_odd = numbers.count > 1 && BN_is_odd(numbers.list[0]) && BN_is_odd(numbers.list[1]) &&
                  BN_num_bits(numbers.list[1]) > 1;
    numbers_fini(&numbers);
    bool is_good = is_odd && bits >= RSA_BITS_MIN &&
                   bits <= (is_private ? RSA_BITS_MAX : RSA_PUBLIC_BITS_MAX) &&
                   (!is_private || is_pair(key));
    if (!is_good) {
        EVP_PKEY_free(key);
        return CKR_ATTRIBUTE_VALUE_INVALID;
    }
    *ret_key = key;
    return CKR_OK;
}

/* CKA_EC_POINT is a DER OCTET STRING; some programs give what is in it. */
static struct span open_point(struct span point, const struct curve *curve)
{
    size_t len = curve->type == CKK_EC ? 1 + 2 * curve->field_len : curve->field_len;
    if (point.len == len + 2 && point.ptr[0] == DER_OCTET_STRING && point.ptr[1] == len)
        return span_of(point.ptr + 2, len);
    if (point.len == len + 3 && point.ptr[0] == DER_OCTET_STRING && point.ptr[1] == DER_LONG &&
        point.ptr[2] == len)
        return span_of(point.ptr + 3, len);
    return point.len == len ? point : span_of(NULL, 0);
}

/* The public point of a private number: OpenSSL wants both. */
static bool compute_point(const struct curve *curve, const BIGNUM *number,
                          uint8_t out[static POINT_MAX], size_t *ret_len)
{
    EC_GROUP *group =
        EC_GROUP_new_by_curve_name_ex(crypto_libctx(), NULL, EC_curve_nist2nid(curve->name));
    EC_POINT *point = group ? EC_POINT_new(group) : NULL;
    bool is_number = group && !BN_is_zero(number) && BN_cmp(number, EC_GROUP_get0_order(group)) < 0;
    size_t len = 0;
    if (point && is_number && EC_POINT_mul(group, point, number, NULL, NULL, NULL) == 1)
        len = EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, out, POINT_MAX, NULL);
    EC_POINT_free(point);
    EC_GROUP_free(group);
    *ret_len = len;
    return len > 0;
}

static CK_RV read_ec(bool is_private, const struct curve *curve, const CK_ATTRIBUTE *template,
                     CK_ULONG count, EVP_PKEY **ret_key)
{
    struct numbers numbers;
    uint8_t computed[POINT_MAX];
    EVP_PKEY *key = NULL;
    struct span point = open_point(value_of(template, count, CKA_EC_POINT), curve);

    if (!numbers_init(&numbers))
        return CKR_HOST_MEMORY;
    if (is_private) {
        numbers_add(&numbers, OSSL_PKEY_PARAM_PRIV_KEY, value_of(template, count, CKA_VALUE));
        point = span_of(computed, 0);
        if (!numbers.is_bad && !compute_point(curve, numbers.list[0], computed, &point.len))
            numbers.is_bad = true;
    }
    if (!numbers.is_bad && point.len &&
        OSSL_PARAM_BLD_push_utf8_string(numbers.builder, OSSL_PKEY_PARAM_GROUP_NAME, curve->name,
                                        0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(numbers.builder, OSSL_PKEY_PARAM_PUB_KEY, point.ptr,
                                         point.len) == 1)
        key = make("EC", numbers.builder, is_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY);
    numbers_fini(&numbers);
    if (!key)
        return CKR_ATTRIBUTE_VALUE_INVALID; /* off the curve, or no number of it */
    *ret_key = key;
    return CKR_OK;
}

static CK_RV read_edwards(bool is_private, const struct curve *curve, const CK_ATTRIBUTE *template,
                          CK_ULONG count, EVP_PKEY **ret_key)
{
    EVP_PKEY *key = NULL;
    if (is_private) {
        struct span value = value_of(template, count, CKA_VALUE);
        key = EVP_PKEY_new_raw_private_key_ex(crypto_libctx(), curve->name, NULL, value.ptr,
                                              value.len);
    } else {
        struct span point = open_point(value_of(template, count, CKA_EC_POINT), curve);
        if (point.len)
            key = EVP_PKEY_new_raw_public_key_ex(crypto_libctx(), curve->name, NULL, point.ptr,
                                                 point.len);
    }
    if (!key)
        return CKR_ATTRIBUTE_VALUE_INVALID;
    *ret_key = key;
    return CKR_OK;
}

CK_RV key_read(enum object_kind kind, const CK_ATTRIBUTE *template, CK_ULONG count,
               EVP_PKEY **ret_key)
{
    const struct curve *curve = NULL;
    bool is_private = kind & KIND_PRIVATE;
    CK_RV rv = CKR_OK;

    (void)ERR_set_mark();
    if (kind & KIND_RSA) {
        rv = read_rsa(is_private, template, count, ret_key);
    } else {
        bool is_edwards = kind & (KIND_PUBLIC_ED | KIND_PRIVATE_ED);
        rv = curve_find(value_of(template, count, CKA_EC_PARAMS),
                        is_edwards ? CKK_EC_EDWARDS : CKK_EC, &curve);
        if (rv == CKR_OK)
            rv = is_edwards ? read_edwards(is_private, curve, template, count, ret_key)
                            : read_ec(is_private, curve, template, count, ret_key);
    }
    (void)ERR_pop_to_mark();
    return rv;
}
