/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The objects of a token at one moment: immutable and shared by reference, so that finding and
 * reading take no lock and a change of the token disturbs nobody who looks at the old state.
 */
#ifndef MODULE_TOKEN_SNAPSHOT_H
#define MODULE_TOKEN_SNAPSHOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "module/backend/backend.h"
#include "module/cryptoki.h"

struct object {
    CK_OBJECT_HANDLE handle;
    unsigned number;
    bool is_private;
    CK_OBJECT_CLASS class;
    CK_ATTRIBUTE *attributes; /* sorted by type; values in the same allocation */
    CK_ULONG count;
};

struct snapshot {
    struct object_sink sink; /* first: the backend fills the snapshot through it */
    atomic_uint refs;
    CK_SLOT_ID slot_id;
    struct object **objects; /* in the order of their handles */
    size_t count;
};

/* Asks the token for its objects. The caller holds one reference. SCA_NOMEM, or what list says. */
enum sca_status snapshot_new(struct token *token, struct snapshot **ret_snapshot);
struct snapshot *snapshot_ref(struct snapshot *snapshot);
void snapshot_unref(struct snapshot *snapshot); /* NULL is allowed */
void snapshot_unrefp(struct snapshot **snapshot);

/* Lends the object, NULL for a handle that is none of this token's. */
const struct object *snapshot_find(const struct snapshot *snapshot, CK_OBJECT_HANDLE handle);

/* Lends the attribute, NULL if the object has none of that type. */
const CK_ATTRIBUTE *object_attribute(const struct object *object, CK_ATTRIBUTE_TYPE type);

/* Typed getters with the value for "not there or of another size". */
CK_ULONG object_ulong(const struct object *object, CK_ATTRIBUTE_TYPE type, CK_ULONG otherwise);
bool object_bool(const struct object *object, CK_ATTRIBUTE_TYPE type);

#endif
