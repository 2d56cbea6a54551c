/* SPDX-License-Identifier: Apache-2.0 */
/* smartca account rename: at every moment the account is there, under one name or under both. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/cli/account_lookup.h"
#include "remote/cli/account_title.h"
#include "remote/cli/output.h"
#include "remote/cli/workspace.h"

/* One run. Owns everything but cli and account. */
struct renaming {
    const struct cli *cli;
    struct workspace workspace;
    const struct account_config *account; /* in workspace */
    struct account_place from;
    struct account_place to;
    bool has_password_file;
    bool is_resumed; /* a run before was ended when the new file was there already */
    struct buf text; /* of the new file */
};

static void renaming_fini(struct renaming *renaming)
{
    workspace_fini(&renaming->workspace);
    account_place_fini(&renaming->from);
    account_place_fini(&renaming->to);
    buf_fini(&renaming->text);
}

static enum cli_exit find_places(struct renaming *renaming)
{
    const struct config *config = renaming->workspace.config;
    const struct cli *cli = renaming->cli;
    const char *const *names = (const char *const *)cli->operands;

    enum cli_exit result = account_find(cli, config, &renaming->account);
    if (result != CLI_OK)
        return result;
    if (account_place_of(config->main_file, names[0], &renaming->from) != SCA_OK ||
        account_place_of(config->main_file, names[1], &renaming->to) != SCA_OK)
        return output_fail(cli, output_code(SCA_NOMEM), "", _("out of memory"));
    result = account_check_ours(cli, config, names[0], &renaming->from);
    renaming->has_password_file =
        account_has_password_file(config, renaming->account, &renaming->from);
    return result;
}

/* What is about to be written has to be the same account for whoever reads it. */
static enum cli_exit check_text(const struct renaming *renaming)
{
    AUTO(config_freep) struct config *draft = NULL;

    enum sca_status st = account_draft(&renaming->to, buf_span(&renaming->text), &draft);
    if (st != SCA_OK)
        return output_fail(renaming->cli, output_code(st), "", "%s", sca_status_name(st));
    const struct account_config *account = config_find_account(draft, renaming->cli->operands[1]);
    if (account && identity_equal(config_identity(account), config_identity(renaming->account)))
        return CLI_OK;
    return output_fail(renaming->cli, "not_ours", _("change the name in that file yourself"),
                       _("%s is not as account add writes it"), renaming->from.file);
}

/* The new file says what it is to say: only the old one is still to go. */
static bool is_written(const struct renaming *renaming)
{
    AUTO(buf_fini) struct buf there = {.ptr = NULL};
    const char *why = NULL;

    return file_read_trusted(renaming->to.file, FILE_NOT_WRITABLE_BY_OTHERS, ACCOUNT_TEXT_MAX, true,
                             &there, &why) == SCA_OK &&
           span_equal(buf_span(&there), buf_span(&renaming->text));
}

static enum cli_exit check_new(struct renaming *renaming)
{
    const struct cli *cli = renaming->cli;

    renaming->is_resumed = is_written(renaming);
    if (renaming->is_resumed)
        return CLI_OK;
    enum cli_exit result =
        account_check_is_new(cli, renaming->workspace.config, cli->operands[1], &renaming->to);
    return result == CLI_OK ? check_text(renaming) : result;
}

static enum cli_exit make_text(struct renaming *renaming)
{
    AUTO(buf_fini) struct buf old = {.ptr = NULL};
    const char *why = NULL;
    const struct account_title title = {
        .old_name = renaming->cli->operands[0],
        .new_name = renaming->cli->operands[1],
        .old_password_file = renaming->has_password_file ? renaming->from.password_file : NULL,
        .new_password_file = renaming->to.password_file,
    };

    enum sca_status st = file_read_trusted(renaming->from.file, FILE_NOT_WRITABLE_BY_OTHERS,
                                           ACCOUNT_TEXT_MAX, true, &old, &why);
    if (st == SCA_OK)
        st = account_title_change(buf_span(&old), &title, &renaming->text);
    if (st != SCA_OK)
        return output_fail(renaming->cli, output_code(st),
                           _("change the name in that file yourself"), "%s: %s",
                           renaming->from.file, why ? why : sca_status_name(st));
    return CLI_OK;
}

static enum cli_exit copy_password(const struct renaming *renaming)
{
    AUTO(buf_fini) struct buf bytes = {.ptr = NULL};
    const unsigned trust = FILE_NOT_WRITABLE_BY_OTHERS | FILE_NOT_READABLE_BY_OTHERS;
    const char *why = NULL;

    if (!renaming->has_password_file)
        return CLI_OK;
    enum sca_status st =
        file_read_trusted(renaming->from.password_file, trust, SECRET_MAX + 2, true, &bytes, &why);
    if (st == SCA_OK)
        file_sweep(renaming->to.config_dir, renaming->to.password_name);
    if (st == SCA_OK)
        st = file_replace(renaming->to.config_dir, renaming->to.password_name, buf_span(&bytes));
    return st == SCA_OK
               ? CLI_OK
               : output_fail(renaming->cli, output_code(st), workspace_advice(st),
                             _("%s cannot be copied to %s: %s"), renaming->from.password_file,
                             renaming->to.password_file, why ? why : sca_status_name(st));
}

static enum cli_exit write_new(const struct renaming *renaming)
{
    enum cli_exit result = copy_password(renaming);
    if (result != CLI_OK)
        return result;
    enum sca_status st =
        file_replace(renaming->to.conf_d, renaming->to.file_name, buf_span(&renaming->text));
    if (st == SCA_OK)
        return CLI_OK;
    /* It may have its place, and only not be sure to keep it. */
    (void)file_remove(renaming->to.conf_d, renaming->to.file_name);
    if (renaming->has_password_file)
        (void)unlink(renaming->to.password_file); /* without the section nobody reads it */
    return output_fail(renaming->cli, output_code(st), workspace_advice(st),
                       _("%s cannot be written"), renaming->to.file);
}

static enum cli_exit remove_old(const struct renaming *renaming)
{
    if (file_remove(renaming->from.conf_d, renaming->from.file_name) != SCA_OK)
        return output_fail(renaming->cli, output_code(SCA_IO),
                           _("remove that file: the account is there under both names"), "%s: %s",
                           renaming->from.file, strerror(errno));
    if (renaming->has_password_file)
        (void)unlink(renaming->from.password_file); /* a copy that nobody refers to any more */
    return CLI_OK;
}

static enum cli_exit say_renamed(const struct renaming *renaming)
{
    AUTO(rows_fini) struct rows rows;
    const struct cli *cli = renaming->cli;

    rows_init(&rows);
    output_remark(cli, _("account %s is now %s: %s"), cli->operands[0], cli->operands[1],
                  renaming->to.file);
    if (!cli->is_json)
        return CLI_OK;
    rows_begin(&rows);
    rows_text(&rows, "account", cli->operands[1]);
    rows_text(&rows, "was", cli->operands[0]);
    rows_text(&rows, "file", renaming->to.file);
    return rows_print_thing(cli, &rows);
}

enum cli_exit account_rename_run(const struct cli *cli)
{
    AUTO(renaming_fini)
    struct renaming renaming = {.cli = cli, .workspace.log = {.sink = LOG_SINK_NONE, .fd = -1}};

    enum cli_exit result = account_check_name(cli, cli->operands[1]);
    if (result == CLI_OK)
        result = workspace_open(cli, &renaming.workspace);
    if (result == CLI_OK)
        result = find_places(&renaming);
    if (result == CLI_OK)
        result = make_text(&renaming);
    if (result == CLI_OK)
        result = check_new(&renaming);
    if (result == CLI_OK && !renaming.is_resumed)
        result = write_new(&renaming);
    if (result == CLI_OK)
        result = remove_old(&renaming);
    return result == CLI_OK ? say_renamed(&renaming) : result;
}
