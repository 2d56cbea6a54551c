/* SPDX-License-Identifier: Apache-2.0 */
#include "module/token/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"

/*
 * Handles are the same in every run: the slot id, which the catalogue remembers, and the number
 * the backend gave. Below 2^31 for applications that keep them in an int; two slots so far apart
 * that their handles coincide do no harm, since a handle is only looked up in its session's slot.
 */
static CK_OBJECT_HANDLE make_handle(CK_SLOT_ID slot_id, unsigned number)
{
    enum { SLOT_MASK = 0x7fffff };
    return (slot_id & SLOT_MASK) * OBJECT_NUMBERS + number;
}

static int compare_attributes(const void *a, const void *b)
{
    const CK_ATTRIBUTE *left = a;
    const CK_ATTRIBUTE *right = b;
    return left->type < right->type ? -1 : left->type > right->type;
}

static int compare_objects(const void *a, const void *b)
{
    const struct object *const *left = a;
    const struct object *const *right = b;
    return (*left)->handle < (*right)->handle ? -1 : (*left)->handle > (*right)->handle;
}

/* One allocation: the object, its attributes, their values. */
static struct object *object_copy_of(const CK_ATTRIBUTE *attributes, CK_ULONG count)
{
    size_t values = 0;
    for (CK_ULONG i = 0; i < count; i++)
        values += attributes[i].ulValueLen;
    struct object *object = malloc(sizeof(*object) + count * sizeof(CK_ATTRIBUTE) + values);
    if (!object)
        return NULL;

    *object = (struct object){.attributes = (CK_ATTRIBUTE *)(object + 1), .count = count};
    unsigned char *value = (unsigned char *)(object->attributes + count);
    for (CK_ULONG i = 0; i < count; i++) {
        object->attributes[i] = attributes[i];
        object->attributes[i].pValue = value;
        if (attributes[i].ulValueLen)
            memcpy(value, attributes[i].pValue, attributes[i].ulValueLen);
        value += attributes[i].ulValueLen;
    }
    qsort(object->attributes, count, sizeof(CK_ATTRIBUTE), compare_attributes);
    object->class = object_ulong(object, CKA_CLASS, CK_UNAVAILABLE_INFORMATION);
    return object;
}

static enum sca_status add_object(struct object_sink *sink, unsigned number, bool is_private,
                                  const CK_ATTRIBUTE *attributes, CK_ULONG count)
{
    struct snapshot *snapshot = (struct snapshot *)sink;
    size_t room = (snapshot->count + 1) * sizeof(*snapshot->objects);
    struct object **objects = realloc(snapshot->objects, room);
    if (!objects)
        return SCA_NOMEM;
    snapshot->objects = objects;

    struct object *object = object_copy_of(attributes, count);
    if (!object)
        return SCA_NOMEM;
    object->number = number;
    object->is_private = is_private;
    object->handle = make_handle(snapshot->slot_id, number);
    objects[snapshot->count++] = object;
    return SCA_OK;
}

enum sca_status snapshot_new(struct token *token, struct snapshot **ret_snapshot)
{
    AUTO(snapshot_unrefp) struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
    if (!snapshot)
        return SCA_NOMEM;
    snapshot->sink.add = add_object;
    snapshot->slot_id = token->slot_id;
    atomic_init(&snapshot->refs, 1);

    enum sca_status st = token->ops->list(token, &snapshot->sink);
    if (st != SCA_OK)
        return st;
    if (snapshot->count)
        qsort(snapshot->objects, snapshot->count, sizeof(*snapshot->objects), compare_objects);
    *ret_snapshot = TAKE(snapshot);
    return SCA_OK;
}

struct snapshot *snapshot_ref(struct snapshot *snapshot)
{
    atomic_fetch_add(&snapshot->refs, 1);
    return snapshot;
}

void snapshot_unref(struct snapshot *snapshot)
{
    if (!snapshot || atomic_fetch_sub(&snapshot->refs, 1) != 1)
        return;
    for (size_t i = 0; i < snapshot->count; i++)
        free(snapshot->objects[i]);
    free(snapshot->objects);
    free(snapshot);
}

void snapshot_unrefp(struct snapshot **snapshot)
{
    snapshot_unref(*snapshot);
    *snapshot = NULL;
}

const struct object *snapshot_find(const struct snapshot *snapshot, CK_OBJECT_HANDLE handle)
{
    size_t low = 0;
    size_t high = snapshot->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (snapshot->objects[middle]->handle < handle)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == snapshot->count || snapshot->objects[low]->handle != handle)
        return NULL;
    return snapshot->objects[low];
}

const CK_ATTRIBUTE *object_attribute(const struct object *object, CK_ATTRIBUTE_TYPE type)
{
    const CK_ATTRIBUTE wanted = {.type = type};
    if (object->count == 0)
        return NULL;
    return bsearch(&wanted, object->attributes, object->count, sizeof(wanted), compare_attributes);
}

CK_ULONG object_ulong(const struct object *object, CK_ATTRIBUTE_TYPE type, CK_ULONG otherwise)
{
    const CK_ATTRIBUTE *attribute = object_attribute(object, type);
    if (!attribute || attribute->ulValueLen != sizeof(CK_ULONG))
        return otherwise;
    CK_ULONG value = 0;
    memcpy(&value, attribute->pValue, sizeof(value));
    return value;
}

bool object_bool(const struct object *object, CK_ATTRIBUTE_TYPE type)
{
    const CK_ATTRIBUTE *attribute = object_attribute(object, type);
    return attribute && attribute->ulValueLen == sizeof(CK_BBOOL) &&
           *(const CK_BBOOL *)attribute->pValue == CK_TRUE;
}
