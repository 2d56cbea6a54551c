/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/smartca/transaction.h"

#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/base/log.h"
#include "remote/smartca/deliver.h"
#include "remote/smartca/outcome.h"
#include "remote/smartca/request.h"
#include "remote/smartca/schedule.h"
#include "remote/smartca/settle.h"
#include "remote/smartca/step.h"
#include "remote/smartca/transaction_state.h"

enum {
    ROUNDS_MAX = 3, /* a transaction that is gone is begun anew; another caller may win */
};

static enum step out_of_time(struct transaction *tx)
{
    if (tx->is_waiting)
        return outcome_done(
            tx, call_fail(tx->call, SCA_UNCONFIRMED,
                          "nobody confirmed on the phone in time; confirm there and sign "
                          "the same document again to collect it (transaction %s)",
                          tx->record.id));
    if (!tx->call->note[0])
        (void)call_fail(tx->call, SCA_NETWORK, "the service gave no usable answer in time");
    return outcome_done(tx, SCA_NETWORK);
}

/* Waits before the next step, or to the end. */
static enum step pause_before(struct transaction *tx, enum step step)
{
    uint64_t wait_ms = 0;
    bool goes_on = schedule_next(&tx->schedule, call_now_ms(tx->call), &wait_ms);

    if (wait_ms > 0)
        settle_submitted(tx);
    enum sca_status st = call_wait(tx->call, wait_ms);
    if (st == SCA_CANCELLED)
        return outcome_done(tx, call_fail(tx->call, st, "cancelled by the application"));
    if (st == SCA_PENDING)
        return outcome_done(tx, st);
    return goes_on && st == SCA_OK ? step : out_of_time(tx);
}

/* One transaction, ours or another's, until it has an outcome or turns out to be gone. */
static enum step run(struct transaction *tx)
{
    uint64_t interval_ms = tx->client->account->service.poll_interval_ms;
    enum step step = tx->is_joined ? STEP_ASK : STEP_SUBMIT;
    uint32_t seed = (uint32_t)strtoul(tx->record.id, NULL, 16); /* random by birth */

    schedule_init(&tx->schedule, interval_ms, call_now_ms(tx->call), tx->call->deadline_ms, seed);
    while (step != STEP_RENEW && step != STEP_DONE)
        step = step_take(tx, pause_before(tx, step));
    secret_freep(&tx->sad);

    settle_round(tx, step);
    return step;
}

/* What a round leaves behind for the next. */
static void reset(struct transaction *tx)
{
    struct journal_transaction record = tx->record;

    *tx = (struct transaction){
        .client = tx->client,
        .call = tx->call,
        .credentials = tx->credentials,
        .key = tx->key,
        .verifier = tx->verifier,
        .documents = tx->documents,
        .count = tx->count,
        .rules = tx->rules,
        .factor = tx->factor,
        .record = record,
    };
}

/* Which of the documents are in the transaction? The others wait for the next one. */
static void hold_back(struct transaction *tx)
{
    for (size_t i = 0; i < tx->count; i++) {
        const struct journal_document *known =
            request_document(&tx->record, tx->documents[i].digest, i);
        tx->documents[i].status = known && !known->is_collected ? SCA_INVALID : SCA_BUSY;
    }
}

/* It ended while this call waited for its turn, or a moment ago. */
static enum sca_status answer_from_memory(struct transaction *tx)
{
    int64_t ago_s = tx->call->clock->wall_s(tx->call->clock) - tx->record.ended_at;
    enum sca_status st = tx->record.ended_with;

    if (st != SCA_REJECTED)
        return call_fail(tx->call, st, "transaction %s, which it was part of, ended: %s",
                         tx->record.id, sca_status_name(st));
    return call_fail(tx->call, st,
                     "the same document was rejected on the phone %lld s ago; sign it again later "
                     "if that was a mistake (reject_cooldown)",
                     (long long)ago_s);
}

static enum sca_status draft(struct transaction *tx)
{
    const struct request_subject subject = {tx->client->account, tx->key->service_serial,
                                            tx->documents, tx->count};

    return request_draft(&subject, tx->call, &tx->record);
}

/* The record is a transaction's, and no draft any more. */
static enum sca_status run_it(struct transaction *tx)
{
    tx->is_begun = true;
    hold_back(tx);
    memcpy(tx->call->transaction, tx->record.id, sizeof(tx->record.id));
    return run(tx) == STEP_DONE ? tx->status : SCA_GONE;
}

/* A call before this one had its documents in that transaction. Where it is not known that the
 * request arrived, whoever is to send it again is found out by way of the journal. */
static enum sca_status resume(struct transaction *tx, const struct progress *known)
{
    journal_transaction_fini(&tx->record);
    enum sca_status st = progress_copy(known, &tx->record);
    if (st != SCA_OK)
        return st;
    tx->is_joined = true;
    tx->has_posted = known->has_posted && tx->record.state == JOURNAL_SUBMITTED;
    tx->is_answered = known->is_answered;
    tx->is_announced = known->is_announced;
    tx->is_phones = known->is_phones;
    tx->unknown_since_ms = known->unknown_since_ms;
    return run_it(tx);
}

/* What another call of this process may go on with. Without memory it has the journal. */
static struct progress *progress_of(struct transaction *tx)
{
    struct progress *progress = progress_new(&tx->record);

    if (!progress)
        return NULL;
    progress->has_posted = tx->has_posted;
    progress->is_answered = tx->is_answered;
    progress->is_announced = tx->is_announced;
    progress->is_phones = tx->is_phones;
    progress->unknown_since_ms = tx->unknown_since_ms;
    return progress;
}

/* One round: SCA_GONE when another one is needed. */
static enum sca_status sign_once(struct transaction *tx)
{
    enum journal_turn turn = JOURNAL_BEGUN;

    enum sca_status st = draft(tx);
    if (st == SCA_OK)
        st = journal_take_turn(tx->client->journal, tx->call, &tx->record, tx->rules, &turn);
    if (st != SCA_OK)
        return st;
    if (turn == JOURNAL_WAITS)
        return SCA_BUSY;
    if (turn == JOURNAL_OVER) {
        hold_back(tx);
        tx->is_over = true;
        return answer_from_memory(tx);
    }
    tx->is_joined = turn == JOURNAL_JOINED;
    if (tx->is_joined)
        log_line(LOG_LEVEL_INFO, "account %s: transaction %s goes on, nobody is asked again",
                 tx->client->account->name, tx->record.id);
    return run_it(tx);
}

static enum sca_status sign(struct transaction *tx, const struct progress *known)
{
    for (int round = 0; round < ROUNDS_MAX; round++) {
        reset(tx);
        enum sca_status st = known && round == 0 ? resume(tx, known) : sign_once(tx);
        if (st != SCA_GONE)
            return st;
    }
    return call_fail(tx->call, SCA_PROTOCOL,
                     "the service forgets what it accepts; try again later");
}

enum sca_status transaction_take_turn(struct order *order, struct call *call)
{
    struct transaction tx = {
        .client = order->client,
        .call = call,
        .credentials = order->credentials,
        .key = order->key,
        .documents = order->documents,
        .count = order->count,
        .rules = order->rules,
        .status = SCA_INVALID,
    };

    AUTO(second_factor_fini) struct second_factor factor;
    second_factor_init(&factor, order->client, order->credentials);
    tx.factor = second_factor_is_needed(order->client->account) ? &factor : NULL;

    if (order->count == 0 || order->count > JOURNAL_DOCUMENTS_MAX)
        return call_fail(call, SCA_INVALID, "%zu documents in one transaction", order->count);
    for (size_t i = 0; i < order->count; i++)
        order->documents[i].status = SCA_INVALID; /* until it is delivered */
    enum sca_status st = client_verifier(order->client, order->key->spki, &tx.verifier);
    if (st == SCA_OK)
        st = sign(&tx, order->known);
    else
        (void)call_fail(call, st, "the certificate's key cannot be used to verify");
    if (!tx.is_delivered)
        deliver_failure(st, order->documents, order->count);
    order->is_over = tx.is_over || tx.is_dropped;
    if (st != SCA_OK && tx.is_begun && !order->is_over)
        order->left = progress_of(&tx);
    if (st == SCA_OK) {
        call->device_error = 0;
        call->note[0] = 0;
    }
    journal_transaction_fini(&tx.record);
    return st;
}

enum sca_status transaction_sign(struct smartca_client *client, struct call *call,
                                 const struct remote_credentials *credentials,
                                 const struct remote_key *key, struct remote_document *documents,
                                 size_t count)
{
    static const struct journal_rules alone = {.takes_turns = false};
    struct order order = {.client = client,
                          .credentials = credentials,
                          .key = key,
                          .documents = documents,
                          .count = count,
                          .rules = &alone};

    enum sca_status st = transaction_take_turn(&order, call);
    progress_drop(order.left);
    return st;
}

void transaction_want(const struct order *order, struct call *call)
{
    struct transaction tx = {.client = order->client,
                             .call = call,
                             .key = order->key,
                             .documents = order->documents,
                             .count = order->count};

    if (draft(&tx) == SCA_OK)
        journal_want(order->client->journal, call, &tx.record);
    journal_transaction_fini(&tx.record);
}

void transaction_unwant(const struct order *order)
{
    struct journal_transaction key;

    if (request_key(order->client->account, order->key->service_serial, &key) == SCA_OK)
        journal_unwant(order->client->journal, &key);
}
