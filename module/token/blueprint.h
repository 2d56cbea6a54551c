/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From an application's template to a complete object, by the rules of PKCS#11 2.40 section 4
 * (3.0 section 4): which attributes a class has, which may be given, when they may change, what
 * they are otherwise, what the module alone decides. Nothing here touches a token or a session.
 */
#ifndef MODULE_TOKEN_BLUEPRINT_H
#define MODULE_TOKEN_BLUEPRINT_H

#include <stdbool.h>

#include <openssl/types.h>

#include "module/backend/attributes.h"
#include "module/cryptoki.h"
#include "module/token/snapshot.h"
#include "remote/base/bytes.h"
#include "remote/base/secret.h"

enum { BLUEPRINT_PARTS = 8 };

/*
 * What a new or changed object will be: every attribute but CKA_UNIQUE_ID and the secret parts of
 * a private key. Values are lent by the template, by the original, or by parts. Not to be copied.
 */
struct blueprint {
    struct attributes attributes;
    struct buf parts[BLUEPRINT_PARTS]; /* derived values: CKA_PUBLIC_KEY_INFO, CKA_EC_POINT ... */
    size_t part_count;
    EVP_PKEY *key; /* of a new private key; owned; NULL otherwise */
    bool is_token;
    bool is_private;
};

/* Before use; _fini may be called on it at any time, more than once. */
void blueprint_init(struct blueprint *blueprint);
void blueprint_fini(struct blueprint *blueprint);

/*
 * Is the template well formed: pointers, lengths that are not CK_UNAVAILABLE_INFORMATION, at most
 * ATTRIBUTES_MAX entries? CKR_ARGUMENTS_BAD or CKR_ATTRIBUTE_VALUE_INVALID otherwise.
 */
CK_RV template_check(const CK_ATTRIBUTE *template, CK_ULONG count);

/*
 * C_CreateObject: private key, public key (RSA, EC P-256/384/521, Ed25519), X.509 certificate, or
 * data. CKR_TEMPLATE_INCOMPLETE, CKR_TEMPLATE_INCONSISTENT, CKR_ATTRIBUTE_TYPE_INVALID,
 * CKR_ATTRIBUTE_VALUE_INVALID, CKR_ATTRIBUTE_READ_ONLY, CKR_CURVE_NOT_SUPPORTED,
 * CKR_KEY_SIZE_RANGE (as the standard allows for C_CreateObject: CKR_ATTRIBUTE_VALUE_INVALID),
 * CKR_HOST_MEMORY. A private key on the token has CKA_PRIVATE true.
 */
CK_RV blueprint_create(const CK_ATTRIBUTE *template, CK_ULONG count,
                       struct blueprint *ret_blueprint);

/*
 * C_GenerateKeyPair: CKM_RSA_PKCS_KEY_PAIR_GEN (2048 to 4096 bits), CKM_EC_KEY_PAIR_GEN,
 * CKM_EC_EDWARDS_KEY_PAIR_GEN. The mechanism was found in the token's list already. Takes as long
 * as making a key takes.
 */
CK_RV blueprint_generate(const CK_MECHANISM *mechanism, const CK_ATTRIBUTE *public_template,
                         CK_ULONG public_count, const CK_ATTRIBUTE *private_template,
                         CK_ULONG private_count, struct blueprint *ret_public,
                         struct blueprint *ret_private);

/* C_CopyObject: the original with what the template may change in a copy (CKA_TOKEN, CKA_PRIVATE,
 * CKA_SENSITIVE to true, CKA_EXTRACTABLE to false ...). Its key stays with the caller. */
CK_RV blueprint_copy(const struct object *original, const CK_ATTRIBUTE *template, CK_ULONG count,
                     struct blueprint *ret_blueprint);

/* C_SetAttributeValue: the original with what the template may change afterwards. */
CK_RV blueprint_change(const struct object *original, const CK_ATTRIBUTE *template, CK_ULONG count,
                       struct blueprint *ret_blueprint);

/* Is that a part of a private key that CKA_SENSITIVE or a false CKA_EXTRACTABLE hides? */
bool key_part_is_secret(CK_OBJECT_CLASS class, CK_ATTRIBUTE_TYPE type);

/* Such a part, for a key whose attributes allow it: CKR_OK, CKR_ATTRIBUTE_TYPE_INVALID. The
 * caller buf_fini()s ret_value (sensitive) in every case. */
CK_RV key_part(const EVP_PKEY *key, CK_ATTRIBUTE_TYPE type, struct buf *ret_value);

/* PKCS#8 PrivateKeyInfo in DER, and back: only the kinds of key above, else SCA_INVALID. */
enum sca_status key_to_pkcs8(const EVP_PKEY *key, struct secret **ret_der);
enum sca_status key_from_pkcs8(struct span der, EVP_PKEY **ret_key);

#endif
