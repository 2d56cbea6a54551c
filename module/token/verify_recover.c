/* SPDX-License-Identifier: Apache-2.0 */
/* Getting the data back from a signature of sign_recover.c, or of C_Sign with CKM_RSA_PKCS. */
#include <string.h>

#include "module/token/handlers.h"
#include "module/token/outbuf.h"
#include "module/token/session.h"
#include "module/token/signer.h"

CK_RV verify_recover_init(struct session *s, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    if (!slot_is_writable(s->slot))
        return CKR_FUNCTION_NOT_SUPPORTED;
    if (!mechanism) /* 3.0 section 5.14.5: ends the operation that is active */
        return operation_cancel(s, OPERATION_VERIFY_RECOVER);
    CK_RV rv = operation_begin(s, OPERATION_VERIFY_RECOVER);
    if (rv != CKR_OK)
        return rv;
    rv = operation_set_key(s, mechanism, key, CKF_VERIFY_RECOVER);
    return operation_return(s, rv != CKR_OK, rv);
}

/* How long the data is, only the signature tells: it is opened for a question of the length too. */
static CK_RV recover(const struct operation *verify, struct span signature, CK_BYTE *data,
                     CK_ULONG *data_len, bool *ret_is_answered)
{
    CK_BYTE recovered[SIGNER_LENGTH_MAX];
    CK_ULONG len = 0;

    CK_RV rv = signer_recover(verify->key.signer, signature, recovered, &len);
    if (rv != CKR_OK)
        return rv;
    rv = outbuf_reserve(data, data_len, len, ret_is_answered);
    if (!*ret_is_answered && len)
        memcpy(data, recovered, len);
    return rv;
}

CK_RV verify_recover(struct session *s, CK_BYTE *signature, CK_ULONG signature_len, CK_BYTE *data,
                     CK_ULONG *data_len)
{
    struct operation *verify = NULL;
    bool is_answered = false;

    if (!slot_is_writable(s->slot))
        return CKR_FUNCTION_NOT_SUPPORTED;
    CK_RV rv = operation_borrow(s, OPERATION_VERIFY_RECOVER, OPERATION_ONESHOT, &verify);
    if (rv != CKR_OK)
        return rv;
    if (!signature || !data_len)
        return operation_return(s, true, CKR_ARGUMENTS_BAD);
    rv = recover(verify, span_of(signature, signature_len), data, data_len, &is_answered);
    return operation_return(s, !is_answered, rv);
}
