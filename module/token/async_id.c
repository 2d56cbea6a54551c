/* SPDX-License-Identifier: Apache-2.0 */
/* A pending signature by a number, which another session or process of the user can join. */
#include <string.h>

#include "module/token/async.h"
#include "module/token/failure.h"
#include "module/token/handlers.h"
#include "module/token/signer.h"
#include "remote/base/cleanup.h"

/* Those that may be pending, and what C_SessionCancel knows them by. */
static const struct pending_function {
    const char *name;
    enum operation_kind kind;
} functions[] = {
    {"C_Sign", OPERATION_SIGN},
    {"C_SignFinal", OPERATION_SIGN},
    {"C_SignMessage", OPERATION_MESSAGE_SIGN},
    {"C_SignMessageNext", OPERATION_MESSAGE_SIGN},
};

static CK_RV ask_id(struct session *s, const struct pending *pending, CK_ULONG *ret_id)
{
    struct call call;
    uint64_t number = 0;

    CK_RV rv = async_ask_begin(s, &call);
    if (rv != CKR_OK)
        return rv;
    enum sca_status st = pending->ops->get_id(pending->job, &call, &number);
    rv = failure_of(st, &call);
    if (st == SCA_UNSUPPORTED || (CK_ULONG)number != number)
        rv = CKR_STATE_UNSAVEABLE;
    rv = session_wait_end(s, &call, rv);
    call_fini(&call);
    if (rv == CKR_OK)
        *ret_id = (CK_ULONG)number;
    return rv;
}

/* From here on the application's buffer is its own again (3.2 section 5.22.2). */
CK_RV async_get_id(struct session *s, CK_UTF8CHAR *function, CK_ULONG *id)
{
    struct operation *operation = NULL;

    if (!function || !id)
        return CKR_ARGUMENTS_BAD;
    CK_RV rv = async_borrow(s, (const char *)function, &operation);
    if (rv != CKR_OK)
        return rv;
    struct pending *pending = operation->pending;
    if (pending->out)
        rv = ask_id(s, pending, &pending->id);
    if (rv == CKR_OK) {
        pending->out = NULL;
        *id = pending->id;
    }
    return operation_return(s, false, rv);
}

static const struct pending_function *find_function(const CK_UTF8CHAR *name)
{
    for (size_t i = 0; i < ARRAY_LEN(functions); i++)
        if (strcmp((const char *)name, functions[i].name) == 0)
            return &functions[i];
    return NULL;
}

/* For snapshot_each: stops at the first. */
static bool take_first(const struct object *object, void *arg)
{
    *(CK_OBJECT_HANDLE *)arg = object->handle;
    return false;
}

/* The token's one private key (token_ops.async), as a joined operation has no other to go by. */
static CK_RV set_only_key(struct session *s)
{
    struct operation *operation = &s->operation;
    AUTO(snapshot_unrefp) struct snapshot *snapshot = NULL;
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    const CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof(class)}};
    CK_OBJECT_HANDLE handle = CK_INVALID_HANDLE;

    CK_RV rv = slot_snapshot(s->slot, false, &snapshot);
    if (rv != CKR_OK)
        return rv;
    (void)snapshot_each(snapshot, template, ARRAY_LEN(template), take_first, &handle);
    struct object *object = snapshot_find(snapshot, handle);
    const CK_ATTRIBUTE *modulus = object ? object_attribute(object, CKA_MODULUS) : NULL;
    if (!modulus || modulus->ulValueLen > SIGNER_LENGTH_MAX)
        return CKR_SAVED_STATE_INVALID;
    if (!slot_shows(slot_login_state(s->slot), object))
        return CKR_USER_NOT_LOGGED_IN;
    operation->key.object = object_ref(object);
    operation->out_len = modulus->ulValueLen;
    return CKR_OK;
}

static CK_RV join(struct session *s, const char *function, CK_ULONG id, CK_BYTE *data)
{
    AUTO(pending_freep) struct pending *pending = pending_new(s, function, data);
    struct call call;

    CK_RV rv = pending ? async_ask_begin(s, &call) : CKR_HOST_MEMORY;
    if (rv != CKR_OK)
        return rv;
    enum sca_status st = pending->ops->join(s->slot->token, &call, id, &pending->job);
    rv = failure_of(st, &call);
    if (st == SCA_NOT_FOUND)
        rv = CKR_SAVED_STATE_INVALID;
    rv = session_wait_end(s, &call, rv);
    call_fini(&call);
    if (rv != CKR_OK)
        return rv;
    pending->is_joined = true;
    s->operation.pending = TAKE(pending);
    return CKR_OK;
}

/* The session that asked for the id still has the operation: it gets a buffer again. */
static CK_RV join_own(struct session *s, const char *function, CK_ULONG id, CK_BYTE *data,
                      CK_ULONG data_len)
{
    struct operation *operation = NULL;

    CK_RV rv = async_borrow(s, function, &operation);
    if (rv != CKR_OK)
        return CKR_OPERATION_ACTIVE;
    struct pending *pending = operation->pending;
    if (pending->out || pending->id != id)
        rv = CKR_OPERATION_ACTIVE;
    else if (data_len < operation->out_len)
        rv = CKR_BUFFER_TOO_SMALL;
    else
        pending->out = data;
    return operation_return(s, false, rv);
}

CK_RV async_join(struct session *s, CK_UTF8CHAR *function, CK_ULONG id, CK_BYTE *data,
                 CK_ULONG data_len)
{
    if (!function || (!data && data_len))
        return CKR_ARGUMENTS_BAD;
    if (!(s->flags & CKF_ASYNC_SESSION))
        return CKR_SESSION_ASYNC_NOT_SUPPORTED;
    const struct pending_function *known = find_function(function);
    if (!known)
        return CKR_SAVED_STATE_INVALID;
    CK_RV rv = operation_begin(s, known->kind);
    if (rv != CKR_OK)
        return join_own(s, known->name, id, data, data_len);
    rv = set_only_key(s);
    if (rv == CKR_OK && data_len < s->operation.out_len)
        rv = CKR_BUFFER_TOO_SMALL;
    if (rv == CKR_OK)
        rv = join(s, known->name, id, data);
    return operation_return(s, rv != CKR_OK, rv);
}
