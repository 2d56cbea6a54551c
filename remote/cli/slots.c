/* SPDX-License-Identifier: Apache-2.0 */
/* smartca slots: what applications will see. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <p11-kit/p11-kit.h>

#include "remote/base/cleanup.h"
#include "remote/cli/output.h"
#include "remote/cli/slot_view.h"

static const struct column columns[] = {
    {"slot_id", N_("SLOT"), false},    {"kind", N_("KIND"), false},
    {"account", N_("ACCOUNT"), false}, {"label", N_("LABEL"), false},
    {"key_type", N_("KEY"), false},    {"not_after", N_("UNTIL"), true},
    {"state", N_("STATE"), false},     {"login_required", N_("LOGIN"), false},
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

static const struct account_config *find_account(const struct config *config,
                                                 const struct catalogue_entry *entry)
{
    for (size_t i = 0; i < config->account_count; i++)
        if (account_shows(&config->accounts[i], entry))
            return &config->accounts[i];
    return NULL;
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

static void add_row(struct rows *rows, const struct slot_view *view,
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
}

/* ret_used: how many are more than the empty slot that waits for a new token. */
static CK_RV list_slots(const struct module *module, const struct workspace *workspace,
                        struct rows *rows, size_t *ret_used)
{
    AUTO(freep) CK_SLOT_ID *slots = NULL;
    CK_ULONG count = 0;
    const char *why = NULL;

    CK_RV rv = module_slots(module, &slots, &count);
    if (rv != CKR_OK)
        return rv;
    /* Only now: listing may have fetched accounts for the first time. */
    AUTO(catalogue_closep)
    struct catalogue *catalogue = workspace_catalogue(workspace->config->state_dir, &why);
    for (CK_ULONG i = 0; rv == CKR_OK && i < count; i++) {
        AUTO(slot_view_fini) struct slot_view view = {0};
        struct catalogue_entry entry;
        struct background background = {0};
        rv = slot_view_read(module, slots[i], &view);
        if (strcmp(view.kind, "smartca") == 0 && find_entry(catalogue, slots[i], &entry))
            background = (struct background){find_account(workspace->config, &entry), &entry};
        if (rv == CKR_OK)
            add_row(rows, &view, &background);
        *ret_used += !view.is_present || view.is_initialized;
    }
    return rv;
}

enum cli_exit slots_run(const struct cli *cli)
{
    AUTO(workspace_fini) struct workspace workspace;
    AUTO(module_fini) struct module module = {0};
    AUTO(rows_fini) struct rows rows;

    rows_init(&rows);
    enum cli_exit result = workspace_open(cli, &workspace);
    if (result == CLI_OK)
        result = module_use(cli, &module);
    if (result != CLI_OK)
        return result;
    size_t used = 0;
    CK_RV rv = list_slots(&module, &workspace, &rows, &used);
    if (rv != CKR_OK)
        return output_fail(cli, "module", _("smartca doctor tells more"),
                           _("the module does not list its slots: %s"), p11_kit_strerror(rv));
    if (used == 0)
        output_remark(cli, _("there is no certificate yet; smartca account add or selfsigned "
                             "create makes the first one"));
    return rows_print(cli, &rows, columns, ARRAY_LEN(columns));
}
