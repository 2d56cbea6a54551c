/* SPDX-License-Identifier: Apache-2.0 */
#include "module/token/slot.h"

#include <stdlib.h>
#include <string.h>

#include "module/token/failure.h"
#include "module/token/handlers.h"
#include "module/token/library.h"
#include "module/token/outbuf.h"
#include "remote/base/cleanup.h"

/* One published table: immutable, replaced by a longer one, the old ones kept until C_Finalize. */
struct table {
    struct table *older;
    size_t count;
    struct slot *slots[]; /* in the order of their ids */
};

enum discovery {
    DISCOVERY_TO_DO,
    DISCOVERY_UNDER_WAY,
    DISCOVERY_DONE,
    DISCOVERY_STALE, /* done, but there is more by now */
};

static struct {
    _Atomic(struct table *) table;
    struct backends *_Atomic backends;
    struct token_list tokens; /* owns the tokens of all slots */
    struct lock lock;         /* guards discovery; whoever is discovering grows the table */
    pthread_cond_t discovered;
    _Atomic(enum discovery) discovery;
} slots;

static int compare_slots(const void *a, const void *b)
{
    const struct slot *const *left = a;
    const struct slot *const *right = b;
    CK_SLOT_ID l = (*left)->token->slot_id;
    CK_SLOT_ID r = (*right)->token->slot_id;
    return l < r ? -1 : l > r;
}

static struct slot *slot_new(struct token *token)
{
    struct slot *slot = calloc(1, sizeof(*slot));
    if (slot) {
        slot->token = token;
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

/* Publishes a table with slots for these tokens added. */
static enum sca_status grow(struct token *const *tokens, size_t count)
{
    struct table *old = atomic_load(&slots.table);
    size_t old_count = old ? old->count : 0;
    struct table *table = malloc(sizeof(*table) + (old_count + count) * sizeof(struct slot *));
    if (!table)
        return SCA_NOMEM;
    table->older = old;
    table->count = old_count;
    if (old_count)
        memcpy(table->slots, old->slots, old_count * sizeof(struct slot *));
    for (size_t i = 0; i < count; i++) {
        struct slot *slot = slot_new(tokens[i]);
        if (!slot)
            break; /* a slot less is better than none */
        table->slots[table->count++] = slot;
    }
    qsort(table->slots, table->count, sizeof(struct slot *), compare_slots);
    atomic_store(&slots.table, table);
    return SCA_OK;
}

/* Takes in what the backends know now and we do not. */
static enum sca_status take_in(void)
{
    struct token_list fresh = {0};
    size_t before = slots.tokens.count;
    enum sca_status st = backends_tokens(slots.backends, &slots.tokens, &fresh);
    for (size_t i = 0; i < fresh.count && st == SCA_OK; i++) {
        st = token_list_add(&slots.tokens, fresh.items[i]);
        fresh.items[i] = NULL;
    }
    token_list_fini(&fresh);
    /* Only tokens that the list owns for good get slots. */
    if (st == SCA_OK && slots.tokens.count > before)
        st = grow(slots.tokens.items + before, slots.tokens.count - before);
    return st;
}

enum sca_status slot_start(struct backends *backends)
{
    lock_init(&slots.lock, LOCK_LIBRARY);
    lock_cond_init(&slots.discovered);
    slots.backends = backends;
    atomic_store(&slots.discovery, DISCOVERY_TO_DO);
    enum sca_status st = take_in();
    if (st != SCA_OK)
        slot_stop();
    return st;
}

void slot_stop(void)
{
    struct table *table = atomic_exchange(&slots.table, NULL);
    for (size_t i = 0; table && i < table->count; i++)
        slot_free(table->slots[i]);
    while (table) {
        struct table *older = table->older;
        free(table);
        table = older;
    }
    token_list_fini(&slots.tokens);
    pthread_cond_destroy(&slots.discovered);
    lock_fini(&slots.lock);
}

void slot_abandon_all(void)
{
    atomic_store(&slots.table, NULL);
    slots.tokens = (struct token_list){0};
    slots.backends = NULL;
}

CK_RV slot_find(CK_SLOT_ID id, struct slot **ret_slot)
{
    const struct table *table = atomic_load(&slots.table);
    size_t low = 0;
    size_t high = table ? table->count : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (table->slots[middle]->token->slot_id == id) {
            *ret_slot = table->slots[middle];
            return CKR_OK;
        }
        if (table->slots[middle]->token->slot_id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return CKR_SLOT_ID_INVALID;
}

CK_RV slot_find_present(CK_SLOT_ID id, struct slot **ret_slot)
{
    struct slot *slot = NULL;
    CK_RV rv = slot_find(id, &slot);
    if (rv != CKR_OK)
        return rv;
    if (!slot->token->is_present)
        return CKR_TOKEN_NOT_PRESENT;
    *ret_slot = slot;
    return CKR_OK;
}

/* struct call.keep_going: C_Finalize ends the fetching within a second. */
static bool is_wanted(void *nothing)
{
    (void)nothing;
    return !library_is_finishing();
}

/* Makes the calling thread the one that may grow the table; false: nothing to do (any more). */
static bool claim(bool may_grow, enum discovery *ret_was)
{
    lock_take(&slots.lock);
    while (atomic_load(&slots.discovery) == DISCOVERY_UNDER_WAY && !library_is_finishing())
        (void)lock_wait_for(&slots.lock, &slots.discovered, 100);
    *ret_was = atomic_load(&slots.discovery);
    bool is_ours = *ret_was == DISCOVERY_TO_DO || (*ret_was == DISCOVERY_STALE && may_grow);
    if (is_ours)
        atomic_store(&slots.discovery, DISCOVERY_UNDER_WAY);
    lock_drop(&slots.lock);
    return is_ours;
}

/*
 * The first list of slots fetches accounts that were never fetched; callers that come meanwhile
 * wait for it, because an empty list would be believed. Later the list only grows when an
 * application asks for its length (2.40 section 5.5, C_GetSlotList).
 */
static void discover(bool may_grow)
{
    enum discovery was = DISCOVERY_DONE;
    if (atomic_load(&slots.discovery) == DISCOVERY_DONE || !claim(may_grow, &was))
        return;

    struct backends *backends = slots.backends;
    bool has_more = was == DISCOVERY_STALE || backends_discover(backends, is_wanted);
    if (slots.backends != backends)
        return; /* C_Finalize has given this call up: nothing here is ours any more */
    if (has_more)
        (void)take_in(); /* without memory for more, what there is is shown */
    lock_take(&slots.lock);
    atomic_store(&slots.discovery, DISCOVERY_DONE);
    pthread_cond_broadcast(&slots.discovered);
    lock_drop(&slots.lock);
}

void slot_expect_new(void)
{
    enum discovery done = DISCOVERY_DONE;
    (void)atomic_compare_exchange_strong(&slots.discovery, &done, DISCOVERY_STALE);
}

static bool is_listed(const struct token *token, CK_BBOOL present, bool is_spare)
{
    return token->is_spare == is_spare && (token->is_present || !present);
}

CK_RV slot_list(CK_BBOOL present, CK_SLOT_ID *ids, CK_ULONG *count)
{
    if (!count)
        return CKR_ARGUMENTS_BAD;
    discover(!ids);

    const struct table *table = atomic_load(&slots.table);
    AUTO(freep) CK_SLOT_ID *found = NULL;
    CK_ULONG found_count = 0;
    size_t all = table ? table->count : 0;
    if (ids && all && !(found = calloc(all, sizeof(*found))))
        return CKR_HOST_MEMORY;
    /* The empty slot comes last: many programs take the first there is. */
    for (int spare = 0; spare <= 1; spare++)
        for (size_t i = 0; i < all; i++)
            if (is_listed(table->slots[i]->token, present, spare) && ++found_count && found)
                found[found_count - 1] = table->slots[i]->token->slot_id;
    if (!ids) {
        *count = found_count;
        return CKR_OK;
    }
    return outbuf_list(ids, count, found, found_count);
}
