/* SPDX-License-Identifier: Apache-2.0 */
/* Reading objects. */
#include <string.h>

#include <openssl/evp.h>

#include "module/token/blueprint.h"
#include "module/token/failure.h"
#include "module/token/handlers.h"
#include "module/token/object_access.h"
#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"

/* What an unsealing of a key from the disk may take at most. */
enum { LOAD_PATIENCE_MS = 10000 };

CK_RV object_find_visible(struct session *s, CK_OBJECT_HANDLE handle, struct object **ret_object)
{
    AUTO(object_unrefp) struct object *object = NULL;
    CK_RV rv = slot_object(s->slot, handle, &object);
    if (rv != CKR_OK)
        return rv;
    if (object->is_private && !slot_shows(slot_login_state(s->slot), object))
        return CKR_OBJECT_HANDLE_INVALID;
    *ret_object = TAKE(object);
    return CKR_OK;
}

CK_RV object_find_fresh(struct session *s, CK_OBJECT_HANDLE handle, struct object **ret_object)
{
    struct snapshot *snapshot = NULL;
    CK_RV rv = slot_snapshot(s->slot, true, &snapshot);

    snapshot_unref(snapshot);
    return rv == CKR_OK ? object_find_visible(s, handle, ret_object) : rv;
}

CK_RV object_load_key(struct session *s, const struct object *object, EVP_PKEY **ret_key)
{
    struct token *token = s->slot->token;
    struct call call;

    if (object->key) {
        if (EVP_PKEY_up_ref(object->key) != 1)
            return CKR_HOST_MEMORY;
        *ret_key = object->key;
        return CKR_OK;
    }
    call_init(&call, &clock_system, LOAD_PATIENCE_MS);
    enum sca_status st =
        token->ops->write->load_key(token, &call, object->number, key_from_pkcs8, ret_key);
    CK_RV rv = st == SCA_NOT_FOUND ? CKR_OBJECT_HANDLE_INVALID : failure_of(st, &call);
    call_fini(&call);
    return rv;
}

/* A secret part of a private key whose owner made it readable. */
static CK_RV get_key_part(struct session *s, const struct object *object, CK_ATTRIBUTE_TYPE type,
                          struct buf *ret_value)
{
    EVP_PKEY *key = NULL;
    bool has_key = object->class == CKO_PRIVATE_KEY && (object->key || slot_is_writable(s->slot));
    if (!has_key || object_bool(object, CKA_SENSITIVE) || !object_bool(object, CKA_EXTRACTABLE))
        return CKR_ATTRIBUTE_SENSITIVE;
    CK_RV rv = object_load_key(s, object, &key);
    if (rv == CKR_OK)
        rv = key_part(key, type, ret_value);
    crypto_pkey_free(key);
    return rv;
}

static CK_RV get_attribute(struct session *s, const struct object *object, CK_ATTRIBUTE *wanted)
{
    AUTO(buf_fini) struct buf part;
    struct span have = {0};
    CK_ULONG room = wanted->ulValueLen;
    CK_RV rv = CKR_OK;

    buf_init(&part, SECRET_MAX, true);
    wanted->ulValueLen = CK_UNAVAILABLE_INFORMATION;
    if (key_part_is_secret(object->class, wanted->type)) {
        rv = get_key_part(s, object, wanted->type, &part);
        have = buf_span(&part);
    } else {
        const CK_ATTRIBUTE *attribute = object_attribute(object, wanted->type);
        if (attribute)
            have = span_of(attribute->pValue, attribute->ulValueLen);
        else
            rv = CKR_ATTRIBUTE_TYPE_INVALID;
    }
    if (rv != CKR_OK)
        return rv;
    if (wanted->pValue && room < have.len)
        return CKR_BUFFER_TOO_SMALL;
    wanted->ulValueLen = have.len;
    if (wanted->pValue && have.len)
        memcpy(wanted->pValue, have.ptr, have.len);
    return CKR_OK;
}

static bool asks_for_secret(const struct object *object, const CK_ATTRIBUTE *template,
                            CK_ULONG count)
{
    for (CK_ULONG i = 0; i < count; i++)
        if (key_part_is_secret(object->class, template[i].type))
            return object->number != 0;
    return false;
}

CK_RV object_get_attributes(struct session *s, CK_OBJECT_HANDLE handle, CK_ATTRIBUTE *template,
                            CK_ULONG count)
{
    AUTO(object_unrefp) struct object *object = NULL;
    CK_RV rv = object_find_visible(s, handle, &object);
    if (rv != CKR_OK)
        return rv;
    if ((!template && count) || count > TEMPLATE_MAX)
        return CKR_ARGUMENTS_BAD;
    if (asks_for_secret(object, template, count)) {
        object_unref(object);
        object = NULL;
        rv = object_find_fresh(s, handle, &object); /* another process may have made it sensitive */
    }
    if (rv != CKR_OK)
        return rv;

    /* Every entry is served; of several failures the first is told. */
    for (CK_ULONG i = 0; i < count; i++) {
        CK_RV one = get_attribute(s, object, &template[i]);
        if (rv == CKR_OK)
            rv = one;
    }
    return rv;
}

CK_RV object_size(struct session *s, CK_OBJECT_HANDLE handle, CK_ULONG *size)
{
    AUTO(object_unrefp) struct object *object = NULL;
    CK_RV rv = object_find_visible(s, handle, &object);
    if (rv != CKR_OK)
        return rv;
    if (!size)
        return CKR_ARGUMENTS_BAD;
    *size = 0;
    for (CK_ULONG i = 0; i < object->count; i++)
        *size += object->attributes[i].ulValueLen;
    return CKR_OK;
}
