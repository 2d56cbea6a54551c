/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/smartca/settle.h"

#include <stdatomic.h>

#include "remote/smartca/request.h"

void settle_submitted(struct transaction *tx)
{
    if (tx->is_news)
        journal_submitted(tx->client->journal, &tx->record);
    tx->is_news = false;
}

/*
 * The documents that this call had in it are done with, but for those whose callers left, or have
 * not heard of it yet. Where that is all of them, no person is asked any more all the same.
 */
static void collect(struct transaction *tx)
{
    size_t collected = 0;

    for (size_t i = 0; i < tx->count; i++) {
        const struct remote_document *document = &tx->documents[i];
        bool is_unwanted = document->wanted_by && atomic_load(document->wanted_by) == 0;
        struct journal_document *known = request_document(&tx->record, document->digest, i);
        if (known && !is_unwanted && document->status != SCA_BUSY) {
            known->is_collected = true;
            collected++;
        }
    }
    if (collected > 0)
        journal_collect(tx->client->journal, &tx->record);
    else
        journal_park(tx->client->journal, tx->record.id);
}

static size_t count_held(const struct transaction *tx)
{
    size_t held = 0;

    for (size_t i = 0; i < tx->count; i++)
        held += tx->documents[i].status != SCA_BUSY;
    return held;
}

/* A failure is remembered for those who do not know of it yet, and a rejection for a while. */
static void bury(struct transaction *tx)
{
    int64_t keep_s = tx->status == SCA_REJECTED ? tx->rules->cooldown_s : 0;

    if (tx->rules->takes_turns && tx->record.document_count > count_held(tx) &&
        keep_s < JOURNAL_ENDED_KEEP_S)
        keep_s = JOURNAL_ENDED_KEEP_S;
    if (keep_s > 0)
        journal_end_with(tx->client->journal, &tx->record, tx->status, tx->call->clock, keep_s);
    else
        journal_end(tx->client->journal, tx->record.id);
}

/* It goes on without this call: what others may do with it. */
static void leave(struct transaction *tx)
{
    bool is_ours = tx->has_posted || tx->has_resumed || !tx->is_joined;

    if (is_ours && (tx->record.state == JOURNAL_SUBMITTING || tx->factor)) {
        journal_left(tx->client->journal, tx->record.id);
        return;
    }
    settle_submitted(tx);
}

void settle_round(struct transaction *tx, enum step step)
{
    bool is_unsent = tx->is_dropped || (!tx->is_joined && !tx->has_tried);

    if (step == STEP_RENEW)
        journal_end(tx->client->journal, tx->record.id);
    else if (tx->is_over && tx->is_delivered)
        collect(tx);
    else if (tx->is_over)
        bury(tx);
    else if (is_unsent)
        journal_drop(tx->client->journal, &tx->record);
    else
        leave(tx);
}
