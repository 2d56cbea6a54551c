/* SPDX-License-Identifier: Apache-2.0 */
/* The first look at accounts that were never fetched: the only one that uses the network. */
#include "module/backend/backends.h"
#include "remote/base/cleanup.h"
#include "remote/base/log.h"
#include "remote/base/reentry.h"

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

enum sca_status backends_discover(struct backends *backends, bool (*keep_going)(void *),
                                  bool *ret_has_more)
{
    struct account_place *first = backends->accounts.first;
    AUTO(catalogue_closep) struct catalogue *catalogue = NULL;

    /* Without memory nobody knows who was fetched before. */
    if (first && backends_catalogue(backends, &catalogue) != SCA_OK)
        return SCA_NOMEM;
    for (struct account_place *place = first; place && keep_going(NULL); place = place->next)
        if (!place->is_gone && !was_fetched(catalogue, &place->account))
            discover_account(&place->account, keep_going);
    backends->is_discovered = true;
    bool has_tokens = forwards_load(&backends->forwards);
    /* Another process may have fetched since C_Initialize. */
    *ret_has_more = has_tokens || first != NULL;
    return SCA_OK;
}
