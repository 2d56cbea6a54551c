/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/smartca/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
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

    /* Others hold the file for as long as their own small I/O takes. */
    TURN_STEP_MS = 5,
    BEGIN_TURN_MS = 5000,
    NOTE_TURN_MS =
        800, /* nothing depends on it, and a cancelled call shall leave within a second */
};

static const char file_name[] = "transactions";

/* One for the process, as the file is one for all its clients: its threads take turns here, and
 * only other processes are waited for, without this lock. */
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

/* One piece of work on the file, done with the lock held; arg is what it is about. */
typedef enum sca_status worker(const struct journal *journal, struct journal_file *file, void *arg);

static enum sca_status try_once(const struct journal *journal, worker *work, void *arg)
{
    AUTO(journal_file_close) struct journal_file file = JOURNAL_FILE_INIT;

    lock_take(&journal_lock);
    errno = 0;
    enum sca_status st = journal_file_open(journal->dir, journal->path, &file);
    if (st == SCA_OK)
        st = work(journal, &file, arg);
    int reason = errno;
    lock_drop(&journal_lock);
    errno = reason;
    return st;
}

/*
 * Does the work when the file is free. Whoever waits holds no lock meanwhile, and can be cancelled;
 * call NULL: it waits a short while only. SCA_BUSY: others had it for too long.
 */
static enum sca_status in_turn(const struct journal *journal, struct call *call, worker *work,
                               void *arg)
{
    const struct timespec step = {.tv_nsec = TURN_STEP_MS * 1000000L};
    unsigned limit_ms = call ? BEGIN_TURN_MS : NOTE_TURN_MS;

    for (unsigned waited_ms = 0;; waited_ms += TURN_STEP_MS) {
        enum sca_status st = try_once(journal, work, arg);
        if (st != SCA_BUSY || waited_ms >= limit_ms)
            return st;
        if (!call)
            (void)nanosleep(&step, NULL);
        else if ((st = call_wait(call, TURN_STEP_MS)) != SCA_OK)
            return st == SCA_UNCONFIRMED ? SCA_BUSY : st;
    }
}

/* Why nothing may be sent; errno says more. */
static enum sca_status explain(const struct journal *journal, struct call *call,
                               enum sca_status status)
{
    int reason = errno;

    if (status == SCA_CANCELLED)
        return call_fail(call, status, "cancelled by the application");
    if (status == SCA_BUSY)
        return call_fail(call, SCA_IO,
                         "nothing was sent, because another program keeps the transaction journal "
                         "in %s locked; try again",
                         journal->dir);
    if (status != SCA_IO && status != SCA_NO_SPACE)
        return status;
    return call_fail(call, SCA_IO,
                     "nothing was sent, because the transaction journal in %s cannot be written "
                     "(%s): %s",
                     journal->dir, reason ? strerrordesc_np(reason) : "unknown reason",
                     reason == EFBIG ? "move it away, it is larger than any journal"
                                     : "free some space there or mend its permissions");
}

struct beginning {
    struct journal_transaction *wanted;
    int64_t now;
    bool is_joined;
};

static enum sca_status begin(const struct journal *journal, struct journal_file *file, void *arg)
{
    AUTO(ledger_fini) struct ledger ledger = {0};
    struct beginning *beginning = arg;
    struct buf line;

    enum sca_status st = read_live(file, &ledger);
    if (st != SCA_OK)
        return st;
    ledger_match_forget(&ledger, beginning->now);
    beginning->is_joined = ledger_match_join(&ledger, beginning->wanted);
    if (beginning->is_joined)
        return SCA_OK;

    buf_init(&line, LEDGER_SIZE_MAX, false);
    st = ledger_write_transaction(beginning->wanted, &line);
    if (st == SCA_OK)
        st = store(journal, file, &ledger, buf_span(&line));
    buf_fini(&line);
    return st;
}

enum sca_status journal_begin(struct journal *journal, struct call *call,
                              struct journal_transaction *wanted, bool *ret_joined)
{
    struct beginning beginning = {.wanted = wanted, .now = call->clock->wall_s(call->clock)};

    if (!ledger_is_writable(wanted))
        return call_fail(call, SCA_INVALID, "the transaction cannot be written to the journal");
    journal_submitter_set(wanted);
    wanted->taken_at = wanted->begun_at;
    enum sca_status st = in_turn(journal, call, begin, &beginning);
    if (st != SCA_OK)
        return explain(journal, call, st);
    *ret_joined = beginning.is_joined;
    return SCA_OK;
}

struct claim {
    struct journal_transaction *transaction;
    int64_t now;
    int64_t within_ms;
    bool is_ours;
};

/* Is somebody else at it: lives, and has not been for longer than a request takes? */
static bool is_taken(const struct journal_transaction *item, const struct claim *claim)
{
    int64_t since_ms = (claim->now - item->taken_at) * 1000;

    return since_ms >= 0 && since_ms < claim->within_ms && journal_submitter_lives(item);
}

static enum sca_status take(const struct journal *journal, struct journal_file *file, void *arg)
{
    AUTO(ledger_fini) struct ledger ledger = {0};
    struct claim *claim = arg;
    struct journal_transaction *mine = claim->transaction;
    struct buf line;

    (void)journal;
    enum sca_status st = read_live(file, &ledger);
    const struct journal_transaction *item = st == SCA_OK ? ledger_find(&ledger, mine->id) : NULL;
    if (!item)
        return st == SCA_OK ? SCA_GONE : st;
    mine->state = item->state;
    claim->is_ours = !is_taken(item, claim);
    if (!claim->is_ours)
        return SCA_OK;

    journal_submitter_set(mine);
    mine->taken_at = claim->now;
    buf_init(&line, LEDGER_SIZE_MAX, false);
    st = ledger_write_claim(mine, &line);
    if (st == SCA_OK)
        st = journal_file_append(file, buf_span(&line), true);
    buf_fini(&line);
    return st;
}

enum sca_status journal_claim(struct journal *journal, struct call *call,
                              struct journal_transaction *transaction, int64_t within_ms,
                              bool *ret_is_ours)
{
    struct claim claim = {.transaction = transaction,
                          .now = call->clock->wall_s(call->clock),
                          .within_ms = within_ms};

    enum sca_status st = in_turn(journal, call, take, &claim);
    if (st == SCA_GONE)
        return st;
    if (st != SCA_OK)
        return explain(journal, call, st);
    *ret_is_ours = claim.is_ours;
    return SCA_OK;
}

static enum sca_status add_line(const struct journal *journal, struct journal_file *file, void *arg)
{
    const struct buf *line = arg;
    struct buf lines;

    (void)journal;
    buf_init(&lines, LEDGER_SIZE_MAX, false);
    enum sca_status st = journal_file_read(file, &lines);
    if (st == SCA_OK)
        st = journal_file_append(file, buf_span(line), false);
    buf_fini(&lines);
    return st;
}

static void note(struct journal *journal, const char *event, const char *id, const char *tran_code)
{
    struct buf line;
    buf_init(&line, LEDGER_SIZE_MAX, false);

    enum sca_status st = ledger_write_event(event, id, tran_code, &line);
    if (st == SCA_OK)
        st = in_turn(journal, NULL, add_line, &line);
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

static enum sca_status end(const struct journal *journal, struct journal_file *file, void *arg)
{
    const char *id = arg;
    struct buf lines;

    (void)journal;
    buf_init(&lines, LEDGER_SIZE_MAX, false);
    enum sca_status st = journal_file_read(file, &lines);
    if (st == SCA_OK && ledger_is_only(buf_span(&lines), id))
        st = journal_file_empty(file);
    else if (st == SCA_OK)
        st = end_among(file, &lines, id);
    buf_fini(&lines);
    return st;
}

static void log_end(const char *id, enum sca_status status)
{
    if (status != SCA_OK)
        log_line(LOG_LEVEL_WARNING, "the transaction journal does not know that %s is over: %s", id,
                 sca_status_name(status));
}

void journal_end(struct journal *journal, const char *id)
{
    char own[CODEC_ID_SIZE];

    (void)snprintf(own, sizeof(own), "%s", id);
    log_end(id, in_turn(journal, NULL, end, own));
}

static enum sca_status drop(const struct journal *journal, struct journal_file *file, void *arg)
{
    AUTO(ledger_fini) struct ledger ledger = {0};
    const struct journal_transaction *mine = arg;
    char id[CODEC_ID_SIZE];

    enum sca_status st = read_live(file, &ledger);
    const struct journal_transaction *item = st == SCA_OK ? ledger_find(&ledger, mine->id) : NULL;
    bool is_mine = item && item->pid == mine->pid && item->pid_started == mine->pid_started &&
                   item->taken_at == mine->taken_at;
    if (!is_mine)
        return st;
    memcpy(id, mine->id, sizeof(id));
    return end(journal, file, id);
}

void journal_drop(struct journal *journal, const struct journal_transaction *transaction)
{
    struct journal_transaction mine = *transaction;

    log_end(mine.id, in_turn(journal, NULL, drop, &mine));
}

struct listing {
    struct ledger *ledger;
    int64_t now;
};

static enum sca_status list(const struct journal *journal, struct journal_file *file, void *arg)
{
    struct listing *listing = arg;

    (void)journal;
    enum sca_status st = read_live(file, listing->ledger);
    if (st == SCA_OK)
        ledger_match_forget(listing->ledger, listing->now);
    return st;
}

enum sca_status journal_list(struct journal *journal, struct call *call, struct ledger *ledger)
{
    struct listing listing = {.ledger = ledger, .now = call->clock->wall_s(call->clock)};

    /* A question makes no file. */
    if (access(journal->path, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR))
        return SCA_OK;
    enum sca_status st = in_turn(journal, call, list, &listing);
    return st == SCA_OK ? st : explain(journal, call, st);
}
