/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/sign_note.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/rand.h>

#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"
#include "remote/base/file.h"
#include "remote/cli/live_file.h"
#include "remote/smartca/pending.h"

enum {
    PATIENCE_MS = 2000, /* with those who have the journal */
    TRIES = 16,
    NUMBER_SIZE = 8,
    LINE_SIZE = 2 * EVP_MAX_MD_SIZE + 2 * SIGN_DIGEST_LEN + 64,
};

#define END  "end\n"
#define DONE "done "

static bool cannot(struct trouble *trouble, const char *path, int error)
{
    bool is_full = error == ENOSPC || error == EDQUOT || error == EFBIG;

    return trouble_say(trouble, is_full ? "no_space" : "io",
                       is_full ? _("free some space on the disk or in the quota")
                               : _("check owner, permissions and free space of the folder or file"),
                       "%s: %s", path, strerror(error));
}

void sign_entries_fini(struct sign_entries *entries)
{
    free(entries->items);
    ledger_fini(&entries->asked);
    *entries = (struct sign_entries){.count = 0};
}

static bool read_time(const char *text, int64_t *ret_seconds)
{
    char *end = NULL;

    errno = 0;
    long long seconds = strtoll(text, &end, 10);
    if (errno || end == text || *end)
        return false;
    *ret_seconds = seconds;
    return true;
}

static enum sca_status read_line(const char *line, struct sign_entry *ret_entry)
{
    char document[2 * EVP_MAX_MD_SIZE + 1];
    char digest[2 * SIGN_DIGEST_LEN + 1];
    struct sign_entry entry = {.is_over = false};
    size_t len = 0;
    int at = 0;

    if (sscanf(line, "file %128[0-9a-f] %64[0-9a-f] %n", document, digest, &at) != 2 ||
        !read_time(line + at, &entry.signing_time) ||
        hex_decode(document, entry.document, sizeof(entry.document), &entry.document_len) !=
            SCA_OK ||
        hex_decode(digest, entry.digest, sizeof(entry.digest), &len) != SCA_OK ||
        len != sizeof(entry.digest))
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

static void read_over(const char *text, struct sign_entries *entries)
{
    const char *line = text;

    while (line) {
        uint8_t digest[SIGN_DIGEST_LEN];
        char hex[2 * SIGN_DIGEST_LEN + 1];
        size_t len = 0;
        bool is_read = sscanf(line, DONE "%64[0-9a-f]", hex) == 1 &&
                       hex_decode(hex, digest, sizeof(digest), &len) == SCA_OK &&
                       len == sizeof(digest);
        for (size_t i = 0; is_read && i < entries->count; i++)
            if (memcmp(entries->items[i].digest, digest, sizeof(digest)) == 0)
                entries->items[i].is_over = true;
        line = strchr(line, '\n');
        line += line ? 1 : 0;
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

static enum sca_status write_lines(const struct sign_files *files, struct buf *lines)
{
    enum sca_status st = SCA_OK;

    for (size_t i = 0; st == SCA_OK && i < files->count; i++) {
        const struct sign_file *file = &files->items[i];
        char document[2 * EVP_MAX_MD_SIZE + 1];
        char digest[2 * SIGN_DIGEST_LEN + 1];
        char line[LINE_SIZE];
        hex_encode(span_of(file->document, file->document_len), document);
        hex_encode(span_of(file->digest, sizeof(file->digest)), digest);
        (void)snprintf(line, sizeof(line), "file %s %s %" PRId64 "\n", document, digest,
                       file->signing_time);
        st = buf_append(lines, span_text(line));
    }
    return st == SCA_OK ? buf_append(lines, span_text(END)) : st;
}

static enum sca_status create(const char *dir, struct sign_note *note)
{
    enum sca_status st = SCA_BUSY;

    for (int i = 0; st == SCA_BUSY && i < TRIES; i++) {
        uint8_t number[NUMBER_SIZE];
        char hex[2 * NUMBER_SIZE + 1];
        AUTO(freep) char *path = NULL;
        if (RAND_bytes_ex(crypto_libctx(), number, sizeof(number), 0) != 1)
            return SCA_IO;
        hex_encode(span_of(number, sizeof(number)), hex);
        path = path_join(dir, hex);
        if (!path)
            return SCA_NOMEM;
        st = live_file_create(path, 0600, &note->fd);
        if (st == SCA_OK)
            note->path = TAKE(path);
    }
    return st;
}

static bool store(const char *dir, struct sign_note *note, struct span lines)
{
    AUTO(fd_closep) int folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    errno = 0;
    enum sca_status st = fd_write_all(note->fd, lines);
    if (st == SCA_NO_SPACE && !errno)
        errno = ENOSPC;
    return st == SCA_OK && fsync(note->fd) == 0 && folder >= 0 && fsync(folder) == 0;
}

static void discard(struct sign_note *note)
{
    if (note->path)
        (void)unlink(note->path);
    free(note->path);
    fd_closep(&note->fd);
    *note = (struct sign_note){.fd = -1};
}

bool sign_note_write(const char *state_dir, const struct sign_files *files,
                     struct sign_note *ret_note, struct trouble *trouble)
{
    AUTO(freep) char *dir = path_join(state_dir, SIGN_NOTE_FOLDER);
    AUTO(buf_fini) struct buf lines;
    struct sign_note note = {.state_dir = state_dir, .fd = -1};

    buf_init(&lines, SIGN_NOTE_MAX, false);
    if (!dir || write_lines(files, &lines) != SCA_OK)
        return trouble_no_memory(trouble);
    if (dir_ensure_private(dir) != SCA_OK || create(dir, &note) != SCA_OK)
        return cannot(trouble, dir, errno);
    if (!store(dir, &note, buf_span(&lines))) {
        (void)cannot(trouble, note.path, errno);
        discard(&note);
        return false;
    }
    *ret_note = note;
    return true;
}

bool sign_note_waiting(const char *state_dir, struct ledger *ret_waiting)
{
    struct call call;

    call_init(&call, &clock_system, PATIENCE_MS);
    enum sca_status st = pending_list(state_dir, &call, ret_waiting);
    call_fini(&call);
    if (st != SCA_OK)
        ledger_fini(ret_waiting);
    return st == SCA_OK;
}

static struct journal_document *find_in(const struct journal_transaction *transaction,
                                        const uint8_t digest[static SIGN_DIGEST_LEN])
{
    for (size_t i = 0; i < transaction->document_count; i++) {
        struct journal_document *document = &transaction->documents[i];
        if (!document->is_collected && document->digest_len == SIGN_DIGEST_LEN &&
            memcmp(document->digest, digest, SIGN_DIGEST_LEN) == 0)
            return document;
    }
    return NULL;
}

struct journal_document *sign_note_find(const struct ledger *ledger,
                                        const uint8_t digest[static SIGN_DIGEST_LEN])
{
    struct journal_document *found = NULL;

    for (size_t i = 0; !found && i < ledger->count; i++)
        found = find_in(&ledger->items[i], digest);
    return found;
}

/* The transaction, if it has a file that was in none so far; its files are in one now. */
static enum sca_status learn_one(const struct journal_transaction *item, struct sign_files *files,
                                 struct buf *lines)
{
    bool is_new = false;

    for (size_t i = 0; i < files->count; i++)
        if (!files->items[i].is_noted && find_in(item, files->items[i].digest))
            is_new = files->items[i].is_noted = true;
    return is_new ? ledger_write_transaction(item, lines) : SCA_OK;
}

static bool is_any_unnoted(const struct sign_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        if (files->items[i].state == SIGN_WAITING && !files->items[i].is_noted)
            return true;
    return false;
}

void sign_note_learn(const struct sign_note *note, struct sign_files *files)
{
    AUTO(ledger_fini) struct ledger waiting = {.count = 0};
    AUTO(buf_fini) struct buf lines;
    enum sca_status st = SCA_OK;

    buf_init(&lines, LEDGER_SIZE_MAX, false);
    if (!note || !note->path || !is_any_unnoted(files))
        return;
    (void)sign_note_waiting(note->state_dir, &waiting);
    for (size_t i = 0; st == SCA_OK && i < waiting.count; i++)
        st = learn_one(&waiting.items[i], files, &lines);
    if (st == SCA_OK && lines.len > 0 && fd_write_all(note->fd, buf_span(&lines)) == SCA_OK)
        (void)fdatasync(note->fd);
}

/* Waits for a person, or was signed and is not written. waiting NULL: not known. */
static bool is_wanted_again(const struct sign_file *file, const struct ledger *waiting)
{
    if (file->is_written)
        return false;
    return !waiting || file->state == SIGN_DONE || sign_note_find(waiting, file->digest);
}

void sign_note_end(struct sign_note *note, const struct sign_files *files)
{
    AUTO(ledger_fini) struct ledger waiting = {.count = 0};
    bool is_wanted = false;

    if (!note->path)
        return;
    bool is_known = sign_note_waiting(note->state_dir, &waiting);
    for (size_t i = 0; !is_wanted && i < files->count; i++)
        is_wanted = is_wanted_again(&files->items[i], is_known ? &waiting : NULL);
    if (is_wanted) {
        free(note->path);
        note->path = NULL;
    }
    discard(note);
}
