/* SPDX-License-Identifier: Apache-2.0 */
/* Lists as cJSON, shown as JSON or as a table. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libsmartcols/libsmartcols.h>

#include "remote/base/bytes.h"
#include "remote/base/cleanup.h"
#include "remote/cli/output.h"
#include "remote/cli/words.h"

enum { CELL_SIZE = 512, DAY_LEN = 10 };

void rows_init(struct rows *rows)
{
    *rows = (struct rows){.list = cJSON_CreateArray()};
    rows->is_incomplete = !rows->list;
}

void rows_fini(struct rows *rows)
{
    cJSON_Delete(rows->list);
}

void rows_begin(struct rows *rows)
{
    rows->row = cJSON_CreateObject();
    if (!cJSON_AddItemToArray(rows->list, rows->row)) {
        cJSON_Delete(rows->row);
        rows->row = NULL;
        rows->is_incomplete = true;
    }
}

static void keep(struct rows *rows, const cJSON *added)
{
    if (!added)
        rows->is_incomplete = true;
}

void rows_text(struct rows *rows, const char *key, const char *text)
{
    AUTO(freep) char *whole = text ? utf8_repair(text) : NULL;

    /* Adding no string is refused, and remembered as any lack of memory. */
    keep(rows, text ? cJSON_AddStringToObject(rows->row, key, whole)
                    : cJSON_AddNullToObject(rows->row, key));
}

void rows_number(struct rows *rows, const char *key, uint64_t number)
{
    keep(rows, cJSON_AddNumberToObject(rows->row, key, (double)number));
}

void rows_integer(struct rows *rows, const char *key, int64_t number)
{
    keep(rows, cJSON_AddNumberToObject(rows->row, key, (double)number));
}

void rows_flag(struct rows *rows, const char *key, bool flag)
{
    keep(rows, cJSON_AddBoolToObject(rows->row, key, flag));
}

void rows_time(struct rows *rows, const char *key, int64_t seconds)
{
    char text[OUTPUT_TIME_SIZE];
    rows_text(rows, key, seconds ? output_time(seconds, text) : NULL);
}

static void cell_text(const cJSON *item, const struct column *column, char out[static CELL_SIZE])
{
    if (cJSON_IsString(item)) {
        size_t len = utf8_cut(item->valuestring, column->is_day ? DAY_LEN : CELL_SIZE - 1);
        memcpy(out, item->valuestring, len);
        out[len] = 0;
        if (words_has(column->key))
            (void)snprintf(out, CELL_SIZE, "%s", words_find(item->valuestring));
        text_make_printable(out);
    } else if (cJSON_IsNumber(item)) {
        (void)snprintf(out, CELL_SIZE, "%.0f", item->valuedouble);
    } else if (cJSON_IsBool(item)) {
        (void)snprintf(out, CELL_SIZE, "%s", cJSON_IsTrue(item) ? _("yes") : _("no"));
    } else {
        (void)snprintf(out, CELL_SIZE, "-");
    }
}

static bool fill_line(struct libscols_table *table, const cJSON *row, const struct column *columns,
                      size_t count)
{
    struct libscols_line *line = scols_table_new_line(table, NULL);

    for (size_t i = 0; line && i < count; i++) {
        char text[CELL_SIZE];
        cell_text(cJSON_GetObjectItemCaseSensitive(row, columns[i].key), &columns[i], text);
        if (scols_line_set_data(line, i, text) != 0)
            return false;
    }
    return line;
}

static bool print_table(const struct rows *rows, const struct column *columns, size_t count)
{
    struct libscols_table *table = scols_new_table();
    const cJSON *row = NULL;
    bool is_whole = table;

    for (size_t i = 0; is_whole && i < count; i++)
        is_whole = scols_table_new_column(table, _(columns[i].heading), 0, 0);
    cJSON_ArrayForEach(row, rows->list)
    {
        is_whole = is_whole && fill_line(table, row, columns, count);
    }
    /* Wider than a terminal, it is whole all the same: a reason cut short is none. */
    if (is_whole && scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER) == 0)
        is_whole = scols_print_table(table) == 0;
    scols_unref_table(table);
    return is_whole;
}

enum cli_exit rows_print(const struct cli *cli, const struct rows *rows,
                         const struct column *columns, size_t count)
{
    bool is_whole = !rows->is_incomplete;

    if (is_whole && cli->is_json) {
        char *text = cJSON_Print(rows->list);
        is_whole = text && printf("%s\n", text) > 0;
        cJSON_free(text);
    } else if (is_whole && cJSON_GetArraySize(rows->list) > 0) {
        is_whole = print_table(rows, columns, count);
    }
    return is_whole ? CLI_OK
                    : output_fail(cli, output_code(SCA_NOMEM), "", _("the list cannot be shown"));
}

enum cli_exit rows_print_thing(const struct cli *cli, const struct rows *rows)
{
    char *text = rows->is_incomplete ? NULL : cJSON_Print(cJSON_GetArrayItem(rows->list, 0));

    bool is_whole = text && printf("%s\n", text) > 0;
    cJSON_free(text);
    return is_whole ? CLI_OK
                    : output_fail(cli, output_code(SCA_NOMEM), "", _("the result cannot be shown"));
}
