/* SPDX-License-Identifier: Apache-2.0 */
/* From configuration and catalogue to tokens, at C_Initialize and whenever they have changed. */
#include "module/backend/backends.h"

#include <stdlib.h>
#include <string.h>

#include "module/backend/collection.h"
#include "module/backend/local.h"
#include "module/backend/remote_load.h"
#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/base/log.h"
#include "remote/base/reentry.h"

enum { DOUBT_POLL_MS = 500 };

/* A mapped catalogue lives as long as tokens borrow from it: until C_Finalize. */
struct opened {
    struct opened *older;
    struct catalogue *catalogue;
};

void backends_abandon(void)
{
    crypto_abandon();
    remote_abandon();
    inner_abandon();
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? strndup(path, (size_t)(slash - path)) : strdup(".");
}

enum sca_status backends_open(const struct config *config, struct backends **ret_backends)
{
    struct backends *backends = calloc(1, sizeof(*backends));
    if (!backends)
        return SCA_NOMEM;
    lock_init(&backends->lock, LOCK_BACKEND);
    backends->state_dir = config->state_dir;
    backends->catalogue_file = path_join(config->state_dir, "catalogue");
    backends->config_dir = folder_of(config->main_file);
    enum sca_status st = accounts_init(&backends->accounts, config);
    if (st == SCA_OK)
        st = forwards_init(&backends->forwards, config);
    if (st != SCA_OK || !backends->catalogue_file || !backends->config_dir) {
        backends_close(backends);
        return SCA_NOMEM;
    }
    backends->config_stamp = accounts_stamp(&backends->accounts);
    *ret_backends = backends;
    return SCA_OK;
}

void backends_close(struct backends *backends)
{
    if (!backends)
        return;
    reentry_enter();
    accounts_fini(&backends->accounts);
    forwards_fini(&backends->forwards);
    remote_close_idle();
    reentry_leave();
    while (backends->opened) {
        struct opened *older = backends->opened->older;
        catalogue_close(backends->opened->catalogue);
        free(backends->opened);
        backends->opened = older;
    }
    lock_fini(&backends->lock);
    free(backends->catalogue_file);
    free(backends->config_dir);
    free(backends);
}

enum sca_status backends_catalogue(const struct backends *backends,
                                   struct catalogue **ret_catalogue)
{
    const char *why = NULL;
    enum sca_status st = catalogue_open(backends->state_dir, ret_catalogue, &why);
    if (st == SCA_OK || st == SCA_NOMEM)
        return st;
    log_line(LOG_LEVEL_WARNING, "%s/catalogue: %s; %s", backends->state_dir,
             why ? why : sca_status_name(st),
             st == SCA_INVALID ? "smartca account refresh makes it anew"
                               : "smartca doctor tells more");
    return SCA_OK;
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

static enum sca_status collect(struct backends *backends, struct collection *c)
{
    AUTO(catalogue_closep) struct catalogue *catalogue = NULL;

    enum sca_status st = backends_catalogue(backends, &catalogue);
    if (st == SCA_OK)
        st = collection_fill(c, catalogue);
    return st == SCA_OK && c->is_borrowed ? keep(backends, &catalogue) : st;
}

/* What backends_have_changed compares with. */
struct seen {
    struct stamp catalogue;
    struct stamp config;
    bool has_strangers;
};

static struct seen seen_before(struct backends *backends)
{
    lock_take(&backends->lock);
    struct seen seen = {backends->catalogue_stamp, backends->config_stamp, backends->has_strangers};
    lock_drop(&backends->lock);
    return seen;
}

static void remember(struct backends *backends, const struct seen *seen)
{
    lock_take(&backends->lock);
    backends->catalogue_stamp = seen->catalogue;
    backends->config_stamp = seen->config;
    backends->has_strangers = seen->has_strangers;
    lock_drop(&backends->lock);
}

enum sca_status backends_tokens(struct backends *backends, const struct token_list *known,
                                struct token_list *ret_new)
{
    AUTO(collection_fini)
    struct collection c = {.accounts = &backends->accounts,
                           .forwards = &backends->forwards,
                           .state_dir = backends->state_dir,
                           .shows_all = backends->is_discovered};
    struct seen before = seen_before(backends);
    /* Before anything is read: what changes meanwhile shows the next time. */
    struct seen now = {.catalogue = stamp_of_file(backends->catalogue_file),
                       .config = accounts_stamp(&backends->accounts)};
    bool is_certain = true;

    enum sca_status st = collection_init(&c, known);
    if (st == SCA_OK && !stamp_is_same(before.config, now.config))
        is_certain = accounts_reread(&backends->accounts, &now.config);
    now.config.is_settled = now.config.is_settled && is_certain;
    if (st == SCA_OK)
        st = collection_look(&c);
    if (st == SCA_OK)
        st = collect(backends, &c);
    /* One look at a folder that is not there, for everybody who has no tokens on this computer. */
    bool is_complete = c.has_local && !c.is_damaged;
    bool has_adopted = false;
    if (st == SCA_OK && !is_complete)
        st = local_adopt(backends->state_dir, &has_adopted);
    if (st == SCA_OK && has_adopted)
        st = collect(backends, &c);
    if (st != SCA_OK)
        return st;
    collection_mark_gone(&c);
    forwards_remember(&backends->forwards, &c.scan, c.is_partial);
    now.has_strangers = c.has_strangers;
    atomic_store(&backends->is_doubtful, !is_certain);
    remember(backends, &now);
    *ret_new = c.fresh;
    c.fresh = (struct token_list){0};
    return SCA_OK;
}

bool backends_have_changed(struct backends *backends, bool is_thorough)
{
    struct seen seen = seen_before(backends);

    if (!stamp_is_same(seen.catalogue, stamp_of_file(backends->catalogue_file)) ||
        forwards_have_changed(&backends->forwards))
        return true;
    /* Where the catalogue has an account that the configuration did not have yet, the tool is
     * between its two writes, or was when the catalogue was read. */
    if (!is_thorough && !seen.has_strangers)
        return false;
    return !stamp_is_same(seen.config, accounts_stamp(&backends->accounts));
}

unsigned backends_poll_ms(const struct backends *backends)
{
    unsigned forwards_ms = forwards_poll_ms(&backends->forwards);

    /* What is written shows in its folder; that nobody goes on writing does not. */
    if (atomic_load(&backends->is_doubtful) && (!forwards_ms || forwards_ms > DOUBT_POLL_MS))
        return DOUBT_POLL_MS;
    return forwards_ms;
}

const char *backends_folder(const struct backends *backends, size_t index)
{
    const char *const folders[] = {backends->state_dir, backends->config_dir,
                                   backends->accounts.conf_d};
    return index < ARRAY_LEN(folders) ? folders[index] : NULL;
}
