/* SPDX-License-Identifier: Apache-2.0 */
#include "module/token/handlers.h"
#include "module/token/hashing.h"
#include "module/token/message.h"
#include "module/token/outbuf.h"
#include "module/token/sign.h"

CK_RV message_sign_init(struct session *s, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    if (!mechanism) /* ends the process that is active, as with C_SignInit */
        return operation_cancel(s, OPERATION_MESSAGE_SIGN);
    CK_RV rv = operation_begin(s, OPERATION_MESSAGE_SIGN);
    if (rv != CKR_OK)
        return rv;
    rv = sign_prepare(s, mechanism, key);
    return operation_return(s, rv != CKR_OK, rv);
}

/* A login that was good for one signature may have been used up by the message before. Keys in this
 * process need no look: a logout ends the process. */
static CK_RV check_login(struct session *s, const struct operation *sign)
{
    if (sign->key.signer || slot_shows(slot_login_state(s->slot), sign->key.object))
        return CKR_OK;
    return CKR_USER_NOT_LOGGED_IN;
}

/* The message ends with last; function is what the application called. */
static CK_RV sign_last(struct session *s, struct operation *sign, const char *function,
                       struct span last, CK_BYTE *signature)
{
    uint8_t digest[HASHING_MAX];
    struct span input = {0};

    CK_RV rv = hashing_all(sign, last, digest, &input);
    return rv == CKR_OK ? sign_produce(s, sign, function, input, signature) : rv;
}

CK_RV message_sign(struct session *s, CK_ULONG parameter_len, CK_BYTE *data, CK_ULONG data_len,
                   CK_BYTE *signature, CK_ULONG *signature_len)
{
    struct operation *sign = NULL;
    bool is_answered = false;

    CK_RV rv = message_borrow_between(s, OPERATION_MESSAGE_SIGN, &sign);
    if (rv != CKR_OK)
        return rv;
    if (!signature_len || (!data && data_len))
        return message_return_ended(s, sign, CKR_ARGUMENTS_BAD);
    if (parameter_len)
        return message_return_ended(s, sign, CKR_MECHANISM_PARAM_INVALID);
    rv = outbuf_reserve(signature, signature_len, sign->out_len, &is_answered);
    if (is_answered)
        return operation_return(s, false, rv);
    rv = check_login(s, sign);
    if (rv == CKR_OK)
        rv = hashing_start(sign);
    if (rv == CKR_OK)
        rv = sign_last(s, sign, "C_SignMessage", span_of(data, data_len), signature);
    return message_return_ended(s, sign, rv);
}

CK_RV message_sign_begin(struct session *s, CK_ULONG parameter_len)
{
    struct operation *sign = NULL;
    CK_RV rv = message_borrow_between(s, OPERATION_MESSAGE_SIGN, &sign);
    if (rv != CKR_OK)
        return rv;
    rv = check_login(s, sign);
    if (rv == CKR_OK)
        rv = message_begin(sign, parameter_len);
    return operation_return(s, false, rv);
}

CK_RV message_sign_next(struct session *s, CK_ULONG parameter_len, CK_BYTE *part, CK_ULONG part_len,
                        CK_BYTE *signature, CK_ULONG *signature_len)
{
    struct operation *sign = NULL;
    bool is_answered = false;

    CK_RV rv = message_borrow_inside(s, OPERATION_MESSAGE_SIGN, &sign);
    if (rv != CKR_OK)
        return rv;
    if (!part && part_len)
        return message_return_ended(s, sign, CKR_ARGUMENTS_BAD);
    if (parameter_len)
        return message_return_ended(s, sign, CKR_MECHANISM_PARAM_INVALID);
    if (!signature_len) { /* more will follow */
        rv = hashing_add(sign, part, part_len);
        return rv == CKR_OK ? operation_return(s, false, rv) : message_return_ended(s, sign, rv);
    }
    rv = outbuf_reserve(signature, signature_len, sign->out_len, &is_answered);
    if (is_answered)
        return operation_return(s, false, rv); /* the part comes again, with the buffer */
    rv = check_login(s, sign);
    if (rv == CKR_OK)
        rv = sign_last(s, sign, "C_SignMessageNext", span_of(part, part_len), signature);
    return message_return_ended(s, sign, rv);
}

CK_RV message_sign_final(struct session *s)
{
    return message_final(s, OPERATION_MESSAGE_SIGN);
}
