/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The published table of slots: immutable, replaced by a longer one, the old ones kept until
 * C_Finalize. Read by any thread without a lock; changed by whoever looks (slot_look.c).
 */
#ifndef MODULE_TOKEN_SLOT_TABLE_H
#define MODULE_TOKEN_SLOT_TABLE_H

#include "module/token/slot.h"

struct slot_table {
    struct slot_table *older;
    size_t count;
    struct slot *slots[]; /* in the order of their ids */
};

/* The table as it is now; NULL before there is one. */
const struct slot_table *slot_table_now(void);

/* NULL: no slot has that id. */
struct slot *slot_table_find(CK_SLOT_ID id);

/* Publishes a table with new slots for these tokens, which have ids that no slot has. SCA_NOMEM: it
 * has those that there was memory for. */
enum sca_status slot_table_add(struct token *const *tokens, size_t count, bool is_listed);

/* Frees the tables and the slots, or forgets them without touching them. */
void slot_table_free(void);
void slot_table_abandon(void);

#endif
