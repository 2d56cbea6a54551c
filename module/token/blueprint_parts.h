/* SPDX-License-Identifier: Apache-2.0 */
/* What the blueprint_*.c share. */
#ifndef MODULE_TOKEN_BLUEPRINT_PARTS_H
#define MODULE_TOKEN_BLUEPRINT_PARTS_H

#include "module/token/attribute_table.h"
#include "module/token/blueprint.h"

/* The kind of object that class and key type make; 0 if none of ours. */
unsigned blueprint_kind(CK_OBJECT_CLASS class, CK_KEY_TYPE type);

/* Sets an attribute, in the place of one of that type; the value is lent. */
void blueprint_set(struct blueprint *blueprint, CK_ATTRIBUTE_TYPE type, struct span value);
void blueprint_set_bool(struct blueprint *blueprint, CK_ATTRIBUTE_TYPE type, bool value);
void blueprint_set_ulong(struct blueprint *blueprint, CK_ATTRIBUTE_TYPE type, CK_ULONG value);

/* The same, unless there is one. */
void blueprint_default(struct blueprint *blueprint, CK_ATTRIBUTE_TYPE type, struct span value);
void blueprint_default_bool(struct blueprint *blueprint, CK_ATTRIBUTE_TYPE type, bool value);

const CK_ATTRIBUTE *blueprint_get(const struct blueprint *blueprint, CK_ATTRIBUTE_TYPE type);
bool blueprint_says(const struct blueprint *blueprint, CK_ATTRIBUTE_TYPE type);

/* An empty buffer that lives as long as the blueprint. */
struct buf *blueprint_part(struct blueprint *blueprint);

/*
 * Takes the template in: every entry must be known to the kind, well formed, allowed at that moment
 * and not contradict another. Secret parts are checked and left out; unused usages become false.
 */
CK_RV blueprint_take(struct blueprint *blueprint, unsigned kind, enum attribute_moment moment,
                     const CK_ATTRIBUTE *template, CK_ULONG count);

/* What every stored object has, where the template did not say; is_token and is_private. */
void blueprint_complete(struct blueprint *blueprint, unsigned kind);

/* A private key on the token has CKA_PRIVATE true: CKR_TEMPLATE_INCONSISTENT. */
CK_RV blueprint_check_place(const struct blueprint *blueprint, unsigned kind);

/* Public attributes of the key, CKA_PUBLIC_KEY_INFO and, unless given, CKA_ID. */
CK_RV blueprint_add_key(struct blueprint *blueprint, unsigned kind, const EVP_PKEY *key);

/* How a key came into being: made here by that mechanism, or CK_UNAVAILABLE_INFORMATION. */
void blueprint_add_origin(struct blueprint *blueprint, unsigned kind, CK_MECHANISM_TYPE mechanism);

/* What an X.509 certificate says of itself; CKR_TEMPLATE_INCONSISTENT where the template differs.
 */
CK_RV blueprint_add_certificate(struct blueprint *blueprint);

#endif
