/* SPDX-License-Identifier: Apache-2.0 */
/* The matrix as Markdown. */
#include "tests/integration/matrix.h"

static const char introduction[] =
    "# The fault matrix\n"
    "\n"
    "What a caller is told when one request meets a fault, at each endpoint. `test_matrix` plays "
    "every cell and\n"
    "compares this file: `test_matrix --markdown` prints it, `test_matrix --try [FAULT]` shows "
    "what happens.\n"
    "Each call came back within its deadline and 2 s, and no secret was in a log, in the state "
    "folder or printed.\n"
    "\n"
    "`OK 1`: CKR_OK, and the service had accepted one transaction. `DEVICE_ERROR 0 > 1`: the "
    "code, with no transaction\n"
    "accepted; then, without the fault, the same document was signed, and that made it one. `1 > "
    "1` is a signature that\n"
    "was confirmed before and is collected without another push. `1 > 2`: the service said that "
    "the first one is over, or gave\n"
    "a false signature for it (a new signature is a new transaction). Lists: whether the slot has "
    "a token, or what the tool says;\n"
    "asked again, all is well, or `then` what is told.\n"
    "\n";

static void print_line(FILE *out, const struct matrix_row *row)
{
    (void)fprintf(out, "| %s |", row->name);
    for (size_t i = 0; i < MATRIX_COLUMNS; i++)
        (void)fprintf(out, " %s |", row->cells[i] ? row->cells[i] : "");
    (void)fputc('\n', out);
}

void matrix_print(FILE *out)
{
    (void)fputs(introduction, out);
    (void)fputs("| fault |", out);
    for (size_t i = 0; i < MATRIX_COLUMNS; i++)
        (void)fprintf(out, " %s |", matrix_endpoints[i].title);
    (void)fputs("\n|---|", out);
    for (size_t i = 0; i < MATRIX_COLUMNS; i++)
        (void)fputs("---|", out);
    (void)fputc('\n', out);
    for (size_t i = 0; i < matrix_row_count; i++)
        print_line(out, &matrix_rows[i]);
    (void)fputc('\n', out);
    for (size_t i = 0; i < matrix_note_count; i++)
        (void)fprintf(out, "%s %s.\n", matrix_notes[i].key, matrix_notes[i].text);
}
