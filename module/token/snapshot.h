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
#include "module/token/object.h"
#include "module/token/object_index.h"

struct snapshot {
    struct object_sink sink; /* first: the backend fills the snapshot through it */
    atomic_uint refs;
    CK_SLOT_ID slot_id;
    struct object **objects; /* in the order of their handles; references */
    size_t count;
    size_t room;
    struct object_index *index; /* NULL: few, or no memory */
};

/* Asks the token for its objects. The caller holds one reference. SCA_NOMEM, or what list says. */
enum sca_status snapshot_new(struct token *token, struct snapshot **ret_snapshot);

/* old (NULL: none) without the objects that drops chooses, and with added unless that is NULL. */
enum sca_status snapshot_edit(const struct snapshot *old,
                              bool (*drops)(const struct object *object, const void *arg),
                              const void *arg, struct object *added,
                              struct snapshot **ret_snapshot);

struct snapshot *snapshot_ref(struct snapshot *snapshot);
void snapshot_unref(struct snapshot *snapshot); /* NULL is allowed */
void snapshot_unrefp(struct snapshot **snapshot);

/* Lends the object, NULL for a handle that is none of this token's. */
struct object *snapshot_find(const struct snapshot *snapshot, CK_OBJECT_HANDLE handle);

/* Calls each with every object that matches, until it returns false. False if it did. */
bool snapshot_each(const struct snapshot *snapshot, const CK_ATTRIBUTE *template, CK_ULONG count,
                   bool (*each)(const struct object *object, void *arg), void *arg);

/* The handle of a token's object, and one for a new session object. */
CK_OBJECT_HANDLE handle_of_token_object(CK_SLOT_ID slot_id, unsigned number);
CK_OBJECT_HANDLE handle_of_session_object(void);

#endif
