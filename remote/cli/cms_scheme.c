/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/cms_scheme.h"

#include <string.h>

#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include "remote/base/cleanup.h"
#include "remote/cli/ecdsa_der.h"

#ifndef CKM_EDDSA
#define CKM_EDDSA 0x1057UL
#endif

enum { SIGNATURE_LIMIT = 4096 };

#define CURVE(the_group, the_digest)                                                               \
    {                                                                                              \
        "EC", the_group, the_digest, CKM_ECDSA, CMS_INPUT_DIGEST, CMS_NO_MECHANISM                 \
    }

static const struct cms_scheme schemes[] = {
    {"RSA", NULL, CRYPTO_SHA256, CKM_SHA256_RSA_PKCS, CMS_INPUT_WHOLE, CKM_RSA_PKCS},
    CURVE("prime256v1", CRYPTO_SHA256),
    CURVE("secp384r1", CRYPTO_SHA384),
    CURVE("secp521r1", CRYPTO_SHA512),
    {"ED25519", NULL, CRYPTO_SHA512, CKM_EDDSA, CMS_INPUT_WHOLE, CMS_NO_MECHANISM},
};

const struct cms_scheme *cms_scheme_of(EVP_PKEY *key)
{
    char group[32] = "";

    for (size_t i = 0; key && i < ARRAY_LEN(schemes); i++) {
        if (!EVP_PKEY_is_a(key, schemes[i].algorithm))
            continue;
        if (!schemes[i].group || (EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
                                  strcmp(group, schemes[i].group) == 0))
            return &schemes[i];
    }
    return NULL;
}

static enum sca_status digest_info(enum crypto_hash hash, struct span digest, struct buf *ret_input)
{
    X509_SIG *info = X509_SIG_new();
    X509_ALGOR *algorithm = NULL;
    ASN1_OCTET_STRING *octets = NULL;
    unsigned char *der = NULL;
    int len = 0;

    if (info) {
        X509_SIG_getm(info, &algorithm, &octets);
        if (X509_ALGOR_set0(algorithm, OBJ_nid2obj(EVP_MD_get_type(crypto_md(hash))), V_ASN1_NULL,
                            NULL) == 1 &&
            ASN1_OCTET_STRING_set(octets, digest.ptr, (int)digest.len) == 1)
            len = i2d_X509_SIG(info, &der);
    }
    enum sca_status st = len > 0 ? buf_append(ret_input, span_of(der, (size_t)len)) : SCA_NOMEM;
    OPENSSL_free(der);
    X509_SIG_free(info);
    return st;
}

enum sca_status cms_scheme_input(const struct cms_scheme *scheme, enum cms_input input,
                                 struct span attributes, struct buf *ret_input)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    buf_init(ret_input, CMS_INPUT_LIMIT, false);
    if (input == CMS_INPUT_WHOLE)
        return buf_append(ret_input, attributes);
    if (EVP_Digest(attributes.ptr, attributes.len, digest, &len, crypto_md(scheme->digest), NULL) !=
        1)
        return SCA_NOMEM;
    return input == CMS_INPUT_DIGEST ? buf_append(ret_input, span_of(digest, len))
                                     : digest_info(scheme->digest, span_of(digest, len), ret_input);
}

enum sca_status cms_scheme_signature(const struct cms_scheme *scheme, struct span raw,
                                     struct buf *ret_signature)
{
    buf_init(ret_signature, SIGNATURE_LIMIT, false);
    if (raw.len == 0 || raw.len > SIGNATURE_LIMIT / 2)
        return SCA_MISMATCH;
    if (scheme->mechanism != CKM_ECDSA)
        return buf_append(ret_signature, raw);
    return raw.len % 2 == 0 ? ecdsa_der(raw, ret_signature) : SCA_MISMATCH;
}
