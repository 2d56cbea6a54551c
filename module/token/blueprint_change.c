/* SPDX-License-Identifier: Apache-2.0 */
/* C_CopyObject and C_SetAttributeValue: an object again, with differences. */
#include "module/token/blueprint_parts.h"
#include "module/token/failure.h"
#include "remote/base/cleanup.h"

/* Attributes that go one way only (2.40 footnotes 11 and 12, and its section 4.4). */
static const struct {
    CK_ATTRIBUTE_TYPE type;
    bool stays; /* the value that is never left again */
} latches[] = {
    {CKA_SENSITIVE, true},
    {CKA_EXTRACTABLE, false},
    {CKA_COPYABLE, false},
    {CKA_WRAP_WITH_TRUSTED, true},
};

static bool is_unlatched(const struct object *original, const struct blueprint *blueprint)
{
    for (size_t i = 0; i < ARRAY_LEN(latches); i++)
        if (object_attribute(original, latches[i].type) &&
            object_bool(original, latches[i].type) == latches[i].stays &&
            blueprint_says(blueprint, latches[i].type) != latches[i].stays)
            return true;
    return false;
}

/* The attributes of the table: no others come into being here, and there is room for them all. */
static void take_original(struct blueprint *blueprint, unsigned kind, const struct object *original)
{
    for (CK_ULONG i = 0; i < original->count; i++) {
        const CK_ATTRIBUTE *attribute = &original->attributes[i];
        const struct attribute_rule *rule = attribute_rule_find(attribute->type, kind);
        /* A file that somebody has made up may hold any length. */
        if (attribute->type != CKA_UNIQUE_ID && rule && attribute_rule_fits(rule, attribute))
            blueprint_set(blueprint, attribute->type,
                          span_of(attribute->pValue, attribute->ulValueLen));
    }
}

static CK_RV check_place(unsigned kind, const struct object *original,
                         const struct blueprint *blueprint)
{
    if (original->is_private && !blueprint->is_private)
        return failure(CKR_TEMPLATE_INCONSISTENT, "what is private stays private");
    return blueprint_check_place(blueprint, kind);
}

static CK_RV edit(const struct object *original, enum attribute_moment moment,
                  const CK_ATTRIBUTE *template, CK_ULONG count, struct blueprint *ret_blueprint)
{
    unsigned kind = blueprint_kind(
        original->class, object_ulong(original, CKA_KEY_TYPE, CK_UNAVAILABLE_INFORMATION));
    if (!kind)
        return CKR_ACTION_PROHIBITED; /* one of the module's own objects */
    take_original(ret_blueprint, kind, original);
    CK_RV rv = blueprint_take(ret_blueprint, kind, moment, template, count);
    if (rv != CKR_OK)
        return rv;
    if (is_unlatched(original, ret_blueprint))
        return CKR_ATTRIBUTE_READ_ONLY;
    ret_blueprint->is_token = blueprint_says(ret_blueprint, CKA_TOKEN);
    ret_blueprint->is_private = blueprint_says(ret_blueprint, CKA_PRIVATE);
    rv = check_place(kind, original, ret_blueprint);
    /* CKA_ISSUER and CKA_SERIAL_NUMBER may be given again, but the certificate says what they are.
     */
    return rv == CKR_OK && kind == KIND_CERTIFICATE ? blueprint_add_certificate(ret_blueprint) : rv;
}

CK_RV blueprint_copy(const struct object *original, const CK_ATTRIBUTE *template, CK_ULONG count,
                     struct blueprint *ret_blueprint)
{
    if (!object_bool(original, CKA_COPYABLE))
        return CKR_ACTION_PROHIBITED;
    return edit(original, AT_COPY, template, count, ret_blueprint);
}

CK_RV blueprint_change(const struct object *original, const CK_ATTRIBUTE *template, CK_ULONG count,
                       struct blueprint *ret_blueprint)
{
    if (!object_bool(original, CKA_MODIFIABLE))
        return CKR_ATTRIBUTE_READ_ONLY;
    return edit(original, AT_CHANGE, template, count, ret_blueprint);
}
