/* SPDX-License-Identifier: Apache-2.0 */
/* What can be told of a key: its public attributes, its secret ones, and its PKCS#8 form. */
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "module/token/blueprint.h"
#include "module/token/key_material.h"
#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"

enum { NUMBER_MAX = RSA_PUBLIC_BITS_MAX / 8, POINT_MAX = 1 + 2 * 66, DER_OCTET_STRING = 0x04 };

static enum sca_status put_number(const EVP_PKEY *key, const char *name, struct buf *ret_value)
{
    uint8_t bytes[NUMBER_MAX];
    BIGNUM *number = NULL;
    if (EVP_PKEY_get_bn_param(key, name, &number) != 1)
        return SCA_NOT_FOUND;
    int len = BN_num_bytes(number);
    enum sca_status st = SCA_INVALID;
    if (len <= NUMBER_MAX) {
        (void)BN_bn2bin(number, bytes);
        st = buf_append(ret_value, span_of(bytes, (size_t)len));
    }
    BN_clear_free(number);
    secret_wipe(bytes, sizeof(bytes));
    return st;
}

/* A DER OCTET STRING around the point, or the Ed25519 key. */
static enum sca_status put_point(const EVP_PKEY *key, struct buf *ret_value)
{
    uint8_t der[3 + POINT_MAX];
    uint8_t *point = der + 3;
    size_t len = 0;
    if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, POINT_MAX, &len) != 1)
        return SCA_NOT_FOUND;
    size_t head = len > 0x7f ? 3 : 2;
    uint8_t *start = point - head;
    start[0] = DER_OCTET_STRING;
    start[1] = 0x81;
    start[head - 1] = (uint8_t)len;
    return buf_append(ret_value, span_of(start, head + len));
}

static enum sca_status put_spki(const EVP_PKEY *key, struct buf *ret_value)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key, &der);
    enum sca_status st = len > 0 ? buf_append(ret_value, span_of(der, (size_t)len)) : SCA_NOMEM;
    OPENSSL_free(der);
    return st;
}

enum sca_status key_public_part(const EVP_PKEY *key, CK_ATTRIBUTE_TYPE type, struct buf *ret_value)
{
    enum sca_status st = SCA_NOT_FOUND;
    (void)ERR_set_mark();
    if (type == CKA_PUBLIC_KEY_INFO)
        st = put_spki(key, ret_value);
    else if (type == CKA_MODULUS)
        st = put_number(key, OSSL_PKEY_PARAM_RSA_N, ret_value);
    else if (type == CKA_PUBLIC_EXPONENT)
        st = put_number(key, OSSL_PKEY_PARAM_RSA_E, ret_value);
    else if (type == CKA_EC_POINT)
        st = put_point(key, ret_value);
    (void)ERR_pop_to_mark();
    return st;
}

enum sca_status key_id(struct span spki, struct buf *ret_id)
{
    const unsigned char *der = spki.ptr;
    const unsigned char *bits = NULL;
    int bits_len = 0;
    uint8_t id[KEY_ID_SIZE];
    (void)ERR_set_mark();
    X509_PUBKEY *parsed = d2i_X509_PUBKEY(NULL, &der, (long)spki.len);
    enum sca_status st = SCA_INVALID;
    if (parsed && X509_PUBKEY_get0_param(NULL, &bits, &bits_len, NULL, parsed) == 1 &&
        EVP_Digest(bits, (size_t)bits_len, id, NULL, crypto_md(CRYPTO_SHA1), NULL) == 1)
        st = buf_append(ret_id, span_of(id, sizeof(id)));
    X509_PUBKEY_free(parsed);
    (void)ERR_pop_to_mark();
    return st;
}

static const struct {
    CK_ATTRIBUTE_TYPE type;
    const char *name;
} secret_numbers[] = {
    {CKA_PRIVATE_EXPONENT, OSSL_PKEY_PARAM_RSA_D},
    {CKA_PRIME_1, OSSL_PKEY_PARAM_RSA_FACTOR1},
    {CKA_PRIME_2, OSSL_PKEY_PARAM_RSA_FACTOR2},
    {CKA_EXPONENT_1, OSSL_PKEY_PARAM_RSA_EXPONENT1},
    {CKA_EXPONENT_2, OSSL_PKEY_PARAM_RSA_EXPONENT2},
    {CKA_COEFFICIENT, OSSL_PKEY_PARAM_RSA_COEFFICIENT1},
};

bool key_part_is_secret(CK_OBJECT_CLASS class, CK_ATTRIBUTE_TYPE type)
{
    if (class != CKO_PRIVATE_KEY && class != CKO_SECRET_KEY)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(secret_numbers); i++)
        if (secret_numbers[i].type == type)
            return true;
    return type == CKA_VALUE;
}

static enum sca_status put_secret(const EVP_PKEY *key, CK_ATTRIBUTE_TYPE type,
                                  struct buf *ret_value)
{
    uint8_t raw[64];
    size_t len = sizeof(raw);
    if (type == CKA_VALUE && EVP_PKEY_is_a(key, "ED25519")) {
        enum sca_status st = EVP_PKEY_get_raw_private_key(key, raw, &len) == 1
                                 ? buf_append(ret_value, span_of(raw, len))
                                 : SCA_NOT_FOUND;
        secret_wipe(raw, sizeof(raw));
        return st;
    }
    if (type == CKA_VALUE)
        return EVP_PKEY_is_a(key, "EC") ? put_number(key, OSSL_PKEY_PARAM_PRIV_KEY, ret_value)
                                        : SCA_NOT_FOUND;
    for (size_t i = 0; i < ARRAY_LEN(secret_numbers); i++)
        if (secret_numbers[i].type == type)
            return put_number(key, secret_numbers[i].name, ret_value);
    return SCA_NOT_FOUND;
}

CK_RV key_part(const EVP_PKEY *key, CK_ATTRIBUTE_TYPE type, struct buf *ret_value)
{
    buf_init(ret_value, SECRET_MAX, true);
    (void)ERR_set_mark();
    enum sca_status st = put_secret(key, type, ret_value);
    (void)ERR_pop_to_mark();
    if (st == SCA_OK)
        return CKR_OK;
    return st == SCA_NOMEM ? CKR_HOST_MEMORY : CKR_ATTRIBUTE_TYPE_INVALID;
}

enum sca_status key_to_pkcs8(const EVP_PKEY *key, struct secret **ret_der)
{
    unsigned char *der = NULL;
    (void)ERR_set_mark();
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
    int len = info ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : -1;
    enum sca_status st = len > 0 ? secret_new(span_of(der, (size_t)len), ret_der) : SCA_INVALID;
    if (len > 0)
        OPENSSL_clear_free(der, (size_t)len);
    PKCS8_PRIV_KEY_INFO_free(info);
    (void)ERR_pop_to_mark();
    return st;
}

enum sca_status key_from_pkcs8(struct span der, EVP_PKEY **ret_key)
{
    const unsigned char *start = der.ptr;
    (void)ERR_set_mark();
    EVP_PKEY *key = d2i_AutoPrivateKey_ex(NULL, &start, (long)der.len, crypto_libctx(), NULL);
    (void)ERR_pop_to_mark();
    bool is_known = key && (EVP_PKEY_is_a(key, "RSA") || key_curve(key));
    if (!is_known || start != der.ptr + der.len) {
        EVP_PKEY_free(key);
        return SCA_INVALID;
    }
    *ret_key = key;
    return SCA_OK;
}
