/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/sign_entries.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"

enum { LINE_SIZE = 2 * EVP_MAX_MD_SIZE + 4 * SIGN_DIGEST_LEN + 64 };

#define END  "end\n"
#define DONE "done "

void sign_entries_fini(struct sign_entries *entries)
{
    free(entries->items);
    ledger_fini(&entries->asked);
    *entries = (struct sign_entries){.count = 0};
}

/* Up to the blank after it. */
static bool read_time(const char *text, int64_t *ret_seconds)
{
    char *end = NULL;

    errno = 0;
    long long seconds = strtoll(text, &end, 10);
    if (errno || end == text || *end != ' ')
        return false;
    *ret_seconds = seconds;
    return true;
}

static bool read_digest(const char *hex, uint8_t out[static SIGN_DIGEST_LEN])
{
    size_t len = 0;

    return hex_decode(hex, out, SIGN_DIGEST_LEN, &len) == SCA_OK && len == SIGN_DIGEST_LEN;
}

static enum sca_status read_line(const char *line, struct sign_entry *ret_entry)
{
    char document[2 * EVP_MAX_MD_SIZE + 1];
    char digest[2 * SIGN_DIGEST_LEN + 1];
    struct sign_entry entry = {.is_over = false};
    const char *place = strrchr(line, ' ');
    int at = 0;

    if (sscanf(line, "file %128[0-9a-f] %64[0-9a-f] %n", document, digest, &at) != 2 ||
        !read_time(line + at, &entry.signing_time) || !read_digest(place + 1, entry.place) ||
        hex_decode(document, entry.document, sizeof(entry.document), &entry.document_len) !=
            SCA_OK ||
        !read_digest(digest, entry.digest))
        return SCA_INVALID;
    *ret_entry = entry;
    return SCA_OK;
}

/* The lines up to "end"; ret_rest is what comes after it. */
static enum sca_status read_lines(char *text, struct sign_entries *entries, char **ret_rest)
{
    char *line = text;

    while (strncmp(line, END, strlen(END)) != 0) {
        char *end = strchr(line, '\n');
        if (!end)
            return SCA_INVALID;
        *end = 0;
        enum sca_status st = read_line(line, &entries->items[entries->count]);
        if (st != SCA_OK)
            return st;
        entries->count++;
        line = end + 1;
    }
    *ret_rest = line + strlen(END);
    return SCA_OK;
}

/* The next of those that are the same. */
static void set_over(struct sign_entries *entries, const uint8_t digest[static SIGN_DIGEST_LEN])
{
    for (size_t i = 0; i < entries->count; i++) {
        struct sign_entry *entry = &entries->items[i];
        if (!entry->is_over && memcmp(entry->digest, digest, sizeof(entry->digest)) == 0) {
            entry->is_over = true;
            return;
        }
    }
}

static void read_over(const char *text, struct sign_entries *entries)
{
    const char *end = text;

    for (const char *line = text; end; line = end ? end + 1 : NULL) {
        uint8_t digest[SIGN_DIGEST_LEN];
        char hex[2 * SIGN_DIGEST_LEN + 1];
        if (sscanf(line, DONE "%64[0-9a-f]", hex) == 1 && read_digest(hex, digest))
            set_over(entries, digest);
        end = strchr(line, '\n');
    }
}

enum sca_status sign_entry_write_over(const struct sign_entry *entry, struct buf *lines)
{
    char hex[2 * SIGN_DIGEST_LEN + 1];
    char line[LINE_SIZE];

    hex_encode(span_of(entry->digest, sizeof(entry->digest)), hex);
    (void)snprintf(line, sizeof(line), DONE "%s\n", hex);
    return buf_append(lines, span_text(line));
}

static size_t count_lines(struct span text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++)
        count += text.ptr[i] == '\n';
    return count;
}

enum sca_status sign_entries_read(struct buf *text, struct sign_entries *ret_entries)
{
    AUTO(sign_entries_fini) struct sign_entries entries = {.count = 0};
    AUTO(buf_fini) struct buf rest;
    char *at = NULL;

    buf_init(&rest, SIGN_NOTE_MAX, false);
    if (text->len == 0 || memchr(text->ptr, 0, text->len))
        return SCA_INVALID;
    entries.items = calloc(count_lines(buf_span(text)) + 1, sizeof(*entries.items));
    if (!entries.items)
        return SCA_NOMEM;
    enum sca_status st = read_lines((char *)text->ptr, &entries, &at);
    if (st == SCA_OK) {
        read_over(at, &entries);
        st = buf_append(&rest, span_text(at));
    }
    if (st == SCA_OK && rest.len > 0)
        st = ledger_read(&entries.asked, &rest);
    if (st != SCA_OK)
        return st;
    *ret_entries = entries;
    entries = (struct sign_entries){.count = 0};
    return SCA_OK;
}

enum sca_status sign_entries_write(const struct sign_files *files, struct buf *lines)
{
    enum sca_status st = SCA_OK;

    for (size_t i = 0; st == SCA_OK && i < files->count; i++) {
        const struct sign_file *file = &files->items[i];
        char document[2 * EVP_MAX_MD_SIZE + 1];
        char digest[2 * SIGN_DIGEST_LEN + 1];
        char place[2 * SIGN_DIGEST_LEN + 1];
        char line[LINE_SIZE];
        hex_encode(span_of(file->document, file->document_len), document);
        hex_encode(span_of(file->digest, sizeof(file->digest)), digest);
        hex_encode(span_of(file->place, sizeof(file->place)), place);
        (void)snprintf(line, sizeof(line), "file %s %s %" PRId64 " %s\n", document, digest,
                       file->signing_time, place);
        st = buf_append(lines, span_text(line));
    }
    return st == SCA_OK ? buf_append(lines, span_text(END)) : st;
}
