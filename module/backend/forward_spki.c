/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys are used here, to verify, and many tokens do not give them in one piece. */
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include "module/backend/forward.h"
#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"

enum { SPKI_MAX = 8192, EDWARDS_LEN = 32, OCTET_STRING = 4 };

static void builder_freep(OSSL_PARAM_BLD **builder)
{
    OSSL_PARAM_BLD_free(*builder);
}

static void bn_freep(BIGNUM **number)
{
    BN_free(*number);
}

static struct span value_of(const struct attributes *attributes, CK_ATTRIBUTE_TYPE type)
{
    for (CK_ULONG i = 0; i < attributes->count; i++)
        if (attributes->list[i].type == type)
            return span_of(attributes->list[i].pValue, attributes->list[i].ulValueLen);
    return span_of(NULL, 0);
}

static EVP_PKEY *key_from(OSSL_PARAM_BLD *builder, const char *type)
{
    EVP_PKEY *key = NULL;
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *ctx = crypto_key_ctx(type);

    if (!params || !ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    return key;
}

static EVP_PKEY *rsa_key(const struct attributes *attributes)
{
    struct span modulus = value_of(attributes, CKA_MODULUS);
    struct span exponent = value_of(attributes, CKA_PUBLIC_EXPONENT);
    AUTO(builder_freep) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();

    if (!builder || !modulus.len || !exponent.len || modulus.len > SPKI_MAX ||
        exponent.len > SPKI_MAX)
        return NULL;
    AUTO(bn_freep) BIGNUM *n = BN_bin2bn(modulus.ptr, (int)modulus.len, NULL);
    AUTO(bn_freep) BIGNUM *e = BN_bin2bn(exponent.ptr, (int)exponent.len, NULL);
    if (!n || !e || OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) != 1)
        return NULL;
    return key_from(builder, "RSA");
}

/* CKA_EC_POINT is an OCTET STRING in DER (2.40 section 2.3.3). Some modules leave that away; as an
 * uncompressed point begins with the same byte, the lengths of those of our curves tell. */
static struct span point_of(struct span value)
{
    static const size_t bare[] = {1 + 2 * 32, 1 + 2 * 48, 1 + 2 * 66};
    size_t head = value.len > 2 && value.ptr[1] == 0x81 ? 3 : 2;

    for (size_t i = 0; i < ARRAY_LEN(bare); i++)
        if (value.len == bare[i])
            return value;
    if (value.len <= head || value.ptr[0] != OCTET_STRING ||
        value.ptr[head - 1] != value.len - head)
        return value;
    return span_of(value.ptr + head, value.len - head);
}

static EVP_PKEY *ec_key(const struct attributes *attributes)
{
    struct span params = value_of(attributes, CKA_EC_PARAMS);
    struct span point = point_of(value_of(attributes, CKA_EC_POINT));
    AUTO(builder_freep) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    const unsigned char *der = params.ptr;

    if (!builder || !point.len || params.len > SPKI_MAX)
        return NULL;
    ASN1_OBJECT *curve = d2i_ASN1_OBJECT(NULL, &der, (long)params.len);
    int nid = curve ? OBJ_obj2nid(curve) : NID_undef;
    ASN1_OBJECT_free(curve);
    const char *name = nid == NID_undef ? NULL : OBJ_nid2sn(nid);
    if (!name ||
        OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, name, 0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point.ptr, point.len) !=
            1)
        return NULL;
    return key_from(builder, "EC");
}

static EVP_PKEY *edwards_key(const struct attributes *attributes)
{
    struct span point = point_of(value_of(attributes, CKA_EC_POINT));
    if (point.len != EDWARDS_LEN)
        return NULL;
    return EVP_PKEY_new_raw_public_key_ex(crypto_libctx(), "ED25519", NULL, point.ptr, point.len);
}

static EVP_PKEY *read_key(const struct attributes *attributes)
{
    struct span type = value_of(attributes, CKA_KEY_TYPE);
    CK_KEY_TYPE key_type = type.len == sizeof(key_type)
                               ? *(const CK_KEY_TYPE *)(const void *)type.ptr
                               : CK_UNAVAILABLE_INFORMATION;

    switch (key_type) {
    case CKK_RSA:
        return rsa_key(attributes);
    case CKK_EC:
        return ec_key(attributes);
    case CKK_EC_EDWARDS:
        return edwards_key(attributes);
    default:
        return NULL;
    }
}

enum sca_status forward_spki(const struct attributes *attributes, struct buf *ret_spki)
{
    unsigned char *der = NULL;
    unsigned long before = ERR_peek_last_error();

    (void)ERR_set_mark();
    AUTO(crypto_pkey_freep) EVP_PKEY *key = read_key(attributes);
    int len = key ? i2d_PUBKEY(key, &der) : 0;
    enum sca_status st = len <= 0 && crypto_lacked_memory(before) ? SCA_NOMEM : SCA_INVALID;
    (void)ERR_pop_to_mark();
    buf_init(ret_spki, SPKI_MAX, false);
    if (len > 0)
        st = buf_append(ret_spki, span_of(der, (size_t)len));
    OPENSSL_free(der);
    return st;
}
