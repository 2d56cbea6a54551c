/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where objects with a given attribute are, so that one certificate among ten thousand is found
 * as quickly as among ten. Only by the attributes that programs look for.
 */
#ifndef MODULE_TOKEN_OBJECT_INDEX_H
#define MODULE_TOKEN_OBJECT_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "module/token/object.h"

struct object_index;

/* Over objects that outlive it. NULL without memory: then every object has to be looked at. */
struct object_index *object_index_new(struct object *const *objects, size_t count);
void object_index_free(struct object_index *index);

/*
 * A walk over the objects that may match the template, in their order; each has to be compared.
 * False when no attribute of the template is indexed.
 */
struct object_walk {
    const struct object_index *index;
    uint32_t next;
    uint32_t hash;
};
bool object_walk_begin(const struct object_index *index, const CK_ATTRIBUTE *template,
                       CK_ULONG count, struct object_walk *ret_walk);

/* The number of the next one among the objects; false at the end. */
bool object_walk_next(struct object_walk *walk, size_t *ret_number);

#endif
