/* SPDX-License-Identifier: Apache-2.0 */
/* What is looked at before anybody is asked anything. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "remote/base/cleanup.h"
#include "remote/cli/account_add.h"
#include "remote/cli/secret_input.h"

enum { NAME_MAX_LEN = 32, USER_ID_MIN = 6, USER_ID_MAX = 24 };

static bool is_made_of(const char *text, const char *extra)
{
    for (; *text; text++)
        if (!isascii(*text) || (!isalnum((unsigned char)*text) && !strchr(extra, *text)))
            return false;
    return true;
}

static bool is_user_id(const char *text)
{
    size_t len = strlen(text);
    /* CCCD:..., MST:... and the -001 of a branch's tax number are in use. */
    return len >= USER_ID_MIN && len <= USER_ID_MAX && is_made_of(text, "-:") &&
           strpbrk(text, "0123456789");
}

static enum cli_exit check_values(const struct cli *cli)
{
    const char *const values[] = {cli->serial, cli->url, cli->sp_id, cli->sp_password_file,
                                  cli->ca_file};

    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        if (values[i] && !account_text_is_safe(values[i]))
            return output_usage(cli,
                                _("a value has white space at an end, a quotation mark, a "
                                  "comment or a control character: %s"),
                                values[i]);
    return CLI_OK;
}

enum cli_exit addition_check_usage(const struct cli *cli)
{
    const char *name = cli->operands[0];
    size_t len = strlen(name);

    if (len == 0 || len > NAME_MAX_LEN || !is_made_of(name, "-_."))
        return output_usage(cli, _("NAME has 1 to %d letters, digits, - _ ."), NAME_MAX_LEN);
    if (cli->is_business ||
        (cli->confirm && (strcmp(cli->confirm, "otp") == 0 || strcmp(cli->confirm, "totp") == 0)))
        return output_fail(cli, output_code(SCA_UNSUPPORTED),
                           _("use an account that confirms in the SmartCA app"),
                           _("this version does not have otp, totp and --business yet"));
    if (cli->confirm && strcmp(cli->confirm, "app") != 0)
        return output_usage(cli, _("--confirm is app, otp or totp"));
    if (!cli->user_id)
        return output_usage(cli, _("--user-id is missing"));
    if (!is_user_id(cli->user_id))
        return output_usage(cli,
                            _("--user-id is a CCCD, passport or tax number: %d to %d letters, "
                              "digits, - :"),
                            USER_ID_MIN, USER_ID_MAX);
    return check_values(cli);
}

static enum cli_exit check_is_new(struct addition *addition)
{
    const struct cli *cli = addition->cli;
    const struct config *config = addition->workspace.config;
    const struct account_config *same = config_find_account(config, cli->operands[0]);
    struct stat info;

    if (account_place_of(config->main_file, cli->operands[0], &addition->place) != SCA_OK)
        return output_fail(cli, output_code(SCA_NOMEM), "", _("out of memory"));
    if (same)
        return output_fail(cli, "exists", _("choose another name, or remove that account"),
                           _("there is an account %s: %s:%u"), same->name, same->file, same->line);
    if (lstat(addition->place.file, &info) == 0)
        return output_fail(cli, "exists", _("correct that file, or remove the account"),
                           _("there is a file %s"), addition->place.file);
    return CLI_OK;
}

/* Files are named absolutely: the module runs in other folders. */
static enum cli_exit resolve_path(const struct cli *cli, const char *option, const char *path,
                                  char **ret_path)
{
    if (!path)
        return CLI_OK;
    char *absolute = realpath(path, NULL);
    if (!absolute)
        return output_fail(cli, output_code(SCA_NOT_FOUND), "", _("%s %s: %s"), option, path,
                           strerror(errno));
    *ret_path = absolute;
    return CLI_OK;
}

static enum cli_exit resolve_files(struct addition *addition)
{
    const struct cli *cli = addition->cli;
    const char *from = cli->sp_password_file;

    enum cli_exit result = resolve_path(cli, "--ca-file", cli->ca_file, &addition->ca_path);
    if (result != CLI_OK || !from)
        return result;
    if (strcmp(from, "-") != 0)
        return resolve_path(cli, "--sp-password-file", from, &addition->password_path);

    enum sca_status st = secret_input(_("Password of the service provider"), &addition->password);
    if (st != SCA_OK)
        return output_fail(cli, output_code(st), "",
                           _("standard input has no line that could be a password"));
    addition->password_path = strdup(addition->place.password_file);
    return addition->password_path
               ? CLI_OK
               : output_fail(cli, output_code(SCA_NOMEM), "", _("out of memory"));
}

enum cli_exit addition_prepare(struct addition *addition)
{
    enum cli_exit result = check_is_new(addition);
    return result == CLI_OK ? resolve_files(addition) : result;
}
