/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "module/token/handlers.h"
#include "module/token/hashing.h"
#include "module/token/outbuf.h"
#include "module/token/session.h"
#include "remote/base/cleanup.h"

CK_RV digest_init(struct session *s, CK_MECHANISM *mechanism)
{
    if (!mechanism) /* 3.0 section 5.10.1: ends the operation that is active */
        return operation_cancel(s, OPERATION_DIGEST);
    CK_RV rv = operation_begin(s, OPERATION_DIGEST);
    if (rv != CKR_OK)
        return rv;
    struct operation *digest = &s->operation;
    rv = mechanism_find(s->slot->token, mechanism, CKF_DIGEST, &digest->mechanism,
                        &digest->parameter);
    if (rv == CKR_OK) {
        digest->out_len = crypto_hash_len(digest->mechanism->hash);
        rv = hashing_start(digest);
    }
    return operation_return(s, rv != CKR_OK, rv);
}

static CK_RV produce(struct operation *digest, CK_BYTE *out)
{
    uint8_t bytes[HASHING_MAX];
    CK_ULONG len = 0;
    CK_RV rv = hashing_end(digest, bytes, &len);
    if (rv == CKR_OK)
        memcpy(out, bytes, len);
    return rv;
}

CK_RV digest_oneshot(struct session *s, CK_BYTE *data, CK_ULONG data_len, CK_BYTE *out,
                     CK_ULONG *out_len)
{
    struct operation *digest = NULL;
    bool is_answered = false;

    CK_RV rv = operation_borrow(s, OPERATION_DIGEST, OPERATION_ONESHOT, &digest);
    if (rv != CKR_OK)
        return rv;
    if (!out_len || (!data && data_len))
        return operation_return(s, true, CKR_ARGUMENTS_BAD);
    rv = outbuf_reserve(out, out_len, digest->out_len, &is_answered);
    if (!is_answered)
        rv = hashing_add(digest, data, data_len);
    if (!is_answered && rv == CKR_OK)
        rv = produce(digest, out);
    return operation_return(s, !is_answered, rv);
}

CK_RV digest_update(struct session *s, CK_BYTE *part, CK_ULONG part_len)
{
    struct operation *digest = NULL;
    CK_RV rv = operation_borrow(s, OPERATION_DIGEST, OPERATION_MULTIPART, &digest);
    if (rv != CKR_OK)
        return rv;
    rv = !part && part_len ? CKR_ARGUMENTS_BAD : hashing_add(digest, part, part_len);
    return operation_return(s, rv != CKR_OK, rv);
}

/* Only secret keys may be digested (2.40 section 5.10); no token here has one. */
CK_RV digest_key(struct session *s, CK_OBJECT_HANDLE key)
{
    AUTO(object_unrefp) struct object *object = NULL;
    struct operation *digest = NULL;
    CK_RV rv = operation_borrow(s, OPERATION_DIGEST, OPERATION_MULTIPART, &digest);
    if (rv != CKR_OK)
        return rv;
    rv = slot_object(s->slot, key, &object);
    if (rv == CKR_OK) {
        bool is_key = slot_shows(slot_login_state(s->slot), object) &&
                      (object->class == CKO_PRIVATE_KEY || object->class == CKO_PUBLIC_KEY);
        rv = is_key ? CKR_KEY_INDIGESTIBLE : CKR_KEY_HANDLE_INVALID;
    } else if (rv == CKR_OBJECT_HANDLE_INVALID) {
        rv = CKR_KEY_HANDLE_INVALID;
    }
    return operation_return(s, true, rv);
}

CK_RV digest_final(struct session *s, CK_BYTE *out, CK_ULONG *out_len)
{
    struct operation *digest = NULL;
    bool is_answered = false;

    CK_RV rv = operation_borrow(s, OPERATION_DIGEST, OPERATION_MULTIPART, &digest);
    if (rv != CKR_OK)
        return rv;
    if (!out_len)
        return operation_return(s, true, CKR_ARGUMENTS_BAD);
    rv = outbuf_reserve(out, out_len, digest->out_len, &is_answered);
    if (!is_answered)
        rv = produce(digest, out);
    return operation_return(s, !is_answered, rv);
}
