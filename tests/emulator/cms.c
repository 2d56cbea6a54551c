/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/emulator/cms.h"

#include <openssl/evp.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>

#include "remote/base/cleanup.h"

static void free_pkcs7(PKCS7 **pkcs7)
{
    PKCS7_free(*pkcs7);
}

static void free_signer(PKCS7_SIGNER_INFO **signer)
{
    PKCS7_SIGNER_INFO_free(*signer);
}

static const EVP_MD *digest_of(size_t hash_len)
{
    const EVP_MD *digests[] = {EVP_sha1(), EVP_sha256(), EVP_sha384(), EVP_sha512()};
    for (size_t i = 0; i < ARRAY_LEN(digests); i++)
        if ((size_t)EVP_MD_get_size(digests[i]) == hash_len)
            return digests[i];
    return NULL;
}

static PKCS7_SIGNER_INFO *signer_of(X509 *certificate, const EVP_MD *digest, struct span signature)
{
    AUTO(free_signer) PKCS7_SIGNER_INFO *signer = PKCS7_SIGNER_INFO_new();
    EVP_PKEY *key = X509_get0_pubkey(certificate);
    if (!signer || !key || PKCS7_SIGNER_INFO_set(signer, certificate, key, digest) != 1 ||
        ASN1_STRING_set(signer->enc_digest, signature.ptr, (int)signature.len) != 1)
        return NULL;
    return TAKE(signer);
}

enum sca_status cms_wrap(X509 *certificate, size_t hash_len, struct span signature,
                         uint8_t **ret_der, size_t *ret_len)
{
    const EVP_MD *digest = digest_of(hash_len);
    AUTO(free_pkcs7) PKCS7 *pkcs7 = PKCS7_new();
    if (!digest || !pkcs7)
        return SCA_NOMEM;
    AUTO(free_signer) PKCS7_SIGNER_INFO *signer = signer_of(certificate, digest, signature);
    if (!signer || PKCS7_set_type(pkcs7, NID_pkcs7_signed) != 1 ||
        PKCS7_content_new(pkcs7, NID_pkcs7_data) != 1 || PKCS7_set_detached(pkcs7, 1) != 1 ||
        PKCS7_add_signer(pkcs7, signer) != 1)
        return SCA_NOMEM;
    (void)TAKE(signer); /* pkcs7 owns it now */
    if (PKCS7_add_certificate(pkcs7, certificate) != 1)
        return SCA_NOMEM;
    uint8_t *der = NULL;
    int len = i2d_PKCS7(pkcs7, &der);
    if (len <= 0)
        return SCA_NOMEM;
    *ret_der = der;
    *ret_len = (size_t)len;
    return SCA_OK;
}
