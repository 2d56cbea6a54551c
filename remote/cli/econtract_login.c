/* SPDX-License-Identifier: Apache-2.0 */
/* smartca econtract login: a token for the other verbs, kept for a day. */
#include <stdio.h>

#include "remote/base/cleanup.h"
#include "remote/cli/econtract_desk.h"
#include "remote/cli/secret_input.h"

static const struct column columns[] = {
    {"company_id", N_("COMPANY"), false},
    {"name", N_("NAME"), false},
};

static enum cli_exit print_companies(const struct cli *cli,
                                     const struct econtract_companies *companies)
{
    AUTO(rows_fini) struct rows rows;

    rows_init(&rows);
    for (size_t i = 0; i < companies->count; i++) {
        rows_begin(&rows);
        rows_text(&rows, "company_id", companies->items[i].id);
        rows_text(&rows, "name", companies->items[i].name);
    }
    enum cli_exit result = rows_print(cli, &rows, columns, ARRAY_LEN(columns));
    if (result != CLI_OK)
        return result;
    return output_fail(cli, "company_needed",
                       _("repeat with --company ID, or write company_id = ID into [econtract]"),
                       _("the user belongs to several companies"));
}

static enum cli_exit print_success(const struct desk *desk)
{
    AUTO(rows_fini) struct rows rows;
    const struct cli *cli = desk->cli;
    const char *company = cli->company ? cli->company : desk->config.company_id;

    rows_init(&rows);
    rows_begin(&rows);
    rows_text(&rows, "url", desk->config.url);
    rows_text(&rows, "username", desk->config.username);
    rows_text(&rows, "company_id", company);
    if (cli->is_json)
        return rows_print_thing(cli, &rows);
    (void)printf(_("logged in to %s as %s for a day\n"), desk->config.url, desk->config.username);
    return CLI_OK;
}

/* At a terminal after a prompt, or the next line of what is piped. */
static enum cli_exit ask_otp(const struct cli *cli, struct secret **ret_otp)
{
    enum sca_status st = secret_input(_("One-time password that eContract sent"), ret_otp);
    return st == SCA_OK
               ? CLI_OK
               : output_fail(cli, "otp_needed",
                             _("run it at a terminal, or give the one-time password as a line of "
                               "standard input"),
                             _("eContract wants a one-time password, and there is none"));
}

static enum cli_exit log_in(const struct desk *desk, const struct secret *otp, bool *ret_wants_otp)
{
    AUTO(econtract_companies_fini) struct econtract_companies companies = {.count = 0};
    struct call call;

    desk_begin(desk, &call);
    enum sca_status st =
        econtract_login(desk->econtract, &call, desk->cli->company, otp, &companies);
    *ret_wants_otp = !otp && st == SCA_NOT_FOUND &&
                     econtract_verdict(desk->econtract)->code == ECONTRACT_OTP_NEEDED;
    if (*ret_wants_otp) {
        call_fini(&call);
        return CLI_FAILED;
    }
    if (st != SCA_OK)
        return desk_fail(desk, st, &call);
    call_fini(&call);
    return companies.count > 0 ? print_companies(desk->cli, &companies) : print_success(desk);
}

enum cli_exit econtract_login_run(const struct cli *cli)
{
    AUTO(desk_fini) struct desk desk;
    AUTO(secret_freep) struct secret *otp = NULL;
    bool wants_otp = false;

    enum cli_exit result = desk_open(cli, cli->password_file, &desk);
    if (result != CLI_OK)
        return result;
    result = log_in(&desk, NULL, &wants_otp);
    if (!wants_otp)
        return result;
    result = ask_otp(cli, &otp);
    return result == CLI_OK ? log_in(&desk, otp, &wants_otp) : result;
}
