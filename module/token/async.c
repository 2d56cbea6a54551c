/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asynchronous signatures. Nothing goes on between the calls: C_AsyncComplete asks the backend once
 * and does not wait for a person. The application's buffer is written at the very end, and only
 * while nobody has cancelled or closed: after that it may have been freed.
 */
#include "module/token/async.h"

#include <stdlib.h>
#include <string.h>

#include "module/token/failure.h"
#include "module/token/handlers.h"
#include "module/token/signer.h"
#include "remote/base/cleanup.h"

void pending_free(struct pending *pending)
{
    if (!pending)
        return;
    pending->ops->free(pending->job);
    free(pending);
}

void pending_freep(struct pending **pending)
{
    pending_free(*pending);
}

struct pending *pending_new(const struct session *s, const char *function, CK_BYTE *out)
{
    struct pending *pending = calloc(1, sizeof(*pending));
    if (!pending)
        return NULL;
    pending->ops = s->slot->token->ops->async;
    pending->function = function;
    pending->out = out;
    pending->login = slot_login_number(s->slot);
    return pending;
}

CK_RV async_ask_begin(struct session *s, struct call *call)
{
    struct token *token = s->slot->token;
    call_init(call, &clock_system, token->ops->patience_ms(token));
    CK_RV rv = session_wait_begin(s, call);
    if (rv != CKR_OK)
        call_fini(call);
    return rv;
}

CK_RV async_begin(struct session *s, const char *function, const struct sign_job *job,
                  struct sign_outcome *outcome, CK_BYTE *signature)
{
    AUTO(pending_freep) struct pending *pending = pending_new(s, function, signature);
    struct call call;

    outcome->rv = pending ? async_ask_begin(s, &call) : CKR_HOST_MEMORY;
    if (outcome->rv != CKR_OK)
        return sign_ended(s, outcome);
    enum sca_status st = pending->ops->begin(s->slot->token, &call, job, &pending->job);
    outcome->rv = session_wait_end(s, &call, failure_of(st, &call));
    outcome->call = &call;
    if (outcome->rv == CKR_OK) {
        pending->mark = outcome->mark;
        s->operation.pending = TAKE(pending);
        outcome->rv = CKR_PENDING;
    } else {
        (void)sign_ended(s, outcome);
    }
    outcome->call = NULL;
    call_fini(&call);
    return outcome->rv;
}

CK_RV async_borrow(struct session *s, const char *function, struct operation **ret_operation)
{
    struct operation *operation = NULL;
    CK_RV rv = operation_borrow_pending(s, &operation);
    if (rv != CKR_OK)
        return rv;
    if (strcmp(function, operation->pending->function) == 0) {
        *ret_operation = operation;
        return CKR_OK;
    }
    (void)operation_return(s, false, CKR_OK); /* lent in vain */
    return CKR_OPERATION_NOT_INITIALIZED;
}

/* Hands the signature over, or says what took its buffer away meanwhile. */
static CK_RV settle(struct session *s, const uint8_t *signature, CK_RV rv)
{
    CK_RV interrupted = CKR_OK;

    lock_take(&s->lock);
    if (s->is_closed)
        interrupted = CKR_SESSION_CLOSED;
    else if (s->operation.is_cancelled)
        interrupted = CKR_FUNCTION_CANCELED;
    else
        interrupted = s->interrupted;
    if (interrupted == CKR_OK && rv == CKR_OK)
        memcpy(s->operation.pending->out, signature, s->operation.out_len);
    lock_drop(&s->lock);
    if (interrupted != CKR_OK && rv == CKR_OK)
        s->operation.pending->ops->keep(s->operation.pending->job);
    bool has_other = rv != CKR_OK && rv != CKR_PENDING;
    return interrupted == CKR_OK || has_other ? rv : interrupted;
}

static CK_RV end(struct session *s, struct operation *operation, const struct call *call, CK_RV rv)
{
    struct pending *pending = operation->pending;
    struct sign_outcome outcome = {
        .operation = operation,
        .mark = pending->mark,
        .login = pending->login,
        .call = call,
        .rv = rv,
    };
    return sign_ended(s, &outcome);
}

/* One look. ret_is_over: rv is how the signature ended. */
static CK_RV look(struct session *s, struct operation *operation, bool *ret_is_over)
{
    struct pending *pending = operation->pending;
    uint8_t signature[SIGNER_LENGTH_MAX];
    struct call call;

    CK_RV rv = async_ask_begin(s, &call);
    if (rv != CKR_OK)
        return rv; /* another thread waits in the session: try again */
    enum sca_status st = pending->ops->poll(pending->job, &call, signature);
    rv = session_wait_end(s, &call, st == SCA_PENDING ? CKR_PENDING : failure_of(st, &call));
    rv = settle(s, signature, rv);
    *ret_is_over = rv != CKR_PENDING;
    if (*ret_is_over)
        rv = end(s, operation, &call, rv);
    call_fini(&call);
    return rv;
}

/* A message ends, and the process it belongs to goes on; anything else is over. */
static CK_RV return_ended(struct session *s, struct operation *operation, CK_RV rv)
{
    if (operation->kind != OPERATION_MESSAGE_SIGN || operation->pending->is_joined)
        return operation_return(s, true, rv);
    pending_free(operation->pending);
    operation->pending = NULL;
    return operation_return(s, false, rv);
}

CK_RV async_complete(struct session *s, CK_UTF8CHAR *function, CK_ASYNC_DATA *result)
{
    struct operation *operation = NULL;
    bool is_over = false;

    if (!function || !result)
        return CKR_ARGUMENTS_BAD;
    CK_RV rv = async_borrow(s, (const char *)function, &operation);
    if (rv != CKR_OK)
        return rv;
    CK_BYTE *out = operation->pending->out;
    if (!out)
        return operation_return(s, false,
                                failure(CKR_OPERATION_NOT_INITIALIZED,
                                        "C_AsyncGetID gave the buffer back; C_AsyncJoin with the "
                                        "same id brings another one"));
    rv = look(s, operation, &is_over);
    if (!is_over)
        return operation_return(s, false, rv);
    result->pValue = out;
    result->ulValue = rv == CKR_OK ? operation->out_len : 0;
    result->hObject = CK_INVALID_HANDLE;
    result->hAdditionalObject = CK_INVALID_HANDLE;
    return return_ended(s, operation, rv);
}
