/* SPDX-License-Identifier: Apache-2.0 */
#include "module/token/slot.h"

#include <stdlib.h>

#include "module/token/handlers.h"
#include "module/token/outbuf.h"
#include "module/token/slot_look.h"
#include "module/token/slot_table.h"
#include "remote/base/cleanup.h"

enum sca_status slot_start(struct backends *backends)
{
    enum sca_status st = slot_look_start(backends);
    if (st != SCA_OK)
        slot_stop();
    return st;
}

void slot_stop(void)
{
    slot_table_free();
    slot_look_stop();
}

void slot_abandon_all(void)
{
    slot_table_abandon();
    slot_look_abandon();
}

CK_RV slot_find(CK_SLOT_ID id, struct slot **ret_slot)
{
    struct slot *slot = slot_table_find(id);
    if (!slot)
        return CKR_SLOT_ID_INVALID;
    *ret_slot = slot;
    return CKR_OK;
}

CK_RV slot_find_again(CK_SLOT_ID id, struct slot **ret_slot)
{
    CK_RV rv = slot_find(id, ret_slot);
    if (rv == CKR_OK)
        return rv;
    slot_look_first_again();
    return slot_find(id, ret_slot);
}

CK_RV slot_find_present(CK_SLOT_ID id, struct slot **ret_slot)
{
    struct slot *slot = NULL;
    CK_RV rv = slot_find_again(id, &slot);
    if (rv != CKR_OK)
        return rv;
    if (!atomic_load(&slot->is_present))
        return CKR_TOKEN_NOT_PRESENT;
    *ret_slot = slot;
    return CKR_OK;
}

/* Many programs take the first slot there is: the default ones come first, the empty one last. */
enum order {
    ORDER_DEFAULT,
    ORDER_PLAIN,
    ORDER_SPARE,
    ORDERS,
};

static enum order order_of(const struct token *token)
{
    if (token->is_spare)
        return ORDER_SPARE;
    return token->is_default ? ORDER_DEFAULT : ORDER_PLAIN;
}

static bool is_listed(const struct slot *slot, CK_BBOOL present)
{
    return atomic_load(&slot->is_listed) && (atomic_load(&slot->is_present) || !present);
}

/* What is in the table is what the list has from now on. */
static CK_ULONG count_all(const struct slot_table *table, CK_BBOOL present)
{
    CK_ULONG count = 0;

    for (size_t i = 0; table && i < table->count; i++) {
        struct slot *slot = table->slots[i];
        if (!atomic_load(&slot->is_listed))
            atomic_store(&slot->is_listed, true);
        count += is_listed(slot, present);
    }
    return count;
}

/*
 * 2.40 section 5.5: the set of slots is fixed by a question for the length, and must not change
 * until the next one. Slots that were found since are left out, but for those that
 * C_WaitForSlotEvent has told the application of.
 */
CK_RV slot_list(CK_BBOOL present, CK_SLOT_ID *ids, CK_ULONG *count)
{
    AUTO(freep) CK_SLOT_ID *found = NULL;
    CK_ULONG found_count = 0;

    if (!count)
        return CKR_ARGUMENTS_BAD;
    /* A list without those for which there was no memory would be believed. */
    enum sca_status st = slot_look_first();
    if (st != SCA_NOMEM && !ids)
        st = slot_look(false);
    if (st == SCA_NOMEM)
        return CKR_HOST_MEMORY;

    const struct slot_table *table = slot_table_now();
    if (!ids) {
        *count = count_all(table, present);
        return CKR_OK;
    }
    size_t all = table ? table->count : 0;
    if (all && !(found = calloc(all, sizeof(*found))))
        return CKR_HOST_MEMORY;
    for (enum order order = 0; order < ORDERS; order++)
        for (size_t i = 0; i < all; i++)
            if (is_listed(table->slots[i], present) && found_count < all &&
                order_of(table->slots[i]->token) == order)
                found[found_count++] = table->slots[i]->id;
    return outbuf_list(ids, count, found, found_count);
}
