/* SPDX-License-Identifier: Apache-2.0 */
/* smartca account remove: takes away what account add wrote, and nothing else. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/cli/account_lookup.h"
#include "remote/cli/output.h"
#include "remote/cli/vault_access.h"
#include "remote/cli/workspace.h"

static bool others_need_vault(const struct config *config, const struct account_config *account)
{
    for (size_t i = 0; i < config->account_count; i++) {
        const struct account_config *other = &config->accounts[i];
        if (other != account && identity_equal(config_identity(other), config_identity(account)) &&
            vault_is_needed(other))
            return true;
    }
    return false;
}

/*
 * Its secrets, when no other account needs them. Before its section: an account without its vault
 * can be removed again, nobody would look for a vault without its account. Not for one whose
 * section stays, because its folder cannot be written.
 */
static enum cli_exit forget_secrets(const struct cli *cli, const struct config *config,
                                    const struct account_config *account,
                                    const struct account_place *place)
{
    const struct vault vault = vault_of_account(account, config->state_dir);

    if (access(place->conf_d, W_OK) != 0 || others_need_vault(config, account))
        return CLI_OK;
    enum sca_status st = vault_remove(&vault);
    return st == SCA_OK ? CLI_OK
                        : output_fail(cli, output_code(st), workspace_advice(st),
                                      _("the account stays, because its secrets cannot be removed "
                                        "from %s/vault"),
                                      config->state_dir);
}

/* Its certificates, when no other account has them. */
static enum cli_exit forget_certificates(const struct cli *cli, const struct config *config,
                                         const struct account_config *account)
{
    if (workspace_twin(config, account))
        return CLI_OK;
    enum sca_status st =
        catalogue_forget(config->state_dir, account->service.url, account->user_id);
    return st == SCA_OK ? CLI_OK
                        : output_fail(cli, output_code(st), workspace_advice(st),
                                      _("the account is removed, but %s/catalogue still has its "
                                        "certificates"),
                                      config->state_dir);
}

/* Its section was not readable: nobody knows whose vault and slots were its own. */
static void say_what_remains(const struct cli *cli, const struct config *config,
                             const struct account_place *place)
{
    output_remark(cli,
                  _("its section had a mistake, so that its secrets may remain in %s/vault, under "
                    "its PIN, and its slots in %s/catalogue; account add with the same --user-id, "
                    "then account remove takes them away"),
                  config->state_dir, config->state_dir);
    if (access(place->password_file, F_OK) == 0)
        output_remark(cli, _("%s remains: remove it if no other account needs it"),
                      place->password_file);
}

static enum cli_exit remove_account(const struct cli *cli, const struct config *config,
                                    const struct account_place *place)
{
    const struct account_config *account = config_find_account(config, cli->operands[0]);
    bool is_known = account && config->problem_count == 0;

    if (is_known && forget_secrets(cli, config, account, place) != CLI_OK)
        return CLI_FAILED;
    /* The password goes first: a section without it can be removed again, nobody would look for a
     * password without its section. */
    if (access(place->conf_d, W_OK) == 0 && account_has_password_file(config, account, place))
        (void)unlink(place->password_file); /* it may have gone already */
    file_sweep(place->config_dir, place->password_name);
    if (file_remove(place->conf_d, place->file_name) != SCA_OK)
        return output_fail(cli, output_code(SCA_IO), workspace_advice(SCA_IO), "%s: %s",
                           place->file, strerror(errno));
    if (!account) {
        say_what_remains(cli, config, place);
        return CLI_OK;
    }
    if (is_known)
        return forget_certificates(cli, config, account);
    output_remark(cli,
                  _("its slots, and the vault if it had one, stay: what cannot be read in the "
                    "configuration may be another account of %s (smartca doctor shows it)"),
                  account->user_id);
    return CLI_OK;
}

/* may_remain: a folder that may still have something of the account; NULL: none has. */
static enum cli_exit say_removed(const struct cli *cli, const struct account_place *place,
                                 const char *may_remain)
{
    AUTO(rows_fini) struct rows rows;

    rows_init(&rows);
    output_remark(cli, _("account %s removed: %s"), cli->operands[0], place->file);
    if (!cli->is_json)
        return CLI_OK;
    rows_begin(&rows);
    rows_text(&rows, "account", cli->operands[0]);
    rows_text(&rows, "file", place->file);
    rows_flag(&rows, "removed", true);
    rows_text(&rows, "may_remain", may_remain);
    return rows_print_thing(cli, &rows);
}

enum cli_exit account_remove_run(const struct cli *cli)
{
    AUTO(workspace_fini) struct workspace workspace;
    AUTO(account_place_fini) struct account_place place = {0};

    enum cli_exit result = workspace_open(cli, &workspace);
    if (result != CLI_OK)
        return result;
    if (strchr(cli->operands[0], '/'))
        return output_fail(cli, output_code(SCA_NOT_FOUND), "smartca account list",
                           _("there is no account %s"), cli->operands[0]);
    if (account_place_of(workspace.config->main_file, cli->operands[0], &place) != SCA_OK)
        return output_fail(cli, output_code(SCA_NOMEM), "", _("out of memory"));
    result = account_check_ours(cli, workspace.config, cli->operands[0], &place);
    if (result != CLI_OK)
        return result;
    bool is_known = config_find_account(workspace.config, cli->operands[0]);
    result = remove_account(cli, workspace.config, &place);
    return result == CLI_OK
               ? say_removed(cli, &place, is_known ? NULL : workspace.config->state_dir)
               : result;
}
