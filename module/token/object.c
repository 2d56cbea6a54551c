/* SPDX-License-Identifier: Apache-2.0 */
/* Reading objects, and refusing to change those of a write-protected token with the right code. */
#include <string.h>

#include "module/token/handlers.h"
#include "module/token/session.h"
#include "remote/base/cleanup.h"

/* The object and the snapshot that keeps it alive, or CKR_OBJECT_HANDLE_INVALID. */
static CK_RV find_visible(struct session *s, CK_OBJECT_HANDLE handle,
                          struct snapshot **ret_snapshot, const struct object **ret_object)
{
    AUTO(snapshot_unrefp) struct snapshot *snapshot = NULL;
    CK_RV rv = slot_snapshot(s->slot, &snapshot);
    if (rv != CKR_OK)
        return rv;
    const struct object *object = snapshot_find(snapshot, handle);
    if (!object || !slot_shows(s->slot, object))
        return CKR_OBJECT_HANDLE_INVALID;
    *ret_object = object;
    *ret_snapshot = TAKE(snapshot);
    return CKR_OK;
}

/* Parts of a private key that stay where they are, whatever is asked (2.40 section 5.7). */
static bool is_sensitive(const struct object *object, CK_ATTRIBUTE_TYPE type)
{
    switch (type) {
    case CKA_VALUE:
    case CKA_PRIVATE_EXPONENT:
    case CKA_PRIME_1:
    case CKA_PRIME_2:
    case CKA_EXPONENT_1:
    case CKA_EXPONENT_2:
    case CKA_COEFFICIENT:
        return object->class == CKO_PRIVATE_KEY || object->class == CKO_SECRET_KEY;
    default:
        return false;
    }
}

static CK_RV get_attribute(const struct object *object, CK_ATTRIBUTE *wanted)
{
    CK_ULONG room = wanted->ulValueLen;

    wanted->ulValueLen = CK_UNAVAILABLE_INFORMATION;
    if (is_sensitive(object, wanted->type))
        return CKR_ATTRIBUTE_SENSITIVE;
    const CK_ATTRIBUTE *have = object_attribute(object, wanted->type);
    if (!have)
        return CKR_ATTRIBUTE_TYPE_INVALID;
    if (wanted->pValue && room < have->ulValueLen)
        return CKR_BUFFER_TOO_SMALL;
    wanted->ulValueLen = have->ulValueLen;
    if (wanted->pValue && have->ulValueLen)
        memcpy(wanted->pValue, have->pValue, have->ulValueLen);
    return CKR_OK;
}

CK_RV object_get_attributes(struct session *s, CK_OBJECT_HANDLE handle, CK_ATTRIBUTE *template,
                            CK_ULONG count)
{
    AUTO(snapshot_unrefp) struct snapshot *snapshot = NULL;
    const struct object *object = NULL;
    CK_RV rv = find_visible(s, handle, &snapshot, &object);
    if (rv != CKR_OK)
        return rv;
    if (!template && count)
        return CKR_ARGUMENTS_BAD;

    /* Every entry is served; of several failures the first is told. */
    for (CK_ULONG i = 0; i < count; i++) {
        CK_RV one = get_attribute(object, &template[i]);
        if (rv == CKR_OK)
            rv = one;
    }
    return rv;
}

CK_RV object_size(struct session *s, CK_OBJECT_HANDLE handle, CK_ULONG *size)
{
    AUTO(snapshot_unrefp) struct snapshot *snapshot = NULL;
    const struct object *object = NULL;
    CK_RV rv = find_visible(s, handle, &snapshot, &object);
    if (rv != CKR_OK)
        return rv;
    if (!size)
        return CKR_ARGUMENTS_BAD;
    *size = 0;
    for (CK_ULONG i = 0; i < object->count; i++)
        *size += object->attributes[i].ulValueLen;
    return CKR_OK;
}

static CK_RV check_template(const CK_ATTRIBUTE *template, CK_ULONG count)
{
    if (!template && count)
        return CKR_ARGUMENTS_BAD;
    for (CK_ULONG i = 0; i < count; i++)
        if (template[i].ulValueLen == CK_UNAVAILABLE_INFORMATION ||
            (!template[i].pValue && template[i].ulValueLen))
            return CKR_ATTRIBUTE_VALUE_INVALID;
    return CKR_OK;
}

static bool template_has(const CK_ATTRIBUTE *template, CK_ULONG count, CK_ATTRIBUTE_TYPE type)
{
    for (CK_ULONG i = 0; i < count; i++)
        if (template[i].type == type)
            return true;
    return false;
}

/* True if the template sets that boolean. */
static bool template_says(const CK_ATTRIBUTE *template, CK_ULONG count, CK_ATTRIBUTE_TYPE type)
{
    for (CK_ULONG i = 0; i < count; i++)
        if (template[i].type == type)
            return template[i].ulValueLen == sizeof(CK_BBOOL) &&
                   *(const CK_BBOOL *)template[i].pValue != CK_FALSE;
    return false;
}

/* What every write to a write-protected token ends with. */
static CK_RV refuse_write(const struct session *s)
{
    return session_is_rw(s) ? CKR_TOKEN_WRITE_PROTECTED : CKR_SESSION_READ_ONLY;
}

CK_RV object_create(struct session *s, CK_ATTRIBUTE *template, CK_ULONG count,
                    CK_OBJECT_HANDLE *object)
{
    if (!object)
        return CKR_ARGUMENTS_BAD;
    CK_RV rv = check_template(template, count);
    if (rv != CKR_OK)
        return rv;
    if (template_has(template, count, CKA_UNIQUE_ID))
        return CKR_ATTRIBUTE_READ_ONLY;
    if (!template_has(template, count, CKA_CLASS))
        return CKR_TEMPLATE_INCOMPLETE;
    /* A session object would do in any session; there are none here. */
    return template_says(template, count, CKA_TOKEN) ? refuse_write(s) : CKR_TOKEN_WRITE_PROTECTED;
}

CK_RV object_copy(struct session *s, CK_OBJECT_HANDLE handle, CK_ATTRIBUTE *template,
                  CK_ULONG count, CK_OBJECT_HANDLE *copy)
{
    AUTO(snapshot_unrefp) struct snapshot *snapshot = NULL;
    const struct object *object = NULL;
    CK_RV rv = find_visible(s, handle, &snapshot, &object);
    if (rv != CKR_OK)
        return rv;
    if (!copy)
        return CKR_ARGUMENTS_BAD;
    rv = check_template(template, count);
    if (rv != CKR_OK)
        return rv;
    return object_bool(object, CKA_COPYABLE) ? refuse_write(s) : CKR_ACTION_PROHIBITED;
}

CK_RV object_destroy(struct session *s, CK_OBJECT_HANDLE handle)
{
    AUTO(snapshot_unrefp) struct snapshot *snapshot = NULL;
    const struct object *object = NULL;
    CK_RV rv = find_visible(s, handle, &snapshot, &object);
    if (rv != CKR_OK)
        return rv;
    rv = refuse_write(s);
    return rv == CKR_TOKEN_WRITE_PROTECTED && !object_bool(object, CKA_DESTROYABLE)
               ? CKR_ACTION_PROHIBITED
               : rv;
}

CK_RV object_set_attributes(struct session *s, CK_OBJECT_HANDLE handle, CK_ATTRIBUTE *template,
                            CK_ULONG count)
{
    AUTO(snapshot_unrefp) struct snapshot *snapshot = NULL;
    const struct object *object = NULL;
    CK_RV rv = find_visible(s, handle, &snapshot, &object);
    if (rv != CKR_OK)
        return rv;
    rv = check_template(template, count);
    if (rv != CKR_OK)
        return rv;
    if (!session_is_rw(s))
        return CKR_SESSION_READ_ONLY;
    if (template_has(template, count, CKA_CLASS) || template_has(template, count, CKA_UNIQUE_ID) ||
        !object_bool(object, CKA_MODIFIABLE))
        return CKR_ATTRIBUTE_READ_ONLY;
    return CKR_TOKEN_WRITE_PROTECTED;
}
