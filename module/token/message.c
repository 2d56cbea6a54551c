/* SPDX-License-Identifier: Apache-2.0 */
#include "module/token/message.h"

#include "module/token/hashing.h"
#include "module/token/session.h"

CK_RV message_borrow_between(struct session *s, enum operation_kind kind,
                             struct operation **ret_process)
{
    struct operation *process = NULL;
    CK_RV rv = operation_borrow(s, kind, OPERATION_FRESH, &process);
    if (rv != CKR_OK)
        return rv;
    if (process->mode == OPERATION_MULTIPART)
        return operation_return(s, false, CKR_OPERATION_ACTIVE);
    *ret_process = process;
    return CKR_OK;
}

CK_RV message_borrow_inside(struct session *s, enum operation_kind kind,
                            struct operation **ret_process)
{
    struct operation *process = NULL;
    CK_RV rv = operation_borrow(s, kind, OPERATION_FRESH, &process);
    if (rv != CKR_OK)
        return rv;
    if (process->mode != OPERATION_MULTIPART)
        return operation_return(s, false, CKR_OPERATION_NOT_INITIALIZED);
    *ret_process = process;
    return CKR_OK;
}

CK_RV message_begin(struct operation *process, CK_ULONG parameter_len)
{
    if (parameter_len)
        return CKR_MECHANISM_PARAM_INVALID;
    if (process->mechanism->hash == CRYPTO_NO_HASH)
        return CKR_FUNCTION_NOT_SUPPORTED; /* single-part, as for C_SignUpdate */
    CK_RV rv = hashing_start(process);
    if (rv == CKR_OK)
        process->mode = OPERATION_MULTIPART;
    return rv;
}

CK_RV message_return_ended(struct session *s, struct operation *process, CK_RV rv)
{
    process->mode = OPERATION_FRESH;
    secret_free(process->otp); /* it was for this message */
    process->otp = NULL;
    return operation_return(s, false, rv);
}

CK_RV message_final(struct session *s, enum operation_kind kind)
{
    struct operation *process = NULL;
    CK_RV rv = message_borrow_between(s, kind, &process);
    return rv == CKR_OK ? operation_return(s, true, CKR_OK) : rv;
}
