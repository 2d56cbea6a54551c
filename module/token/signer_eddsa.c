/* SPDX-License-Identifier: Apache-2.0 */
/* Ed25519 (RFC 8032): the whole message at once, hashed twice by the algorithm itself. */
#include <stdint.h>
#include <string.h>

#include <openssl/evp.h>

#include "module/token/signer_scheme.h"

enum { SIGNATURE_LEN = 64 };

/* Before every signature: OpenSSL's context is good for one. key: NULL after the first time. */
static bool begin(struct signer *signer, EVP_PKEY *key)
{
    OSSL_LIB_CTX *libctx = crypto_libctx();
    return signer->purpose == CKF_SIGN
               ? EVP_DigestSignInit_ex(signer->md, NULL, NULL, libctx, NULL, key, NULL) == 1
               : EVP_DigestVerifyInit_ex(signer->md, NULL, NULL, libctx, NULL, key, NULL) == 1;
}

static bool prepare(struct signer *signer)
{
    signer->length = SIGNATURE_LEN;
    signer->input_max = SIZE_MAX;
    if (EVP_PKEY_get_size(signer->key) != SIGNATURE_LEN)
        return false;
    signer->md = EVP_MD_CTX_new();
    return signer->md && begin(signer, signer->key);
}

static bool sign(struct signer *signer, struct span input, CK_BYTE *signature)
{
    uint8_t made[SIGNATURE_LEN]; /* the message, read once more after R is written, may overlap */
    size_t len = sizeof(made);
    if (!begin(signer, NULL) || EVP_DigestSign(signer->md, made, &len, input.ptr, input.len) != 1 ||
        len != sizeof(made))
        return false;
    memcpy(signature, made, sizeof(made));
    return true;
}

static bool verify(struct signer *signer, struct span input, struct span signature)
{
    return begin(signer, NULL) &&
           EVP_DigestVerify(signer->md, signature.ptr, signature.len, input.ptr, input.len) == 1;
}

const struct signer_scheme signer_eddsa = {prepare, sign, verify};
