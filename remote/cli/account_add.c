/* SPDX-License-Identifier: Apache-2.0 */
/* smartca account add: nothing is left behind unless the identity's certificates came. */
#include "remote/cli/account_add.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/cli/store.h"
#include "remote/config/locate.h"

#define NOTIFY_SEND "/usr/bin/notify-send"

static const char notify_line[] = NOTIFY_SEND " \"SmartCA\" \"%s\"";

static const struct column columns[] = {
    {"account", N_("ACCOUNT"), false}, {"label", N_("LABEL"), false},
    {"serial", N_("SERIAL"), false},   {"not_after", N_("UNTIL"), true},
    {"state", N_("STATE"), false},
};

static const char *const confirm_names[] = {
    [CONFIRM_APP] = "app",
    [CONFIRM_OTP] = "otp",
    [CONFIRM_TOTP] = "totp",
};

static void addition_fini(struct addition *addition)
{
    workspace_fini(&addition->workspace);
    account_place_fini(&addition->place);
    for (size_t i = 0; i < VAULT_ITEMS; i++)
        free(addition->paths[i]);
    free(addition->ca_path);
    account_secrets_fini(&addition->secrets);
    vault_contents_fini(&addition->had);
    config_free(addition->draft);
    free(addition->serial);
    rows_fini(&addition->rows);
}

/* Nothing in it yet; addition_fini is right from here on. */
static struct addition addition_of(const struct cli *cli)
{
    struct addition addition = {.cli = cli,
                                .workspace = {.log = {.sink = LOG_SINK_NONE, .fd = -1}}};

    rows_init(&addition.rows);
    return addition;
}

static const char *place_of_sp_password(const struct addition *addition)
{
    if (!addition->cli->sp_password_file)
        return NULL; /* [smartca] has it */
    if (addition->cli->keeps_sp_password)
        return ACCOUNT_IN_VAULT;
    const char *path = addition->paths[VAULT_SP_PASSWORD];
    return path ? path : addition->place.password_file;
}

static struct account_text text_of(const struct addition *addition)
{
    const struct cli *cli = addition->cli;
    bool is_in_files = cli->is_unattended;
    struct account_text text = {
        .name = cli->operands[0],
        .user_id = cli->user_id,
        .serial = addition->serial ? addition->serial : cli->serial,
        .confirm = confirm_names[addition->confirm],
        .url = cli->url,
        .sp_id = cli->sp_id,
        .sp_password = place_of_sp_password(addition),
        .ca_file = addition->ca_path,
    };

    if (addition->confirm != CONFIRM_APP)
        text.password = is_in_files ? addition->paths[VAULT_PASSWORD] : ACCOUNT_IN_VAULT;
    if (addition->confirm == CONFIRM_TOTP)
        text.totp_secret = is_in_files ? addition->paths[VAULT_TOTP_SECRET] : ACCOUNT_IN_VAULT;
    return text;
}

/* The account as it will be. */
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
        return addition_report_draft(addition);
    return CLI_OK;
}

static enum cli_exit write_section(const struct addition *addition)
{
    const struct account_place *place = &addition->place;
    struct account_text keys = text_of(addition);
    struct buf text;

    /* Whom should it tell? Nobody has to confirm. */
    if (addition->confirm != CONFIRM_TOTP && !addition->account->service.on_confirm &&
        access(NOTIFY_SEND, X_OK) == 0)
        keys.on_confirm = notify_line;
    enum sca_status st = account_text_make(&keys, &text);
    if (st == SCA_OK) {
        st = file_replace(place->conf_d, place->file_name, buf_span(&text));
        buf_fini(&text);
    }
    return st == SCA_OK ? CLI_OK
                        : output_fail(addition->cli, output_code(st), workspace_advice(st),
                                      _("%s cannot be written"), place->file);
}

/* The section comes last: whoever sees it finds what it refers to. */
static enum cli_exit write_files(struct addition *addition)
{
    const struct account_place *place = &addition->place;

    enum sca_status st = dir_ensure_private(place->conf_d);
    if (st != SCA_OK)
        return output_fail(addition->cli, output_code(st),
                           locate_has_home() ? _("run as the owner of that folder, or name a file "
                                                 "of your own in SMARTCA_PKCS11_CONF")
                                             : _(STORE_NO_HOME_CURE),
                           _("the folder %s cannot be used"), place->conf_d);
    enum cli_exit result = addition_write_secrets(addition);
    return result == CLI_OK ? write_section(addition) : result;
}

/* All that can be known before anybody is asked. */
static enum cli_exit begin(struct addition *addition)
{
    enum cli_exit result = addition_check_usage(addition->cli, &addition->confirm);

    if (result == CLI_OK)
        result = workspace_open(addition->cli, &addition->workspace);
    if (result == CLI_OK)
        result = addition_prepare(addition);
    if (result == CLI_OK)
        result = make_draft(addition);
    return result == CLI_OK ? addition_check_rival(addition) : result;
}

enum cli_exit account_add_check(const struct cli *cli)
{
    AUTO(addition_fini) struct addition addition = addition_of(cli);

    return begin(&addition);
}

static enum cli_exit add(struct addition *addition)
{
    enum cli_exit result = begin(addition);

    if (result == CLI_OK)
        result = addition_get_secrets(addition);
    if (result == CLI_OK)
        result = addition_fetch(addition);
    if (result != CLI_OK)
        return result;
    result = write_files(addition);
    if (result != CLI_OK)
        addition_take_back(addition);
    return result;
}

/* The service has no question that would try them. */
static void say_unchecked(const struct addition *addition)
{
    const char *name = addition->account->name;

    if (addition->confirm == CONFIRM_OTP)
        output_remark(addition->cli, _("the password is not checked until the first signature"));
    if (addition->confirm == CONFIRM_TOTP)
        output_remark(addition->cli,
                      _("password and secret key are not checked until the first signature; "
                        "smartca account otp %s shows the code, compare it with the app's"),
                      name);
}

enum cli_exit account_add(const struct cli *cli, struct rows *ret_rows)
{
    AUTO(addition_fini) struct addition addition = addition_of(cli);

    enum cli_exit result = add(&addition);
    if (result != CLI_OK)
        return result;
    output_remark(cli, _("account %s written: %s"), addition.account->name, addition.place.file);
    say_unchecked(&addition);
    if (cJSON_GetArraySize(addition.rows.list) == 0)
        output_remark(cli, _("no certificate yet: smartca status %s --watch waits for it"),
                      addition.account->name);
    *ret_rows = addition.rows;
    addition.rows = (struct rows){.list = NULL};
    return CLI_OK;
}

enum cli_exit account_add_run(const struct cli *cli)
{
    AUTO(rows_fini) struct rows rows = {.list = NULL};

    enum cli_exit result = account_add(cli, &rows);
    return result == CLI_OK ? rows_print(cli, &rows, columns, ARRAY_LEN(columns)) : result;
}
