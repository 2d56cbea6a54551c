/* SPDX-License-Identifier: Apache-2.0 */
/* C_CreateObject. */
#include <string.h>

#include <openssl/evp.h>

#include "module/token/blueprint_parts.h"
#include "module/token/failure.h"
#include "module/token/key_material.h"
#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"

static const CK_ATTRIBUTE *find(const CK_ATTRIBUTE *template, CK_ULONG count,
                                CK_ATTRIBUTE_TYPE type)
{
    for (CK_ULONG i = 0; i < count; i++)
        if (template[i].type == type)
            return &template[i];
    return NULL;
}

/* A number that the kind depends on. */
static CK_RV read_ulong(const CK_ATTRIBUTE *template, CK_ULONG count, CK_ATTRIBUTE_TYPE type,
                        CK_ULONG *ret_value)
{
    const CK_ATTRIBUTE *attribute = find(template, count, type);
    if (!attribute)
        return CKR_TEMPLATE_INCOMPLETE;
    if (attribute->ulValueLen != sizeof(*ret_value))
        return CKR_ATTRIBUTE_VALUE_INVALID;
    memcpy(ret_value, attribute->pValue, sizeof(*ret_value));
    return CKR_OK;
}

static CK_RV read_kind(const CK_ATTRIBUTE *template, CK_ULONG count, unsigned *ret_kind)
{
    CK_ULONG class = 0;
    CK_ULONG type = 0;
    CK_RV rv = read_ulong(template, count, CKA_CLASS, &class);
    if (rv == CKR_OK && (class == CKO_PUBLIC_KEY || class == CKO_PRIVATE_KEY))
        rv = read_ulong(template, count, CKA_KEY_TYPE, &type);
    if (rv != CKR_OK)
        return rv;
    *ret_kind = blueprint_kind(class, type);
    return *ret_kind ? CKR_OK
                     : failure(CKR_ATTRIBUTE_VALUE_INVALID,
                               "objects here are data, X.509 certificates, and RSA, EC and "
                               "Ed25519 keys");
}

static CK_RV check_needed(unsigned kind, const CK_ATTRIBUTE *template, CK_ULONG count)
{
    for (size_t i = 0; attribute_rule_at(i); i++) {
        const struct attribute_rule *rule = attribute_rule_at(i);
        if ((rule->needed & kind) && !find(template, count, rule->type))
            return CKR_TEMPLATE_INCOMPLETE;
    }
    return CKR_OK;
}

static CK_RV add_key(struct blueprint *blueprint, unsigned kind, const CK_ATTRIBUTE *template,
                     CK_ULONG count)
{
    EVP_PKEY *key = NULL;
    CK_RV rv = key_read((enum object_kind)kind, template, count, &key);
    if (rv == CKR_OK)
        rv = blueprint_add_key(blueprint, kind, key);
    if (rv == CKR_OK && (kind & KIND_PRIVATE)) {
        blueprint->key = key;
        key = NULL;
    }
    crypto_pkey_free(key);
    if (rv == CKR_OK)
        blueprint_add_origin(blueprint, kind, CK_UNAVAILABLE_INFORMATION);
    return rv;
}

CK_RV blueprint_create(const CK_ATTRIBUTE *template, CK_ULONG count,
                       struct blueprint *ret_blueprint)
{
    unsigned kind = 0;
    CK_RV rv = read_kind(template, count, &kind);
    if (rv == CKR_OK)
        rv = blueprint_take(ret_blueprint, kind, AT_CREATE, template, count);
    if (rv == CKR_OK)
        rv = check_needed(kind, template, count);
    if (rv != CKR_OK)
        return rv;
    blueprint_complete(ret_blueprint, kind);
    rv = blueprint_check_place(ret_blueprint, kind);
    if (rv != CKR_OK)
        return rv;
    if (kind & KIND_KEY)
        return add_key(ret_blueprint, kind, template, count);
    return kind & KIND_CERTIFICATE ? blueprint_add_certificate(ret_blueprint) : CKR_OK;
}
