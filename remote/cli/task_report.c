/* SPDX-License-Identifier: Apache-2.0 */
/* What became of the users of a run. */
#include "remote/base/cleanup.h"
#include "remote/cli/output.h"
#include "remote/cli/task_list.h"

static const char *const result_names[] = {
    [TASK_OPEN] = "failed",   [TASK_CREATED] = "created", [TASK_REISSUED] = "reissued",
    [TASK_EXISTS] = "exists", [TASK_REFUSED] = "refused", [TASK_FAILED] = "failed",
};

static const struct column columns[] = {
    {"line", N_("LINE"), false},      {"user", N_("USER"), false},
    {"result", N_("RESULT"), false},  {"serial", N_("SERIAL"), false},
    {"not_after", N_("UNTIL"), true}, {"reason", N_("REASON"), false},
};

static void add_row(struct rows *rows, const struct task *task)
{
    bool is_whole = task->result == TASK_CREATED || task->result == TASK_REISSUED;

    rows_begin(rows);
    if (task->line > 0)
        rows_number(rows, "line", task->line);
    rows_text(rows, "user", task->form.text[FORM_USER]);
    rows_text(rows, "result", result_names[task->result]);
    rows_text(rows, "reason", is_whole ? NULL : task->trouble.text);
    rows_text(rows, "serial", task->serial[0] ? task->serial : NULL);
    rows_time(rows, "not_before", task->not_before);
    rows_time(rows, "not_after", task->not_after);
    rows_flag(rows, "issuer_renewed", task->has_renewed_issuer);
}

static bool is_bad(const struct task *task)
{
    return task->result == TASK_OPEN || task->result >= TASK_REFUSED;
}

static enum cli_exit report_one(const struct cli *cli, const struct task *task)
{
    AUTO(rows_fini) struct rows rows = {0};

    if (is_bad(task) || task->result == TASK_EXISTS)
        return trouble_print(cli, &task->trouble);
    rows_init(&rows);
    add_row(&rows, task);
    return cli->is_json ? rows_print_thing(cli, &rows)
                        : rows_print(cli, &rows, columns + 1, ARRAY_LEN(columns) - 2);
}

/* Whole here, where the table of a narrow terminal breaks it. */
static void tell_line(const struct cli *cli, const struct task *task)
{
    const struct trouble *trouble = &task->trouble;

    output_remark(cli, "%s:%u: %s%s%s", cli->csv, task->line, trouble->text,
                  *trouble->next_step ? "; " : "", trouble->next_step);
}

enum cli_exit task_list_print(const struct cli *cli, const struct task_list *list)
{
    AUTO(rows_fini) struct rows rows = {0};
    size_t bad = 0;

    if (!cli->csv)
        return report_one(cli, &list->tasks[0]);
    rows_init(&rows);
    for (size_t i = 0; i < list->count; i++) {
        const struct task *task = &list->tasks[i];
        add_row(&rows, task);
        bad += is_bad(task);
        if (is_bad(task))
            tell_line(cli, task);
    }
    enum cli_exit result = rows_print(cli, &rows, columns, ARRAY_LEN(columns));
    if (bad == 0 || result != CLI_OK)
        return result;
    return output_fail(cli, "incomplete",
                       _("correct them and run it again: what is done stays done"),
                       ngettext("%zu of %zu line failed", "%zu of %zu lines failed", list->count),
                       bad, list->count);
}
