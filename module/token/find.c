/* SPDX-License-Identifier: Apache-2.0 */
/* Finding: the matches are fixed at C_FindObjectsInit, whatever happens to the token later. */
#include <stdlib.h>
#include <string.h>

#include "module/token/handlers.h"
#include "module/token/session.h"

/* An attribute that the object lacks, or an unknown one, is no match and no error. */
static bool matches(const struct object *object, const CK_ATTRIBUTE *template, CK_ULONG count)
{
    for (CK_ULONG i = 0; i < count; i++) {
        const CK_ATTRIBUTE *have = object_attribute(object, template[i].type);
        if (!have || have->ulValueLen != template[i].ulValueLen)
            return false;
        if (have->ulValueLen && (!template[i].pValue ||
                                 memcmp(have->pValue, template[i].pValue, have->ulValueLen) != 0))
            return false;
    }
    return true;
}

static CK_RV collect(struct session *s, const CK_ATTRIBUTE *template, CK_ULONG count)
{
    struct operation *find = &s->operation;
    CK_RV rv = slot_snapshot(s->slot, &find->snapshot);
    if (rv != CKR_OK)
        return rv;

    const struct snapshot *snapshot = find->snapshot;
    if (snapshot->count && !(find->found = calloc(snapshot->count, sizeof(*find->found))))
        return CKR_HOST_MEMORY;
    for (size_t i = 0; i < snapshot->count; i++) {
        const struct object *object = snapshot->objects[i];
        if (slot_shows(s->slot, object) && matches(object, template, count))
            find->found[find->found_count++] = object->handle;
    }
    return CKR_OK;
}

CK_RV find_init(struct session *s, CK_ATTRIBUTE *template, CK_ULONG count)
{
    if (!template && count)
        return CKR_ARGUMENTS_BAD;
    CK_RV rv = operation_begin(s, OPERATION_FIND);
    if (rv != CKR_OK)
        return rv;
    rv = collect(s, template, count);
    return operation_return(s, rv != CKR_OK, rv);
}

CK_RV find_next(struct session *s, CK_OBJECT_HANDLE *objects, CK_ULONG max, CK_ULONG *count)
{
    struct operation *find = NULL;
    CK_RV rv = operation_borrow(s, OPERATION_FIND, OPERATION_FRESH, &find);
    if (rv != CKR_OK)
        return rv;
    if (!count || (!objects && max))
        return operation_return(s, false, CKR_ARGUMENTS_BAD);

    CK_ULONG left = find->found_count - find->found_next;
    *count = left < max ? left : max;
    if (*count)
        memcpy(objects, find->found + find->found_next, *count * sizeof(*objects));
    find->found_next += *count;
    return operation_return(s, false, CKR_OK);
}

CK_RV find_final(struct session *s)
{
    struct operation *find = NULL;
    CK_RV rv = operation_borrow(s, OPERATION_FIND, OPERATION_FRESH, &find);
    return rv == CKR_OK ? operation_return(s, true, CKR_OK) : rv;
}
