/* SPDX-License-Identifier: Apache-2.0 */
/* Keys on curves: EC and Ed25519, from their attributes. */
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

#include "module/token/der.h"
#include "module/token/key_material.h"
#include "module/token/key_numbers.h"
#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"

/* A public point without its wrapping; its length depends on the curve. */
struct point {
    uint8_t bytes[KEY_POINT_MAX];
    size_t len;
};

/* CKA_EC_POINT is a DER OCTET STRING; some programs give what is in it. */
static struct span open_point(struct span point, const struct curve *curve)
{
    size_t len = curve->type == CKK_EC ? 1 + 2 * curve->field_len : curve->field_len;
    struct span rest = point;
    struct span content;
    if (der_take(&rest, DER_OCTET_STRING, &content) && !rest.len && content.len == len)
        return content;
    return point.len == len ? point : span_of(NULL, 0);
}

/* The public point of a private number, since OpenSSL makes no key without. */
static bool compute_point(const struct curve *curve, const BIGNUM *number, struct point *ret_point)
{
    EC_GROUP *group =
        EC_GROUP_new_by_curve_name_ex(crypto_libctx(), NULL, EC_curve_nist2nid(curve->name));
    EC_POINT *point = group ? EC_POINT_new(group) : NULL;
    bool is_number = group && !BN_is_zero(number) && BN_cmp(number, EC_GROUP_get0_order(group)) < 0;
    size_t len = 0;
    if (point && is_number && EC_POINT_mul(group, point, number, NULL, NULL, NULL) == 1)
        len = EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, ret_point->bytes,
                                 sizeof(ret_point->bytes), NULL);
    EC_POINT_free(point);
    EC_GROUP_free(group);
    ret_point->len = len;
    return len > 0;
}

static EVP_PKEY *make_ec(struct key_numbers *numbers, const struct curve *curve, struct span point,
                         bool is_private)
{
    if (!point.len ||
        OSSL_PARAM_BLD_push_utf8_string(numbers->builder, OSSL_PKEY_PARAM_GROUP_NAME, curve->name,
                                        0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(numbers->builder, OSSL_PKEY_PARAM_PUB_KEY, point.ptr,
                                         point.len) != 1)
        return NULL;
    return key_numbers_make(numbers, "EC", is_private);
}

/* given: the point if the template has one. */
static EVP_PKEY *read_ec(const struct curve *curve, const struct span *value, struct span given)
{
    struct key_numbers numbers;
    struct point computed;
    EVP_PKEY *key = NULL;
    if (key_numbers_init(&numbers)) {
        if (!value) {
            key = make_ec(&numbers, curve, given, false);
        } else {
            key_numbers_add(&numbers, OSSL_PKEY_PARAM_PRIV_KEY, *value);
            if (!numbers.is_bad && compute_point(curve, numbers.list[0], &computed))
                key = make_ec(&numbers, curve, span_of(computed.bytes, computed.len), true);
        }
    }
    key_numbers_fini(&numbers);
    return key;
}

static EVP_PKEY *read_edwards(const struct curve *curve, const struct span *value,
                              struct span given)
{
    if (value)
        return EVP_PKEY_new_raw_private_key_ex(crypto_libctx(), curve->name, NULL, value->ptr,
                                               value->len);
    return given.len ? EVP_PKEY_new_raw_public_key_ex(crypto_libctx(), curve->name, NULL, given.ptr,
                                                      given.len)
                     : NULL;
}

/* Of a private key, too, if the template has both. */
static bool is_point_of(const EVP_PKEY *key, struct span point)
{
    struct point own;
    return EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, own.bytes,
                                           sizeof(own.bytes), &own.len) == 1 &&
           span_equal(span_of(own.bytes, own.len), point);
}

CK_RV key_read_on_curve(CK_KEY_TYPE type, bool is_private, const CK_ATTRIBUTE *template,
                        CK_ULONG count, EVP_PKEY **ret_key)
{
    const struct curve *curve = NULL;
    CK_RV rv = curve_find(key_value(template, count, CKA_EC_PARAMS), type, &curve);
    if (rv != CKR_OK)
        return rv;
    struct span value = key_value(template, count, CKA_VALUE);
    struct span wrapped = key_value(template, count, CKA_EC_POINT);
    struct span point = open_point(wrapped, curve);
    AUTO(crypto_pkey_freep)
    EVP_PKEY *key = type == CKK_EC ? read_ec(curve, is_private ? &value : NULL, point)
                                   : read_edwards(curve, is_private ? &value : NULL, point);
    /* Off the curve, or no number of it, or not the point of that number. */
    if (!key || (is_private && wrapped.len && !is_point_of(key, point)))
        return CKR_ATTRIBUTE_VALUE_INVALID;
    *ret_key = TAKE(key);
    return CKR_OK;
}
