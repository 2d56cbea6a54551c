/* SPDX-License-Identifier: Apache-2.0 */
/* C_GenerateKeyPair. */
#include "module/token/handlers.h"
#include "module/token/object_access.h"
#include "remote/base/cleanup.h"

static CK_RV check_half(struct session *s, const CK_ATTRIBUTE *template, CK_ULONG count,
                        bool is_private_by_default)
{
    CK_RV rv = template_check(template, count);
    if (rv != CKR_OK)
        return rv;
    return object_check_may_write(
        s, template_says(template, count, CKA_TOKEN, false),
        template_says(template, count, CKA_PRIVATE, is_private_by_default));
}

CK_RV keypair_generate(struct session *s, CK_MECHANISM *mechanism, CK_ATTRIBUTE *public_template,
                       CK_ULONG public_count, CK_ATTRIBUTE *private_template,
                       CK_ULONG private_count, CK_OBJECT_HANDLE *public_key,
                       CK_OBJECT_HANDLE *private_key)
{
    AUTO(blueprint_fini) struct blueprint for_public;
    AUTO(blueprint_fini) struct blueprint for_private;
    blueprint_init(&for_public);
    blueprint_init(&for_private);
    if (!mechanism || !public_key || !private_key)
        return CKR_ARGUMENTS_BAD;
    if (!slot_is_writable(s->slot))
        return CKR_FUNCTION_NOT_SUPPORTED;

    /* Whatever can be refused is refused before a key is made, which may take seconds. */
    const struct mechanism *found = NULL;
    struct mechanism_parameter parameter;
    CK_RV rv = mechanism_find(s->slot->token, mechanism, CKF_GENERATE_KEY_PAIR, &found, &parameter);
    if (rv == CKR_OK)
        rv = check_half(s, public_template, public_count, false);
    if (rv == CKR_OK)
        rv = check_half(s, private_template, private_count, true);
    if (rv == CKR_OK)
        rv = blueprint_generate(mechanism, public_template, public_count, private_template,
                                private_count, &for_public, &for_private);
    if (rv != CKR_OK)
        return rv;

    struct new_object objects[] = {
        {.blueprint = &for_public},
        {.blueprint = &for_private, .key = for_private.key},
    };
    rv = object_store(s, objects, ARRAY_LEN(objects));
    if (rv == CKR_OK) {
        *public_key = objects[0].handle;
        *private_key = objects[1].handle;
    }
    return rv;
}
