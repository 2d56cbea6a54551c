/* SPDX-License-Identifier: Apache-2.0 */
/* Comma-separated values as RFC 4180 and spreadsheets write them. */
#ifndef REMOTE_CLI_CSV_H
#define REMOTE_CLI_CSV_H

#include <stddef.h>

#include "remote/base/bytes.h"

enum { CSV_SIZE_MAX = 16 << 20, CSV_FIELDS_MAX = 32, CSV_ROWS_MAX = 100000 };

/* One line of the file that is not empty. Fields are texts without a NUL inside. */
struct csv_row {
    unsigned line; /* of the file, where the row begins; from 1 */
    size_t field_count;
    char *fields[CSV_FIELDS_MAX];
};

struct csv {
    struct csv_row *rows;
    size_t count;
    struct buf text; /* what fields point into; wiped: one of them may be a PIN */
};

/*
 * Takes the file apart. A byte-order mark is passed over; lines end with LF or CRLF; fields are
 * divided by commas, or by semicolons where the first line has those and no comma, which is what
 * spreadsheets write in countries with a decimal comma. SCA_INVALID with the line and what is wrong
 * with it in why (static text), SCA_NOMEM. The caller csv_free()s ret_csv.
 */
enum sca_status csv_parse(struct span text, struct csv **ret_csv, unsigned *ret_line,
                          const char **why);
void csv_free(struct csv *csv);
void csv_freep(struct csv **csv);

/* Appends a field, quoted where it has to be. SCA_NOMEM, SCA_PROTOCOL over the limit. */
enum sca_status csv_write_field(struct buf *out, const char *text);

#endif
