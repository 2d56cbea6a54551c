/* SPDX-License-Identifier: Apache-2.0 */
/* What a template may say of an object, and what holds where it says nothing. */
#include "module/token/blueprint_parts.h"
#include "module/token/failure.h"
#include "remote/base/cleanup.h"

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

/* What may be given, but not with that value. */
static CK_RV check_value(const CK_ATTRIBUTE *attribute)
{
    bool is_true = attribute->ulValueLen == sizeof(CK_BBOOL) &&
                   *(const CK_BBOOL *)attribute->pValue == CK_TRUE;
    if (attribute->type == CKA_TRUSTED && is_true)
        return failure(CKR_ATTRIBUTE_READ_ONLY, "this token makes nothing CKA_TRUSTED");
    if (attribute->type == CKA_ALWAYS_AUTHENTICATE && is_true)
        return failure(CKR_ATTRIBUTE_VALUE_INVALID,
                       "keys of this token cannot ask for the PIN each time");
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

static bool is_contradicted(const CK_ATTRIBUTE *template, CK_ULONG count,
                            const CK_ATTRIBUTE *attribute)
{
    for (CK_ULONG i = 0; i < count; i++)
        if (template[i].type == attribute->type && !is_same(&template[i], attribute))
            return true;
    return false;
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
        if (is_contradicted(template, i, &template[i]))
            return CKR_TEMPLATE_INCONSISTENT;
        CK_RV rv = take_one(blueprint, rule, &template[i]);
        if (rv != CKR_OK)
            return rv;
    }
    return CKR_OK;
}

/* What holds where the template says nothing. */
static const struct {
    CK_ATTRIBUTE_TYPE type;
    unsigned kinds; /* set of enum object_kind */
    enum { IS_FALSE, IS_TRUE, IS_EMPTY } value;
} defaults[] = {
    {CKA_TOKEN, KIND_ANY, IS_FALSE},
    {CKA_PRIVATE, KIND_PRIVATE, IS_TRUE},
    {CKA_PRIVATE, KIND_ANY & ~KIND_PRIVATE, IS_FALSE},
    {CKA_MODIFIABLE, KIND_ANY, IS_TRUE},
    {CKA_COPYABLE, KIND_ANY, IS_TRUE},
    {CKA_DESTROYABLE, KIND_ANY, IS_TRUE},
    {CKA_LABEL, KIND_ANY, IS_EMPTY},
    {CKA_APPLICATION, KIND_DATA, IS_EMPTY},
    {CKA_OBJECT_ID, KIND_DATA, IS_EMPTY},
    {CKA_VALUE, KIND_DATA, IS_EMPTY},
    {CKA_URL, KIND_CERTIFICATE, IS_EMPTY},
    {CKA_SUBJECT, KIND_CERTIFICATE | KIND_KEY, IS_EMPTY},
    {CKA_START_DATE, KIND_CERTIFICATE | KIND_KEY, IS_EMPTY},
    {CKA_END_DATE, KIND_CERTIFICATE | KIND_KEY, IS_EMPTY},
    {CKA_TRUSTED, KIND_CERTIFICATE | KIND_PUBLIC, IS_FALSE},
    {CKA_DERIVE, KIND_KEY, IS_FALSE},
    {CKA_ENCRYPT, KIND_PUBLIC, IS_FALSE},
    {CKA_WRAP, KIND_PUBLIC, IS_FALSE},
    {CKA_VERIFY, KIND_PUBLIC, IS_TRUE},
    {CKA_VERIFY_RECOVER, KIND_PUBLIC, IS_FALSE},
    {CKA_DECRYPT, KIND_PRIVATE, IS_FALSE},
    {CKA_UNWRAP, KIND_PRIVATE, IS_FALSE},
    {CKA_SENSITIVE, KIND_PRIVATE, IS_TRUE},
    {CKA_EXTRACTABLE, KIND_PRIVATE, IS_FALSE},
    {CKA_SIGN, KIND_PRIVATE, IS_TRUE},
    {CKA_SIGN_RECOVER, KIND_PRIVATE, IS_FALSE},
    {CKA_WRAP_WITH_TRUSTED, KIND_PRIVATE, IS_FALSE},
    {CKA_ALWAYS_AUTHENTICATE, KIND_PRIVATE, IS_FALSE},
};

void blueprint_complete(struct blueprint *blueprint, unsigned kind)
{
    for (size_t i = 0; i < ARRAY_LEN(defaults); i++) {
        if (!(defaults[i].kinds & kind))
            continue;
        if (defaults[i].value == IS_EMPTY)
            blueprint_default(blueprint, defaults[i].type, span_of(NULL, 0));
        else
            blueprint_default_bool(blueprint, defaults[i].type, defaults[i].value == IS_TRUE);
    }
    blueprint->is_token = blueprint_says(blueprint, CKA_TOKEN);
    blueprint->is_private = blueprint_says(blueprint, CKA_PRIVATE);
}

CK_RV blueprint_check_place(const struct blueprint *blueprint, unsigned kind)
{
    if ((kind & KIND_PRIVATE) && blueprint->is_token && !blueprint->is_private)
        return failure(CKR_TEMPLATE_INCONSISTENT,
                       "a private key on the token has CKA_PRIVATE true");
    return CKR_OK;
}
