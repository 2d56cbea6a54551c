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

static const struct column columns[] = {
    {"account", N_("ACCOUNT"), false}, {"label", N_("LABEL"), false},
    {"serial", N_("SERIAL"), false},   {"not_after", N_("UNTIL"), true},
    {"state", N_("STATE"), false},
};

void addition_fini(struct addition *addition)
{
    fd_unlock_closep(&addition->turn);
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

static enum cli_exit fail_section(const struct addition *addition, enum sca_status status)
{
    return output_fail(addition->cli, output_code(status), workspace_advice(status),
                       _("%s cannot be written"), addition->place.file);
}

static enum sca_status draft_section(const struct addition *addition, struct file_draft *ret_draft)
{
    const struct account_place *place = &addition->place;
    struct account_text keys = text_of(addition);
    struct buf text;

    /* Whom should it tell? Nobody has to confirm. */
    keys.notifies = addition->confirm != CONFIRM_TOTP && !addition->account->service.on_confirm &&
                    access(ACCOUNT_NOTIFY_SEND, X_OK) == 0;
    enum sca_status st = account_text_make(&keys, &text);
    if (st != SCA_OK)
        return st;
    st = file_draft_write(place->conf_d, place->file_name, buf_span(&text), ret_draft);
    buf_fini(&text);
    return st;
}

/* The section comes last, whoever sees it finds what it refers to; but what could fail of it goes
 * before the secrets, which may take the place of others (--reset). */
static enum cli_exit write_files(struct addition *addition)
{
    AUTO(file_draft_fini) struct file_draft section = FILE_DRAFT_INIT;
    const struct account_place *place = &addition->place;

    enum sca_status st = dir_ensure_private(place->conf_d);
    if (st != SCA_OK)
        return output_fail(addition->cli, output_code(st),
                           locate_has_home() ? _("run as the owner of that folder, or name a file "
                                                 "of your own in SMARTCA_PKCS11_CONF")
                                             : _(STORE_NO_HOME_CURE),
                           _("the folder %s cannot be used"), place->conf_d);
    st = draft_section(addition, &section);
    if (st != SCA_OK)
        return fail_section(addition, st);
    enum cli_exit result = addition_write_secrets(addition);
    if (result != CLI_OK)
        return result;
    st = file_draft_publish(&section);
    if (st == SCA_OK)
        return CLI_OK;
    /* It may have its place, and only not be sure to keep it: not without what it refers to. */
    (void)file_remove(place->conf_d, place->file_name);
    return fail_section(addition, st);
}

/*
 * An identity has one vault and one place in the catalogue, and people add two accounts of it at
 * once: from the question to the last file it is one account's turn. The PIN was asked for before.
 */
static enum cli_exit take_turn(struct addition *addition)
{
    enum { TURN_WAIT_MS = 60000 };
    const struct cli *cli = addition->cli;
    const char *state_dir = addition->workspace.config->state_dir;
    const struct vault vault = vault_of_account(addition->account, state_dir);

    enum sca_status st = dir_ensure_private(state_dir);
    if (st == SCA_OK)
        st = file_lock(state_dir, "account-add", TURN_WAIT_MS, &addition->turn);
    if (st != SCA_OK)
        return output_fail(cli, output_code(st), workspace_advice(st),
                           _("the folder %s cannot be used, or another account is being added"),
                           state_dir);
    if (!vault_is_needed(addition->account) || cli->is_reset)
        return CLI_OK;
    const struct vault_view view = vault_look(&vault);
    if (view.state == VAULT_UNREADABLE)
        return vault_refuse(cli, addition->account, state_dir, view.status, view.why);
    bool has_vault = view.state != VAULT_NO_PIN;
    if (has_vault == addition->had_vault)
        return CLI_OK;
    return output_fail(cli, "exists", _("run it again: the PIN of that vault is asked for"),
                       has_vault ? _("another account of this identity was added meanwhile, and "
                                     "has made its vault")
                                 : _("the vault of this identity was removed meanwhile"));
}

/* Nobody types three secrets to hear then that a serial number is missing. */
static enum cli_exit try_service(struct addition *addition)
{
    enum cli_exit result = take_turn(addition);

    if (result != CLI_OK)
        return result;
    addition->is_trial = true;
    result = addition_fetch(addition);
    if (result == CLI_OK)
        addition_take_back(addition); /* there is no account yet, and may never be */
    addition->is_trial = false;
    fd_unlock_closep(&addition->turn);
    addition->turn = -1;
    addition->holder = NULL;
    rows_fini(&addition->rows);
    rows_init(&addition->rows);
    return result;
}

void addition_init(struct addition *addition, const struct cli *cli)
{
    *addition = (struct addition){.cli = cli, .turn = -1};
    addition->workspace.log = (struct log){.sink = LOG_SINK_NONE, .fd = -1};
    rows_init(&addition->rows);
}

enum cli_exit addition_begin(struct addition *addition)
{
    enum cli_exit result = addition_check_usage(addition->cli, &addition->confirm);

    if (result == CLI_OK)
        result = workspace_open(addition->cli, &addition->workspace);
    if (result == CLI_OK)
        result = addition_prepare(addition);
    if (result == CLI_OK)
        result = make_draft(addition);
    if (result == CLI_OK)
        result = addition_check_rival(addition);
    if (result == CLI_OK)
        result = addition_take_secrets(addition);
    if (result == CLI_OK && addition_will_ask(addition))
        result = try_service(addition);
    if (result == CLI_OK)
        result = addition_ask_secrets(addition);
    if (result == CLI_OK)
        result = take_turn(addition);
    return result == CLI_OK ? addition_fetch(addition) : result;
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

enum cli_exit addition_finish(struct addition *addition, struct rows *ret_rows)
{
    const struct cli *cli = addition->cli;
    const char *name = addition->account->name;

    enum cli_exit result = write_files(addition);
    if (result != CLI_OK) {
        addition_take_back(addition);
        return result;
    }
    output_remark(cli, _("account %s written: %s"), name, addition->place.file);
    say_unchecked(addition);
    if (cJSON_GetArraySize(addition->rows.list) == 0)
        output_remark(cli, _("no certificate yet: smartca status %s --watch waits for it"), name);
    *ret_rows = addition->rows;
    addition->rows = (struct rows){.list = NULL};
    return CLI_OK;
}

enum cli_exit account_add_run(const struct cli *cli)
{
    AUTO(rows_fini) struct rows rows = {.list = NULL};
    AUTO(addition_fini) struct addition addition;

    addition_init(&addition, cli);
    enum cli_exit result = addition_begin(&addition);
    if (result == CLI_OK)
        result = addition_finish(&addition, &rows);
    return result == CLI_OK ? rows_print(cli, &rows, columns, ARRAY_LEN(columns)) : result;
}
