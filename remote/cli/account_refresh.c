/* SPDX-License-Identifier: Apache-2.0 */
/* smartca account refresh: what the service says now, compared with what was known. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "remote/base/cleanup.h"
#include "remote/cli/output.h"
#include "remote/cli/vault_access.h"
#include "remote/cli/workspace.h"

static const struct column columns[] = {
    {"account", N_("ACCOUNT"), false}, {"label", N_("LABEL"), false},
    {"serial", N_("SERIAL"), false},   {"state", N_("STATE"), false},
    {"was", N_("WAS"), false},         {"change", N_("CHANGE"), false},
};

/* The catalogue before, NULL when it was damaged, and after. */
struct comparison {
    const struct account_config *account;
    const struct catalogue *before;
    const struct catalogue *after;
    int64_t now;
};

static bool find_slot(const struct catalogue *catalogue, const struct account_config *account,
                      uint32_t slot_id, struct catalogue_entry *ret_entry)
{
    size_t count = catalogue ? catalogue_count(catalogue) : 0;

    for (size_t i = 0; i < count; i++)
        if (catalogue_get(catalogue, i, ret_entry) == SCA_OK && ret_entry->slot_id == slot_id)
            return ret_entry->has_certificate && account_shows(account, ret_entry);
    return false;
}

/* was NULL: a new one. is_now NULL: it is gone. One of them is there. */
static void add_row(struct rows *rows, const struct comparison *comparison,
                    const struct catalogue_entry *was, const struct catalogue_entry *is_now)
{
    const struct catalogue_entry *entry = is_now ? is_now : was;
    const char *before = was ? entry_state(was, comparison->now) : NULL;
    const char *after = is_now ? entry_state(is_now, comparison->now) : NULL;
    char serial[CERTIFICATE_SERIAL_HEX];
    const char *change = "unchanged";

    if (!was)
        change = "new";
    else if (!is_now)
        change = "gone";
    else if (strcmp(before, after) != 0)
        change = "state";
    rows_begin(rows);
    rows_text(rows, "account", comparison->account->name);
    rows_number(rows, "slot_id", entry->slot_id);
    entry_add_label(entry, rows);
    rows_text(rows, "serial", certificate_serial_hex(entry->leaf.serial, serial));
    rows_text(rows, "state", after);
    rows_text(rows, "was", before);
    rows_text(rows, "change", change);
}

/* Certificates keep their slot ids, so those tell which is which. */
static void compare(const struct comparison *comparison, struct rows *rows)
{
    struct catalogue_entry entry;
    struct catalogue_entry other;
    size_t after_count = catalogue_count(comparison->after);
    size_t before_count = comparison->before ? catalogue_count(comparison->before) : 0;
    const struct account_config *account = comparison->account;

    for (size_t i = 0; i < after_count; i++)
        if (catalogue_get(comparison->after, i, &entry) == SCA_OK && entry.has_certificate &&
            account_shows(account, &entry))
            add_row(rows, comparison,
                    find_slot(comparison->before, account, entry.slot_id, &other) ? &other : NULL,
                    &entry);
    for (size_t i = 0; i < before_count; i++)
        if (catalogue_get(comparison->before, i, &entry) == SCA_OK && entry.has_certificate &&
            account_shows(account, &entry) &&
            !find_slot(comparison->after, account, entry.slot_id, &other))
            add_row(rows, comparison, &entry, NULL);
}

static enum cli_exit refresh(const struct cli *cli, const struct account_config *account,
                             const char *state_dir, struct rows *rows)
{
    AUTO(vault_contents_fini) struct vault_contents contents = {.items = {NULL}};
    struct workspace_answer answer;
    const char *why = NULL;

    if (account->service.sp_password.kind == SECRET_VAULT &&
        vault_unlock(cli, account, state_dir, &contents) != CLI_OK)
        return CLI_FAILED;
    const struct remote_credentials credentials = vault_credentials(&contents);
    AUTO(catalogue_closep) struct catalogue *before = NULL;
    AUTO(catalogue_closep) struct catalogue *after = NULL;
    enum sca_status st = workspace_catalogue(state_dir, &before, &why);
    if (st != SCA_OK && st != SCA_INVALID) /* a damaged one is made anew */
        return workspace_refuse_catalogue(cli, state_dir, st, why);
    st = workspace_fetch(account, state_dir, &credentials, &answer);
    if (st != SCA_OK)
        return output_fail(cli, output_code(st), answer.next_step, "%s", answer.note);
    st = workspace_catalogue(state_dir, &after, &why);
    if (st != SCA_OK)
        return workspace_refuse_catalogue(cli, state_dir, st, why);
    const struct comparison comparison = {account, before, after, (int64_t)time(NULL)};
    compare(&comparison, rows);
    if (answer.count == 0)
        output_remark(cli, _("account %s has no certificate at the service"), account->name);
    return CLI_OK;
}

enum cli_exit account_refresh_run(const struct cli *cli)
{
    AUTO(workspace_fini) struct workspace workspace = {.log = {.sink = LOG_SINK_NONE, .fd = -1}};
    AUTO(rows_fini) struct rows rows = {.list = NULL};
    const char *name = cli->operand_count > 0 ? cli->operands[0] : NULL;

    if (cli->pin_file && !name)
        return output_usage(cli, _("--pin-file needs the NAME of one account"));
    rows_init(&rows);
    enum cli_exit result = workspace_open(cli, &workspace);
    if (result != CLI_OK)
        return result;
    const struct config *config = workspace.config;
    if (name && !config_find_account(config, name))
        return output_fail(cli, output_code(SCA_NOT_FOUND), "smartca account list",
                           _("there is no account %s"), name);
    /* One that fails does not keep the others from being asked. */
    for (size_t i = 0; i < config->account_count; i++)
        if (!name || strcmp(name, config->accounts[i].name) == 0)
            if (refresh(cli, &config->accounts[i], config->state_dir, &rows) != CLI_OK)
                result = CLI_FAILED;
    enum cli_exit printed = rows_print(cli, &rows, columns, ARRAY_LEN(columns));
    return result == CLI_OK ? printed : result;
}
