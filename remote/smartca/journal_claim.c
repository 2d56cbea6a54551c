/* SPDX-License-Identifier: Apache-2.0 */
/* A transaction whose submitter is gone: which of those who wait for it sends it. */
#include "remote/base/cleanup.h"
#include "remote/smartca/journal_submitter.h"
#include "remote/smartca/journal_work.h"

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
    enum sca_status st = journal_read_live(file, &ledger);
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

    enum sca_status st = journal_in_turn(journal, call, take, &claim);
    if (st == SCA_GONE)
        return st;
    if (st != SCA_OK)
        return journal_explain(journal, call, st);
    *ret_is_ours = claim.is_ours;
    return SCA_OK;
}
