/* SPDX-License-Identifier: Apache-2.0 */
#include "module/token/operation.h"

#include <stdlib.h>

#include <openssl/evp.h>

#include "module/token/session.h"
#include "remote/base/call.h"

void operation_clear(struct operation *operation)
{
    EVP_MD_CTX_free(operation->md);
    EVP_PKEY_free(operation->public_key);
    snapshot_unref(operation->snapshot);
    free(operation->found);
    *operation = (struct operation){.kind = OPERATION_NONE};
}

CK_RV operation_begin(struct session *s, enum operation_kind kind)
{
    lock_take(&s->lock);
    bool is_free = s->operation.kind == OPERATION_NONE;
    if (is_free) {
        s->operation.kind = kind;
        s->operation.is_borrowed = true;
    }
    lock_drop(&s->lock);
    return is_free ? CKR_OK : CKR_OPERATION_ACTIVE;
}

static bool mixes(const struct operation *operation, enum operation_mode mode)
{
    return operation->mode != OPERATION_FRESH && mode != OPERATION_FRESH && operation->mode != mode;
}

CK_RV operation_borrow(struct session *s, enum operation_kind kind, enum operation_mode mode,
                       struct operation **ret_operation)
{
    struct operation *operation = &s->operation;
    struct operation ended = {.kind = OPERATION_NONE};
    CK_RV rv = CKR_OK;

    lock_take(&s->lock);
    if (operation->kind != kind) {
        rv = CKR_OPERATION_NOT_INITIALIZED;
    } else if (operation->is_borrowed) {
        rv = CKR_OPERATION_ACTIVE;
    } else if (mixes(operation, mode)) {
        rv = CKR_OPERATION_ACTIVE;
        ended = *operation;
        *operation = (struct operation){.kind = OPERATION_NONE};
    } else {
        operation->is_borrowed = true;
        if (mode != OPERATION_FRESH)
            operation->mode = mode;
        *ret_operation = operation;
    }
    lock_drop(&s->lock);
    operation_clear(&ended);
    return rv;
}

static bool fits(const struct object *key, const CK_MECHANISM_INFO *info)
{
    const CK_ATTRIBUTE *modulus = object_attribute(key, CKA_MODULUS);
    CK_ULONG bits = modulus ? 8 * modulus->ulValueLen : 0;
    return bits >= info->ulMinKeySize && bits <= info->ulMaxKeySize;
}

CK_RV operation_set_key(struct session *s, const CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key,
                        CK_FLAGS purpose)
{
    struct operation *operation = &s->operation;
    CK_RV rv = slot_snapshot(s->slot, &operation->snapshot);
    if (rv != CKR_OK)
        return rv;
    operation->key = snapshot_find(operation->snapshot, key);
    if (!operation->key ||
        (operation->key->class != CKO_PRIVATE_KEY && operation->key->class != CKO_PUBLIC_KEY))
        return CKR_KEY_HANDLE_INVALID;
    rv = mechanism_find(s->slot->token, mechanism, purpose, &operation->mechanism);
    if (rv != CKR_OK)
        return rv;
    if (object_ulong(operation->key, CKA_KEY_TYPE, CK_UNAVAILABLE_INFORMATION) !=
        operation->mechanism->key_type)
        return CKR_KEY_TYPE_INCONSISTENT;
    if (!object_bool(operation->key, purpose == CKF_SIGN ? CKA_SIGN : CKA_VERIFY))
        return CKR_KEY_FUNCTION_NOT_PERMITTED;
    return fits(operation->key, &operation->mechanism->info) ? CKR_OK : CKR_KEY_SIZE_RANGE;
}

CK_RV operation_return(struct session *s, bool is_over, CK_RV rv)
{
    struct operation ended = {.kind = OPERATION_NONE};

    lock_take(&s->lock);
    s->operation.is_borrowed = false;
    if (is_over || s->operation.is_cancelled) {
        ended = s->operation;
        s->operation = (struct operation){.kind = OPERATION_NONE};
    }
    lock_drop(&s->lock);
    operation_clear(&ended);
    return rv;
}

void operation_end(struct session *s, enum operation_kind kind)
{
    struct operation ended = {.kind = OPERATION_NONE};

    lock_take(&s->lock);
    if (s->operation.kind == kind && s->operation.is_borrowed) {
        s->operation.is_cancelled = true;
        session_interrupt_locked(s, CKR_FUNCTION_CANCELED);
    } else if (s->operation.kind == kind) {
        ended = s->operation;
        s->operation = (struct operation){.kind = OPERATION_NONE};
    }
    lock_drop(&s->lock);
    operation_clear(&ended);
}

CK_RV operation_cancel(struct session *s, enum operation_kind kind)
{
    if (session_is_notifying())
        return CKR_FUNCTION_FAILED;
    operation_end(s, kind);
    return CKR_OK;
}
