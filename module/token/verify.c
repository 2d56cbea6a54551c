/* SPDX-License-Identifier: Apache-2.0 */
/* Verifying, done here with the public key whatever the token is. */
#include "module/token/handlers.h"
#include "module/token/hashing.h"
#include "module/token/session.h"
#include "module/token/signer.h"

static CK_RV prepare(struct session *s, const CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    CK_RV rv = operation_set_key(s, mechanism, key, CKF_VERIFY);
    return rv == CKR_OK ? hashing_start(&s->operation) : rv;
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

CK_RV verify_oneshot(struct session *s, CK_BYTE *data, CK_ULONG data_len, CK_BYTE *signature,
                     CK_ULONG signature_len)
{
    struct operation *verify = NULL;
    uint8_t digest[HASHING_MAX];
    struct span input = {0};

    CK_RV rv = operation_borrow(s, OPERATION_VERIFY, OPERATION_ONESHOT, &verify);
    if (rv != CKR_OK)
        return rv;
    if ((!data && data_len) || !signature)
        return operation_return(s, true, CKR_ARGUMENTS_BAD);
    rv = hashing_all(verify, span_of(data, data_len), digest, &input);
    if (rv == CKR_OK)
        rv = signer_verify(verify->key.signer, input, span_of(signature, signature_len));
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
        rv = signer_verify(verify->key.signer, span_of(digest, digest_len),
                           span_of(signature, signature_len));
    return operation_return(s, true, rv);
}
