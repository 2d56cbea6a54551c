/* SPDX-License-Identifier: Apache-2.0 */
/* RSASSA-PKCS1-v1_5 and RSASSA-PSS (RFC 8017 section 8). */
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "module/token/signer_scheme.h"

enum { PKCS1_OVERHEAD = 11 }; /* RFC 8017 section 9.2: what the padding needs of the modulus */

static bool prepare_pss(struct signer *signer)
{
    const EVP_MD *md = crypto_md(signer->parameter.hash);
    signer->input_min = crypto_hash_len(signer->parameter.hash);
    signer->input_max = signer->input_min;
    return md && EVP_PKEY_CTX_set_rsa_padding(signer->ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_signature_md(signer->ctx, md) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(signer->ctx, md) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(signer->ctx, (int)signer->parameter.salt_len) == 1;
}

static bool prepare_pkcs1(struct signer *signer)
{
    enum crypto_hash hash = signer->mechanism->hash;
    signer->input_max = signer->length - PKCS1_OVERHEAD;
    if (EVP_PKEY_CTX_set_rsa_padding(signer->ctx, RSA_PKCS1_PADDING) != 1)
        return false;
    if (hash == CRYPTO_NO_HASH) /* what comes is padded as it is, DigestInfo and all */
        return true;
    const EVP_MD *md = crypto_md(hash);
    return md && EVP_PKEY_CTX_set_signature_md(signer->ctx, md) == 1;
}

static bool is_raw_pkcs1(const struct signer *signer)
{
    return signer->mechanism->scheme == SCHEME_PKCS1 && signer->mechanism->hash == CRYPTO_NO_HASH;
}

static bool prepare(struct signer *signer)
{
    int length = EVP_PKEY_get_size(signer->key);
    bool is_recovering = is_raw_pkcs1(signer) && signer->purpose == CKF_VERIFY;
    if (length <= PKCS1_OVERHEAD || length > SIGNER_LENGTH_MAX ||
        !signer_open_ctx(signer, is_recovering ? CKF_VERIFY_RECOVER : signer->purpose))
        return false;
    signer->length = (size_t)length;
    return signer->mechanism->scheme == SCHEME_PSS ? prepare_pss(signer) : prepare_pkcs1(signer);
}

static bool sign(struct signer *signer, struct span input, CK_BYTE *signature)
{
    size_t len = signer->length;
    return EVP_PKEY_sign(signer->ctx, signature, &len, input.ptr, input.len) == 1 &&
           len == signer->length;
}

/* EVP_PKEY_verify would say no to an empty message, which can be signed. */
static bool verify_raw(struct signer *signer, struct span input, struct span signature)
{
    CK_BYTE recovered[SIGNER_LENGTH_MAX];
    CK_ULONG len = 0;
    return signer_recover(signer, signature, recovered, &len) == CKR_OK &&
           span_equal(input, span_of(recovered, len));
}

static bool verify(struct signer *signer, struct span input, struct span signature)
{
    if (is_raw_pkcs1(signer))
        return verify_raw(signer, input, signature);
    return EVP_PKEY_verify(signer->ctx, signature.ptr, signature.len, input.ptr, input.len) == 1;
}

const struct signer_scheme signer_rsa = {prepare, sign, verify};
