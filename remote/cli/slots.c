/* SPDX-License-Identifier: Apache-2.0 */
/* smartca slots: what applications will see. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "remote/base/cleanup.h"
#include "remote/cli/output.h"
#include "remote/cli/rv_text.h"
#include "remote/cli/slot_view.h"
#include "remote/cli/store.h"

static const struct column columns[] = {
    {"slot_id", N_("SLOT"), false},    {"kind", N_("KIND"), false},
    {"account", N_("ACCOUNT"), false}, {"label", N_("LABEL"), false},
    {"key_type", N_("KEY"), false},    {"not_after", N_("UNTIL"), true},
    {"state", N_("STATE"), false},     {"login", N_("LOGIN"), false},
    {"serial", N_("SERIAL"), false},
};

/* What only configuration and catalogue know: entry is NULL for other kinds of slot. */
struct background {
    const struct account_config *account;
    const struct catalogue_entry *entry;
};

static bool find_entry(const struct catalogue *catalogue, CK_SLOT_ID id,
                       struct catalogue_entry *ret_entry)
{
    size_t count = catalogue ? catalogue_count(catalogue) : 0;

    for (size_t i = 0; i < count; i++)
        if (catalogue_get(catalogue, i, ret_entry) == SCA_OK && ret_entry->slot_id == id)
            return true;
    return false;
}

static const char *state_of(const struct slot_view *view, const struct background *background)
{
    int64_t now = (int64_t)time(NULL);

    if (!view->is_present)
        return "not_present";
    if (!view->is_initialized)
        return "uninitialized";
    if (background->entry)
        return entry_state(background->entry, now);
    if (view->not_after && now > view->not_after)
        return "expired";
    if (view->not_before && now < view->not_before)
        return "not_activated";
    return "ready";
}

static const char *text_or_null(const char *text)
{
    return text && *text ? text : NULL;
}

/* A locked PIN is no state of the certificate: the table says it beside that. */
static const char *login_of(const struct slot_view *view)
{
    if (view->is_locked)
        return _("locked");
    return view->needs_login ? _("yes") : _("no");
}

/* What is locked, and what unlocks it. */
static void tell_locked(const struct cli *cli, const struct slot_view *view,
                        const struct background *background)
{
    AUTO(freep) char *module = NULL;
    char cure[SLOT_CURE_SIZE];

    if (!view->is_locked || module_find(cli, &module) != SCA_OK)
        return;
    slot_view_cure(view, background->account ? background->account->name : NULL, module, cure);
    output_remark(cli, _("%s: the PIN is locked; %s"), view->label, cure);
}

static void add_row(struct rows *rows, const struct cli *cli, const struct slot_view *view,
                    const struct background *background)
{
    rows_begin(rows);
    rows_number(rows, "slot_id", view->id);
    rows_text(rows, "kind", view->kind);
    rows_text(rows, "account", background->account ? background->account->name : NULL);
    rows_text(rows, "label", text_or_null(view->label));
    rows_text(rows, "serial", text_or_null(view->serial));
    rows_text(rows, "subject", text_or_null(view->subject));
    rows_time(rows, "not_before", view->not_before);
    rows_time(rows, "not_after", view->not_after);
    rows_text(rows, "key_type", text_or_null(view->key_type));
    rows_text(rows, "state", state_of(view, background));
    rows_flag(rows, "login_required", view->needs_login);
    rows_text(rows, "pin", view->pin);
    if (!cli->is_json)
        rows_text(rows, "login", login_of(view));
}

/* used: how many are more than the empty slot that waits for a new token. */
struct listing {
    const struct cli *cli;
    const struct workspace *workspace;
    struct rows rows;
    size_t used;
    struct trouble trouble; /* why some slots may be missing */
    bool is_partial;
};

static bool open_catalogue(const struct listing *listing, struct catalogue **ret_catalogue,
                           struct trouble *trouble)
{
    const char *folder = listing->workspace->config->state_dir;
    const char *why = NULL;

    enum sca_status st = workspace_catalogue(folder, ret_catalogue, &why);
    if (!store_is_readable(folder, trouble))
        return false;
    return st == SCA_OK || workspace_catalogue_trouble(trouble, folder, st, why);
}

static CK_RV list_slots(const struct module *module, struct listing *listing)
{
    const struct config *config = listing->workspace->config;
    AUTO(freep) CK_SLOT_ID *slots = NULL;
    CK_ULONG count = 0;
    AUTO(catalogue_closep) struct catalogue *catalogue = NULL;

    CK_RV rv = module_slots(module, &slots, &count);
    if (rv != CKR_OK)
        return rv;
    /* Only now: listing may have fetched accounts for the first time. */
    listing->is_partial = !open_catalogue(listing, &catalogue, &listing->trouble);
    for (CK_ULONG i = 0; rv == CKR_OK && i < count; i++) {
        AUTO(slot_view_fini) struct slot_view view = {0};
        struct catalogue_entry entry;
        struct background background = {0};
        rv = slot_view_read(module, slots[i], &view);
        if (strcmp(view.kind, "smartca") == 0 && find_entry(catalogue, slots[i], &entry))
            background = (struct background){workspace_holder(config, &entry), &entry};
        if (rv == CKR_OK) {
            add_row(&listing->rows, listing->cli, &view, &background);
            tell_locked(listing->cli, &view, &background);
        }
        listing->used += !view.is_present || view.is_initialized;
    }
    return rv;
}

/* What there is, and then what may be missing. */
static enum cli_exit show(const struct listing *listing)
{
    const struct cli *cli = listing->cli;

    if (listing->used == 0 && !listing->is_partial)
        output_remark(cli, _("there is no certificate yet; smartca account add or selfsigned "
                             "create makes the first one"));
    enum cli_exit result = rows_print(cli, &listing->rows, columns, ARRAY_LEN(columns));
    return listing->is_partial ? trouble_print(cli, &listing->trouble) : result;
}

enum cli_exit slots_run(const struct cli *cli)
{
    AUTO(workspace_fini) struct workspace workspace;
    AUTO(module_fini) struct module module = {0};
    struct listing listing = {.cli = cli, .workspace = &workspace};
    struct trouble trouble;

    enum cli_exit result = workspace_open(cli, &workspace);
    if (result == CLI_OK)
        result = module_use(cli, &module);
    if (result != CLI_OK)
        return result;
    rows_init(&listing.rows);
    CK_RV rv = list_slots(&module, &listing);
    if (rv == CKR_OK)
        result = show(&listing);
    else if (!store_is_readable(workspace.config->state_dir, &trouble) ||
             !store_is_writable(workspace.config->state_dir, &trouble))
        result = trouble_print(cli, &trouble);
    else
        result = output_fail(cli, "module", _("smartca doctor tells more"),
                             _("the module does not list its slots: %s"), rv_text(rv));
    rows_fini(&listing.rows);
    return result;
}
