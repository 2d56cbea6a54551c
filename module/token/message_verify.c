/* SPDX-License-Identifier: Apache-2.0 */
#include "module/token/handlers.h"
#include "module/token/hashing.h"
#include "module/token/message.h"
#include "module/token/session.h"
#include "module/token/signer.h"

CK_RV message_verify_init(struct session *s, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    if (!mechanism) /* ends the process that is active, as with C_VerifyInit */
        return operation_cancel(s, OPERATION_MESSAGE_VERIFY);
    CK_RV rv = operation_begin(s, OPERATION_MESSAGE_VERIFY);
    if (rv != CKR_OK)
        return rv;
    rv = operation_set_key(s, mechanism, key, CKF_VERIFY);
    return operation_return(s, rv != CKR_OK, rv);
}

/* data: all of it, or the last part of what was hashed so far. */
static CK_RV check(struct operation *verify, struct span data, struct span signature)
{
    uint8_t digest[HASHING_MAX];
    struct span input = {0};

    CK_RV rv = hashing_all(verify, data, digest, &input);
    return rv == CKR_OK ? signer_verify(verify->key.signer, input, signature) : rv;
}

CK_RV message_verify(struct session *s, CK_ULONG parameter_len, CK_BYTE *data, CK_ULONG data_len,
                     CK_BYTE *signature, CK_ULONG signature_len)
{
    struct operation *verify = NULL;
    CK_RV rv = message_borrow_between(s, OPERATION_MESSAGE_VERIFY, &verify);
    if (rv != CKR_OK)
        return rv;
    if ((!data && data_len) || !signature)
        rv = CKR_ARGUMENTS_BAD;
    else if (parameter_len)
        rv = CKR_MECHANISM_PARAM_INVALID;
    else
        rv = hashing_start(verify);
    if (rv == CKR_OK)
        rv = check(verify, span_of(data, data_len), span_of(signature, signature_len));
    return message_return_ended(s, verify, rv);
}

CK_RV message_verify_begin(struct session *s, CK_ULONG parameter_len)
{
    struct operation *verify = NULL;
    CK_RV rv = message_borrow_between(s, OPERATION_MESSAGE_VERIFY, &verify);
    return rv == CKR_OK ? operation_return(s, false, message_begin(verify, parameter_len)) : rv;
}

CK_RV message_verify_next(struct session *s, CK_ULONG parameter_len, CK_BYTE *part,
                          CK_ULONG part_len, CK_BYTE *signature, CK_ULONG signature_len)
{
    struct operation *verify = NULL;
    CK_RV rv = message_borrow_inside(s, OPERATION_MESSAGE_VERIFY, &verify);
    if (rv != CKR_OK)
        return rv;
    if ((!part && part_len) || (!signature && signature_len))
        return message_return_ended(s, verify, CKR_ARGUMENTS_BAD);
    if (parameter_len)
        return message_return_ended(s, verify, CKR_MECHANISM_PARAM_INVALID);
    if (signature)
        return message_return_ended(
            s, verify, check(verify, span_of(part, part_len), span_of(signature, signature_len)));
    rv = hashing_add(verify, part, part_len); /* more will follow */
    return rv == CKR_OK ? operation_return(s, false, rv) : message_return_ended(s, verify, rv);
}

CK_RV message_verify_final(struct session *s)
{
    return message_final(s, OPERATION_MESSAGE_VERIFY);
}
