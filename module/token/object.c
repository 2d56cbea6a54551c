/* SPDX-License-Identifier: Apache-2.0 */
#include "module/token/object.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "remote/base/crypto.h"

static int compare_attributes(const void *a, const void *b)
{
    const CK_ATTRIBUTE *left = a;
    const CK_ATTRIBUTE *right = b;
    return left->type < right->type ? -1 : left->type > right->type;
}

/*
 * A certificate's subject, issuer, serial number and key are in its value already: kept there, they
 * take no room of their own. NULL for what is not, or not worth a search.
 */
static const unsigned char *find_inside(const CK_ATTRIBUTE *whole, const CK_ATTRIBUTE *part)
{
    enum { WORTH_IT = 16 };
    if (!whole || whole == part || part->ulValueLen < WORTH_IT)
        return NULL;
    return memmem(whole->pValue, whole->ulValueLen, part->pValue, part->ulValueLen);
}

/* The value that others may lie in: only a certificate has one. */
static const CK_ATTRIBUTE *find_whole(const CK_ATTRIBUTE *attributes, CK_ULONG count)
{
    const CK_ATTRIBUTE *value = NULL;
    bool is_certificate = false;
    for (CK_ULONG i = 0; i < count; i++) {
        if (attributes[i].type == CKA_VALUE)
            value = &attributes[i];
        if (attributes[i].type == CKA_CERTIFICATE_TYPE)
            is_certificate = true;
    }
    return is_certificate ? value : NULL;
}

/* Behind the attributes, the whole one first. */
static void copy_values(struct object *object, const CK_ATTRIBUTE *attributes,
                        const CK_ATTRIBUTE *whole)
{
    unsigned char *start = (unsigned char *)(object->attributes + object->count);
    unsigned char *value = start;
    if (whole && whole->ulValueLen) {
        memcpy(value, whole->pValue, whole->ulValueLen);
        value += whole->ulValueLen;
    }
    for (CK_ULONG i = 0; i < object->count; i++) {
        const unsigned char *inside = find_inside(whole, &attributes[i]);
        object->attributes[i] = attributes[i];
        if (&attributes[i] == whole) {
            object->attributes[i].pValue = start;
        } else if (inside) {
            object->attributes[i].pValue = start + (inside - (const unsigned char *)whole->pValue);
        } else {
            object->attributes[i].pValue = value;
            if (attributes[i].ulValueLen)
                memcpy(value, attributes[i].pValue, attributes[i].ulValueLen);
            value += attributes[i].ulValueLen;
        }
    }
}

struct object *object_new(const CK_ATTRIBUTE *attributes, CK_ULONG count, bool is_private)
{
    const CK_ATTRIBUTE *whole = find_whole(attributes, count);
    size_t values = 0;
    for (CK_ULONG i = 0; i < count; i++)
        values += find_inside(whole, &attributes[i]) ? 0 : attributes[i].ulValueLen;
    struct object *object = malloc(sizeof(*object) + count * sizeof(CK_ATTRIBUTE) + values);
    if (!object)
        return NULL;

    *object = (struct object){
        .is_private = is_private,
        .attributes = (CK_ATTRIBUTE *)(object + 1),
        .count = count,
    };
    atomic_init(&object->refs, 1);
    copy_values(object, attributes, whole);
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
    crypto_pkey_free(object->key);
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
