/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a transaction after it was begun, line by line. */
#include <stdio.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/base/log.h"
#include "remote/smartca/journal_work.h"
#include "remote/smartca/request.h"

/* about: what is not in the file is not appended to; NULL: in any case. */
static enum sca_status append(struct journal_file *file, const struct buf *line, const char *about)
{
    struct buf lines;

    buf_init(&lines, LEDGER_SIZE_MAX, false);
    enum sca_status st = journal_file_read(file, &lines);
    bool is_known = !about || (lines.len > 0 && memmem(lines.ptr, lines.len, about, strlen(about)));
    if (st == SCA_OK && is_known)
        st = journal_file_append(file, buf_span(line), false);
    buf_fini(&lines);
    return st;
}

struct news {
    const char *id;
    struct buf line;
};

/* Of what another process has ended, nothing is to be noted. */
static enum sca_status add_news(const struct journal *journal, struct journal_file *file, void *arg)
{
    const struct news *news = arg;

    (void)journal;
    return append(file, &news->line, news->id);
}

static void note(struct journal *journal, const char *event, const char *id, const char *tran_code)
{
    struct news news = {.id = id};
    buf_init(&news.line, LEDGER_SIZE_MAX, false);

    enum sca_status st = ledger_write_event(event, id, tran_code, &news.line);
    if (st == SCA_OK)
        st = journal_in_turn(journal, NULL, add_news, &news);
    buf_fini(&news.line);
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

void journal_signed(struct journal *journal, const char *id)
{
    note(journal, "signed", id, NULL);
}

void journal_park(struct journal *journal, const char *id)
{
    note(journal, "parked", id, NULL);
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
    log_end(id, journal_in_turn(journal, NULL, end, own));
}

static enum sca_status drop(const struct journal *journal, struct journal_file *file, void *arg)
{
    AUTO(ledger_fini) struct ledger ledger = {0};
    const struct journal_transaction *mine = arg;
    char id[CODEC_ID_SIZE];

    enum sca_status st = journal_read_live(file, &ledger);
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

    log_end(mine.id, journal_in_turn(journal, NULL, drop, &mine));
}

/* One more of it is collected: says so, or that it is over. */
static enum sca_status write_collected(const struct journal *journal, struct journal_file *file,
                                       const struct journal_transaction *item)
{
    AUTO(buf_fini) struct buf line;
    char id[CODEC_ID_SIZE];

    buf_init(&line, LEDGER_SIZE_MAX, false);
    memcpy(id, item->id, sizeof(id));
    if (ledger_is_collected(item))
        return end(journal, file, id);
    enum sca_status st = ledger_write_collected(item, &line);
    return st == SCA_OK ? journal_file_append(file, buf_span(&line), false) : st;
}

/* What a call has to say of a transaction that may be others' as well. */
struct closing {
    const struct journal_transaction *transaction;
    enum sca_status status;
    int64_t now;
    int64_t keep_s;
};

static void mark_collected(struct journal_transaction *item,
                           const struct journal_transaction *transaction)
{
    for (size_t i = 0; i < transaction->document_count; i++)
        if (transaction->documents[i].is_collected)
            ledger_collect(item, transaction->documents[i].doc_id);
}

static enum sca_status collect(const struct journal *journal, struct journal_file *file, void *arg)
{
    AUTO(ledger_fini) struct ledger ledger = {0};
    const struct closing *closing = arg;

    enum sca_status st = journal_read_live(file, &ledger);
    struct journal_transaction *item =
        st == SCA_OK ? ledger_find(&ledger, closing->transaction->id) : NULL;
    if (!item)
        return st;
    mark_collected(item, closing->transaction);
    return write_collected(journal, file, item);
}

void journal_collect(struct journal *journal, const struct journal_transaction *transaction)
{
    struct closing closing = {.transaction = transaction};

    /* All of it: the file need not be understood. */
    if (ledger_is_collected(transaction))
        journal_end(journal, transaction->id);
    else
        log_end(transaction->id, journal_in_turn(journal, NULL, collect, &closing));
}

static enum sca_status end_with(const struct journal *journal, struct journal_file *file, void *arg)
{
    AUTO(buf_fini) struct buf line;
    const struct closing *closing = arg;
    struct journal_transaction ended = *closing->transaction;

    (void)journal;
    ended.state = JOURNAL_ENDED;
    ended.ended_with = closing->status;
    ended.ended_at = closing->now;
    ended.kept_until = closing->now + closing->keep_s;
    buf_init(&line, LEDGER_SIZE_MAX, false);
    enum sca_status st = ledger_write_ended(&ended, &line);
    return st == SCA_OK ? append(file, &line, NULL) : st;
}

void journal_end_with(struct journal *journal, const struct journal_transaction *transaction,
                      enum sca_status status, const struct clock *clock, int64_t keep_s)
{
    struct closing closing = {.transaction = transaction,
                              .status = status,
                              .now = clock->wall_s(clock),
                              .keep_s = keep_s};

    log_end(transaction->id, journal_in_turn(journal, NULL, end_with, &closing));
}

struct one_collected {
    const char *id;
    struct span digest;
};

static enum sca_status collect_one(const struct journal *journal, struct journal_file *file,
                                   void *arg)
{
    AUTO(ledger_fini) struct ledger ledger = {0};
    const struct one_collected *one = arg;

    enum sca_status st = journal_read_live(file, &ledger);
    struct journal_transaction *item = st == SCA_OK ? ledger_find(&ledger, one->id) : NULL;
    struct journal_document *found = item ? request_document(item, one->digest, 0) : NULL;
    if (!found)
        return st;
    found->is_collected = true;
    return write_collected(journal, file, item);
}

void journal_collect_digest(struct journal *journal, const char *id, struct span digest)
{
    struct one_collected one = {.id = id, .digest = digest};

    log_end(id, journal_in_turn(journal, NULL, collect_one, &one));
}
