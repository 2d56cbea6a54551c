/* SPDX-License-Identifier: Apache-2.0 */
#include "module/token/blueprint.h"

#include <openssl/evp.h>

#include "module/token/blueprint_parts.h"
#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"

enum { PART_MAX = 64 * 1024 };

void blueprint_init(struct blueprint *blueprint)
{
    blueprint->attributes.count = 0;
    blueprint->attributes.date_count = 0;
    blueprint->part_count = 0;
    blueprint->key = NULL;
    blueprint->is_token = false;
    blueprint->is_private = false;
}

void blueprint_fini(struct blueprint *blueprint)
{
    for (size_t i = 0; i < blueprint->part_count; i++)
        buf_fini(&blueprint->parts[i]);
    crypto_pkey_free(blueprint->key);
    blueprint_init(blueprint);
}

unsigned blueprint_kind(CK_OBJECT_CLASS class, CK_KEY_TYPE type)
{
    static const struct {
        CK_OBJECT_CLASS class;
        CK_KEY_TYPE type;
        enum object_kind kind;
    } kinds[] = {
        {CKO_PUBLIC_KEY, CKK_RSA, KIND_PUBLIC_RSA},
        {CKO_PUBLIC_KEY, CKK_EC, KIND_PUBLIC_EC},
        {CKO_PUBLIC_KEY, CKK_EC_EDWARDS, KIND_PUBLIC_ED},
        {CKO_PRIVATE_KEY, CKK_RSA, KIND_PRIVATE_RSA},
        {CKO_PRIVATE_KEY, CKK_EC, KIND_PRIVATE_EC},
        {CKO_PRIVATE_KEY, CKK_EC_EDWARDS, KIND_PRIVATE_ED},
    };
    if (class == CKO_DATA)
        return KIND_DATA;
    if (class == CKO_CERTIFICATE)
        return KIND_CERTIFICATE;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (kinds[i].class == class && kinds[i].type == type)
            return kinds[i].kind;
    return 0;
}

/* Where it is in the list; the count if it is not there. */
static CK_ULONG place_of(const struct blueprint *blueprint, CK_ATTRIBUTE_TYPE type)
{
    CK_ULONG i = 0;
    while (i < blueprint->attributes.count && blueprint->attributes.list[i].type != type)
        i++;
    return i;
}

const CK_ATTRIBUTE *blueprint_get(const struct blueprint *blueprint, CK_ATTRIBUTE_TYPE type)
{
    CK_ULONG place = place_of(blueprint, type);
    return place < blueprint->attributes.count ? &blueprint->attributes.list[place] : NULL;
}

bool blueprint_says(const struct blueprint *blueprint, CK_ATTRIBUTE_TYPE type)
{
    const CK_ATTRIBUTE *attribute = blueprint_get(blueprint, type);
    return attribute && *(const CK_BBOOL *)attribute->pValue == CK_TRUE;
}

void blueprint_set(struct blueprint *blueprint, CK_ATTRIBUTE_TYPE type, struct span value)
{
    CK_ULONG place = place_of(blueprint, type);
    if (place == blueprint->attributes.count) {
        attributes_add(&blueprint->attributes, type, value);
        return;
    }
    blueprint->attributes.list[place] =
        (CK_ATTRIBUTE){type, (void *)(uintptr_t)value.ptr, value.len};
}

void blueprint_set_bool(struct blueprint *blueprint, CK_ATTRIBUTE_TYPE type, bool value)
{
    static const CK_BBOOL values[] = {CK_FALSE, CK_TRUE};
    blueprint_set(blueprint, type, span_of(&values[value], sizeof(values[value])));
}

void blueprint_set_ulong(struct blueprint *blueprint, CK_ATTRIBUTE_TYPE type, CK_ULONG value)
{
    CK_ULONG place = place_of(blueprint, type);
    if (place == blueprint->attributes.count) {
        attributes_add_number(&blueprint->attributes, type, value);
        return;
    }
    CK_ULONG *kept = &blueprint->attributes.numbers[place];
    *kept = value;
    blueprint->attributes.list[place] = (CK_ATTRIBUTE){type, kept, sizeof(*kept)};
}

void blueprint_default(struct blueprint *blueprint, CK_ATTRIBUTE_TYPE type, struct span value)
{
    if (!blueprint_get(blueprint, type))
        blueprint_set(blueprint, type, value);
}

void blueprint_default_bool(struct blueprint *blueprint, CK_ATTRIBUTE_TYPE type, bool value)
{
    if (!blueprint_get(blueprint, type))
        blueprint_set_bool(blueprint, type, value);
}

struct buf *blueprint_part(struct blueprint *blueprint)
{
    struct buf *part = &blueprint->parts[blueprint->part_count++];
    buf_init(part, PART_MAX, false);
    return part;
}
