/* SPDX-License-Identifier: Apache-2.0 */
/* The public half of a key on a token, as OpenSSL holds it. */
#include <string.h>

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"
#include "remote/cli/token.h"

static EVP_PKEY *key_from(const char *type, OSSL_PARAM *params)
{
    EVP_PKEY_CTX *ctx = crypto_key_ctx(type);
    EVP_PKEY *key = NULL;

    if (!ctx || !params || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static EVP_PKEY *read_rsa(struct token *token, CK_OBJECT_HANDLE object)
{
    AUTO(buf_fini) struct buf modulus;
    AUTO(buf_fini) struct buf exponent = {0};
    EVP_PKEY *key = NULL;

    if (!token_read(token, object, CKA_MODULUS, &modulus) ||
        !token_read(token, object, CKA_PUBLIC_EXPONENT, &exponent))
        return NULL;
    BIGNUM *n = BN_bin2bn(modulus.ptr, (int)modulus.len, NULL);
    BIGNUM *e = BN_bin2bn(exponent.ptr, (int)exponent.len, NULL);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    if (n && e && build && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1) {
        OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
        key = key_from("RSA", params);
        OSSL_PARAM_free(params);
    }
    OSSL_PARAM_BLD_free(build);
    BN_free(n);
    BN_free(e);
    return key;
}

/* CKA_EC_POINT is an OCTET STRING around the point; some tokens leave the wrapping out. */
static struct span point_of(struct span value, size_t point_len)
{
    size_t header = value.len - point_len;

    if (value.len > point_len && (header == 2 || header == 3) &&
        value.ptr[0] == V_ASN1_OCTET_STRING)
        return span_of(value.ptr + header, point_len);
    return value;
}

static EVP_PKEY *read_curve(struct token *token, CK_OBJECT_HANDLE object,
                            const struct key_spec *spec)
{
    static const struct {
        const char *group;
        size_t point_len;
    } points[] = {{"prime256v1", 65}, {"secp384r1", 97}, {"secp521r1", 133}, {"ED25519", 32}};
    AUTO(buf_fini) struct buf value;
    char group[32] = "";
    size_t point_len = 0;

    for (size_t i = 0; i < ARRAY_LEN(points); i++)
        if (strcmp(points[i].group, spec->group) == 0)
            point_len = points[i].point_len;
    (void)strncpy(group, spec->group, sizeof(group) - 1);
    if (!token_read(token, object, CKA_EC_POINT, &value))
        return NULL;
    struct span point = point_of(buf_span(&value), point_len);
    if (spec->type == CKK_EC_EDWARDS)
        return EVP_PKEY_new_raw_public_key_ex(crypto_libctx(), spec->group, NULL, point.ptr,
                                              point.len);
    uint8_t copy[256];
    if (point.len > sizeof(copy))
        return NULL;
    memcpy(copy, point.ptr, point.len);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, copy, point.len),
        OSSL_PARAM_construct_end(),
    };
    return key_from("EC", params);
}

/* The kinds of curve are told by CKA_EC_PARAMS; Edwards curves may be named as text as well. */
static const struct key_spec *spec_of_curve(struct token *token, CK_OBJECT_HANDLE object)
{
    static const char *const names[] = {"ec:p256", "ec:p384", "ec:p521", "ed25519"};
    static const uint8_t edwards[] = {0x13, 0x0c, 'e', 'd', 'w', 'a', 'r',
                                      'd',  's',  '2', '5', '5', '1', '9'};
    AUTO(buf_fini) struct buf params;

    if (!token_read(token, object, CKA_EC_PARAMS, &params))
        return NULL;
    if (span_equal(buf_span(&params), span_of(edwards, sizeof(edwards))))
        return key_spec_find("ed25519");
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const struct key_spec *spec = key_spec_find(names[i]);
        if (spec && span_equal(buf_span(&params), spec->params))
            return spec;
    }
    return NULL;
}

bool token_public_read(struct token *token, struct token_pair *pair)
{
    AUTO(buf_fini) struct buf modulus;

    if (token_read(token, pair->public_key, CKA_MODULUS, &modulus) && modulus.len > 0) {
        pair->key = read_rsa(token, pair->public_key);
        pair->spec = key_spec_of(pair->key);
    } else {
        pair->spec = spec_of_curve(token, pair->public_key);
        pair->key = pair->spec ? read_curve(token, pair->public_key, pair->spec) : NULL;
    }
    return pair->key && pair->spec;
}
