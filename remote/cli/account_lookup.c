/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/account_lookup.h"

#include <string.h>
#include <sys/stat.h>

#include "remote/cli/output.h"
#include "remote/config/document.h"

enum cli_exit account_check_name(const struct cli *cli, const char *name)
{
    return document_is_name(name)
               ? CLI_OK
               : output_usage(cli, _("NAME has 1 to %d letters, digits, - _ . and not . first"),
                              SECTION_NAME_MAX);
}

enum cli_exit account_find(const struct cli *cli, const struct config *config,
                           const struct account_config **ret_account)
{
    const struct account_config *account = config_find_account(config, cli->operands[0]);

    if (!account)
        return output_fail(cli, output_code(SCA_NOT_FOUND), "smartca account list",
                           _("there is no account %s"), cli->operands[0]);
    *ret_account = account;
    return CLI_OK;
}

/* Another account that somebody put into the same file. */
static const struct account_config *find_neighbour(const struct config *config, const char *file,
                                                   const char *name)
{
    for (size_t i = 0; i < config->account_count; i++)
        if (strcmp(config->accounts[i].file, file) == 0 &&
            strcmp(config->accounts[i].name, name) != 0)
            return &config->accounts[i];
    return NULL;
}

enum cli_exit account_check_ours(const struct cli *cli, const struct config *config,
                                 const char *name, const struct account_place *place)
{
    const struct account_config *account = config_find_account(config, name);
    const struct account_config *neighbour = find_neighbour(config, place->file, name);
    const char *next_step = _("change the section in that file yourself");
    struct stat info;

    if (account && strcmp(account->file, place->file) != 0)
        return output_fail(cli, "not_ours", next_step,
                           _("account %s was not written by this tool: %s:%u"), name, account->file,
                           account->line);
    if (neighbour)
        return output_fail(cli, "not_ours", next_step, _("the file has account %s too: %s:%u"),
                           neighbour->name, neighbour->file, neighbour->line);
    if (lstat(place->file, &info) != 0)
        return output_fail(cli, output_code(SCA_NOT_FOUND), "smartca account list",
                           _("there is no account %s"), name);
    return CLI_OK;
}

enum cli_exit account_check_is_new(const struct cli *cli, const struct config *config,
                                   const char *name, const struct account_place *place)
{
    const struct account_config *same = config_find_account(config, name);
    struct stat info;

    if (same)
        return output_fail(cli, "exists", _("choose another name, or remove that account"),
                           _("there is an account %s: %s:%u"), same->name, same->file, same->line);
    if (lstat(place->file, &info) == 0)
        return output_fail(cli, "exists", _("correct that file, or remove the account"),
                           _("there is a file %s"), place->file);
    return CLI_OK;
}

bool account_has_password_file(const struct config *config, const struct account_config *account,
                               const struct account_place *place)
{
    for (size_t i = 0; i < config->account_count; i++) {
        const struct secret_ref *ref = &config->accounts[i].service.sp_password;
        bool is_here = ref->kind == SECRET_FILE && strcmp(ref->text, place->password_file) == 0;
        if (is_here != (&config->accounts[i] == account))
            return false;
    }
    return account;
}
