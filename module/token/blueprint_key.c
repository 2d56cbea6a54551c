/* SPDX-License-Identifier: Apache-2.0 */
/* What a key object tells of its key. */
#include <openssl/evp.h>

#include "module/token/blueprint_parts.h"
#include "module/token/key_material.h"
#include "remote/base/cleanup.h"

/* As it is in the key, in the one encoding we serve, whatever the template had. */
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
