/* SPDX-License-Identifier: Apache-2.0 */
/* What reading, writing and generating objects have in common. */
#ifndef MODULE_TOKEN_OBJECT_ACCESS_H
#define MODULE_TOKEN_OBJECT_ACCESS_H

#include "module/token/blueprint.h"
#include "module/token/session.h"

/* The object as the session may see it, a reference; else CKR_OBJECT_HANDLE_INVALID. */
CK_RV object_find_visible(struct session *s, CK_OBJECT_HANDLE handle, struct object **ret_object);

/* The key of a private key object, a reference: a session's own, or from the token. */
CK_RV object_load_key(struct session *s, const struct object *object, EVP_PKEY **ret_key);

/* The same, with what other processes wrote: for what must not be decided by what it was. */
CK_RV object_find_fresh(struct session *s, CK_OBJECT_HANDLE handle, struct object **ret_object);

/* May the session make or change such an object? CKR_SESSION_READ_ONLY, CKR_USER_NOT_LOGGED_IN. */
CK_RV object_check_may_write(struct session *s, bool is_token, bool is_private);

/* The same for an object that a template describes, before it is made. */
bool template_says(const CK_ATTRIBUTE *template, CK_ULONG count, CK_ATTRIBUTE_TYPE type,
                   bool otherwise);

struct new_object {
    const struct blueprint *blueprint;
    EVP_PKEY *key; /* of a private key; lent */
    CK_OBJECT_HANDLE handle;
};

/* Puts them on the token, in one step, or into the session; then their handles are set. */
CK_RV object_store(struct session *s, struct new_object *objects, size_t count);

#endif
