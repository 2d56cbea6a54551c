/* SPDX-License-Identifier: Apache-2.0 */
#include "module/token/object.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

static int compare_attributes(const void *a, const void *b)
{
    const CK_ATTRIBUTE *left = a;
    const CK_ATTRIBUTE *right = b;
    return left->type < right->type ? -1 : left->type > right->type;
}

struct object *object_new(const CK_ATTRIBUTE *attributes, CK_ULONG count, bool is_private)
{
    size_t values = 0;
    for (CK_ULONG i = 0; i < count; i++)
        values += attributes[i].ulValueLen;
    struct object *object = malloc(sizeof(*object) + count * sizeof(CK_ATTRIBUTE) + values);
    if (!object)
        return NULL;

    *object = (struct object){
        .is_private = is_private,
        .attributes = (CK_ATTRIBUTE *)(object + 1),
        .count = count,
    };
    atomic_init(&object->refs, 1);
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

struct object *object_ref(struct object *object)
{
    atomic_fetch_add_explicit(&object->refs, 1, memory_order_relaxed);
    return object;
}

void object_unref(struct object *object)
{
    if (!object || atomic_fetch_sub(&object->refs, 1) != 1)
        return;
    EVP_PKEY_free(object->key);
    free(object);
}

void object_unrefp(struct object **object)
{
    object_unref(*object);
    *object = NULL;
}

const CK_ATTRIBUTE *object_attribute(const struct object *object, CK_ATTRIBUTE_TYPE type)
{
    CK_ULONG low = 0;
    CK_ULONG high = object->count;
    while (low < high) {
        CK_ULONG middle = low + (high - low) / 2;
        if (object->attributes[middle].type < type)
            low = middle + 1;
        else
            high = middle;
    }
    bool is_there = low < object->count && object->attributes[low].type == type;
    return is_there ? &object->attributes[low] : NULL;
}

bool object_matches(const struct object *object, const CK_ATTRIBUTE *template, CK_ULONG count)
{
    for (CK_ULONG i = 0; i < count; i++) {
        /* An attribute that the object lacks, or an unknown one, is no match and no error. */
        const CK_ATTRIBUTE *have = object_attribute(object, template[i].type);
        if (!have || have->ulValueLen != template[i].ulValueLen)
            return false;
        if (have->ulValueLen && (!template[i].pValue ||
                                 memcmp(have->pValue, template[i].pValue, have->ulValueLen) != 0))
            return false;
    }
    return true;
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
