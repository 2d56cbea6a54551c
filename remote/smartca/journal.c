/* SPDX-License-Identifier: Apache-2.0 */
/* Whose turn it is: a transaction begun, joined, or put off until another one is over. */
#include "remote/smartca/journal.h"

#include "remote/base/cleanup.h"
#include "remote/smartca/journal_submitter.h"
#include "remote/smartca/journal_work.h"
#include "remote/smartca/ledger_match.h"
#include "remote/smartca/request.h"

struct beginning {
    struct journal_transaction *wanted;
    const struct journal_rules *rules;
    int64_t now;
    enum journal_turn turn;
};

/* All that is to be written goes into one append, so that it is there as a whole or not at all. */
static enum sca_status append_end(struct buf *lines, const struct journal_transaction *item)
{
    return ledger_write_event("end", item->id, NULL, lines);
}

/* What this process wanted before is out of date, or about to be fulfilled. */
static enum sca_status drop_own_want(struct ledger *ledger,
                                     const struct journal_transaction *wanted, struct buf *lines)
{
    struct journal_transaction *own = ledger_match_own_want(ledger, wanted);
    enum sca_status st = own ? append_end(lines, own) : SCA_OK;

    if (own)
        ledger_remove(ledger, own);
    return st;
}

/* What others want goes in with it, whole wants only, as long as there is room. */
static enum sca_status take_wants(struct ledger *ledger, const struct beginning *beginning,
                                  struct buf *lines)
{
    struct journal_transaction *wanted = beginning->wanted;
    bool has_added = false;

    for (size_t i = 0; i < ledger->count;) {
        struct journal_transaction *item = &ledger->items[i];
        if (!ledger_match_is_want(item, wanted) ||
            wanted->document_count + item->document_count > beginning->rules->documents_max) {
            i++;
            continue;
        }
        enum sca_status st =
            journal_submitter_lives(item)
                ? request_add_documents(wanted, item->documents, item->document_count)
                : SCA_OK;
        if (st == SCA_OK)
            st = append_end(lines, item);
        if (st != SCA_OK)
            return st;
        has_added = true;
        ledger_remove(ledger, item);
    }
    if (has_added)
        request_describe(wanted);
    return SCA_OK;
}

static enum sca_status start(const struct journal *journal, struct journal_file *file,
                             struct ledger *ledger, struct beginning *beginning)
{
    AUTO(buf_fini) struct buf lines;
    enum sca_status st = SCA_OK;

    buf_init(&lines, LEDGER_SIZE_MAX, false);
    if (beginning->rules->takes_turns) {
        st = drop_own_want(ledger, beginning->wanted, &lines);
        if (st == SCA_OK)
            st = take_wants(ledger, beginning, &lines);
    }
    if (st == SCA_OK)
        st = ledger_write_transaction(beginning->wanted, &lines);
    beginning->turn = JOURNAL_BEGUN;
    return st == SCA_OK ? journal_store(journal, file, ledger, buf_span(&lines)) : st;
}

/* For whoever has the next turn. */
static enum sca_status queue_up(struct journal_file *file, struct ledger *ledger,
                                const struct journal_transaction *wanted)
{
    AUTO(buf_fini) struct buf lines;
    struct journal_transaction want = *wanted;
    const struct journal_transaction *own = ledger_match_own_want(ledger, wanted);

    buf_init(&lines, LEDGER_SIZE_MAX, false);
    if (own && ledger_match_is_same(own, wanted))
        return SCA_OK;
    want.state = JOURNAL_WANTED;
    enum sca_status st = own ? append_end(&lines, own) : SCA_OK;
    if (st == SCA_OK)
        st = ledger_write_transaction(&want, &lines);
    return st == SCA_OK ? journal_file_append(file, buf_span(&lines), false) : st;
}

/* Somebody waits for it again. What its submitter left may be sent by the first that has to. */
static enum sca_status unpark(struct journal_file *file, struct journal_transaction *joined,
                              int64_t now)
{
    AUTO(buf_fini) struct buf line;

    buf_init(&line, LEDGER_SIZE_MAX, false);
    if (!joined->is_parked || joined->state != JOURNAL_SUBMITTED)
        return SCA_OK;
    joined->taken_at = joined->pid == 0 ? 0 : now;
    journal_submitter_set(joined);
    joined->is_parked = false;
    enum sca_status st = ledger_write_claim(joined, &line);
    return st == SCA_OK ? journal_file_append(file, buf_span(&line), false) : st;
}

static enum sca_status begin(const struct journal *journal, struct journal_file *file, void *arg)
{
    AUTO(ledger_fini) struct ledger ledger = {0};
    struct beginning *beginning = arg;
    const struct journal_rules *rules = beginning->rules;

    enum sca_status st = journal_read_live(file, &ledger);
    if (st != SCA_OK)
        return st;
    ledger_match_forget(&ledger, beginning->now);
    if (ledger_match_join(&ledger, beginning->wanted, rules->joins_partly)) {
        beginning->turn = JOURNAL_JOINED;
        return unpark(file, beginning->wanted, beginning->now);
    }
    if (ledger_match_ended(&ledger, beginning->wanted, rules, beginning->now)) {
        beginning->turn = JOURNAL_OVER;
        return SCA_OK;
    }
    if (rules->takes_turns &&
        ledger_match_must_wait(&ledger, beginning->wanted, rules, beginning->now)) {
        beginning->turn = JOURNAL_WAITS;
        return queue_up(file, &ledger, beginning->wanted);
    }
    return start(journal, file, &ledger, beginning);
}

enum sca_status journal_take_turn(struct journal *journal, struct call *call,
                                  struct journal_transaction *wanted,
                                  const struct journal_rules *rules, enum journal_turn *ret_turn)
{
    struct beginning beginning = {
        .wanted = wanted, .rules = rules, .now = call->clock->wall_s(call->clock)};

    if (!ledger_is_writable(wanted))
        return call_fail(call, SCA_INVALID, "the transaction cannot be written to the journal");
    journal_submitter_set(wanted);
    wanted->taken_at = wanted->begun_at;
    enum sca_status st = journal_in_turn(journal, call, begin, &beginning);
    if (st != SCA_OK)
        return journal_explain(journal, call, st);
    *ret_turn = beginning.turn;
    return SCA_OK;
}

enum sca_status journal_begin(struct journal *journal, struct call *call,
                              struct journal_transaction *wanted, bool *ret_joined)
{
    static const struct journal_rules alone = {.takes_turns = false};
    enum journal_turn turn = JOURNAL_BEGUN;

    enum sca_status st = journal_take_turn(journal, call, wanted, &alone, &turn);
    if (st == SCA_OK)
        *ret_joined = turn == JOURNAL_JOINED;
    return st;
}

static enum sca_status want(const struct journal *journal, struct journal_file *file, void *arg)
{
    AUTO(ledger_fini) struct ledger ledger = {0};

    (void)journal;
    enum sca_status st = journal_read_live(file, &ledger);
    return st == SCA_OK ? queue_up(file, &ledger, arg) : st;
}

void journal_want(struct journal *journal, struct call *call, struct journal_transaction *wanted)
{
    journal_submitter_set(wanted);
    wanted->taken_at = wanted->begun_at;
    if (ledger_is_writable(wanted))
        (void)journal_in_turn(journal, call, want, wanted);
}

static enum sca_status unwant(const struct journal *journal, struct journal_file *file, void *arg)
{
    AUTO(ledger_fini) struct ledger ledger = {0};
    AUTO(buf_fini) struct buf lines;

    buf_init(&lines, LEDGER_SIZE_MAX, false);
    (void)journal;
    enum sca_status st = journal_read_live(file, &ledger);
    if (st == SCA_OK)
        st = drop_own_want(&ledger, arg, &lines);
    if (st != SCA_OK || lines.len == 0)
        return st;
    return ledger.count ? journal_file_append(file, buf_span(&lines), false)
                        : journal_file_empty(file);
}

void journal_unwant(struct journal *journal, const struct journal_transaction *wanted)
{
    struct journal_transaction own = *wanted;

    journal_submitter_set(&own);
    (void)journal_in_turn(journal, NULL, unwant, &own);
}
