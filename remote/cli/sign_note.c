/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/sign_note.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/cli/live_file.h"
#include "remote/cli/sign_folder.h"
#include "remote/smartca/pending.h"

enum {
    PATIENCE_MS = 2000, /* with those who have the journal */
    TRIES = 16,
};

static bool cannot(struct trouble *trouble, const char *path, int error)
{
    bool is_full = error == ENOSPC || error == EDQUOT || error == EFBIG;

    return trouble_say(trouble, is_full ? "no_space" : "io",
                       is_full ? _("free some space on the disk or in the quota")
                               : _("check owner, permissions and free space of the folder or file"),
                       "%s: %s", path, strerror(error));
}

static enum sca_status create(const char *dir, int folder, struct sign_note *note)
{
    enum sca_status st = SCA_BUSY;

    for (int i = 0; st == SCA_BUSY && i < TRIES; i++) {
        char hex[LIVE_FILE_DIGITS + 1];
        AUTO(freep) char *path = NULL;
        if (!live_file_number(hex))
            return SCA_IO;
        path = path_join(dir, hex);
        if (!path)
            return SCA_NOMEM;
        st = live_file_create_at(folder, hex, 0600, &note->fd);
        if (st == SCA_OK)
            note->path = TAKE(path);
    }
    return st;
}

static bool store(const struct sign_note *note, struct span lines)
{
    errno = 0;
    enum sca_status st = fd_write_all(note->fd, lines);
    if (st == SCA_NO_SPACE && !errno)
        errno = ENOSPC;
    return st == SCA_OK && fsync(note->fd) == 0 && fsync(note->folder) == 0;
}

static void let_go(struct sign_note *note)
{
    free(note->path);
    fd_closep(&note->fd);
    fd_closep(&note->folder);
    *note = (struct sign_note){.folder = -1, .fd = -1};
}

static void discard(struct sign_note *note)
{
    (void)unlinkat(note->folder, strrchr(note->path, '/') + 1, 0);
    let_go(note);
}

/* With the folder locked: of two runs that begin at once one sees the other's note. */
static bool write_alone(const char *dir, const struct sign_files *files, struct span lines,
                        struct sign_note *note, struct trouble *trouble)
{
    if (!sign_folder_is_free(note->folder, files, trouble))
        return false;
    if (create(dir, note->folder, note) != SCA_OK)
        return cannot(trouble, dir, errno);
    if (store(note, lines))
        return true;
    (void)cannot(trouble, note->path, errno);
    discard(note);
    return false;
}

bool sign_note_write(const char *state_dir, const struct sign_files *files,
                     struct sign_note *ret_note, struct trouble *trouble)
{
    AUTO(freep) char *dir = path_join(state_dir, SIGN_NOTE_FOLDER);
    AUTO(buf_fini) struct buf lines;
    struct sign_note note = {.state_dir = state_dir, .folder = -1, .fd = -1};

    buf_init(&lines, SIGN_NOTE_MAX, false);
    if (!dir || sign_entries_write(files, &lines) != SCA_OK)
        return trouble_no_memory(trouble);
    if (!sign_folder_open(state_dir, true, &note.folder, trouble))
        return false;
    (void)fd_lock(note.folder, PATIENCE_MS); /* a file system without locks has no such order */
    bool is_written = write_alone(dir, files, buf_span(&lines), &note, trouble);
    (void)flock(note.folder, LOCK_UN);
    if (!is_written) {
        fd_closep(&note.folder);
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
    for (size_t i = 0; i < files->count; i++) {
        enum sign_state state = files->items[i].state;
        if ((state == SIGN_WAITING || state == SIGN_OPEN) && !files->items[i].is_noted)
            return true;
    }
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

/*
 * Waits for a person, or was signed and is not written; SIGN_FALSE: the file was changed meanwhile,
 * and may be changed back. waiting NULL: not known.
 */
static bool is_wanted_again(const struct sign_file *file, const struct ledger *waiting)
{
    if (file->is_written)
        return false;
    return !waiting || file->state == SIGN_DONE || file->state == SIGN_FALSE ||
           sign_note_find(waiting, file->digest);
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
    if (is_wanted)
        let_go(note);
    else
        discard(note);
}
