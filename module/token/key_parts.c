/* SPDX-License-Identifier: Apache-2.0 */
/* What can be told of a key: its public attributes and its secret ones. */
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "module/token/blueprint.h"
#include "module/token/der.h"
#include "module/token/key_material.h"
#include "module/token/key_numbers.h"
#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"

static enum sca_status put_number(const EVP_PKEY *key, const char *name, struct buf *ret_value)
{
    uint8_t bytes[KEY_NUMBER_SIZE];
    size_t len = key_number_get(key, name, 0, bytes);
    enum sca_status st = len ? buf_append(ret_value, span_of(bytes, len)) : SCA_NOT_FOUND;
    secret_wipe(bytes, sizeof(bytes));
    return st;
}

/* A DER OCTET STRING around the point, or the Ed25519 key. */
static enum sca_status put_point(const EVP_PKEY *key, struct buf *ret_value)
{
    uint8_t point[KEY_POINT_MAX];
    uint8_t room[3 + KEY_POINT_MAX];
    size_t len = 0;
    if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &len) !=
        1)
        return SCA_NOT_FOUND;
    struct der_writer writer = der_writer_of(room, sizeof(room));
    der_put(&writer, span_of(point, len));
    der_wrap(&writer, DER_OCTET_STRING, sizeof(room));
    return buf_append(ret_value, span_of(room + writer.start, sizeof(room) - writer.start));
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
    /* Made beforehand, or it would be of the program's own library context. */
    X509_PUBKEY *parsed = X509_PUBKEY_new_ex(crypto_libctx(), NULL);
    if (parsed && !d2i_X509_PUBKEY(&parsed, &der, (long)spki.len))
        parsed = NULL; /* released by it */
    enum sca_status st = SCA_INVALID;
    if (parsed && X509_PUBKEY_get0_param(NULL, &bits, &bits_len, NULL, parsed) == 1 &&
        EVP_Digest(bits, (size_t)bits_len, id, NULL, crypto_md(CRYPTO_SHA1), NULL) == 1)
        st = buf_append(ret_id, span_of(id, sizeof(id)));
    X509_PUBKEY_free(parsed);
    (void)ERR_pop_to_mark();
    return st;
}

/* NULL for an attribute that is no number of a private RSA key, or a public one. */
static const char *secret_rsa_number(CK_ATTRIBUTE_TYPE type)
{
    for (size_t i = KEY_RSA_PUBLIC_NUMBERS; i < KEY_RSA_NUMBERS; i++)
        if (key_rsa_numbers[i].type == type)
            return key_rsa_numbers[i].name;
    return NULL;
}

bool key_part_is_secret(CK_OBJECT_CLASS class, CK_ATTRIBUTE_TYPE type)
{
    if (class != CKO_PRIVATE_KEY && class != CKO_SECRET_KEY)
        return false;
    return type == CKA_VALUE || secret_rsa_number(type);
}

static enum sca_status put_edwards(const EVP_PKEY *key, struct buf *ret_value)
{
    uint8_t raw[KEY_EDWARDS_SIZE];
    enum sca_status st = key_edwards_get(key, raw)
                             ? buf_append(ret_value, span_of(raw, sizeof(raw)))
                             : SCA_NOT_FOUND;
    secret_wipe(raw, sizeof(raw));
    return st;
}

static enum sca_status put_secret(const EVP_PKEY *key, CK_ATTRIBUTE_TYPE type,
                                  struct buf *ret_value)
{
    const char *name = secret_rsa_number(type);
    if (name)
        return put_number(key, name, ret_value);
    if (type != CKA_VALUE)
        return SCA_NOT_FOUND;
    if (EVP_PKEY_is_a(key, "ED25519"))
        return put_edwards(key, ret_value);
    return EVP_PKEY_is_a(key, "EC") ? put_number(key, OSSL_PKEY_PARAM_PRIV_KEY, ret_value)
                                    : SCA_NOT_FOUND;
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
