/* SPDX-License-Identifier: Apache-2.0 */
#include "module/token/slot_table.h"

#include <stdlib.h>
#include <string.h>

static struct slot_table *_Atomic published;

static int compare_slots(const void *a, const void *b)
{
    const struct slot *const *left = a;
    const struct slot *const *right = b;
    return (*left)->id < (*right)->id ? -1 : (*left)->id > (*right)->id;
}

static struct slot *slot_new(struct token *token, bool is_listed)
{
    struct slot *slot = calloc(1, sizeof(*slot));
    if (slot) {
        slot->id = token->slot_id;
        atomic_init(&slot->token, token);
        atomic_init(&slot->is_present, token->is_present);
        atomic_init(&slot->is_listed, is_listed);
        lock_init(&slot->lock, LOCK_SLOT);
    }
    return slot;
}

static void slot_free(struct slot *slot)
{
    snapshot_unref(slot->token_objects);
    snapshot_unref(slot->session_objects);
    lock_fini(&slot->lock);
    free(slot);
}

const struct slot_table *slot_table_now(void)
{
    return atomic_load(&published);
}

enum sca_status slot_table_add(struct token *const *tokens, size_t count, bool is_listed)
{
    struct slot_table *old = atomic_load(&published);
    size_t old_count = old ? old->count : 0;
    struct slot_table *table = malloc(sizeof(*table) + (old_count + count) * sizeof(struct slot *));
    if (!table)
        return SCA_NOMEM;
    table->older = old;
    table->count = old_count;
    if (old_count)
        memcpy(table->slots, old->slots, old_count * sizeof(struct slot *));
    struct slot *slot = NULL;
    for (size_t i = 0; i < count && (slot = slot_new(tokens[i], is_listed)); i++)
        table->slots[table->count++] = slot;
    qsort(table->slots, table->count, sizeof(struct slot *), compare_slots);
    atomic_store(&published, table);
    return table->count == old_count + count ? SCA_OK : SCA_NOMEM;
}

struct slot *slot_table_find(CK_SLOT_ID id)
{
    const struct slot_table *table = slot_table_now();
    size_t low = 0;
    size_t high = table ? table->count : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (table->slots[middle]->id == id)
            return table->slots[middle];
        if (table->slots[middle]->id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

void slot_table_free(void)
{
    struct slot_table *table = atomic_exchange(&published, NULL);
    for (size_t i = 0; table && i < table->count; i++)
        slot_free(table->slots[i]);
    while (table) {
        struct slot_table *older = table->older;
        free(table);
        table = older;
    }
}

void slot_table_abandon(void)
{
    atomic_store(&published, NULL);
}
