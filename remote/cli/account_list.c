/* SPDX-License-Identifier: Apache-2.0 */
/* smartca account list: the configuration's accounts and what is known of them; asks nobody. */
#include <time.h>

#include "remote/base/cleanup.h"
#include "remote/cli/output.h"
#include "remote/cli/vault_access.h"
#include "remote/cli/workspace.h"

static const struct column columns[] = {
    {"account", N_("ACCOUNT"), false},
    {"user_id", N_("USER"), false},
    {"serial", N_("SERIAL"), false},
    {"confirm", N_("CONFIRM"), false},
    {"certificates", N_("CERTIFICATES"), false},
    {"ready", N_("READY"), false},
    {"default", N_("DEFAULT"), false},
    {"vault", N_("VAULT"), false},
    {"wrong_pins", N_("WRONG PINS"), false},
    {"fetched_at", N_("ASKED"), true},
    {"file", N_("FILE"), false},
};

struct tally {
    size_t certificates;
    size_t ready;
    int64_t fetched_at;
    bool has_default;
};

static struct tally count_certificates(const struct catalogue *catalogue,
                                       const struct account_config *account)
{
    struct tally tally = {0};
    size_t count = catalogue ? catalogue_count(catalogue) : 0; /* damaged */

    for (size_t i = 0; i < count; i++) {
        struct catalogue_entry entry;
        if (catalogue_get(catalogue, i, &entry) != SCA_OK || !account_shows(account, &entry))
            continue;
        if (entry.fetched_at > tally.fetched_at)
            tally.fetched_at = entry.fetched_at;
        tally.certificates += entry.has_certificate;
        tally.has_default |= entry.view.is_default;
        tally.ready += entry_is_ready(&entry, (int64_t)time(NULL));
    }
    return tally;
}

/* Fails when nobody can tell now what state it is in. null: the account needs no PIN. */
static enum cli_exit add_vault(const struct cli *cli, struct rows *rows,
                               const struct account_config *account, const char *state_dir)
{
    const struct vault vault = vault_of_account(account, state_dir);
    const bool is_needed = vault_is_needed(account);
    struct vault_view view = {.state = VAULT_NO_PIN};

    if (is_needed)
        view = vault_look(&vault);
    rows_text(rows, "vault", is_needed ? vault_state_name(view.state) : NULL);
    rows_number(rows, "wrong_pins", view.wrong_pins);
    return view.state == VAULT_UNREADABLE
               ? vault_refuse(cli, account, state_dir, view.status, view.why)
               : CLI_OK;
}

static enum cli_exit add_row(const struct cli *cli, struct rows *rows,
                             const struct account_config *account, const struct tally *tally,
                             const char *state_dir)
{
    rows_begin(rows);
    rows_text(rows, "account", account->name);
    rows_text(rows, "user_id", account->user_id);
    rows_text(rows, "serial", account->serial);
    rows_text(rows, "confirm", confirm_names[account->confirm]);
    rows_text(rows, "url", account->service.url);
    rows_number(rows, "certificates", tally->certificates);
    rows_number(rows, "ready", tally->ready);
    rows_flag(rows, "default", tally->has_default);
    enum cli_exit result = add_vault(cli, rows, account, state_dir);
    rows_time(rows, "fetched_at", tally->fetched_at);
    rows_text(rows, "file", account->file);
    rows_number(rows, "line", account->line);
    return result;
}

enum cli_exit account_list_run(const struct cli *cli)
{
    AUTO(workspace_fini) struct workspace workspace;
    AUTO(rows_fini) struct rows rows;
    const char *why = NULL;

    rows_init(&rows);
    enum cli_exit result = workspace_open(cli, &workspace);
    if (result != CLI_OK)
        return result;
    const struct config *config = workspace.config;
    AUTO(catalogue_closep) struct catalogue *catalogue = NULL;
    enum sca_status st = workspace_catalogue(config->state_dir, &catalogue, &why);
    if (st == SCA_INVALID)
        output_remark(cli, _("%s/catalogue: %s; smartca account refresh makes it anew"),
                      config->state_dir, why);
    else if (st != SCA_OK)
        return workspace_refuse_catalogue(cli, config->state_dir, st, why);
    for (size_t i = 0; i < config->account_count; i++) {
        struct tally tally = count_certificates(catalogue, &config->accounts[i]);
        if (add_row(cli, &rows, &config->accounts[i], &tally, config->state_dir) != CLI_OK)
            result = CLI_FAILED;
    }
    if (config->account_count == 0)
        output_remark(cli, _("there is no account yet; smartca account add NAME --user-id ID"));
    enum cli_exit printed = rows_print(cli, &rows, columns, ARRAY_LEN(columns));
    return result == CLI_OK ? printed : result;
}
