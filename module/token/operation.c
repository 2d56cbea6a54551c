/* SPDX-License-Identifier: Apache-2.0 */
#include "module/token/operation.h"

#include <stdlib.h>

#include <openssl/evp.h>

#include "module/token/async.h"
#include "module/token/session.h"
#include "module/token/signer.h"
#include "remote/base/call.h"

void ready_key_clear(struct ready_key *key)
{
    signer_free(key->signer);
    object_unref(key->object);
    *key = (struct ready_key){.object = NULL};
}

void operation_clear(struct operation *operation)
{
    EVP_MD_CTX_free(operation->md);
    ready_key_clear(&operation->key);
    secret_free(operation->otp);
    pending_free(operation->pending);
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
    } else if (operation->is_borrowed || operation->pending) {
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

CK_RV operation_borrow_pending(struct session *s, struct operation **ret_operation)
{
    struct operation *operation = &s->operation;
    CK_RV rv = CKR_OK;

    lock_take(&s->lock);
    if (operation->is_borrowed) {
        rv = CKR_OPERATION_ACTIVE;
    } else if (!operation->pending) {
        rv = CKR_OPERATION_NOT_INITIALIZED;
    } else {
        operation->is_borrowed = true;
        *ret_operation = operation;
    }
    lock_drop(&s->lock);
    return rv;
}

/* What was kept before goes the way of the operation. Not after a logout: no key outlives that. */
static void keep_warm_locked(struct session *s, struct operation *ended) REQUIRES(s->lock)
{
    struct ready_key older = s->warm;
    if (!ended->key.mechanism || ended->is_cancelled || s->is_closed)
        return;
    s->warm = ended->key;
    ended->key = older;
}

CK_RV operation_return(struct session *s, bool is_over, CK_RV rv)
{
    struct operation ended = {.kind = OPERATION_NONE};

    lock_take(&s->lock);
    s->operation.is_borrowed = false;
    if (is_over || s->operation.is_cancelled) {
        ended = s->operation;
        s->operation = (struct operation){.kind = OPERATION_NONE};
        keep_warm_locked(s, &ended);
    }
    lock_drop(&s->lock);
    operation_clear(&ended);
    return rv;
}

struct ready_key operation_take_warm(struct session *s)
{
    lock_take(&s->lock);
    struct ready_key warm = s->warm;
    s->warm = (struct ready_key){.object = NULL};
    lock_drop(&s->lock);
    return warm;
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
