/* SPDX-License-Identifier: Apache-2.0 */
/* Verifying, done here with the public key whatever the token is. */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "module/token/handlers.h"
#include "module/token/hashing.h"
#include "module/token/session.h"

/* From CKA_PUBLIC_KEY_INFO, the DER SubjectPublicKeyInfo. */
static CK_RV load_public_key(struct operation *verify)
{
    const CK_ATTRIBUTE *spki = object_attribute(verify->key, CKA_PUBLIC_KEY_INFO);
    if (!spki)
        return CKR_KEY_FUNCTION_NOT_PERMITTED;
    const unsigned char *der = spki->pValue;
    (void)ERR_set_mark();
    verify->public_key = d2i_PUBKEY_ex(NULL, &der, (long)spki->ulValueLen, crypto_libctx(), NULL);
    (void)ERR_pop_to_mark();
    return verify->public_key ? CKR_OK : CKR_FUNCTION_FAILED;
}

static CK_RV prepare(struct session *s, const CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    struct operation *verify = &s->operation;
    CK_RV rv = operation_set_key(s, mechanism, key, CKF_VERIFY);
    if (rv == CKR_OK)
        rv = load_public_key(verify);
    if (rv != CKR_OK)
        return rv;
    verify->out_len = (CK_ULONG)EVP_PKEY_get_size(verify->public_key);
    return hashing_start(verify);
}

CK_RV verify_init(struct session *s, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    if (!mechanism) /* 3.0 section 5.14.1: ends the operation that is active */
        return operation_cancel(s, OPERATION_VERIFY);
    CK_RV rv = operation_begin(s, OPERATION_VERIFY);
    if (rv != CKR_OK)
        return rv;
    rv = prepare(s, mechanism, key);
    return operation_return(s, rv != CKR_OK, rv);
}

/* input: the digest where the mechanism hashes, else the caller's data. */
static CK_RV check_signature(const struct operation *verify, const CK_BYTE *input,
                             CK_ULONG input_len, const CK_BYTE *signature, CK_ULONG signature_len)
{
    if (signature_len != verify->out_len)
        return CKR_SIGNATURE_LEN_RANGE;

    (void)ERR_set_mark();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(crypto_libctx(), verify->public_key, NULL);
    CK_RV rv = CKR_HOST_MEMORY;
    if (ctx && EVP_PKEY_verify_init(ctx) == 1 &&
        EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
        (verify->mechanism->hash == CRYPTO_NO_HASH ||
         EVP_PKEY_CTX_set_signature_md(ctx, crypto_md(verify->mechanism->hash)) == 1))
        rv = EVP_PKEY_verify(ctx, signature, signature_len, input, input_len) == 1
                 ? CKR_OK
                 : CKR_SIGNATURE_INVALID;
    EVP_PKEY_CTX_free(ctx);
    (void)ERR_pop_to_mark();
    return rv;
}

CK_RV verify_oneshot(struct session *s, CK_BYTE *data, CK_ULONG data_len, CK_BYTE *signature,
                     CK_ULONG signature_len)
{
    struct operation *verify = NULL;
    uint8_t digest[HASHING_MAX];
    const CK_BYTE *input = data;
    CK_ULONG input_len = data_len;

    CK_RV rv = operation_borrow(s, OPERATION_VERIFY, OPERATION_ONESHOT, &verify);
    if (rv != CKR_OK)
        return rv;
    if ((!data && data_len) || !signature)
        return operation_return(s, true, CKR_ARGUMENTS_BAD);
    if (verify->mechanism->hash != CRYPTO_NO_HASH) {
        rv = hashing_add(verify, data, data_len);
        if (rv == CKR_OK)
            rv = hashing_end(verify, digest, &input_len);
        input = digest;
    }
    if (rv == CKR_OK)
        rv = check_signature(verify, input, input_len, signature, signature_len);
    return operation_return(s, true, rv);
}

CK_RV verify_update(struct session *s, CK_BYTE *part, CK_ULONG part_len)
{
    struct operation *verify = NULL;
    CK_RV rv = operation_borrow(s, OPERATION_VERIFY, OPERATION_MULTIPART, &verify);
    if (rv != CKR_OK)
        return rv;
    if (!part && part_len)
        rv = CKR_ARGUMENTS_BAD;
    else if (verify->mechanism->hash == CRYPTO_NO_HASH)
        rv = CKR_FUNCTION_NOT_SUPPORTED; /* the standard makes these single-part */
    else
        rv = hashing_add(verify, part, part_len);
    return operation_return(s, rv != CKR_OK, rv);
}

CK_RV verify_final(struct session *s, CK_BYTE *signature, CK_ULONG signature_len)
{
    struct operation *verify = NULL;
    uint8_t digest[HASHING_MAX];
    CK_ULONG digest_len = 0;

    CK_RV rv = operation_borrow(s, OPERATION_VERIFY, OPERATION_MULTIPART, &verify);
    if (rv != CKR_OK)
        return rv;
    if (!signature)
        return operation_return(s, true, CKR_ARGUMENTS_BAD);
    if (verify->mechanism->hash == CRYPTO_NO_HASH)
        return operation_return(s, true, CKR_FUNCTION_NOT_SUPPORTED);
    rv = hashing_end(verify, digest, &digest_len);
    if (rv == CKR_OK)
        rv = check_signature(verify, digest, digest_len, signature, signature_len);
    return operation_return(s, true, rv);
}
