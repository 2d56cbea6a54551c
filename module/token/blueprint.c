/* SPDX-License-Identifier: Apache-2.0 */
#include "module/token/blueprint.h"

#include <string.h>

#include <openssl/evp.h>

#include "module/token/blueprint_parts.h"
#include "module/token/key_material.h"
#include "remote/base/cleanup.h"

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
    EVP_PKEY_free(blueprint->key);
    blueprint_init(blueprint);
}

CK_RV template_check(const CK_ATTRIBUTE *template, CK_ULONG count)
{
    if (!template && count)
        return CKR_ARGUMENTS_BAD;
    if (count > ATTRIBUTES_MAX)
        return CKR_TEMPLATE_INCONSISTENT; /* no object has that many */
    for (CK_ULONG i = 0; i < count; i++)
        if (template[i].ulValueLen == CK_UNAVAILABLE_INFORMATION ||
            (!template[i].pValue && template[i].ulValueLen))
            return CKR_ATTRIBUTE_VALUE_INVALID;
    return CKR_OK;
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

static CK_ATTRIBUTE *find(struct blueprint *blueprint, CK_ATTRIBUTE_TYPE type)
{
    for (CK_ULONG i = 0; i < blueprint->attributes.count; i++)
        if (blueprint->attributes.list[i].type == type)
            return &blueprint->attributes.list[i];
    return NULL;
}

const CK_ATTRIBUTE *blueprint_get(const struct blueprint *blueprint, CK_ATTRIBUTE_TYPE type)
{
    for (CK_ULONG i = 0; i < blueprint->attributes.count; i++)
        if (blueprint->attributes.list[i].type == type)
            return &blueprint->attributes.list[i];
    return NULL;
}

bool blueprint_says(const struct blueprint *blueprint, CK_ATTRIBUTE_TYPE type)
{
    const CK_ATTRIBUTE *attribute = blueprint_get(blueprint, type);
    return attribute && *(const CK_BBOOL *)attribute->pValue == CK_TRUE;
}

void blueprint_set(struct blueprint *blueprint, CK_ATTRIBUTE_TYPE type, struct span value)
{
    CK_ATTRIBUTE *there = find(blueprint, type);
    if (!there) {
        attributes_add(&blueprint->attributes, type, value);
        return;
    }
    there->pValue = (void *)(uintptr_t)value.ptr;
    there->ulValueLen = value.len;
}

void blueprint_set_bool(struct blueprint *blueprint, CK_ATTRIBUTE_TYPE type, bool value)
{
    static const CK_BBOOL values[] = {CK_FALSE, CK_TRUE};
    blueprint_set(blueprint, type, span_of(&values[value], sizeof(values[value])));
}

void blueprint_set_ulong(struct blueprint *blueprint, CK_ATTRIBUTE_TYPE type, CK_ULONG value)
{
    CK_ATTRIBUTE *there = find(blueprint, type);
    if (!there) {
        attributes_add_number(&blueprint->attributes, type, value);
        return;
    }
    size_t place = (size_t)(there - blueprint->attributes.list);
    blueprint->attributes.numbers[place] = value;
    there->pValue = &blueprint->attributes.numbers[place];
    there->ulValueLen = sizeof(value);
}

void blueprint_default(struct blueprint *blueprint, CK_ATTRIBUTE_TYPE type, struct span value)
{
    if (!find(blueprint, type))
        blueprint_set(blueprint, type, value);
}

void blueprint_default_bool(struct blueprint *blueprint, CK_ATTRIBUTE_TYPE type, bool value)
{
    if (!find(blueprint, type))
        blueprint_set_bool(blueprint, type, value);
}

struct buf *blueprint_part(struct blueprint *blueprint)
{
    struct buf *part = &blueprint->parts[blueprint->part_count++];
    buf_init(part, PART_MAX, false);
    return part;
}

/* What may be given, but not with that value. */
static CK_RV check_value(const CK_ATTRIBUTE *attribute)
{
    bool is_true = attribute->ulValueLen == sizeof(CK_BBOOL) &&
                   *(const CK_BBOOL *)attribute->pValue == CK_TRUE;
    if (attribute->type == CKA_TRUSTED && is_true)
        return CKR_ATTRIBUTE_READ_ONLY; /* only the SO of a token that trusts could say so */
    if (attribute->type == CKA_ALWAYS_AUTHENTICATE && is_true)
        return CKR_ATTRIBUTE_VALUE_INVALID;
    return CKR_OK;
}

static bool is_same(const CK_ATTRIBUTE *a, const CK_ATTRIBUTE *b)
{
    return span_equal(span_of(a->pValue, a->ulValueLen), span_of(b->pValue, b->ulValueLen));
}

static CK_RV take_one(struct blueprint *blueprint, const struct attribute_rule *rule,
                      const CK_ATTRIBUTE *attribute)
{
    CK_RV rv = check_value(attribute);
    if (rv != CKR_OK || rule->is_secret)
        return rv;
    if (attribute_is_unused(attribute->type))
        blueprint_set_bool(blueprint, attribute->type, false);
    else
        blueprint_set(blueprint, attribute->type,
                      span_of(attribute->pValue, attribute->ulValueLen));
    return CKR_OK;
}

CK_RV blueprint_take(struct blueprint *blueprint, unsigned kind, enum attribute_moment moment,
                     const CK_ATTRIBUTE *template, CK_ULONG count)
{
    for (CK_ULONG i = 0; i < count; i++) {
        const struct attribute_rule *rule = attribute_rule_find(template[i].type, kind);
        if (!rule)
            return CKR_ATTRIBUTE_TYPE_INVALID;
        if (!(rule->moments & moment))
            return CKR_ATTRIBUTE_READ_ONLY;
        if (!attribute_rule_fits(rule, &template[i]))
            return CKR_ATTRIBUTE_VALUE_INVALID;
        for (CK_ULONG k = 0; k < i; k++)
            if (template[k].type == template[i].type && !is_same(&template[k], &template[i]))
                return CKR_TEMPLATE_INCONSISTENT;
        CK_RV rv = take_one(blueprint, rule, &template[i]);
        if (rv != CKR_OK)
            return rv;
    }
    return CKR_OK;
}

void blueprint_complete(struct blueprint *blueprint, unsigned kind)
{
    static const CK_ATTRIBUTE_TYPE usages[] = {CKA_ENCRYPT, CKA_WRAP,   CKA_DECRYPT,
                                               CKA_UNWRAP,  CKA_DERIVE, CKA_WRAP_WITH_TRUSTED};
    blueprint_default_bool(blueprint, CKA_TOKEN, false);
    blueprint_default_bool(blueprint, CKA_PRIVATE, kind & KIND_PRIVATE);
    blueprint_default_bool(blueprint, CKA_MODIFIABLE, true);
    blueprint_default_bool(blueprint, CKA_COPYABLE, true);
    blueprint_default_bool(blueprint, CKA_DESTROYABLE, true);
    blueprint_default(blueprint, CKA_LABEL, span_of(NULL, 0));
    for (size_t i = 0; i < ARRAY_LEN(usages); i++)
        if (attribute_rule_find(usages[i], kind))
            blueprint_set_bool(blueprint, usages[i], false);
    static const CK_ATTRIBUTE_TYPE empties[] = {CKA_APPLICATION, CKA_OBJECT_ID, CKA_SUBJECT,
                                                CKA_START_DATE, CKA_END_DATE};
    for (size_t i = 0; i < ARRAY_LEN(empties); i++)
        if (attribute_rule_find(empties[i], kind))
            blueprint_default(blueprint, empties[i], span_of(NULL, 0));
    if (kind & KIND_DATA)
        blueprint_default(blueprint, CKA_VALUE, span_of(NULL, 0));
    if (kind & KIND_PUBLIC) {
        blueprint_default_bool(blueprint, CKA_VERIFY, true);
        blueprint_default_bool(blueprint, CKA_VERIFY_RECOVER, false);
        blueprint_default_bool(blueprint, CKA_TRUSTED, false);
    }
    if (kind & KIND_PRIVATE) {
        blueprint_default_bool(blueprint, CKA_SENSITIVE, true);
        blueprint_default_bool(blueprint, CKA_EXTRACTABLE, false);
        blueprint_default_bool(blueprint, CKA_SIGN, true);
        blueprint_default_bool(blueprint, CKA_SIGN_RECOVER, false);
        blueprint_default_bool(blueprint, CKA_ALWAYS_AUTHENTICATE, false);
    }
    blueprint->is_token = blueprint_says(blueprint, CKA_TOKEN);
    blueprint->is_private = blueprint_says(blueprint, CKA_PRIVATE);
}

/* Public parts of the key into the blueprint; what the template gave must be the same. */
static CK_RV add_part(struct blueprint *blueprint, CK_ATTRIBUTE_TYPE type, const EVP_PKEY *key)
{
    struct buf *part = blueprint_part(blueprint);
    enum sca_status st = key_public_part(key, type, part);
    if (st == SCA_NOT_FOUND)
        return CKR_OK; /* not of this kind of key */
    if (st != SCA_OK)
        return st == SCA_NOMEM ? CKR_HOST_MEMORY : CKR_FUNCTION_FAILED;
    blueprint_set(blueprint, type, buf_span(part));
    return CKR_OK;
}

CK_RV blueprint_add_key(struct blueprint *blueprint, unsigned kind, const EVP_PKEY *key)
{
    static const CK_ATTRIBUTE_TYPE parts[] = {CKA_PUBLIC_KEY_INFO, CKA_MODULUS, CKA_PUBLIC_EXPONENT,
                                              CKA_EC_POINT};
    CK_RV rv = CKR_OK;
    for (size_t i = 0; rv == CKR_OK && i < ARRAY_LEN(parts); i++)
        rv = add_part(blueprint, parts[i], key);
    if (rv != CKR_OK)
        return rv;
    if (kind & KIND_PUBLIC_RSA)
        blueprint_set_ulong(blueprint, CKA_MODULUS_BITS, (CK_ULONG)EVP_PKEY_get_bits(key));
    const struct curve *curve = key_curve(key);
    if (curve)
        blueprint_set(blueprint, CKA_EC_PARAMS, curve->oid);

    const CK_ATTRIBUTE *spki = blueprint_get(blueprint, CKA_PUBLIC_KEY_INFO);
    const CK_ATTRIBUTE *id = blueprint_get(blueprint, CKA_ID);
    if (id && id->ulValueLen)
        return CKR_OK;
    struct buf *own = blueprint_part(blueprint);
    if (key_id(span_of(spki->pValue, spki->ulValueLen), own) != SCA_OK)
        return CKR_HOST_MEMORY;
    blueprint_set(blueprint, CKA_ID, buf_span(own));
    return CKR_OK;
}

void blueprint_add_origin(struct blueprint *blueprint, unsigned kind, CK_MECHANISM_TYPE mechanism)
{
    bool is_local = mechanism != CK_UNAVAILABLE_INFORMATION;
    blueprint_set_bool(blueprint, CKA_LOCAL, is_local);
    blueprint_set_ulong(blueprint, CKA_KEY_GEN_MECHANISM, mechanism);
    if (!(kind & KIND_PRIVATE))
        return;
    blueprint_set_bool(blueprint, CKA_ALWAYS_SENSITIVE,
                       is_local && blueprint_says(blueprint, CKA_SENSITIVE));
    blueprint_set_bool(blueprint, CKA_NEVER_EXTRACTABLE,
                       is_local && !blueprint_says(blueprint, CKA_EXTRACTABLE));
}
