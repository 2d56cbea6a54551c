/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/sign_note.h"

#include <errno.h>
#include <fcntl.h>
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
};

static bool cannot(struct trouble *trouble, const char *path, int error)
{
    bool is_full = error == ENOSPC || error == EDQUOT || error == EFBIG;

    return trouble_say(trouble, is_full ? "no_space" : "io",
                       is_full ? _("free some space on the disk or in the quota")
                               : _("check owner, permissions and free space of the folder or file"),
                       "%s: %s", path, strerror(error));
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
    if (!dir || sign_entries_write(files, &lines) != SCA_OK)
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
