/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/smartca/journal_work.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "remote/base/cleanup.h"
#include "remote/base/clock.h"
#include "remote/base/file.h"
#include "remote/base/lock.h"
#include "remote/base/log.h"
#include "remote/base/wording.h"

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

enum sca_status journal_store(const struct journal *journal, struct journal_file *file,
                              const struct ledger *ledger, struct span added)
{
    if (ledger->count == 0 && file->len > 0 && journal_file_empty(file) != SCA_OK)
        return SCA_IO;
    if (file->len > COMPACT_SIZE && file->len / COMPACT_FACTOR > ledger->count * added.len)
        return compact(journal, ledger, added);
    return journal_file_append(file, added, true);
}

enum sca_status journal_read_live(struct journal_file *file, struct ledger *ledger)
{
    struct buf lines;
    buf_init(&lines, LEDGER_SIZE_MAX, false);

    enum sca_status st = journal_file_read(file, &lines);
    if (st == SCA_OK)
        st = ledger_read(ledger, &lines);
    buf_fini(&lines);
    return st;
}

static enum sca_status try_once(const struct journal *journal, journal_worker *work, void *arg)
{
    struct journal_file file = JOURNAL_FILE_INIT;

    lock_take(&journal_lock);
    errno = 0;
    enum sca_status st = journal_file_open(journal->dir, journal->path, &file);
    if (st == SCA_OK)
        st = work(journal, &file, arg);
    int reason = errno;
    journal_file_close(&file);
    lock_drop(&journal_lock);
    errno = reason;
    return st;
}

enum sca_status journal_in_turn(const struct journal *journal, struct call *call,
                                journal_worker *work, void *arg)
{
    const struct timespec step = {.tv_nsec = TURN_STEP_MS * 1000000L};
    const struct clock *clock = call ? call->clock : &clock_system;
    uint64_t until = clock->now_ms(clock) + (call ? BEGIN_TURN_MS : NOTE_TURN_MS);

    for (;;) {
        enum sca_status st = try_once(journal, work, arg);
        if (st != SCA_BUSY || clock->now_ms(clock) >= until)
            return st;
        if (!call)
            (void)nanosleep(&step, NULL);
        else if ((st = call_wait(call, TURN_STEP_MS)) != SCA_OK)
            return st == SCA_UNCONFIRMED ? SCA_BUSY : st;
    }
}

static const char *advice(int reason)
{
    if (reason == EFBIG)
        return wording("move it away, it is larger than any journal");
    if (reason == EMFILE || reason == ENFILE)
        return wording("close some of them, or allow more (ulimit -n)");
    return wording("free some space there or mend its permissions");
}

enum sca_status journal_explain(const struct journal *journal, struct call *call,
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
                     journal->dir, reason ? strerrordesc_np(reason) : wording("unknown reason"),
                     advice(reason));
}
