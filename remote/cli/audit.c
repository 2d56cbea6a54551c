/* SPDX-License-Identifier: Apache-2.0 */
/* smartca audit: the lines of the audit log, and whether they are right. Asks nobody. */
#include "remote/audit/audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/cli/day.h"
#include "remote/cli/output.h"
#include "remote/cli/workspace.h"

static const struct column columns[] = {
    {"time", N_("TIME"), false},           {"user", N_("USER"), false},
    {"account", N_("ACCOUNT"), false},     {"program", N_("PROGRAM"), false},
    {"slot", N_("SLOT"), false},           {"serial", N_("SERIAL"), false},
    {"mechanism", N_("MECHANISM"), false}, {"digest", N_("DIGEST"), false},
    {"outcome", N_("OUTCOME"), false},     {"milliseconds", N_("MS"), false},
};

static enum cli_exit fail(const struct cli *cli, const char *state_dir, enum sca_status status)
{
    if (status == SCA_NOT_FOUND)
        return output_fail(cli, output_code(status),
                           _("sign something, or see audit = and state_dir ="),
                           _("there is no audit log in %s"), state_dir);
    return output_fail(cli, output_code(status), workspace_advice(SCA_IO),
                       _("the audit log in %s cannot be read: %s"), state_dir,
                       sca_status_name(status));
}

/* The lines that are wanted, as they are found. */
struct choice {
    const struct cli *cli;
    struct rows *rows;
    size_t unread; /* lines that are none, such as torn ones */
};

static bool has_text(const cJSON *line, const char *key, const char *wanted)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(line, key);

    return !wanted || (cJSON_IsString(item) && strcmp(item->valuestring, wanted) == 0);
}

/* The slot's number, or what its token is called. */
static bool has_slot(const cJSON *line, const char *wanted)
{
    const cJSON *slot = cJSON_GetObjectItemCaseSensitive(line, "slot");
    char number[32];

    if (!wanted || has_text(line, "user", wanted))
        return true;
    if (!cJSON_IsNumber(slot))
        return false;
    (void)snprintf(number, sizeof(number), "%.0f", slot->valuedouble);
    return strcmp(number, wanted) == 0;
}

/* RFC 3339 in UTC has the order of its times, also where one is cut after the day. */
static bool is_since(const cJSON *line, const char *since)
{
    const cJSON *time = cJSON_GetObjectItemCaseSensitive(line, "time");

    return !since || (cJSON_IsString(time) && strcmp(time->valuestring, since) >= 0);
}

static bool take_line(void *arg, struct span text)
{
    struct choice *choice = arg;
    const struct cli *cli = choice->cli;
    cJSON *line = cJSON_ParseWithLength((const char *)text.ptr, text.len);

    if (!cJSON_IsObject(line)) {
        choice->unread++;
        cJSON_Delete(line);
        return true;
    }
    bool is_wanted = is_since(line, cli->since) && has_slot(line, cli->slot) &&
                     has_text(line, "account", cli->account);
    if (!is_wanted || !cJSON_AddItemToArray(choice->rows->list, line))
        cJSON_Delete(line);
    return true;
}

static bool is_time(const char *text)
{
    static const char form[] = "0000-00-00T00:00:00Z";
    char day[sizeof("0000-00-00")];
    int64_t seconds = 0;

    (void)snprintf(day, sizeof(day), "%s", text);
    if (!day_parse(day, &seconds))
        return false;
    if (strlen(text) == sizeof(day) - 1)
        return true;
    if (strlen(text) != sizeof(form) - 1)
        return false;
    for (size_t i = sizeof(day) - 1; form[i]; i++)
        if (form[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
            return false;
    return true;
}

enum cli_exit audit_show_run(const struct cli *cli)
{
    AUTO(workspace_fini) struct workspace workspace;
    AUTO(rows_fini) struct rows rows;
    struct choice choice = {.cli = cli, .rows = &rows};

    rows_init(&rows);
    enum cli_exit result = workspace_open(cli, &workspace);
    if (result != CLI_OK)
        return result;
    if (cli->since && !is_time(cli->since))
        return output_usage(cli, _("--since wants YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ"));
    const char *state_dir = workspace.config->state_dir;
    enum sca_status st = audit_each(state_dir, take_line, &choice);
    if (st == SCA_NOT_FOUND)
        output_remark(cli, _("nothing was signed yet: there is no audit log in %s"), state_dir);
    else if (st != SCA_OK)
        return fail(cli, state_dir, st);
    if (choice.unread > 0)
        output_remark(cli,
                      ngettext("%zu line is none; smartca audit verify says what it is",
                               "%zu lines are none; smartca audit verify says what they are",
                               choice.unread),
                      choice.unread);
    return rows_print(cli, &rows, columns, ARRAY_LEN(columns));
}

/* Two counts in one sentence: each has its own plural. */
static void tell_right(const struct audit_report *report)
{
    (void)printf(ngettext("the audit log is right: %zu line", "the audit log is right: %zu lines",
                          report->line_count),
                 report->line_count);
    (void)printf(ngettext(" in %zu file\n", " in %zu files\n", report->file_count),
                 report->file_count);
    if (report->torn_count > 0)
        (void)printf(ngettext("%zu of the lines was torn by a crash, and the log says so itself\n",
                              "%zu of the lines were torn by a crash, and the log says so itself\n",
                              report->torn_count),
                     report->torn_count);
    if (report->unsaved_count > 0)
        (void)printf(ngettext("%zu time the computer stopped before the last lines were on the "
                              "disk, and the log says so itself\n",
                              "%zu times the computer stopped before the last lines were on the "
                              "disk, and the log says so itself\n",
                              report->unsaved_count),
                     report->unsaved_count);
    if (report->ends_torn)
        (void)printf(_("the last line was torn by a crash; the next signature will note it\n"));
    if (report->ends_unsaved)
        (void)printf(_("there were more lines, of local keys; they were not yet on the disk when "
                       "the computer stopped, or somebody removed them since\n"));
}

static enum cli_exit blame(const struct cli *cli, const char *state_dir,
                           const struct audit_report *report)
{
    char name[AUDIT_NAME_SIZE];
    const char *next_step = _("ask who may write there; compare with a copy of the log");

    (void)audit_file_name(report->bad_file, name);
    if (report->fault == AUDIT_MISSING_FILE)
        return output_fail(cli, "audit_wrong", next_step, _("%s/%s is missing"), state_dir, name);
    if (report->fault == AUDIT_MISSING_END)
        return output_fail(
            cli, "audit_wrong", next_step,
            _("%s/%s:%zu: this line is missing, and what came after it in that file"), state_dir,
            name, report->bad_line);
    return output_fail(cli, "audit_wrong", next_step,
                       _("%s/%s:%zu: this line is not as it was written, or lines in front of it "
                         "are missing"),
                       state_dir, name, report->bad_line);
}

enum cli_exit audit_verify_run(const struct cli *cli)
{
    AUTO(workspace_fini) struct workspace workspace;
    AUTO(rows_fini) struct rows rows;
    struct audit_report report;

    rows_init(&rows);
    enum cli_exit result = workspace_open(cli, &workspace);
    if (result != CLI_OK)
        return result;
    const char *state_dir = workspace.config->state_dir;
    enum sca_status st = audit_verify(state_dir, &report);
    if (st != SCA_OK)
        return fail(cli, state_dir, st);
    if (report.fault != AUDIT_RIGHT)
        return blame(cli, state_dir, &report);
    if (!cli->is_json) {
        tell_right(&report);
        return CLI_OK;
    }
    rows_begin(&rows);
    rows_flag(&rows, "right", true);
    rows_number(&rows, "lines", report.line_count);
    rows_number(&rows, "files", report.file_count);
    rows_number(&rows, "torn", report.torn_count);
    rows_number(&rows, "unsaved", report.unsaved_count);
    rows_flag(&rows, "ends_torn", report.ends_torn);
    rows_flag(&rows, "ends_unsaved", report.ends_unsaved);
    return rows_print_thing(cli, &rows);
}
