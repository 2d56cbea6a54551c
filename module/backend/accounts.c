/* SPDX-License-Identifier: Apache-2.0 */
#include "module/backend/accounts.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/base/log.h"

struct later_config {
    struct later_config *older;
    struct config *config;
};

static enum sca_status add(struct accounts *accounts, const struct account_config *config)
{
    struct account_place **end = &accounts->first;
    struct account_place *place = calloc(1, sizeof(*place));

    if (!place)
        return SCA_NOMEM;
    smartca_account_init(&place->account, config, accounts->config->state_dir);
    for (; *end; end = &(*end)->next)
        if (identity_equal(config_identity((*end)->account.config), config_identity(config)))
            smartca_account_share_pins(&place->account, &(*end)->account);
    *end = place;
    return SCA_OK;
}

/* conf.d beside the main file. */
static char *conf_d_beside(const char *main_file)
{
    const char *slash = strrchr(main_file, '/');
    AUTO(freep)
    char *folder = slash ? strndup(main_file, (size_t)(slash - main_file)) : strdup(".");
    return folder ? path_join(folder, "conf.d") : NULL;
}

enum sca_status accounts_init(struct accounts *accounts, const struct config *config)
{
    enum sca_status st = SCA_OK;

    *accounts = (struct accounts){.config = config, .conf_d = conf_d_beside(config->main_file)};
    if (!accounts->conf_d)
        return SCA_NOMEM;
    for (size_t i = 0; st == SCA_OK && i < config->account_count; i++)
        st = add(accounts, &config->accounts[i]);
    return st;
}

void accounts_fini(struct accounts *accounts)
{
    while (accounts->first) {
        struct account_place *next = accounts->first->next;
        smartca_account_fini(&accounts->first->account);
        free(accounts->first);
        accounts->first = next;
    }
    while (accounts->later) {
        struct later_config *older = accounts->later->older;
        config_free(accounts->later->config);
        free(accounts->later);
        accounts->later = older;
    }
    free(accounts->conf_d);
    accounts->conf_d = NULL;
}

static bool is_same_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

/* Do both say the same slots? */
static bool is_same_account(const struct account_config *a, const struct account_config *b)
{
    return identity_equal(config_identity(a), config_identity(b)) &&
           is_same_text(a->serial, b->serial);
}

static bool is_in(const struct config *config, const struct account_config *account)
{
    for (size_t i = 0; i < config->account_count; i++)
        if (is_same_account(&config->accounts[i], account) ||
            strcmp(config->accounts[i].name, account->name) == 0)
            return true;
    return false;
}

static bool is_empty(const char *path)
{
    struct stat info;

    return stat(path, &info) != 0 || info.st_size == 0;
}

/* What is gone now, and what is back. A file in the middle of being edited takes nobody's token
 * away: only a configuration without a fault does, whose main file is where it was, and which has
 * been at rest for a while, because many editors empty a file before they write it. False: the
 * last is missing, look again. */
static bool mark_gone(struct accounts *accounts, const struct config *now, bool is_at_rest)
{
    bool is_sound = now->problem_count == 0 &&
                    (!is_empty(now->main_file) || accounts->config->account_count == 0);
    bool is_certain = true;

    for (struct account_place *place = accounts->first; place; place = place->next) {
        bool is_there = is_in(now, place->account.config);
        if (is_there != place->is_gone || !(is_there || is_sound))
            continue;
        if (!is_there && !is_at_rest) {
            is_certain = false;
            continue;
        }
        place->is_gone = !is_there;
        log_line(LOG_LEVEL_INFO, "account %s: %s the configuration", place->account.config->name,
                 is_there ? "is again in" : "is no longer in");
    }
    return is_certain;
}

static bool is_known(const struct accounts *accounts, const struct account_config *account)
{
    for (const struct account_place *place = accounts->first; place; place = place->next) {
        const struct account_config *known = place->account.config;
        if (is_same_account(known, account) ||
            (!place->is_gone && strcmp(known->name, account->name) == 0))
            return true;
    }
    return false;
}

/* How many were new. */
static size_t take_in(struct accounts *accounts, const struct config *config)
{
    size_t count = 0;

    for (size_t i = 0; i < config->account_count; i++)
        if (!is_known(accounts, &config->accounts[i]) &&
            add(accounts, &config->accounts[i]) == SCA_OK)
            count++;
    return count;
}

bool accounts_reread(struct accounts *accounts, const struct stamp *stamp)
{
    AUTO(config_freep) struct config *config = NULL;
    struct later_config *later = calloc(1, sizeof(*later));

    /* Without memory for more, what is known goes on working. */
    if (!later || config_load_again(accounts->config, &config) != SCA_OK) {
        free(later);
        return true;
    }
    bool is_certain = mark_gone(accounts, config, stamp->is_at_rest);
    if (take_in(accounts, config) == 0) {
        free(later);
        return is_certain;
    }
    *later = (struct later_config){.older = accounts->later, .config = TAKE(config)};
    accounts->later = later;
    return is_certain;
}

struct stamp accounts_stamp(const struct accounts *accounts)
{
    return stamp_join(stamp_of_file(accounts->config->main_file),
                      stamp_of_folder(accounts->conf_d));
}

struct smartca_account *accounts_find(const struct accounts *accounts,
                                      const struct catalogue_entry *entry, bool *ret_is_ours)
{
    struct smartca_account *found = NULL;

    *ret_is_ours = false;
    for (struct account_place *place = accounts->first; place; place = place->next) {
        if (place->is_gone || !smartca_account_is_of(&place->account, entry))
            continue;
        *ret_is_ours = true;
        if (smartca_account_has(&place->account, entry) &&
            (!found || (!found->config->serial && place->account.config->serial)))
            found = &place->account;
    }
    return found;
}
