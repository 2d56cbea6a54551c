/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signing so that the data can be had back from the signature: CKM_RSA_PKCS with a key in this
 * process. In one part only; the signature is the one that C_Sign makes.
 */
#include "module/token/handlers.h"
#include "module/token/outbuf.h"
#include "module/token/sign.h"

CK_RV sign_recover_init(struct session *s, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    if (!slot_is_writable(s->slot))
        return CKR_FUNCTION_NOT_SUPPORTED;
    if (!mechanism) /* 3.0 section 5.12.5: ends the operation that is active */
        return operation_cancel(s, OPERATION_SIGN_RECOVER);
    CK_RV rv = operation_begin(s, OPERATION_SIGN_RECOVER);
    if (rv != CKR_OK)
        return rv;
    rv = operation_set_key(s, mechanism, key, CKF_SIGN_RECOVER);
    return operation_return(s, rv != CKR_OK, rv);
}

CK_RV sign_recover(struct session *s, CK_BYTE *data, CK_ULONG data_len, CK_BYTE *signature,
                   CK_ULONG *signature_len)
{
    struct operation *sign = NULL;
    bool is_answered = false;

    if (!slot_is_writable(s->slot))
        return CKR_FUNCTION_NOT_SUPPORTED;
    CK_RV rv = operation_borrow(s, OPERATION_SIGN_RECOVER, OPERATION_ONESHOT, &sign);
    if (rv != CKR_OK)
        return rv;
    if (!signature_len || (!data && data_len))
        return operation_return(s, true, CKR_ARGUMENTS_BAD);
    rv = outbuf_reserve(signature, signature_len, sign->out_len, &is_answered);
    if (!is_answered)
        rv = sign_produce(s, sign, "C_SignRecover", span_of(data, data_len), signature);
    return operation_return(s, !is_answered, rv);
}
