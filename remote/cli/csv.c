/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/csv.h"

#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/cli/cli.h"

/* A place in the text; fields are unquoted on the spot, so that writing never overtakes reading. */
struct reader {
    char *at;
    char *end;
    char *out;
    unsigned line;
    char separator;
    const char *why;
};

static bool fail(struct reader *reader, const char *why)
{
    reader->why = why;
    return false;
}

static bool is_field_end(const struct reader *reader)
{
    if (reader->at == reader->end || *reader->at == reader->separator || *reader->at == '\n')
        return true;
    return *reader->at == '\r' && (reader->at + 1 == reader->end || reader->at[1] == '\n');
}

static void keep(struct reader *reader)
{
    reader->line += *reader->at == '\n';
    *reader->out++ = *reader->at++;
}

static bool read_quoted(struct reader *reader)
{
    unsigned first = reader->line;

    reader->at++;
    for (;;) {
        if (reader->at == reader->end) {
            reader->line = first;
            return fail(reader, _("a quotation mark has no partner"));
        }
        if (*reader->at != '"') {
            keep(reader);
        } else if (reader->at + 1 < reader->end && reader->at[1] == '"') {
            reader->at++;
            keep(reader);
        } else {
            reader->at++;
            return is_field_end(reader) || fail(reader, _("there is text behind a quotation mark"));
        }
    }
}

static bool read_plain(struct reader *reader)
{
    while (!is_field_end(reader)) {
        if (*reader->at == '"')
            return fail(reader, _("a quotation mark stands inside a field; quote all of it"));
        keep(reader);
    }
    return true;
}

/* The NUL behind a field takes the place of the separator or line end, which was read by then. */
static bool read_field(struct reader *reader, char **ret_field)
{
    reader->out = reader->at;
    char *start = reader->out;
    bool is_quoted = reader->at < reader->end && *reader->at == '"';

    if (!(is_quoted ? read_quoted(reader) : read_plain(reader)))
        return false;
    *ret_field = start;
    return true;
}

static void pass_line_end(struct reader *reader)
{
    if (reader->at < reader->end && *reader->at == '\r')
        reader->at++;
    if (reader->at < reader->end)
        reader->at++;
    reader->line++;
}

static bool read_row(struct reader *reader, struct csv_row *row)
{
    *row = (struct csv_row){.line = reader->line};
    for (;;) {
        if (row->field_count == CSV_FIELDS_MAX)
            return fail(reader, _("there are too many fields"));
        if (!read_field(reader, &row->fields[row->field_count++]))
            return false;
        bool is_last = reader->at == reader->end || *reader->at != reader->separator;
        char *end = reader->out;
        if (is_last)
            pass_line_end(reader);
        else
            reader->at++;
        *end = 0;
        if (is_last)
            return true;
    }
}

static char separator_of(const char *text)
{
    size_t len = strcspn(text, "\n");
    return memchr(text, ';', len) && !memchr(text, ',', len) ? ';' : ',';
}

static struct csv_row *room_for_row(struct csv *csv, size_t *room)
{
    if (csv->count == *room) {
        size_t wanted = *room ? *room * 2 : 64;
        struct csv_row *rows = realloc(csv->rows, wanted * sizeof(*rows));
        if (!rows)
            return NULL;
        csv->rows = rows;
        *room = wanted;
    }
    return &csv->rows[csv->count];
}

static enum sca_status read_rows(struct reader *reader, struct csv *csv)
{
    size_t room = 0;

    while (reader->at < reader->end) {
        if (csv->count == CSV_ROWS_MAX) {
            reader->why = _("there are too many lines");
            return SCA_INVALID;
        }
        struct csv_row *row = room_for_row(csv, &room);
        if (!row)
            return SCA_NOMEM;
        if (!read_row(reader, row))
            return SCA_INVALID;
        csv->count += row->field_count > 1 || row->fields[0][0];
    }
    return SCA_OK;
}

enum sca_status csv_parse(struct span text, struct csv **ret_csv, unsigned *ret_line,
                          const char **why)
{
    static const char mark[] = "\xEF\xBB\xBF";
    AUTO(csv_freep) struct csv *csv = calloc(1, sizeof(*csv));

    *ret_line = 1;
    *why = NULL;
    if (!csv)
        return SCA_NOMEM;
    buf_init(&csv->text, CSV_SIZE_MAX, true);
    if (text.len >= 3 && memcmp(text.ptr, mark, 3) == 0)
        text = span_of(text.ptr + 3, text.len - 3);
    if (memchr(text.len ? (const char *)text.ptr : "", 0, text.len)) {
        *why = _("there is a NUL byte: this is no text in UTF-8");
        return SCA_INVALID;
    }
    enum sca_status st = buf_append(&csv->text, text);
    if (st != SCA_OK || text.len == 0) {
        *why = text.len == 0 ? _("the file is empty") : _("the file is too large");
        return st == SCA_NOMEM ? st : SCA_INVALID;
    }
    char *start = (char *)csv->text.ptr;
    struct reader reader = {
        .at = start, .end = start + text.len, .line = 1, .separator = separator_of(start)};
    st = read_rows(&reader, csv);
    if (st != SCA_OK) {
        *ret_line = reader.line;
        *why = reader.why;
        return st;
    }
    *ret_csv = TAKE(csv);
    return SCA_OK;
}

void csv_free(struct csv *csv)
{
    if (!csv)
        return;
    buf_fini(&csv->text);
    free(csv->rows);
    free(csv);
}

void csv_freep(struct csv **csv)
{
    csv_free(*csv);
    *csv = NULL;
}

enum sca_status csv_write_field(struct buf *out, const char *text)
{
    bool is_quoted = strpbrk(text, ",;\"\r\n");
    enum sca_status st = SCA_OK;

    if (is_quoted)
        st = buf_append(out, span_text("\""));
    for (; st == SCA_OK && *text; text++) {
        if (*text == '"')
            st = buf_append(out, span_text("\""));
        if (st == SCA_OK)
            st = buf_append(out, span_of(text, 1));
    }
    if (st == SCA_OK && is_quoted)
        st = buf_append(out, span_text("\""));
    return st;
}
