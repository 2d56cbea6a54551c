/* SPDX-License-Identifier: Apache-2.0 */
/* From configuration and catalogue to tokens. */
#include <stdlib.h>
#include <string.h>

#include "module/backend/backend.h"
#include "module/backend/local.h"
#include "module/backend/remote_load.h"
#include "module/backend/smartca.h"
#include "remote/base/cleanup.h"
#include "remote/base/log.h"
#include "remote/base/reentry.h"

/* A mapped catalogue lives as long as tokens borrow from it: until C_Finalize. */
struct opened {
    struct opened *older;
    struct catalogue *catalogue;
};

struct backends {
    const struct config *config;
    struct opened *opened;
    struct smartca_account *accounts; /* one for each of config's */
    bool is_discovered;
};

void backends_abandon(void)
{
    crypto_abandon();
    remote_abandon();
}

enum sca_status backends_open(const struct config *config, struct backends **ret_backends)
{
    struct backends *backends = calloc(1, sizeof(*backends));
    if (!backends)
        return SCA_NOMEM;
    backends->config = config;
    backends->accounts = calloc(config->account_count + 1, sizeof(*backends->accounts));
    if (!backends->accounts) {
        free(backends);
        return SCA_NOMEM;
    }
    for (size_t i = 0; i < config->account_count; i++)
        smartca_account_init(&backends->accounts[i], &config->accounts[i], config->state_dir);
    *ret_backends = backends;
    return SCA_OK;
}

void backends_close(struct backends *backends)
{
    if (!backends)
        return;
    reentry_enter();
    for (size_t i = 0; i < backends->config->account_count; i++)
        smartca_account_fini(&backends->accounts[i]);
    remote_close_idle();
    reentry_leave();
    while (backends->opened) {
        struct opened *older = backends->opened->older;
        catalogue_close(backends->opened->catalogue);
        free(backends->opened);
        backends->opened = older;
    }
    free(backends->accounts);
    free(backends);
}

/* The catalogue as it is now; NULL when it cannot be read. */
static struct catalogue *open_catalogue(const struct backends *backends)
{
    struct catalogue *catalogue = NULL;
    const char *why = NULL;
    enum sca_status st = catalogue_open(backends->config->state_dir, &catalogue, &why);
    if (st == SCA_OK)
        return catalogue;
    log_line(LOG_LEVEL_WARNING, "%s/catalogue: %s; smartca account refresh makes it anew",
             backends->config->state_dir, why ? why : sca_status_name(st));
    return NULL;
}

/* Tokens being collected: those that are known, and those that are new. */
struct collection {
    struct backends *backends;
    struct token **known; /* by slot id */
    size_t known_count;
    struct token_list fresh;
    bool is_borrowed; /* a new token borrows from the catalogue */
    bool has_local;   /* the catalogue knows of tokens on this computer */
    bool is_damaged;
};

static void collection_fini(struct collection *c)
{
    free(c->known);
    token_list_fini(&c->fresh);
}

static int compare_tokens(const void *a, const void *b)
{
    const struct token *const *left = a;
    const struct token *const *right = b;
    return (*left)->slot_id < (*right)->slot_id ? -1 : (*left)->slot_id > (*right)->slot_id;
}

static enum sca_status collection_init(struct collection *c, const struct token_list *known)
{
    c->known = calloc(known->count + 1, sizeof(struct token *));
    if (!c->known)
        return SCA_NOMEM;
    if (known->count)
        memcpy(c->known, known->items, known->count * sizeof(struct token *));
    c->known_count = known->count;
    qsort(c->known, c->known_count, sizeof(struct token *), compare_tokens);
    return SCA_OK;
}

static struct token *find_known(const struct collection *c, CK_SLOT_ID id)
{
    const struct token wanted = {.slot_id = id};
    const struct token *key = &wanted;
    struct token **found =
        bsearch(&key, c->known, c->known_count, sizeof(struct token *), compare_tokens);
    return found ? *found : NULL;
}

static struct smartca_account *find_account(struct backends *backends,
                                            const struct catalogue_entry *entry)
{
    for (size_t i = 0; i < backends->config->account_count; i++)
        if (smartca_account_has(&backends->accounts[i], entry))
            return &backends->accounts[i];
    return NULL;
}

/* An account that was never fetched has no slot until discovery has tried. */
static bool is_shown(const struct backends *backends, const struct catalogue_entry *entry)
{
    return entry->has_certificate || entry->fetched_at != 0 || backends->is_discovered;
}

/* A new token for the entry; NULL where it has none. */
static enum sca_status make_token(struct collection *c, const struct catalogue_entry *entry,
                                  struct token **ret_token)
{
    const char *state_dir = c->backends->config->state_dir;

    if (strcmp(entry->url, CATALOGUE_LOCAL) == 0) {
        c->has_local = true;
        struct token *known = find_known(c, entry->slot_id);
        if (known)
            local_token_claim(known, entry->user_id); /* if another process took the empty slot */
        return known ? SCA_OK
                     : local_token_new(state_dir, entry->user_id, entry->slot_id, ret_token);
    }
    struct smartca_account *account = find_account(c->backends, entry);
    if (!account || !is_shown(c->backends, entry) || find_known(c, entry->slot_id))
        return SCA_OK;
    c->is_borrowed = true;
    return smartca_token_new(account, entry, ret_token);
}

static enum sca_status collect_entry(struct collection *c, const struct catalogue *catalogue,
                                     size_t index)
{
    struct catalogue_entry entry;
    struct token *token = NULL;

    enum sca_status st = catalogue_get(catalogue, index, &entry);
    if (st == SCA_OK)
        st = make_token(c, &entry, &token);
    if (st == SCA_INVALID) {
        c->is_damaged = true; /* it takes only its own slot away */
        return SCA_OK;
    }
    return st == SCA_OK && token ? token_list_add(&c->fresh, token) : st;
}

static enum sca_status collect_spare(struct collection *c, const struct catalogue *catalogue)
{
    CK_SLOT_ID id = catalogue_spare_slot_id(catalogue);
    struct token *token = NULL;

    if (find_known(c, id))
        return SCA_OK;
    enum sca_status st = local_token_new(c->backends->config->state_dir, NULL, id, &token);
    return st == SCA_OK ? token_list_add(&c->fresh, token) : st;
}

/* Keeps the catalogue open for as long as the backends are. */
static enum sca_status keep(struct backends *backends, struct catalogue **catalogue)
{
    struct opened *opened = calloc(1, sizeof(*opened));
    if (!opened)
        return SCA_NOMEM;
    *opened = (struct opened){.older = backends->opened, .catalogue = TAKE(*catalogue)};
    backends->opened = opened;
    return SCA_OK;
}

static enum sca_status collect(struct collection *c)
{
    AUTO(catalogue_closep) struct catalogue *catalogue = open_catalogue(c->backends);
    enum sca_status st = SCA_OK;

    c->is_damaged = !catalogue;
    c->is_borrowed = c->has_local = false;
    if (!catalogue)
        return SCA_OK;
    for (size_t i = 0; st == SCA_OK && i < catalogue_count(catalogue); i++)
        st = collect_entry(c, catalogue, i);
    if (st == SCA_OK)
        st = collect_spare(c, catalogue);
    return st == SCA_OK && c->is_borrowed ? keep(c->backends, &catalogue) : st;
}

enum sca_status backends_tokens(struct backends *backends, const struct token_list *known,
                                struct token_list *ret_new)
{
    AUTO(collection_fini) struct collection c = {.backends = backends};

    enum sca_status st = collection_init(&c, known);
    if (st == SCA_OK)
        st = collect(&c);
    /* One look at a folder that is not there, for everybody who has no tokens on this computer. */
    bool is_complete = c.has_local && !c.is_damaged;
    if (st == SCA_OK && !is_complete && local_adopt(backends->config->state_dir)) {
        token_list_fini(&c.fresh);
        st = collect(&c);
    }
    if (st != SCA_OK)
        return st;
    *ret_new = c.fresh;
    c.fresh = (struct token_list){0};
    return SCA_OK;
}

static bool was_fetched(const struct catalogue *catalogue, const struct smartca_account *account)
{
    size_t count = catalogue ? catalogue_count(catalogue) : 0;
    for (size_t i = 0; i < count; i++) {
        struct catalogue_entry entry;
        if (catalogue_get(catalogue, i, &entry) == SCA_OK && entry.fetched_at != 0 &&
            smartca_account_is_of(account, &entry))
            return true;
    }
    return false;
}

static void discover_account(struct smartca_account *account, bool (*keep_going)(void *))
{
    const struct account_config *config = account->config;
    struct call call;

    call_init(&call, &clock_system, config->service.connect_timeout_ms);
    call.keep_going = keep_going;
    reentry_enter();
    enum sca_status st = smartca_account_fetch(account, &call);
    reentry_leave();
    if (st != SCA_OK) {
        log_line(LOG_LEVEL_WARNING, "account %s: its certificates cannot be fetched: %s",
                 config->name, call.note[0] ? call.note : sca_status_name(st));
        (void)catalogue_store(account->state_dir, config->service.url, config->user_id, 0, NULL, 0);
    }
    call_fini(&call);
}

bool backends_discover(struct backends *backends, bool (*keep_going)(void *))
{
    size_t count = backends->config->account_count;
    AUTO(catalogue_closep) struct catalogue *catalogue = count ? open_catalogue(backends) : NULL;

    for (size_t i = 0; i < count && keep_going(NULL); i++)
        if (!was_fetched(catalogue, &backends->accounts[i]))
            discover_account(&backends->accounts[i], keep_going);
    backends->is_discovered = true;
    return count > 0; /* another process may have fetched since C_Initialize */
}
