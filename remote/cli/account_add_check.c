/* SPDX-License-Identifier: Apache-2.0 */
/* What is looked at before anybody is asked anything. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/cli/account_add.h"
#include "remote/cli/account_lookup.h"

enum { USER_ID_MIN = 6, USER_ID_MAX = 24 };

static bool is_user_id(const char *text)
{
    size_t len = strlen(text);

    /* CCCD:..., MST:... and the -001 of a branch's tax number are in use. */
    for (const char *at = text; *at; at++)
        if (!isascii(*at) || (!isalnum((unsigned char)*at) && !strchr("-:", *at)))
            return false;
    return len >= USER_ID_MIN && len <= USER_ID_MAX && strpbrk(text, "0123456789");
}

static enum cli_exit check_values(const struct cli *cli)
{
    const char *const values[] = {cli->serial,           cli->url,           cli->sp_id,
                                  cli->sp_password_file, cli->password_file, cli->secret_key_file,
                                  cli->ca_file};

    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        if (values[i] && !account_text_is_safe(values[i]))
            return output_usage(cli,
                                _("a value has white space at an end, a quotation mark, a "
                                  "comment or a control character: %s"),
                                values[i]);
    return CLI_OK;
}

static enum cli_exit read_confirm(const struct cli *cli, enum confirm_mode *ret_confirm)
{
    size_t found = 0;

    if (!cli->confirm) {
        *ret_confirm = cli->is_business ? CONFIRM_TOTP : CONFIRM_APP;
        return CLI_OK;
    }
    while (confirm_names[found] && strcmp(confirm_names[found], cli->confirm) != 0)
        found++;
    if (!confirm_names[found])
        return output_usage(cli, _("--confirm is app, otp or totp"));
    if (cli->is_business && found != CONFIRM_TOTP)
        return output_usage(cli, _("--business is --confirm totp: it cannot be --confirm %s"),
                            cli->confirm);
    *ret_confirm = (enum confirm_mode)found;
    return CLI_OK;
}

/* Options that contradict each other; the first row that applies is the answer. */
static enum cli_exit check_together(const struct cli *cli, enum confirm_mode confirm)
{
    bool has_pin = (confirm != CONFIRM_APP && !cli->is_unattended) || cli->keeps_sp_password;
    const char *files[] = {cli->password_file, cli->secret_key_file, cli->sp_password_file};
    bool pipes_file = false;

    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        pipes_file |= files[i] && strcmp(files[i], "-") == 0;
    const struct {
        bool applies;
        const char *rule;
    } rules[] = {
        {cli->password_file && confirm == CONFIRM_APP && !cli->is_reset,
         N_("--password-file is for --confirm otp, --confirm totp and --business")},
        {cli->secret_key_file && confirm != CONFIRM_TOTP && !cli->is_reset,
         N_("--secret-key-file is for --confirm totp and --business")},
        {cli->is_unattended && confirm != CONFIRM_TOTP,
         N_("--unattended is for --confirm totp and --business: somebody has to confirm "
            "otherwise")},
        {cli->keeps_sp_password && !cli->sp_password_file,
         N_("--sp-password-in-vault needs --sp-password-file")},
        {cli->is_unattended && cli->keeps_sp_password,
         N_("--unattended has no vault: --sp-password-in-vault cannot be given with it")},
        {cli->is_unattended && (!cli->password_file || !cli->secret_key_file),
         N_("--unattended needs --password-file and --secret-key-file")},
        {cli->is_unattended && pipes_file,
         N_("--unattended needs files that stay, not - for standard input")},
        {cli->pin_file && !has_pin,
         N_("--pin-file is for accounts that keep secrets under a PIN: --confirm otp or totp "
            "without --unattended, --sp-password-in-vault")},
        {cli->is_reset && !has_pin, N_("--reset is for accounts that keep secrets under a PIN")},
    };

    for (size_t i = 0; i < ARRAY_LEN(rules); i++)
        if (rules[i].applies)
            return output_usage(cli, "%s", _(rules[i].rule));
    return CLI_OK;
}

enum cli_exit addition_check_usage(const struct cli *cli, enum confirm_mode *ret_confirm)
{
    enum cli_exit result = account_check_name(cli, cli->operands[0]);

    if (result == CLI_OK)
        result = read_confirm(cli, ret_confirm);
    if (result != CLI_OK)
        return result;
    if (!cli->user_id)
        return output_usage(cli, _("--user-id is missing"));
    if (!is_user_id(cli->user_id))
        return output_usage(cli,
                            _("--user-id is a CCCD, passport or tax number: %d to %d letters, "
                              "digits, - :"),
                            USER_ID_MIN, USER_ID_MAX);
    result = check_together(cli, *ret_confirm);
    return result == CLI_OK ? check_values(cli) : result;
}

/* Files are named absolutely: the module runs in other folders. */
static enum cli_exit resolve_path(const struct cli *cli, const char *option, const char *path,
                                  char **ret_path)
{
    if (!path || strcmp(path, "-") == 0)
        return CLI_OK;
    AUTO(freep) char *absolute = realpath(path, NULL);
    if (!absolute)
        return output_fail(cli, output_code(SCA_NOT_FOUND), "", _("%s %s: %s"), option, path,
                           strerror(errno));
    if (!account_text_is_safe(absolute))
        return output_fail(cli, output_code(SCA_INVALID), _("rename the file or its folder"),
                           _("%s: %s cannot be written into the configuration"), option, absolute);
    *ret_path = TAKE(absolute);
    return CLI_OK;
}

static enum cli_exit resolve_files(struct addition *addition)
{
    const struct cli *cli = addition->cli;
    const struct {
        const char *option;
        const char *path;
        char **absolute;
    } files[] = {
        {"--ca-file", cli->ca_file, &addition->ca_path},
        {"--sp-password-file", cli->sp_password_file, &addition->paths[VAULT_SP_PASSWORD]},
        {"--password-file", cli->password_file, &addition->paths[VAULT_PASSWORD]},
        {"--secret-key-file", cli->secret_key_file, &addition->paths[VAULT_TOTP_SECRET]},
    };
    enum cli_exit result = CLI_OK;

    for (size_t i = 0; result == CLI_OK && i < ARRAY_LEN(files); i++)
        result = resolve_path(cli, files[i].option, files[i].path, files[i].absolute);
    return result;
}

enum cli_exit addition_prepare(struct addition *addition)
{
    const struct config *config = addition->workspace.config;
    const char *name = addition->cli->operands[0];

    if (account_place_of(config->main_file, name, &addition->place) != SCA_OK)
        return output_fail(addition->cli, output_code(SCA_NOMEM), "", _("out of memory"));
    enum cli_exit result = account_check_is_new(addition->cli, config, name, &addition->place);
    return result == CLI_OK ? resolve_files(addition) : result;
}

/* Programs would sign with another account's means from then on. */
enum cli_exit addition_check_rival(const struct addition *addition)
{
    AUTO(config_freep) struct config *now = NULL; /* another account add may have been quicker */

    enum sca_status st = config_load(&now);
    if (st != SCA_OK)
        return output_fail(addition->cli, output_code(st), "",
                           _("the configuration cannot be loaded: %s"), sca_status_name(st));
    const struct account_config *rival = workspace_rival(now, addition->account);
    return rival ? addition_report_held(addition, rival, addition->account->serial) : CLI_OK;
}
