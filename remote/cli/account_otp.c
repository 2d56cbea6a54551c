/* SPDX-License-Identifier: Apache-2.0 */
/* smartca account otp: the one-time password of now, to be compared with the authenticator's. */
#include <stdio.h>
#include <time.h>

#include "remote/base/cleanup.h"
#include "remote/cli/account_lookup.h"
#include "remote/cli/output.h"
#include "remote/cli/vault_access.h"
#include "remote/cli/workspace.h"
#include "remote/smartca/totp.h"

enum { NEXT_STEP_MAX = 160 };

static enum cli_exit check_has_otp(const struct cli *cli, const struct account_config *account)
{
    if (account->confirm == CONFIRM_TOTP)
        return CLI_OK;
    return output_fail(
        cli, output_code(SCA_UNSUPPORTED),
        account->confirm == CONFIRM_OTP ? _("read it from the SmartCA app or the authenticator")
                                        : _("confirm signatures in the SmartCA app"),
        _("account %s has no secret key here to make one-time passwords with"), account->name);
}

static enum cli_exit get_secret(const struct cli *cli, const struct account_config *account,
                                const char *state_dir, struct secret **ret_secret)
{
    AUTO(vault_contents_fini) struct vault_contents contents = {.items = {NULL}};
    char place[SECRET_PLACE_SIZE];
    const char *why = NULL;

    if (account->totp_secret.kind != SECRET_VAULT) {
        enum sca_status st = secret_ref_fetch(&account->totp_secret, ret_secret, &why);
        return st == SCA_OK ? CLI_OK
                            : output_fail(cli, output_code(st), workspace_advice(SCA_INVALID),
                                          _("totp_secret of account %s: %s%s"), account->name, why,
                                          secret_ref_place(&account->totp_secret, place));
    }
    enum cli_exit result = vault_unlock(cli, account, state_dir, &contents);
    if (result != CLI_OK)
        return result;
    char next_step[NEXT_STEP_MAX];
    (void)snprintf(next_step, sizeof(next_step), _("smartca account pin %s --reset asks for it"),
                   account->name);
    if (!contents.items[VAULT_TOTP_SECRET])
        return output_fail(cli, output_code(SCA_NOT_FOUND), next_step,
                           _("the vault of account %s has no secret key"), account->name);
    *ret_secret = TAKE(contents.items[VAULT_TOTP_SECRET]);
    return CLI_OK;
}

/* A code is of use to whoever sees it until its time is over: it is all that this verb says. */
static enum cli_exit show(const struct cli *cli, const struct account_config *account,
                          const struct totp_key *key)
{
    AUTO(rows_fini) struct rows rows;
    char code[TOTP_CODE_SIZE];
    int64_t now = (int64_t)time(NULL);
    int64_t step = totp_step(key, now);

    rows_init(&rows);
    enum sca_status st = totp_code(key, step, code);
    if (st != SCA_OK)
        return output_fail(cli, output_code(st), "", _("out of memory"));
    unsigned left = (unsigned)((step + 1) * (int64_t)key->period_s - now);
    output_remark(cli, _("for comparison only: do not give it to anybody, not to VNPT either"));
    enum cli_exit result = CLI_OK;
    if (cli->is_json) {
        rows_begin(&rows);
        rows_text(&rows, "account", account->name);
        rows_text(&rows, "otp", code);
        rows_number(&rows, "seconds_left", left);
        result = rows_print_thing(cli, &rows);
    } else {
        (void)printf(_("%s  (for %u s more)\n"), code, left);
    }
    secret_wipe(code, sizeof(code));
    return result;
}

static enum cli_exit read_and_show(const struct cli *cli, const struct account_config *account,
                                   const char *state_dir)
{
    AUTO(secret_freep) struct secret *text = NULL;
    AUTO(totp_key_fini) struct totp_key key = {.len = 0};
    char place[SECRET_PLACE_SIZE];
    const char *why = NULL;

    enum cli_exit result = get_secret(cli, account, state_dir, &text);
    if (result != CLI_OK)
        return result;
    enum sca_status st = totp_key_read(text, &key, &why);
    char next_step[NEXT_STEP_MAX];
    (void)snprintf(next_step, sizeof(next_step),
                   _("smartca account pin %s --reset, or correct the file of totp_secret"),
                   account->name);
    if (st != SCA_OK)
        return output_fail(cli, output_code(st), next_step, _("account %s: %s%s"), account->name,
                           why, secret_ref_place(&account->totp_secret, place));
    return show(cli, account, &key);
}

enum cli_exit account_otp_run(const struct cli *cli)
{
    AUTO(workspace_fini) struct workspace workspace;
    const struct account_config *account = NULL;

    enum cli_exit result = workspace_open(cli, &workspace);
    if (result == CLI_OK)
        result = account_find(cli, workspace.config, &account);
    if (result == CLI_OK)
        result = check_has_otp(cli, account);
    return result == CLI_OK ? read_and_show(cli, account, workspace.config->state_dir) : result;
}
