/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/smartca/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/base/lock.h"
#include "remote/base/log.h"
#include "remote/smartca/journal_file.h"
#include "remote/smartca/journal_submitter.h"
#include "remote/smartca/ledger.h"
#include "remote/smartca/ledger_match.h"

enum {
    /* A file that never becomes empty is written anew above this size: reading it must stay cheap.
     */
    COMPACT_SIZE = JOURNAL_FILE_LARGE,
    COMPACT_FACTOR = 4,
};

static const char file_name[] = "transactions";

/* One for the process, as the file is one for all its clients: only then is nobody ever asleep in
 * fd_lock because of a thread of the same process. */
static struct lock journal_lock = LOCK_INITIALIZER(LOCK_JOURNAL);

struct journal {
    char *dir;
    char *path;
};

static void journal_freep(struct journal **journal)
{
    journal_free(*journal);
}

enum sca_status journal_new(const char *state_dir, struct journal **ret_journal)
{
    AUTO(journal_freep) struct journal *journal = calloc(1, sizeof(*journal));

    if (!journal || !(journal->dir = path_join(state_dir, "journal")) ||
        !(journal->path = path_join(journal->dir, file_name)))
        return SCA_NOMEM;
    *ret_journal = TAKE(journal);
    return SCA_OK;
}

void journal_free(struct journal *journal)
{
    if (!journal)
        return;
    free(journal->path);
    free(journal->dir);
    free(journal);
}

void journal_abandon(void)
{
    lock_init(&journal_lock, LOCK_JOURNAL);
}

/* A new file is on the disk only when the folders that name it are. */
static enum sca_status sync_folders(const struct journal *journal)
{
    AUTO(freep) char *parent = path_join(journal->dir, "..");
    const char *const paths[] = {journal->dir, parent};

    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        AUTO(fd_closep) int fd = paths[i] ? open(paths[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
        if (fd < 0 || fsync(fd) != 0)
            return SCA_IO;
    }
    return SCA_OK;
}

/* Everything live and the new one, in a file of its own: one rename instead of one append. */
static enum sca_status compact(const struct journal *journal, const struct ledger *ledger,
                               struct span added)
{
    struct buf lines;
    buf_init(&lines, LEDGER_SIZE_MAX, false);

    enum sca_status st = SCA_OK;
    for (size_t i = 0; st == SCA_OK && i < ledger->count; i++)
        st = ledger_write_transaction(&ledger->items[i], &lines);
    if (st == SCA_OK)
        st = buf_append(&lines, added);
    if (st == SCA_OK)
        st = file_replace(journal->dir, file_name, buf_span(&lines));
    buf_fini(&lines);
    return st == SCA_PROTOCOL ? SCA_IO : st;
}

static enum sca_status store(const struct journal *journal, struct journal_file *file,
                             const struct ledger *ledger, struct span added)
{
    bool is_new = file->size == 0;

    if (ledger->count == 0 && file->len > 0 && journal_file_empty(file) != SCA_OK)
        return SCA_IO;
    if (file->len > COMPACT_SIZE && file->len / COMPACT_FACTOR > ledger->count * added.len)
        return compact(journal, ledger, added);
    enum sca_status st = journal_file_append(file, added, true);
    return st == SCA_OK && is_new ? sync_folders(journal) : st;
}

static enum sca_status read_live(struct journal_file *file, struct ledger *ledger)
{
    struct buf lines;
    buf_init(&lines, LEDGER_SIZE_MAX, false);

    enum sca_status st = journal_file_read(file, &lines);
    if (st == SCA_OK)
        st = ledger_read(ledger, &lines);
    buf_fini(&lines);
    return st;
}

static enum sca_status begin_locked(const struct journal *journal, int64_t now,
                                    struct journal_transaction *wanted, bool *ret_joined)
    REQUIRES(journal_lock)
{
    AUTO(journal_file_close) struct journal_file file = JOURNAL_FILE_INIT;
    AUTO(ledger_fini) struct ledger ledger = {0};
    struct buf line;

    enum sca_status st = journal_file_open(journal->dir, journal->path, &file);
    if (st == SCA_OK)
        st = read_live(&file, &ledger);
    if (st != SCA_OK)
        return st;
    ledger_match_forget(&ledger, now);
    *ret_joined = ledger_match_join(&ledger, wanted);
    if (*ret_joined)
        return SCA_OK;

    buf_init(&line, LEDGER_SIZE_MAX, false);
    st = ledger_write_transaction(wanted, &line);
    if (st == SCA_OK)
        st = store(journal, &file, &ledger, buf_span(&line));
    buf_fini(&line);
    return st;
}

enum sca_status journal_begin(struct journal *journal, struct call *call,
                              struct journal_transaction *wanted, bool *ret_joined)
{
    bool is_joined = false;

    if (!ledger_is_writable(wanted))
        return call_fail(call, SCA_INVALID, "the transaction cannot be written to the journal");
    journal_submitter_set(wanted);

    lock_take(&journal_lock);
    errno = 0;
    enum sca_status st =
        begin_locked(journal, call->clock->wall_s(call->clock), wanted, &is_joined);
    int reason = errno;
    lock_drop(&journal_lock);

    if (st == SCA_IO || st == SCA_NO_SPACE)
        return call_fail(call, SCA_IO,
                         "nothing was sent, because the transaction journal in %s cannot be "
                         "written (%s): free some space there or mend its permissions",
                         journal->dir, reason ? strerrordesc_np(reason) : "unknown reason");
    if (st == SCA_OK)
        *ret_joined = is_joined;
    return st;
}

static enum sca_status note_locked(const struct journal *journal, struct span line)
    REQUIRES(journal_lock)
{
    AUTO(journal_file_close) struct journal_file file = JOURNAL_FILE_INIT;
    struct buf lines;
    buf_init(&lines, LEDGER_SIZE_MAX, false);

    enum sca_status st = journal_file_open(journal->dir, journal->path, &file);
    if (st == SCA_OK)
        st = journal_file_read(&file, &lines);
    if (st == SCA_OK)
        st = journal_file_append(&file, line, false);
    buf_fini(&lines);
    return st;
}

static void note(struct journal *journal, const char *event, const char *id, const char *tran_code)
{
    struct buf line;
    buf_init(&line, LEDGER_SIZE_MAX, false);

    enum sca_status st = ledger_write_event(event, id, tran_code, &line);
    if (st == SCA_OK) {
        lock_take(&journal_lock);
        st = note_locked(journal, buf_span(&line));
        lock_drop(&journal_lock);
    }
    buf_fini(&line);
    if (st != SCA_OK)
        log_line(LOG_LEVEL_WARNING, "the transaction journal does not know that %s is %s: %s", id,
                 event, sca_status_name(st));
}

void journal_submitted(struct journal *journal, const struct journal_transaction *transaction)
{
    note(journal, "submitted", transaction->id, transaction->tran_code);
}

void journal_left(struct journal *journal, const char *id)
{
    note(journal, "left", id, NULL);
}

/* There are others, too. */
static enum sca_status end_among(struct journal_file *file, struct buf *lines, const char *id)
{
    AUTO(ledger_fini) struct ledger ledger = {0};
    struct buf line;

    enum sca_status st = ledger_read(&ledger, lines);
    struct journal_transaction *item = st == SCA_OK ? ledger_find(&ledger, id) : NULL;
    if (!item)
        return st;
    ledger_remove(&ledger, item);
    if (ledger.count == 0)
        return journal_file_empty(file);

    buf_init(&line, LEDGER_SIZE_MAX, false);
    st = ledger_write_event("end", id, NULL, &line);
    if (st == SCA_OK)
        st = journal_file_append(file, buf_span(&line), false);
    buf_fini(&line);
    return st;
}

static enum sca_status end_locked(const struct journal *journal, const char *id)
    REQUIRES(journal_lock)
{
    AUTO(journal_file_close) struct journal_file file = JOURNAL_FILE_INIT;
    struct buf lines;
    buf_init(&lines, LEDGER_SIZE_MAX, false);

    enum sca_status st = journal_file_open(journal->dir, journal->path, &file);
    if (st == SCA_OK)
        st = journal_file_read(&file, &lines);
    if (st == SCA_OK && ledger_is_only(buf_span(&lines), id))
        st = journal_file_empty(&file);
    else if (st == SCA_OK)
        st = end_among(&file, &lines, id);
    buf_fini(&lines);
    return st;
}

void journal_end(struct journal *journal, const char *id)
{
    lock_take(&journal_lock);
    enum sca_status st = end_locked(journal, id);
    lock_drop(&journal_lock);
    if (st != SCA_OK)
        log_line(LOG_LEVEL_WARNING, "the transaction journal does not know that %s is over: %s", id,
                 sca_status_name(st));
}
