/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/task_list.h"

#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/cli/output.h"

void task_list_fini(struct task_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        task_fini(&list->tasks[i]);
    free(list->tasks);
    csv_free(list->csv);
    *list = (struct task_list){0};
}

size_t task_list_count(const struct task_list *list, enum task_result result)
{
    size_t count = 0;

    for (size_t i = 0; i < list->count; i++)
        count += list->tasks[i].result == result;
    return count;
}

static void check(struct task *task, bool only_user, int64_t now)
{
    bool is_right = only_user ? form_check_user(&task->form, now, &task->order, &task->trouble)
                              : form_check(&task->form, now, &task->order, &task->trouble);
    if (!is_right)
        (void)task_end(task, TASK_REFUSED);
}

static int by_label(const void *a, const void *b)
{
    const struct task *left = *(struct task *const *)a;
    const struct task *right = *(struct task *const *)b;
    int order = strcmp(left->order.label, right->order.label);

    return order ? order : (left->line > right->line) - (left->line < right->line);
}

static void refuse_twin(struct task *task, const struct task *first)
{
    const char *user = task->order.text[FORM_USER];

    if (strcmp(user, first->order.text[FORM_USER]) == 0)
        (void)trouble_say(&task->trouble, "invalid", _("leave one of the two lines out"),
                          _("user %s: the same user as line %u"), user, first->line);
    else
        (void)trouble_say(&task->trouble, "invalid",
                          _("let the names differ within their first 32 bytes"),
                          _("user %s has the same token as line %u, user %s"), user, first->line,
                          first->order.text[FORM_USER]);
    (void)task_end(task, TASK_REFUSED);
}

/* Labels, not names: two long names may be one token. The first line counts. */
static bool refuse_twins(struct task_list *list)
{
    AUTO(freep) struct task **sorted = calloc(list->count + 1, sizeof(struct task *));
    size_t count = 0;

    if (!sorted)
        return false;
    for (size_t i = 0; i < list->count; i++)
        if (list->tasks[i].result == TASK_OPEN)
            sorted[count++] = &list->tasks[i];
    qsort(sorted, count, sizeof(struct task *), by_label);
    const struct task *first = count > 0 ? sorted[0] : NULL;
    for (size_t i = 1; i < count; i++) {
        if (strcmp(sorted[i]->order.label, first->order.label) != 0) {
            first = sorted[i];
            continue;
        }
        refuse_twin(sorted[i], first);
    }
    return true;
}

static bool read_header(const struct csv *csv, enum form_field columns[static CSV_FIELDS_MAX],
                        struct trouble *trouble)
{
    bool is_seen[FORM_FIELD_COUNT] = {false};
    const struct csv_row *row = &csv->rows[0];

    for (size_t i = 0; i < row->field_count; i++) {
        columns[i] = form_field_of(row->fields[i]);
        if (columns[i] == FORM_FIELD_COUNT)
            return trouble_say(trouble, "invalid",
                               _("the first line names the columns: user,name,organization,"
                                 "organizational_unit,issued_by,locality,state,country,from,years,"
                                 "key,pin"),
                               _("line %u: unknown column %.40s"), row->line, row->fields[i]);
        if (is_seen[columns[i]])
            return trouble_say(trouble, "invalid", _("leave one of them out"),
                               _("line %u: two columns are called %s"), row->line, row->fields[i]);
        is_seen[columns[i]] = true;
    }
    return is_seen[FORM_USER] ||
           trouble_say(trouble, "invalid", _("add it: it says whose certificate a line is"),
                       _("line %u: the column user is missing"), row->line);
}

/* An empty field says nothing: a spreadsheet has no other way to leave one out. */
static void fill(struct task *task, const struct csv_row *row, size_t header_count,
                 const enum form_field *columns)
{
    for (size_t i = 0; i < row->field_count && i < header_count; i++)
        if (row->fields[i][0])
            task->form.text[columns[i]] = row->fields[i];
    if (row->field_count == header_count)
        return;
    (void)trouble_say(&task->trouble, "invalid",
                      _("give it as many; text with a comma in it stands in quotation marks"),
                      _("the line has %zu fields, the first line has %zu"), row->field_count,
                      header_count);
    (void)task_end(task, TASK_REFUSED);
}

static bool load_file(const char *path, struct csv **ret_csv, struct trouble *trouble)
{
    AUTO(buf_fini) struct buf text;
    const char *why = NULL;
    unsigned line = 0;

    enum sca_status st = file_read_trusted(path, FILE_ANY, CSV_SIZE_MAX, true, &text, &why);
    if (st != SCA_OK)
        return trouble_say(trouble, output_code(st), _("name a file that this user may read"),
                           _("--csv %s: %s"), path, why ? why : sca_status_name(st));
    st = csv_parse(buf_span(&text), ret_csv, &line, &why);
    if (st == SCA_NOMEM)
        return trouble_no_memory(trouble);
    return st == SCA_OK || trouble_say(trouble, "invalid", _("correct the line; nothing was done"),
                                       _("%s:%u: %s"), path, line, why);
}

bool task_list_load(const struct cli *cli, const struct form *base, bool only_user, int64_t now,
                    struct task_list *ret_list, struct trouble *trouble)
{
    enum form_field columns[CSV_FIELDS_MAX] = {FORM_USER};
    struct task_list *list = ret_list;

    *list = (struct task_list){0};
    if (cli->csv && (!load_file(cli->csv, &list->csv, trouble) ||
                     (list->csv->count > 0 && !read_header(list->csv, columns, trouble))))
        return false;
    size_t rows = list->csv ? list->csv->count : 2;
    if (rows < 1)
        return trouble_say(trouble, "invalid", _("its first line names the columns: user,name,..."),
                           _("%s: the file is empty"), cli->csv);
    list->tasks = calloc(rows, sizeof(*list->tasks));
    if (!list->tasks)
        return trouble_no_memory(trouble);
    for (size_t i = 1; i < rows; i++) {
        struct task *task = &list->tasks[list->count++];
        task->form = *base;
        if (list->csv) {
            task->line = list->csv->rows[i].line;
            fill(task, &list->csv->rows[i], list->csv->rows[0].field_count, columns);
        }
        if (task->result == TASK_OPEN)
            check(task, only_user, now);
    }
    return refuse_twins(list) || trouble_no_memory(trouble);
}
