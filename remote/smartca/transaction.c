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
#include "remote/smartca/service.h"
#include "remote/smartca/transaction_state.h"

enum {
    ROUNDS_MAX = 3, /* a transaction that is gone is begun anew; another caller may win */
};

static void heed_hint(struct transaction *tx, const struct answer *answer)
{
    schedule_hint(&tx->schedule, call_now_ms(tx->call), answer->response.retry_after_ms);
}

/* No answer at all. */
static enum step submit_failed(struct transaction *tx, enum sca_status st, bool was_sent)
{
    if (!was_sent) {
        /* What only this call knows, and what never left it, leaves nothing behind. */
        tx->is_dropped = !tx->is_joined && !tx->has_posted;
        return outcome_done(tx, st);
    }
    tx->has_posted = true;
    if (st != SCA_NETWORK && st != SCA_PROTOCOL)
        return outcome_done(tx, st);
    schedule_at_once(&tx->schedule);
    return STEP_ASK;
}

/* v1 has nothing to add; v2 needs password and one-time password, and may wait for the latter. */
static enum sca_status add_second_factor(struct transaction *tx, struct request *request)
{
    if (!tx->factor)
        return SCA_OK;
    enum sca_status st = second_factor_prepare(tx->factor, tx->call);
    request->body.password = tx->factor->password;
    request->body.otp = tx->factor->otp;
    return st;
}

static enum step submit(struct transaction *tx)
{
    AUTO(service_answer_fini) struct answer answer;
    AUTO(request_fini) struct request request;

    tx->has_tried = true;
    service_answer_init(&answer);
    enum sca_status st = request_init(&request, &tx->record);
    if (st == SCA_OK)
        st = add_second_factor(tx, &request);
    if (st != SCA_OK)
        return submit_failed(tx, st, false);
    st = service_ask_sign(tx->client, tx->call, tx->credentials, &request.body, &answer);
    bool was_sent = st == SCA_OK || answer.response.was_sent || answer.response.status != 0;
    if (tx->factor && was_sent)
        second_factor_spend(tx->factor);
    if (st != SCA_OK)
        return submit_failed(tx, st, was_sent);
    heed_hint(tx, &answer);
    tx->has_posted = tx->has_posted || answer.verdict != VERDICT_BUSY;
    return outcome_of_submit(tx, &answer);
}

static enum step confirm(struct transaction *tx)
{
    AUTO(service_answer_fini) struct answer answer;
    const struct codec_confirm_request request = {
        .transaction_id = tx->record.id, .password = tx->factor->password, .sad = tx->sad};

    service_answer_init(&answer);
    enum sca_status st =
        service_ask_confirm(tx->client, tx->call, tx->credentials, &request, &answer);
    if (st == SCA_OK) {
        heed_hint(tx, &answer);
        enum step step = outcome_of_confirm(tx, &answer);
        tx->has_confirmed = true;
        return step;
    }
    tx->has_confirmed = tx->has_confirmed || answer.response.was_sent;
    if (st != SCA_NETWORK && st != SCA_PROTOCOL)
        return outcome_done(tx, st);
    return outcome_again(tx, STEP_ASK); /* it may have been signed all the same */
}

/* The service's paper leaves open by which of its two ids a transaction is asked for. */
static enum sca_status ask_by_either_id(struct transaction *tx, struct answer *answer)
{
    struct smartca_client *client = tx->client;
    bool by_code = atomic_load(&client->asks_by_tran_code) && tx->record.tran_code[0];
    const char *const ids[] = {tx->record.id, tx->record.tran_code};

    enum sca_status st = service_ask_status(client, tx->call, ids[by_code], answer);
    if (st != SCA_OK || answer->verdict != VERDICT_UNKNOWN_ID || tx->tried_both_ids ||
        !tx->record.tran_code[0])
        return st;

    service_answer_fini(answer);
    service_answer_init(answer);
    st = service_ask_status(client, tx->call, ids[!by_code], answer);
    tx->tried_both_ids =
        st == SCA_OK && answer->verdict != VERDICT_TROUBLE && answer->verdict != VERDICT_BUSY;
    if (tx->tried_both_ids && answer->verdict != VERDICT_UNKNOWN_ID)
        atomic_store(&client->asks_by_tran_code, !by_code);
    return st;
}

static enum step ask(struct transaction *tx)
{
    AUTO(service_answer_fini) struct answer answer;

    service_answer_init(&answer);
    enum sca_status st = ask_by_either_id(tx, &answer);
    if (st == SCA_OK) {
        heed_hint(tx, &answer);
        return outcome_of_ask(tx, &answer);
    }
    if (st != SCA_NETWORK && st != SCA_PROTOCOL)
        return outcome_done(tx, st);
    /* A question that our own deadline cut off says nothing about the service. */
    tx->is_waiting = tx->is_waiting && call_left_ms(tx->call) == 0;
    return outcome_again(tx, STEP_ASK);
}

/* Several calls may wait for what one has begun: when that one is gone, one of them takes over. */
static enum step claim(struct transaction *tx)
{
    bool is_ours = false;

    enum sca_status st = journal_claim(tx->client->journal, tx->call, &tx->record,
                                       tx->client->account->service.request_timeout_ms, &is_ours);
    if (st == SCA_GONE)
        return STEP_RENEW;
    if (st != SCA_OK)
        return outcome_done(tx, st);
    if (!is_ours)
        return outcome_again(tx, STEP_ASK);
    if (!tx->is_waiting && outcome_is_old(tx) && tx->record.state != JOURNAL_SUBMITTED)
        return STEP_RENEW; /* nobody has sent it, and nobody does */
    tx->has_resumed = true;
    schedule_at_once(&tx->schedule);
    return STEP_SUBMIT;
}

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

/* For whoever joins later: of no use to a transaction that ends at once. */
static void note_news(struct transaction *tx)
{
    if (tx->is_news)
        journal_submitted(tx->client->journal, &tx->record);
    tx->is_news = false;
}

/* Waits before the next step, or to the end. */
static enum step pause_before(struct transaction *tx, enum step step)
{
    uint64_t wait_ms = 0;
    bool goes_on = schedule_next(&tx->schedule, call_now_ms(tx->call), &wait_ms);

    if (wait_ms > 0)
        note_news(tx);
    enum sca_status st = call_wait(tx->call, wait_ms);
    if (st == SCA_CANCELLED)
        return outcome_done(tx, call_fail(tx->call, st, "cancelled by the application"));
    if (st == SCA_PENDING)
        return outcome_done(tx, st);
    return goes_on && st == SCA_OK ? step : out_of_time(tx);
}

static enum step take_step(struct transaction *tx, enum step step)
{
    switch (step) {
    case STEP_SUBMIT:
        return submit(tx);
    case STEP_CLAIM:
        return claim(tx);
    case STEP_CONFIRM:
        return confirm(tx);
    case STEP_ASK:
        return ask(tx);
    case STEP_RENEW:
    case STEP_DONE:
        break;
    }
    return step;
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
    note_news(tx);
}

/* What the journal is to know at the end of a round. */
static void settle(struct transaction *tx, enum step step)
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

/* One transaction, ours or another's, until it has an outcome or turns out to be gone. */
static enum step run(struct transaction *tx)
{
    uint64_t interval_ms = tx->client->account->service.poll_interval_ms;
    enum step step = tx->is_joined ? STEP_ASK : STEP_SUBMIT;
    uint32_t seed = (uint32_t)strtoul(tx->record.id, NULL, 16); /* random by birth */

    schedule_init(&tx->schedule, interval_ms, call_now_ms(tx->call), tx->call->deadline_ms, seed);
    while (step != STEP_RENEW && step != STEP_DONE)
        step = take_step(tx, pause_before(tx, step));
    secret_freep(&tx->sad);

    settle(tx, step);
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
