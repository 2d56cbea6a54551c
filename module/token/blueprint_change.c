/* SPDX-License-Identifier: Apache-2.0 */
/* C_CopyObject and C_SetAttributeValue: an object again, with differences. */
#include <string.h>

#include "module/token/blueprint_parts.h"
#include "remote/base/cleanup.h"

/* Attributes that go one way only (2.40 footnotes 11 and 12, 3.0 section 4.4). */
static const struct {
    CK_ATTRIBUTE_TYPE type;
    CK_BBOOL stays; /* the value that is never left again */
} latches[] = {
    {CKA_SENSITIVE, CK_TRUE},
    {CKA_EXTRACTABLE, CK_FALSE},
    {CKA_COPYABLE, CK_FALSE},
    {CKA_WRAP_WITH_TRUSTED, CK_TRUE},
};

static CK_RV check_latches(const struct object *original, const CK_ATTRIBUTE *template,
                           CK_ULONG count)
{
    for (CK_ULONG i = 0; i < count; i++) {
        for (size_t k = 0; k < ARRAY_LEN(latches); k++) {
            if (template[i].type != latches[k].type || template[i].ulValueLen != sizeof(CK_BBOOL))
                continue;
            CK_BBOOL now = object_bool(original, latches[k].type);
            if (now == latches[k].stays && *(const CK_BBOOL *)template[i].pValue != now)
                return CKR_ATTRIBUTE_READ_ONLY;
        }
    }
    return CKR_OK;
}

static CK_RV edit(const struct object *original, enum attribute_moment moment,
                  const CK_ATTRIBUTE *template, CK_ULONG count, struct blueprint *ret_blueprint)
{
    unsigned kind = blueprint_kind(
        original->class, object_ulong(original, CKA_KEY_TYPE, CK_UNAVAILABLE_INFORMATION));
    if (!kind)
        return CKR_ACTION_PROHIBITED; /* one of the module's own objects */
    for (CK_ULONG i = 0; i < original->count; i++)
        if (original->attributes[i].type != CKA_UNIQUE_ID)
            blueprint_set(
                ret_blueprint, original->attributes[i].type,
                span_of(original->attributes[i].pValue, original->attributes[i].ulValueLen));
    CK_RV rv = check_latches(original, template, count);
    if (rv == CKR_OK)
        rv = blueprint_take(ret_blueprint, kind, moment, template, count);
    if (rv != CKR_OK)
        return rv;
    ret_blueprint->is_token = blueprint_says(ret_blueprint, CKA_TOKEN);
    ret_blueprint->is_private = blueprint_says(ret_blueprint, CKA_PRIVATE);
    bool is_exposed = original->is_private && !ret_blueprint->is_private;
    bool is_open_key =
        (kind & KIND_PRIVATE) && ret_blueprint->is_token && !ret_blueprint->is_private;
    return is_exposed || is_open_key ? CKR_TEMPLATE_INCONSISTENT : CKR_OK;
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
