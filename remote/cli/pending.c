/* SPDX-License-Identifier: Apache-2.0 */
/* smartca pending: what waits for a confirmation. Asks nobody. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "remote/base/cleanup.h"
#include "remote/cli/output.h"
#include "remote/cli/pending_view.h"

static const struct column columns[] = {
    {"id", N_("ID"), false},       {"since", N_("SINCE"), false},
    {"age", N_("AGE"), false},     {"account", N_("ACCOUNT"), false},
    {"state", N_("STATE"), false}, {"documents_text", N_("DOCUMENTS"), false},
    {"pid", N_("PID"), false},     {"program_alive", N_("ALIVE"), false},
};

/* Of a transaction, in the table. */
enum { SHOWN_MAX = 5, DOCUMENTS_SIZE = (SHOWN_MAX + 1) * CODEC_DOC_ID_SIZE };

static void add_documents(struct rows *rows, const struct journal_transaction *item)
{
    cJSON *list = cJSON_AddArrayToObject(rows->row, "documents");

    for (size_t i = 0; i < item->document_count; i++) {
        cJSON *name = cJSON_CreateString(item->documents[i].doc_id);
        if (!cJSON_AddItemToArray(list, name)) {
            cJSON_Delete(name);
            rows->is_incomplete = true;
        }
    }
}

/* The same for the table. */
static void add_documents_text(struct rows *rows, const struct journal_transaction *item)
{
    char text[DOCUMENTS_SIZE] = "";
    size_t len = 0;

    for (size_t i = 0; i < item->document_count && i < SHOWN_MAX; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i ? " " : "",
                                item->documents[i].doc_id);
    if (item->document_count > SHOWN_MAX)
        (void)snprintf(text + len, sizeof(text) - len, " +%zu", item->document_count - SHOWN_MAX);
    rows_text(rows, "documents_text", text);
}

/* As words.c translates it. */
static const char *state_of(const struct journal_transaction *item)
{
    if (item->is_signed)
        return "signed";
    return item->state == JOURNAL_SUBMITTING ? "submitting" : "waiting";
}

static void add_row(const struct cli *cli, struct rows *rows, const struct config *config,
                    const struct journal_transaction *item)
{
    const struct account_config *account = pending_account(config, item);
    int64_t now = (int64_t)time(NULL);

    rows_begin(rows);
    rows_text(rows, "id", item->id);
    rows_time(rows, "since", item->begun_at);
    rows_number(rows, "age", now > item->begun_at ? (uint64_t)(now - item->begun_at) : 0);
    rows_text(rows, "account", account ? account->name : NULL);
    rows_text(rows, "serial", item->serial);
    rows_text(rows, "description", item->description);
    rows_text(rows, "state", state_of(item));
    add_documents(rows, item);
    if (!cli->is_json)
        add_documents_text(rows, item);
    if (item->pid > 0)
        rows_number(rows, "pid", (uint64_t)item->pid);
    else
        rows_text(rows, "pid", NULL);
    rows_flag(rows, "program_alive", journal_submitter_lives(item));
}

const struct account_config *pending_account(const struct config *config,
                                             const struct journal_transaction *item)
{
    const struct identity identity = {.url = item->url, .user_id = item->user_id};

    for (size_t i = 0; i < config->account_count; i++)
        if (identity_equal(config_identity(&config->accounts[i]), identity))
            return &config->accounts[i];
    return NULL;
}

enum cli_exit pending_read(const struct cli *cli, const char *state_dir, struct ledger *ret_ledger)
{
    struct call call;

    call_init(&call, &clock_system, PENDING_PATIENCE_MS);
    enum sca_status st = pending_list(state_dir, &call, ret_ledger);
    enum cli_exit result = CLI_OK;
    if (st != SCA_OK)
        result = output_fail(cli, output_code(st), workspace_advice(SCA_IO),
                             _("the transaction journal in %s cannot be read: %s"), state_dir,
                             call.note[0] ? call.note : sca_status_name(st));
    call_fini(&call);
    return result;
}

enum cli_exit pending_run(const struct cli *cli)
{
    AUTO(workspace_fini) struct workspace workspace;
    AUTO(ledger_fini) struct ledger ledger = {.count = 0};
    AUTO(rows_fini) struct rows rows;

    rows_init(&rows);
    enum cli_exit result = workspace_open(cli, &workspace);
    if (result == CLI_OK)
        result = pending_read(cli, workspace.config->state_dir, &ledger);
    if (result != CLI_OK)
        return result;
    for (size_t i = 0; i < ledger.count; i++)
        add_row(cli, &rows, workspace.config, &ledger.items[i]);
    if (ledger.count == 0)
        output_remark(cli, _("nothing waits for a confirmation"));
    return rows_print(cli, &rows, columns, ARRAY_LEN(columns));
}
