/* SPDX-License-Identifier: Apache-2.0 */
#include "module/token/object_index.h"

#include <stdlib.h>

#include "remote/base/cleanup.h"

/* The most telling first: of several in a template the first of these is followed. */
static const CK_ATTRIBUTE_TYPE indexed[] = {
    CKA_UNIQUE_ID, CKA_ID, CKA_SERIAL_NUMBER, CKA_SUBJECT, CKA_LABEL, CKA_CLASS,
};

enum { NONE = INT32_MAX };

struct entry {
    uint32_t hash;
    uint32_t number; /* of the object */
    uint32_t next;   /* entry of the same bucket, NONE at the end */
};

struct object_index {
    uint32_t *buckets;
    uint32_t mask;
    uint32_t used;
    struct entry entries[];
};

/* FNV-1a over type and value: spreads what is not made by an enemy; one only slows his own find. */
static uint32_t hash_attribute(CK_ATTRIBUTE_TYPE type, const void *value, CK_ULONG len)
{
    const unsigned char *bytes = value;
    uint32_t hash = (2166136261U ^ (uint32_t)type) * 16777619U;
    for (CK_ULONG i = 0; i < len; i++)
        hash = (hash ^ bytes[i]) * 16777619U;
    return hash;
}

static void add(struct object_index *index, const CK_ATTRIBUTE *attribute, uint32_t number)
{
    uint32_t hash = hash_attribute(attribute->type, attribute->pValue, attribute->ulValueLen);
    uint32_t *bucket = &index->buckets[hash & index->mask];
    index->entries[index->used] = (struct entry){hash, number, *bucket};
    *bucket = index->used++;
}

static uint32_t bucket_count(size_t entries)
{
    uint32_t count = 16;
    while (count < entries)
        count *= 2;
    return count;
}

struct object_index *object_index_new(struct object *const *objects, size_t count)
{
    if (count > NONE / 4 / ARRAY_LEN(indexed))
        return NULL;
    size_t room = count * ARRAY_LEN(indexed);
    uint32_t buckets = bucket_count(room);
    struct object_index *index = malloc(sizeof(*index) + room * sizeof(struct entry));
    if (!index)
        return NULL;
    *index = (struct object_index){.mask = buckets - 1};
    index->buckets = malloc(buckets * sizeof(uint32_t));
    if (!index->buckets) {
        free(index);
        return NULL;
    }
    for (uint32_t i = 0; i < buckets; i++)
        index->buckets[i] = NONE;

    /* Backwards, because each goes in front: a walk follows the order of the objects. */
    for (size_t i = count; i-- > 0;) {
        for (size_t j = 0; j < ARRAY_LEN(indexed); j++) {
            const CK_ATTRIBUTE *attribute = object_attribute(objects[i], indexed[j]);
            if (attribute)
                add(index, attribute, (uint32_t)i);
        }
    }
    return index;
}

void object_index_free(struct object_index *index)
{
    if (index)
        free(index->buckets);
    free(index);
}

bool object_walk_begin(const struct object_index *index, const CK_ATTRIBUTE *template,
                       CK_ULONG count, struct object_walk *ret_walk)
{
    for (size_t j = 0; j < ARRAY_LEN(indexed); j++) {
        for (CK_ULONG i = 0; i < count; i++) {
            if (template[i].type != indexed[j] || (!template[i].pValue && template[i].ulValueLen))
                continue;
            uint32_t hash = hash_attribute(indexed[j], template[i].pValue, template[i].ulValueLen);
            *ret_walk = (struct object_walk){index, index->buckets[hash & index->mask], hash};
            return true;
        }
    }
    return false;
}

bool object_walk_next(struct object_walk *walk, size_t *ret_number)
{
    while (walk->next != NONE) {
        const struct entry *entry = &walk->index->entries[walk->next];
        walk->next = entry->next;
        if (entry->hash == walk->hash) {
            *ret_number = entry->number;
            return true;
        }
    }
    return false;
}
