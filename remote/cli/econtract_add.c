/* SPDX-License-Identifier: Apache-2.0 */
/* smartca econtract add: a SmartCA certificate for a user there, and its account here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "remote/base/cleanup.h"
#include "remote/cli/account_add.h"
#include "remote/cli/econtract_here.h"

static const struct column columns[] = {
    {"account", N_("ACCOUNT"), false}, {"label", N_("LABEL"), false},
    {"serial", N_("SERIAL"), false},   {"not_after", N_("UNTIL"), true},
    {"state", N_("STATE"), false},     {"certificate_id", N_("ECONTRACT"), false},
    {"default", N_("DEFAULT"), false},
};

/* One run. */
struct enrolment {
    const struct cli *cli;
    struct cli account_cli; /* what account add is to see of it */
    int64_t user_id;
    enum confirm_mode confirm;
    struct desk desk;
    struct addition addition;   /* of the account here */
    struct econtract_user user; /* as eContract has it now */
    struct rows rows;           /* of the account's certificates */
};

static void enrolment_fini(struct enrolment *enrolment)
{
    econtract_user_fini(&enrolment->user);
    rows_fini(&enrolment->rows);
    addition_fini(&enrolment->addition);
    desk_fini(&enrolment->desk);
}

/*
 * --password-file is the SmartCA account's where the account needs one; the password for eContract
 * is in [econtract] then, or asked for.
 */
static const char *password_file_of(const struct enrolment *enrolment)
{
    return enrolment->confirm == CONFIRM_APP ? enrolment->cli->password_file : NULL;
}

static enum cli_exit check_usage(struct enrolment *enrolment)
{
    const struct cli *cli = enrolment->cli;
    struct cli *account = &enrolment->account_cli;

    enum cli_exit result =
        desk_read_id(cli, "--econtract-user", cli->econtract_user, &enrolment->user_id);
    if (result != CLI_OK)
        return result;
    *account = *cli;
    if (!cli->is_business && (!cli->confirm || strcmp(cli->confirm, "app") == 0))
        account->password_file = NULL;
    return addition_check_usage(account, &enrolment->confirm);
}

static enum cli_exit add_there(struct enrolment *enrolment)
{
    const struct cli *cli = enrolment->cli;
    struct call call;

    desk_begin(&enrolment->desk, &call);
    enum sca_status st = econtract_add(enrolment->desk.econtract, &call, enrolment->user_id,
                                       cli->user_id, cli->serial, &enrolment->user);
    if (st != SCA_OK)
        return desk_fail(&enrolment->desk, st, &call);
    call_fini(&call);
    output_remark(cli, _("eContract: user %lld signs with the SmartCA of %s now"),
                  (long long)enrolment->user_id, cli->user_id);
    return CLI_OK;
}

/* What makes the account here alone, with all that this command line says of it. Cut where it is
 * too long; empty without memory. The caller buf_fini()s it. */
static void write_command(const struct enrolment *enrolment, struct buf *ret_text)
{
    enum { COMMAND_MAX = 1024 };
    const struct cli *cli = &enrolment->account_cli;
    const char *const words[][2] = {
        {"smartca account add", cli->operands[0]},
        {"--user-id", cli->user_id},
        {"--serial", cli->serial},
        {"--confirm", cli->confirm},
        {cli->is_business ? "--business" : NULL, ""},
        {cli->is_unattended ? "--unattended" : NULL, ""},
        {cli->is_pending ? "--pending" : NULL, ""},
        {cli->is_reset ? "--reset" : NULL, ""},
        {"--url", cli->url},
        {"--ca-file", cli->ca_file},
        {"--sp-id", cli->sp_id},
        {"--sp-password-file", cli->sp_password_file},
        {cli->keeps_sp_password ? "--sp-password-in-vault" : NULL, ""},
        {"--password-file", cli->password_file},
        {"--secret-key-file", cli->secret_key_file},
        {"--pin-file", cli->pin_file},
    };

    buf_init(ret_text, COMMAND_MAX, false);
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (!words[i][0] || !words[i][1])
            continue;
        (void)buf_append(ret_text, span_text(i ? " " : ""));
        (void)buf_append(ret_text, span_text(words[i][0]));
        (void)buf_append(ret_text, span_text(*words[i][1] ? " " : ""));
        (void)buf_append(ret_text, span_text(words[i][1]));
    }
}

/* With a failure goes what was done before it: it is not to be done again. */
static enum cli_exit add_here(struct enrolment *enrolment)
{
    AUTO(buf_fini) struct buf command;
    AUTO(freep) char *done = NULL;

    write_command(enrolment, &command);
    if (asprintf(&done,
                 _("eContract has added the certificate to user %lld; only the account here is "
                   "missing: %.*s"),
                 (long long)enrolment->user_id, (int)command.len,
                 command.len ? (const char *)command.ptr : "") < 0)
        done = NULL;
    enrolment->account_cli.done_before = done;
    enum cli_exit result = addition_finish(&enrolment->addition, &enrolment->rows);
    enrolment->account_cli.done_before = NULL;
    return result;
}

static const struct econtract_certificate *find_serial(const struct econtract_user *user,
                                                       const char *serial)
{
    for (size_t i = 0; serial && i < user->certificate_count; i++)
        if (strcasecmp(user->certificates[i].serial_number, serial) == 0)
            return &user->certificates[i];
    return NULL;
}

/* By eContract's numbers they are changed and deleted there, and its lists do not show them. */
static void add_numbers(struct enrolment *enrolment)
{
    struct rows *rows = &enrolment->rows;

    cJSON_ArrayForEach(rows->row, rows->list)
    {
        const char *serial =
            cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(rows->row, "serial"));
        const struct econtract_certificate *found = find_serial(&enrolment->user, serial);
        rows_integer(rows, "user_id", enrolment->user_id);
        if (found)
            rows_integer(rows, "certificate_id", found->id);
        else
            rows_text(rows, "certificate_id", NULL);
        rows_flag(rows, "default", found && found->id == enrolment->user.default_id);
    }
}

/* The signature text of the user there is what the account's signatures show here. */
static void take_text(const struct enrolment *enrolment)
{
    AUTO(workspace_fini)
    struct workspace workspace = {.log = {.sink = LOG_SINK_NONE, .fd = -1}};
    const char *text = enrolment->user.signature_text;
    const char *name = enrolment->cli->operands[0];

    if (!text || !*text)
        return;
    /* The configuration has the account only now. */
    if (workspace_open_quietly(enrolment->cli, &workspace) != CLI_OK)
        return;
    const struct account_config *account = config_find_account(workspace.config, name);
    enum sca_status st =
        account ? here_take_text(workspace.config->state_dir, account, text) : SCA_NOT_FOUND;
    if (st == SCA_OK)
        output_remark(enrolment->cli,
                      _("signature content as in eContract; smartca account "
                        "appearance %s shows and changes it"),
                      name);
    else if (st != SCA_NOT_FOUND)
        output_remark(enrolment->cli, _("the signature content of eContract cannot be kept: %s"),
                      sca_status_name(st));
}

enum cli_exit econtract_add_run(const struct cli *cli)
{
    AUTO(enrolment_fini)
    struct enrolment enrolment = {
        .cli = cli, .desk = {.workspace = {.log = {.sink = LOG_SINK_NONE, .fd = -1}}}};

    addition_init(&enrolment.addition, &enrolment.account_cli);
    enum cli_exit result = check_usage(&enrolment);
    if (result == CLI_OK)
        result = desk_open(cli, password_file_of(&enrolment), &enrolment.desk);
    /* What account add would refuse is refused before eContract changes anything. */
    if (result == CLI_OK)
        result = addition_begin(&enrolment.addition);
    if (result != CLI_OK)
        return result;
    result = add_there(&enrolment);
    if (result != CLI_OK) {
        addition_take_back(&enrolment.addition);
        return result;
    }
    result = add_here(&enrolment);
    if (result != CLI_OK)
        return result;
    take_text(&enrolment);
    add_numbers(&enrolment);
    return rows_print(cli, &enrolment.rows, columns, ARRAY_LEN(columns));
}
