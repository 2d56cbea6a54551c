/* SPDX-License-Identifier: Apache-2.0 */
/* smartca account remove: takes away what account add wrote, and nothing else. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/cli/account_file.h"
#include "remote/cli/output.h"
#include "remote/cli/workspace.h"

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

static enum cli_exit check(const struct cli *cli, const struct config *config,
                           const struct account_place *place)
{
    const char *name = cli->operands[0];
    const struct account_config *account = config_find_account(config, name);
    const struct account_config *neighbour = find_neighbour(config, place->file, name);
    struct stat info;

    if (account && strcmp(account->file, place->file) != 0)
        return output_fail(cli, "not_ours", _("remove the section from that file yourself"),
                           _("account %s was not written by this tool: %s:%u"), name, account->file,
                           account->line);
    if (neighbour)
        return output_fail(cli, "not_ours", _("remove the section from that file yourself"),
                           _("the file has account %s too: %s:%u"), neighbour->name,
                           neighbour->file, neighbour->line);
    if (lstat(place->file, &info) != 0)
        return output_fail(cli, output_code(SCA_NOT_FOUND), "smartca account list",
                           _("there is no account %s"), name);
    return CLI_OK;
}

/* The password file is ours when the account reads it where account add puts it. */
static void remove_password(const struct config *config, const struct account_config *account,
                            const struct account_place *place)
{
    for (size_t i = 0; i < config->account_count; i++) {
        const struct secret_ref *ref = &config->accounts[i].service.sp_password;
        bool is_here = ref->kind == SECRET_FILE && strcmp(ref->text, place->password_file) == 0;
        if (is_here != (&config->accounts[i] == account))
            return;
    }
    (void)unlink(place->password_file); /* it may have gone already */
}

static enum cli_exit remove_account(const struct cli *cli, const struct config *config,
                                    const struct account_place *place)
{
    const struct account_config *account = config_find_account(config, cli->operands[0]);

    if (unlink(place->file) != 0)
        return output_fail(cli, output_code(SCA_IO), workspace_advice(SCA_IO), "%s: %s",
                           place->file, strerror(errno));
    AUTO(fd_closep) int fd = open(place->conf_d, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        (void)fsync(fd); /* the removal is done; this only makes it outlive a power cut */
    if (!account)
        return CLI_OK; /* its section was not readable: nobody knows whose catalogue entry it was */
    remove_password(config, account, place);
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

static enum cli_exit say_removed(const struct cli *cli, const struct account_place *place)
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
    result = check(cli, workspace.config, &place);
    if (result == CLI_OK)
        result = remove_account(cli, workspace.config, &place);
    return result == CLI_OK ? say_removed(cli, &place) : result;
}
