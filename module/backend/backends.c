/* SPDX-License-Identifier: Apache-2.0 */
/* From configuration and catalogue to tokens. */
#include <stdlib.h>

#include "module/backend/backend.h"
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

/* The catalogue as it is now, kept open by backends; NULL when it cannot be read. */
static const struct catalogue *open_catalogue(struct backends *backends)
{
    struct opened *opened = calloc(1, sizeof(*opened));
    const char *why = NULL;
    if (!opened)
        return NULL;
    enum sca_status st = catalogue_open(backends->config->state_dir, &opened->catalogue, &why);
    if (st != SCA_OK) {
        log_line(LOG_LEVEL_WARNING, "%s/catalogue: %s; smartca account refresh makes it anew",
                 backends->config->state_dir, why ? why : sca_status_name(st));
        free(opened);
        return NULL;
    }
    opened->older = backends->opened;
    backends->opened = opened;
    return opened->catalogue;
}

static bool is_known(const struct token_list *known, const struct token_list *fresh, CK_SLOT_ID id)
{
    for (size_t i = 0; i < known->count; i++)
        if (known->items[i]->slot_id == id)
            return true;
    for (size_t i = 0; i < fresh->count; i++)
        if (fresh->items[i]->slot_id == id)
            return true;
    return false;
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

enum sca_status backends_tokens(struct backends *backends, const struct token_list *known,
                                struct token_list *ret_new)
{
    struct token_list fresh = {0};
    enum sca_status st = SCA_OK;
    const struct catalogue *catalogue =
        backends->config->account_count ? open_catalogue(backends) : NULL;
    size_t count = catalogue ? catalogue_count(catalogue) : 0;

    for (size_t i = 0; st == SCA_OK && i < count; i++) {
        struct catalogue_entry entry;
        if (catalogue_get(catalogue, i, &entry) != SCA_OK)
            continue; /* a damaged entry takes only its own slot away */
        struct smartca_account *account = find_account(backends, &entry);
        if (!account || !is_shown(backends, &entry) || is_known(known, &fresh, entry.slot_id))
            continue;
        struct token *token = NULL;
        st = smartca_token_new(account, &entry, &token);
        if (st == SCA_OK)
            st = token_list_add(&fresh, token);
    }
    if (st != SCA_OK) {
        token_list_fini(&fresh);
        return st;
    }
    *ret_new = fresh;
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
    const struct catalogue *catalogue = count ? open_catalogue(backends) : NULL;

    for (size_t i = 0; i < count && keep_going(NULL); i++)
        if (!was_fetched(catalogue, &backends->accounts[i]))
            discover_account(&backends->accounts[i], keep_going);
    backends->is_discovered = true;
    return count > 0; /* another process may have fetched since C_Initialize */
}
