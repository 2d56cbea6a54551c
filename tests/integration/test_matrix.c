/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every fault of the matrix at every endpoint: the code, the transactions, the time, the next try,
 * and no secret anywhere. fault-matrix.md is the same table for people.
 *   test_matrix [--markdown | --try [FAULT]]
 * --markdown prints that file; --try shows what happens instead of comparing it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "tests/integration/matrix.h"

/* Columns that wait at the same time, each in a process and before an emulator of its own. */
static const struct group {
    enum matrix_column first, last;
} groups[] = {
    {MATRIX_LIST, MATRIX_REFRESH},    {MATRIX_SIGN, MATRIX_STATUS}, {MATRIX_SIGN2, MATRIX_SIGN2},
    {MATRIX_CONFIRM, MATRIX_CONFIRM}, {MATRIX_LOGIN, MATRIX_ADD},
};

static const struct group *group; /* of this process */
static bool is_trying;
static const char *only_row;

static bool has_meaning(const char *cell)
{
    return !cell || cell[0] != '(';
}

static void make_trouble(const struct matrix_stage *stage, const struct matrix_row *row)
{
    char json[512];
    const char *endpoint = matrix_endpoints[stage->column].endpoint;
    bool is_fault = strcmp(row->path, "fault") == 0;
    int len = snprintf(json, sizeof(json), "{\"%s\":\"%s\",%s}", is_fault ? "endpoint" : "user_id",
                       is_fault ? endpoint : matrix_person(stage->column), row->words);
    assert_true(len > 0 && (size_t)len < sizeof(json));
    world_control(&stage->world, row->path, json);
}

static void end_trouble(const struct matrix_stage *stage)
{
    world_control(&stage->world, "fault", "{\"kind\":\"none\"}");
}

/* What happened, as the table words it. */
static void play(struct matrix_stage *stage, const struct matrix_row *row,
                 char cell[static MATRIX_CELL_SIZE])
{
    const struct matrix_endpoint *column = &matrix_endpoints[stage->column];
    unsigned limit_ms = row->how & MATRIX_HASTY ? MATRIX_HASTY_MS : MATRIX_PATIENT_MS;

    if (row->how & MATRIX_SECOND)
        matrix_sign_another(stage);
    unsigned others = world_transactions(&stage->world);
    make_trouble(stage, row);
    uint64_t begun_ms = world_now_ms();
    const char *told = column->act(stage);
    uint64_t took_ms = world_now_ms() - begun_ms;
    unsigned before = world_transactions(&stage->world) - others;

    if (took_ms > limit_ms + MATRIX_SLACK_MS)
        fail_msg("%s, %s: %u ms", row->name, column->title, (unsigned)took_ms);
    bool is_good = strcmp(told, column->good) == 0;
    int len = snprintf(cell, MATRIX_CELL_SIZE, "%s", told);
    if (column->is_signing)
        len += snprintf(cell + len, (size_t)(MATRIX_CELL_SIZE - len), " %u", before);
    end_trouble(stage);
    if (is_good)
        return;
    if (stage->column == MATRIX_LIST)
        world_restart_module(&stage->world);
    const char *again = column->act(stage);
    if (strcmp(again, column->good) != 0)
        (void)snprintf(cell + len, (size_t)(MATRIX_CELL_SIZE - len), " then %s", again);
    else if (column->is_signing)
        (void)snprintf(cell + len, (size_t)(MATRIX_CELL_SIZE - len), " > %u",
                       world_transactions(&stage->world) - others);
}

static unsigned play_row(struct matrix_stage *stage, const struct matrix_row *row,
                         enum matrix_column column)
{
    char cell[MATRIX_CELL_SIZE];
    uint64_t begun_ms = world_now_ms();

    matrix_stage_open(stage, column, row->how);
    play(stage, row, cell);
    matrix_stage_close(stage);
    bool is_same = row->cells[column] && strcmp(cell, row->cells[column]) == 0;
    if (is_trying)
        printf("%-40s %-24s %-40s %5u ms%s\n", row->name, matrix_endpoints[column].title, cell,
               (unsigned)(world_now_ms() - begun_ms), is_same ? "" : " !");
    else if (!is_same)
        print_error("%s, %s: %s, not %s\n", row->name, matrix_endpoints[column].title, cell,
                    row->cells[column] ? row->cells[column] : "(nothing)");
    return !is_same;
}

static void each_cell_is_as_the_matrix_says(void **state)
{
    struct matrix_stage *stage = *state;
    unsigned wrong = 0;

    for (size_t i = 0; i < matrix_row_count; i++) {
        const struct matrix_row *row = &matrix_rows[i];
        if (only_row && !strstr(row->name, only_row))
            continue;
        for (enum matrix_column column = group->first; column <= group->last; column++)
            if (has_meaning(row->cells[column]))
                wrong += play_row(stage, row, column);
    }

    assert_int_equal(is_trying ? 0 : wrong, 0);
}

static void the_matrix_for_people_is_this_one(void **state)
{
    (void)state;
    char *printed = NULL;
    size_t printed_len = 0;
    char kept[64 * 1024];
    FILE *out = open_memstream(&printed, &printed_len);
    assert_non_null(out);
    matrix_print(out);
    assert_int_equal(fclose(out), 0);
    FILE *file = fopen(SMARTCA_MATRIX, "re");
    assert_non_null(file);

    size_t kept_len = fread(kept, 1, sizeof(kept), file);

    (void)fclose(file);
    assert_int_equal(kept_len, printed_len);
    assert_memory_equal(kept, printed, kept_len);
    free(printed);
}

static int play_group(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_cell_is_as_the_matrix_says)};
    return cmocka_run_group_tests(tests, matrix_stage_start, matrix_stage_stop);
}

/* The number of groups that are not as the matrix says. */
static int play_groups(void)
{
    pid_t children[ARRAY_LEN(groups)];
    int failed = 0;

    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        children[i] = fork();
        group = &groups[i];
        if (children[i] == 0)
            exit(play_group());
    }
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        int status = -1;
        failed += children[i] < 0 || waitpid(children[i], &status, 0) < 0 || status != 0;
    }
    return failed;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_matrix_for_people_is_this_one)};
    if (argc > 1 && strcmp(argv[1], "--markdown") == 0) {
        matrix_print(stdout);
        return 0;
    }
    is_trying = argc > 1 && strcmp(argv[1], "--try") == 0;
    only_row = argc > 2 ? argv[2] : NULL;
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    int failed = play_groups();
    return failed + (is_trying ? 0 : cmocka_run_group_tests(tests, NULL, NULL));
}
