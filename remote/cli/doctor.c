/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/doctor.h"

#include <stdarg.h>
#include <stdio.h>

#include "remote/base/cleanup.h"

static const char *const finding_names[] = {
    [FINDING_OK] = N_("ok"),
    [FINDING_WARN] = N_("warn"),
    [FINDING_FAIL] = N_("fail"),
};

static void (*const checks[])(struct doctor *doctor) = {
    doctor_check_configuration, doctor_check_files,    doctor_check_state,     doctor_check_clock,
    doctor_check_secrets,       doctor_check_accounts, doctor_check_econtract, doctor_check_tokens,
    doctor_check_registration,  doctor_check_module,
};

void doctor_name(const struct doctor *doctor, char *out, size_t size, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(out, size, doctor->cli->is_json ? format : gettext(format), args);
    va_end(args);
}

void doctor_note(struct doctor *doctor, enum finding finding, const char *check,
                 const char *next_step, const char *format, ...)
{
    char detail[1024];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(detail, sizeof(detail), format, args);
    va_end(args);
    rows_begin(&doctor->rows);
    rows_text(&doctor->rows, "check", check);
    rows_text(&doctor->rows, "result", finding_names[finding]);
    rows_text(&doctor->rows, "detail", detail);
    rows_text(&doctor->rows, "next_step", next_step);
    doctor->has_failed |= finding == FINDING_FAIL;
}

bool doctor_open_catalogue(struct doctor *doctor, struct catalogue **ret_catalogue)
{
    const char *state_dir = doctor->workspace->config->state_dir;
    const char *why = NULL;

    enum sca_status st = workspace_catalogue(state_dir, ret_catalogue, &why);
    if (st != SCA_OK && !doctor->has_noted_catalogue)
        doctor_note(doctor, FINDING_FAIL, N_("state"), workspace_catalogue_advice(st),
                    "%s/catalogue: %s", state_dir, why);
    doctor->has_noted_catalogue |= st != SCA_OK;
    return st == SCA_OK;
}

/* Of the longest name, and of "fail". */
static int result_columns(void)
{
    int columns = 4;

    for (size_t i = 0; i < ARRAY_LEN(finding_names); i++)
        if (output_columns(_(finding_names[i])) > columns)
            columns = output_columns(_(finding_names[i]));
    return columns;
}

/* Sentences do not fit a table. */
static void print_lines(const struct rows *rows)
{
    const cJSON *row = NULL;

    cJSON_ArrayForEach(row, rows->list)
    {
        const char *text[4];
        static const char *const keys[] = {"result", "check", "detail", "next_step"};
        for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
            text[i] = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(row, keys[i]));
            text[i] = text[i] ? text[i] : "";
        }
        const char *result = _(text[0]);
        output_line("%-*s  %s: %s\n", output_pad(result, result_columns()), result, _(text[1]),
                    text[2]);
        if (*text[3])
            output_line(_("      next: %s\n"), text[3]);
    }
}

enum cli_exit doctor_run(const struct cli *cli)
{
    AUTO(workspace_fini) struct workspace workspace;
    struct doctor doctor = {.cli = cli, .workspace = &workspace};

    enum cli_exit result = workspace_open_quietly(cli, &workspace);
    if (result != CLI_OK)
        return result;
    rows_init(&doctor.rows);
    for (size_t i = 0; i < ARRAY_LEN(checks); i++)
        checks[i](&doctor);
    if (cli->is_json || doctor.rows.is_incomplete)
        result = rows_print(cli, &doctor.rows, NULL, 0);
    else
        print_lines(&doctor.rows);
    rows_fini(&doctor.rows);
    return doctor.has_failed ? CLI_FAILED : result;
}
