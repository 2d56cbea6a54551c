/* SPDX-License-Identifier: Apache-2.0 */
#include "module/backend/collection.h"

#include <stdlib.h>
#include <string.h>

#include "module/backend/local.h"
#include "remote/base/log.h"

static int compare_tokens(const void *a, const void *b)
{
    const struct token *const *left = a;
    const struct token *const *right = b;
    return (*left)->slot_id < (*right)->slot_id ? -1 : (*left)->slot_id > (*right)->slot_id;
}

enum sca_status collection_init(struct collection *c, const struct token_list *known)
{
    c->known = calloc(known->count + 1, sizeof(struct token *));
    c->is_seen = calloc(known->count + 1, sizeof(*c->is_seen));
    if (!c->known || !c->is_seen)
        return SCA_NOMEM;
    if (known->count)
        memcpy(c->known, known->items, known->count * sizeof(struct token *));
    c->known_count = known->count;
    qsort(c->known, c->known_count, sizeof(struct token *), compare_tokens);
    return SCA_OK;
}

void collection_fini(struct collection *c)
{
    free(c->known);
    free(c->is_seen);
    forward_scan_fini(&c->scan);
    token_list_fini(&c->fresh);
}

static struct token *find_known(const struct collection *c, CK_SLOT_ID id, bool **ret_is_seen)
{
    const struct token wanted = {.slot_id = id};
    const struct token *key = &wanted;
    struct token **found =
        bsearch(&key, c->known, c->known_count, sizeof(struct token *), compare_tokens);

    if (!found)
        return NULL;
    *ret_is_seen = &c->is_seen[found - c->known];
    return *found;
}

/*
 * A slot id means one certificate, but for a catalogue that was lost and made anew: then the slots
 * of this process are none of its, until the next C_Initialize. A token is never exchanged for
 * another under somebody who uses it.
 */
static bool is_certificate(const struct token *known, const struct catalogue_entry *entry)
{
    char serial[CERTIFICATE_SERIAL_TEXT];

    if (known->ops->write || !entry->has_certificate)
        return false;
    certificate_serial_text(entry->leaf.serial, serial);
    return strcmp(known->identity.serial, serial) == 0;
}

static bool is_local(const struct token *known, const char *name)
{
    return known->ops->write && !atomic_load(&known->is_spare) &&
           strcmp(((const struct local_token *)known)->name, name) == 0;
}

static enum sca_status make_local(struct collection *c, const struct catalogue_entry *entry,
                                  struct token **ret_token)
{
    bool *is_seen = NULL;
    struct token *known = find_known(c, entry->slot_id, &is_seen);

    c->has_local = true;
    if (!known)
        return local_token_new(c->state_dir, entry->user_id, entry->slot_id, ret_token);
    local_token_claim(known, entry->user_id); /* if another process took the empty slot */
    *is_seen = is_local(known, entry->user_id);
    return SCA_OK;
}

static enum sca_status make_smartca(struct collection *c, const struct catalogue_entry *entry,
                                    struct token **ret_token)
{
    bool *is_seen = NULL;
    bool is_ours = false;
    struct smartca_account *account = accounts_find(c->accounts, entry, &is_ours);
    struct token *known = find_known(c, entry->slot_id, &is_seen);

    c->has_strangers |= !is_ours;
    /* An account that was never fetched has no slot until discovery has tried. */
    if (!account || !(entry->has_certificate || entry->fetched_at != 0 || c->shows_all))
        return SCA_OK;
    if (known && known->is_present) {
        *is_seen = is_certificate(known, entry);
        if (*is_seen)
            smartca_token_heard(known, entry->state);
        return SCA_OK;
    }
    if (known && !entry->has_certificate) {
        *is_seen = true;
        return SCA_OK;
    }
    c->is_borrowed = true;
    return smartca_token_new(account, entry, ret_token);
}

static enum sca_status fill_entry(struct collection *c, const struct catalogue *catalogue,
                                  size_t index)
{
    struct catalogue_entry entry;
    struct token *token = NULL;

    enum sca_status st = catalogue_get(catalogue, index, &entry);
    if (st == SCA_OK)
        st = strcmp(entry.url, CATALOGUE_LOCAL) == 0 ? make_local(c, &entry, &token)
                                                     : make_smartca(c, &entry, &token);
    if (st == SCA_INVALID) {
        c->is_damaged = true; /* it takes only its own slot away */
        return SCA_OK;
    }
    return st == SCA_OK && token ? token_list_add(&c->fresh, token) : st;
}

static enum sca_status fill_spare(struct collection *c, const struct catalogue *catalogue)
{
    CK_SLOT_ID id = catalogue_spare_slot_id(catalogue);
    bool *is_seen = NULL;
    struct token *token = NULL;

    if (find_known(c, id, &is_seen)) {
        *is_seen = true;
        return SCA_OK;
    }
    enum sca_status st = local_token_new(c->state_dir, NULL, id, &token);
    return st == SCA_OK ? token_list_add(&c->fresh, token) : st;
}

enum sca_status collection_look(struct collection *c)
{
    if (atomic_load(&c->forwards->is_loaded))
        (void)forwards_load(c->forwards); /* what did not start before may now */
    return forwards_scan(c->forwards, &c->scan);
}

static bool is_in_fresh(const struct collection *c, CK_SLOT_ID id)
{
    for (size_t i = 0; i < c->fresh.count; i++)
        if (c->fresh.items[i]->slot_id == id)
            return true;
    return false;
}

/* In the slot that it had, or in the next that nobody has: ids are made from what tokens are. */
static enum sca_status fill_forward(struct collection *c, const struct forward_seen *seen)
{
    bool *is_seen = NULL;
    struct token *token = NULL;
    CK_SLOT_ID id = seen->id;

    for (;; id++) {
        struct token *known = find_known(c, id, &is_seen);
        if (known && !*is_seen && forward_token_is(known, seen)) {
            *is_seen = true;
            forward_token_attach(known, seen->inner_slot);
            return SCA_OK;
        }
        if (!known && !is_in_fresh(c, id))
            break;
    }
    enum sca_status st = forward_token_new(seen, id, &token);
    if (st == SCA_GONE) {
        c->is_partial = true;
        return SCA_OK;
    }
    return st == SCA_OK ? token_list_add(&c->fresh, token) : st;
}

static enum sca_status fill_forwards(struct collection *c)
{
    enum sca_status st = SCA_OK;
    for (size_t i = 0; st == SCA_OK && i < c->scan.count; i++)
        st = fill_forward(c, &c->scan.items[i]);
    return st;
}

static enum sca_status fill_catalogue(struct collection *c, const struct catalogue *catalogue)
{
    enum sca_status st = SCA_OK;
    for (size_t i = 0; st == SCA_OK && i < catalogue_count(catalogue); i++)
        st = fill_entry(c, catalogue, i);
    return st == SCA_OK ? fill_spare(c, catalogue) : st;
}

enum sca_status collection_fill(struct collection *c, const struct catalogue *catalogue)
{
    enum sca_status st = SCA_OK;

    token_list_fini(&c->fresh);
    memset(c->is_seen, 0, c->known_count * sizeof(*c->is_seen));
    c->is_damaged = !catalogue;
    c->is_borrowed = c->has_local = c->has_strangers = c->is_partial = false;
    if (catalogue)
        st = fill_catalogue(c, catalogue);
    return st == SCA_OK ? fill_forwards(c) : st;
}

void collection_mark_gone(const struct collection *c)
{
    for (size_t i = 0; i < c->known_count; i++) {
        bool is_foreign = forward_token_is_one(c->known[i]);
        if (is_foreign && !c->is_seen[i])
            forward_token_detach(c->known[i]);
        if (c->is_seen[i] || is_foreign || !c->is_damaged)
            c->known[i]->is_gone = !c->is_seen[i];
    }
}
