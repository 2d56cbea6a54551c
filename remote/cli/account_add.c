/* SPDX-License-Identifier: Apache-2.0 */
/* smartca account add: nothing is left behind unless the identity's certificates came. */
#include "remote/cli/account_add.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"

#define NOTIFY_SEND "/usr/bin/notify-send"

static const char notify_line[] = NOTIFY_SEND " \"SmartCA\" \"%s\"";

static const struct column columns[] = {
    {"account", N_("ACCOUNT"), false}, {"label", N_("LABEL"), false},
    {"serial", N_("SERIAL"), false},   {"not_after", N_("UNTIL"), true},
    {"state", N_("STATE"), false},
};

static void addition_fini(struct addition *addition)
{
    workspace_fini(&addition->workspace);
    account_place_fini(&addition->place);
    free(addition->password_path);
    free(addition->ca_path);
    secret_free(addition->password);
    config_free(addition->draft);
    free(addition->serial);
    rows_fini(&addition->rows);
}

static struct account_text text_of(const struct addition *addition)
{
    const struct cli *cli = addition->cli;
    return (struct account_text){
        .name = cli->operands[0],
        .user_id = cli->user_id,
        .serial = addition->serial ? addition->serial : cli->serial,
        .url = cli->url,
        .sp_id = cli->sp_id,
        .sp_password_path = addition->password_path,
        .ca_file = addition->ca_path,
    };
}

/* Why the draft lacks the account: the first thing that is wrong with it. */
static enum cli_exit report_draft(const struct addition *addition)
{
    const struct config *draft = addition->draft;
    const struct cli *cli = addition->cli;
    const char *next_step = _("give --sp-id and --sp-password-file, or [smartca] in the "
                              "configuration file");

    for (size_t i = 0; i < draft->problem_count; i++)
        if (strcmp(draft->problems[i].file, addition->place.file) == 0)
            return output_fail(cli, output_code(SCA_INVALID), next_step, "%s",
                               draft->problems[i].reason);
    return output_fail(cli, output_code(SCA_INVALID), _("smartca doctor shows what is wrong"),
                       _("the account cannot be added while [smartca] has a mistake"));
}

/* The account as it will be; with the password in memory where it is not on disk yet. */
static enum cli_exit make_draft(struct addition *addition)
{
    const struct account_text keys = text_of(addition);
    struct buf text;

    enum sca_status st = account_text_make(&keys, &text);
    if (st == SCA_OK) {
        st = account_draft(&addition->place, buf_span(&text), &addition->draft);
        buf_fini(&text);
    }
    if (st != SCA_OK)
        return output_fail(addition->cli, output_code(st), "", "%s", sca_status_name(st));
    for (size_t i = 0; i < addition->draft->account_count; i++)
        if (strcmp(addition->draft->accounts[i].name, keys.name) == 0)
            addition->account = &addition->draft->accounts[i];
    if (!addition->account)
        return report_draft(addition);
    if (addition->password) {
        struct secret_ref *ref = &addition->account->service.sp_password;
        free(ref->text);
        *ref = (struct secret_ref){SECRET_LITERAL,
                                   strdup((const char *)secret_get(addition->password).ptr)};
        if (!ref->text)
            return output_fail(addition->cli, output_code(SCA_NOMEM), "", _("out of memory"));
    }
    return CLI_OK;
}

static enum cli_exit write_password(const struct addition *addition)
{
    const struct account_place *place = &addition->place;
    enum sca_status st = SCA_OK;

    if (addition->password)
        st = file_replace(place->config_dir, place->password_name, secret_get(addition->password));
    return st == SCA_OK ? CLI_OK
                        : output_fail(addition->cli, output_code(st), workspace_advice(st),
                                      _("%s cannot be written"), place->password_file);
}

static enum cli_exit write_files(const struct addition *addition)
{
    const struct account_place *place = &addition->place;
    struct account_text keys = text_of(addition);
    struct buf text;

    if (!addition->account->service.on_confirm && access(NOTIFY_SEND, X_OK) == 0)
        keys.on_confirm = notify_line;
    enum sca_status st = dir_ensure_private(place->conf_d);
    if (st != SCA_OK)
        return output_fail(addition->cli, output_code(st),
                           _("run as the owner of that folder, or name a file of your own in "
                             "SMARTCA_PKCS11_CONF"),
                           _("the folder %s cannot be used"), place->conf_d);
    enum cli_exit result = write_password(addition);
    if (result != CLI_OK)
        return result;
    st = account_text_make(&keys, &text);
    if (st == SCA_OK) {
        st = file_replace(place->conf_d, place->file_name, buf_span(&text));
        buf_fini(&text);
    }
    if (st == SCA_OK)
        return CLI_OK;
    if (addition->password)
        (void)unlink(place->password_file);
    return output_fail(addition->cli, output_code(st), workspace_advice(st),
                       _("%s cannot be written"), place->file);
}

static enum cli_exit add(struct addition *addition)
{
    enum cli_exit result = addition_prepare(addition);
    if (result == CLI_OK)
        result = make_draft(addition);
    if (result == CLI_OK)
        result = addition_fetch(addition);
    if (result != CLI_OK)
        return result;
    result = write_files(addition);
    if (result != CLI_OK)
        addition_take_back(addition);
    return result;
}

enum cli_exit account_add_run(const struct cli *cli)
{
    AUTO(addition_fini) struct addition addition = {.cli = cli};

    addition.workspace.log.sink = LOG_SINK_NONE;
    rows_init(&addition.rows);
    enum cli_exit result = addition_check_usage(cli);
    if (result == CLI_OK)
        result = workspace_open(cli, &addition.workspace);
    if (result == CLI_OK)
        result = add(&addition);
    if (result != CLI_OK)
        return result;
    output_remark(cli, _("account %s written: %s"), addition.account->name, addition.place.file);
    return rows_print(cli, &addition.rows, columns, ARRAY_LEN(columns));
}
