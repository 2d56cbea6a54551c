/* SPDX-License-Identifier: Apache-2.0 */
/* One object of a token or of a session: immutable, shared by reference. */
#ifndef MODULE_TOKEN_OBJECT_H
#define MODULE_TOKEN_OBJECT_H

#include <stdatomic.h>
#include <stdbool.h>

#include <openssl/types.h>

#include "module/cryptoki.h"

/* A change makes a new one with the same handle. */
struct object {
    atomic_uint refs;
    CK_OBJECT_HANDLE handle;
    unsigned number;         /* the backend's; 0: a session object */
    CK_SESSION_HANDLE owner; /* of a session object: it dies with that session */
    bool is_private;
    CK_OBJECT_CLASS class;
    EVP_PKEY *key;            /* of a session's private key, owned; NULL otherwise */
    CK_ATTRIBUTE *attributes; /* sorted by type; values in the same allocation */
    CK_ULONG count;
};

/* One allocation with copies of the attributes; the caller holds the one reference. NULL without
 * memory. */
struct object *object_new(const CK_ATTRIBUTE *attributes, CK_ULONG count, bool is_private);
struct object *object_ref(struct object *object);
void object_unref(struct object *object); /* NULL is allowed */
void object_unrefp(struct object **object);

/* Lends the attribute, NULL if the object has none of that type. */
const CK_ATTRIBUTE *object_attribute(const struct object *object, CK_ATTRIBUTE_TYPE type);

/* Has the object every attribute of the template, byte for byte? */
bool object_matches(const struct object *object, const CK_ATTRIBUTE *template, CK_ULONG count);

/* Typed getters with the value for "not there or of another size". */
CK_ULONG object_ulong(const struct object *object, CK_ATTRIBUTE_TYPE type, CK_ULONG otherwise);
bool object_bool(const struct object *object, CK_ATTRIBUTE_TYPE type);

#endif
