/* SPDX-License-Identifier: Apache-2.0 */
/* smartca pending forget and resume. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "remote/cli/output.h"
#include "remote/cli/pending_view.h"

/* The first operand's. A beginning will do, where it is of one only. Lends it. */
static enum cli_exit choose(const struct cli *cli, const struct ledger *ledger,
                            const struct journal_transaction **ret_item)
{
    const char *id = cli->operands[0];
    const struct journal_transaction *found = NULL;

    for (size_t i = 0; *id && i < ledger->count; i++) {
        if (strncmp(ledger->items[i].id, id, strlen(id)) != 0)
            continue;
        if (found)
            return output_usage(cli, _("several transactions begin with %s"), id);
        found = &ledger->items[i];
    }
    if (!found)
        return output_fail(cli, output_code(SCA_NOT_FOUND), "smartca pending",
                           _("no transaction %s waits"), id);
    *ret_item = found;
    return CLI_OK;
}

static enum cli_exit open_and_choose(const struct cli *cli, struct workspace *workspace,
                                     struct ledger *ledger,
                                     const struct journal_transaction **ret_item)
{
    enum cli_exit result = workspace_open(cli, workspace);

    if (result == CLI_OK)
        result = pending_read(cli, workspace->config->state_dir, ledger);
    return result == CLI_OK ? choose(cli, ledger, ret_item) : result;
}

static enum cli_exit make_sure(const struct cli *cli, const struct journal_transaction *item)
{
    char answer[16] = "";

    if (cli->is_sure)
        return CLI_OK;
    if (!isatty(STDIN_FILENO))
        return output_usage(cli, _("a signature that is confirmed after this is lost; add --yes if "
                                   "that is meant"));
    (void)fprintf(
        stderr,
        _("Transaction %s: %s\nA signature that is confirmed after this is lost. Forget it? "
          "[y/N] "),
        item->id, item->description);
    if (fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y'))
        return CLI_OK;
    return output_fail(cli, output_code(SCA_CANCELLED), "", _("nothing was forgotten"));
}

static enum cli_exit forget(const struct cli *cli, const char *state_dir, const char *id)
{
    struct call call;

    call_init(&call, &clock_system, PENDING_PATIENCE_MS);
    enum sca_status st = pending_forget(state_dir, &call, id);
    enum cli_exit result = CLI_OK;
    if (st != SCA_OK)
        result = output_fail(cli, output_code(st), workspace_advice(SCA_IO),
                             _("transaction %s cannot be forgotten: %s"), id,
                             call.note[0] ? call.note : sca_status_name(st));
    call_fini(&call);
    return result;
}

enum cli_exit pending_forget_run(const struct cli *cli)
{
    AUTO(workspace_fini) struct workspace workspace;
    AUTO(ledger_fini) struct ledger ledger = {.count = 0};
    AUTO(rows_fini) struct rows rows;
    const struct journal_transaction *item = NULL;

    rows_init(&rows);
    enum cli_exit result = open_and_choose(cli, &workspace, &ledger, &item);
    if (result == CLI_OK && journal_submitter_lives(item))
        output_remark(cli, _("the program that asked for it may still wait, process %ld"),
                      item->pid);
    if (result == CLI_OK)
        result = make_sure(cli, item);
    if (result == CLI_OK)
        result = forget(cli, workspace.config->state_dir, item->id);
    if (result != CLI_OK)
        return result;
    if (!cli->is_json) {
        (void)printf(_("forgotten: %s\n"), item->id);
        return CLI_OK;
    }
    rows_begin(&rows);
    rows_text(&rows, "id", item->id);
    rows_flag(&rows, "forgotten", true);
    return rows_print_thing(cli, &rows);
}

/* What the service said, and what to do. */
static const struct {
    const char *code;
    const char *meaning;
    const char *next_step;
} words[PENDING_OUTCOME_COUNT] = {
    [PENDING_WAITING] = {"waiting", N_("it waits for the confirmation"),
                         N_("confirm it in the SmartCA app, then sign the same document again")},
    [PENDING_SIGNED] = {"signed", N_("it is signed"),
                        N_("sign the same document again to collect the signature; nobody is asked "
                           "again")},
    [PENDING_REJECTED] = {"rejected", N_("it was rejected on the phone, and is off the list"),
                          N_("sign again if need be")},
    [PENDING_EXPIRED] = {"expired", N_("nobody confirmed it in time; it is off the list"),
                         N_("sign again")},
    [PENDING_REFUSED] = {"refused", N_("the service refused it; it is off the list"),
                         N_("smartca doctor")},
    [PENDING_UNKNOWN] = {"unknown", N_("the service does not know it; nobody is being asked"),
                         N_("sign the same document again, or smartca pending forget")},
};

static enum cli_exit report(const struct cli *cli, const struct journal_transaction *item,
                            enum pending_outcome outcome, const char *note)
{
    AUTO(rows_fini) struct rows rows;

    rows_init(&rows);
    if (!cli->is_json) {
        (void)printf(_("transaction %s: %s\n"), item->id, _(words[outcome].meaning));
        if (note[0])
            (void)printf("  %s\n", note);
        (void)printf(_("next step: %s\n"), _(words[outcome].next_step));
        return CLI_OK;
    }
    rows_begin(&rows);
    rows_text(&rows, "id", item->id);
    rows_text(&rows, "outcome", words[outcome].code);
    rows_text(&rows, "next_step", _(words[outcome].next_step));
    rows_text(&rows, "note", note[0] ? note : NULL);
    return rows_print_thing(cli, &rows);
}

static enum cli_exit resume(const struct cli *cli, const struct account_config *account,
                            struct smartca_client *client, const struct journal_transaction *item)
{
    const struct service_config *service = &account->service;
    enum pending_outcome outcome = PENDING_UNKNOWN;
    struct call call;

    call_init(&call, &clock_system,
              (uint64_t)service->connect_timeout_ms + service->request_timeout_ms);
    enum sca_status st = pending_ask(client, &call, item, &outcome);
    enum cli_exit result =
        st == SCA_OK
            ? report(cli, item, outcome, call.note)
            : output_fail(cli, output_code(st), workspace_advice(st), _("transaction %s: %s"),
                          item->id, call.note[0] ? call.note : sca_status_name(st));
    call_fini(&call);
    return result;
}

enum cli_exit pending_resume_run(const struct cli *cli)
{
    AUTO(workspace_fini) struct workspace workspace;
    AUTO(ledger_fini) struct ledger ledger = {.count = 0};
    AUTO(client_freep) struct smartca_client *client = NULL;
    const struct journal_transaction *item = NULL;

    enum cli_exit result = open_and_choose(cli, &workspace, &ledger, &item);
    if (result != CLI_OK)
        return result;
    const struct account_config *account = pending_account(workspace.config, item);
    if (!account)
        return output_fail(cli, output_code(SCA_NOT_FOUND), "smartca account list",
                           _("no account is of the identity and service of transaction %s"),
                           item->id);
    enum sca_status st = smartca_remote.client_new(account, workspace.config->state_dir, &client);
    if (st != SCA_OK)
        return output_fail(cli, output_code(st), workspace_advice(st),
                           _("account %s cannot be used with %s: %s"), account->name,
                           workspace.config->state_dir, sca_status_name(st));
    return resume(cli, account, client, item);
}
