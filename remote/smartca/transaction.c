/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/smartca/transaction.h"

#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/base/log.h"
#include "remote/smartca/confirm.h"
#include "remote/smartca/deliver.h"
#include "remote/smartca/request.h"
#include "remote/smartca/schedule.h"
#include "remote/smartca/service.h"

enum {
    UNKNOWN_GRACE_MS = 10000,     /* a service that accepted something may need this to find it */
    OLD_AFTER_CONFIRM_MS = 60000, /* past confirm_timeout: whoever waited for it has left */
    EXPIRY_MAX_S = 24 * 3600,     /* anything longer is no limit */
    ROUNDS_MAX = 3, /* a transaction that is gone is begun anew; another caller may win */
};

enum step {
    STEP_SUBMIT, /* send the request */
    STEP_ASK,    /* ask for its outcome */
    STEP_RENEW,  /* this id is over and nobody was refused: begin another one */
    STEP_DONE,   /* tx->status is the outcome */
};

struct transaction {
    struct smartca_client *client;
    struct call *call;
    const struct remote_key *key;
    const struct result_key *verifier;
    struct remote_document *documents;
    size_t count;

    struct journal_transaction record;
    struct schedule schedule;
    uint64_t unknown_since_ms; /* the service first forgot what it had; 0: it did not */

    bool is_joined;    /* somebody else began it */
    bool has_tried;    /* this call tried to send the request */
    bool has_posted;   /* and the service may have it */
    bool is_answered;  /* this call heard of it from the service */
    bool is_announced; /* the person was told here */
    bool is_waiting;   /* the service's last word */
    bool is_news;      /* the record says more than the journal */
    bool tried_both_ids;
    bool is_over;      /* nothing is left to ask: the journal may forget it */
    bool is_delivered; /* each document has its own status */
    enum sca_status status;
};

static enum step done(struct transaction *tx, enum sca_status status)
{
    tx->status = status;
    return STEP_DONE;
}

static enum step over(struct transaction *tx, enum sca_status status)
{
    tx->is_over = true;
    return done(tx, status);
}

static enum step again(struct transaction *tx, enum step step)
{
    schedule_backoff(&tx->schedule);
    return step;
}

/* Since the transaction was begun, by the wall clock: it may have been in another process. */
static int64_t age_ms(const struct transaction *tx)
{
    return (tx->call->clock->wall_s(tx->call->clock) - tx->record.begun_at) * 1000;
}

static bool is_old(const struct transaction *tx)
{
    int64_t confirm_ms = tx->client->account->service.confirm_timeout_ms;

    return age_ms(tx) > confirm_ms + OLD_AFTER_CONFIRM_MS;
}

static bool is_still_submitting(const struct transaction *tx)
{
    int64_t limit_ms = tx->client->account->service.request_timeout_ms;

    return age_ms(tx) >= 0 && age_ms(tx) < limit_ms && journal_submitter_lives(&tx->record);
}

/* What the person is told here, once, by whoever submitted. */
static void announce(struct transaction *tx)
{
    const char *command = tx->client->account->service.on_confirm;

    if (tx->is_announced || !tx->has_posted)
        return;
    tx->is_announced = true;
    log_line(LOG_LEVEL_INFO, "account %s: %s; confirm it on the phone (transaction %s)",
             tx->client->account->name, tx->record.description, tx->record.id);
    if (command)
        confirm_run(command, tx->record.description);
}

/* One answer's effects. The handlers below are the rows of the tables after them. */
static enum step on_waiting(struct transaction *tx, const struct answer *answer)
{
    const struct codec_reply *reply = answer->reply;
    uint64_t now = call_now_ms(tx->call);

    tx->is_news = tx->is_news || tx->record.state == JOURNAL_SUBMITTING;
    tx->record.state = JOURNAL_SUBMITTED;
    if (reply && reply->tran_code[0] && !tx->record.tran_code[0]) {
        memcpy(tx->record.tran_code, reply->tran_code, sizeof(tx->record.tran_code));
        tx->is_news = true;
    }
    tx->is_answered = true;
    tx->is_waiting = true;
    tx->unknown_since_ms = 0;
    announce(tx);
    if (reply && reply->expired_in > 0 && reply->expired_in < EXPIRY_MAX_S)
        schedule_expiry(&tx->schedule, now, (uint64_t)reply->expired_in * 1000);
    schedule_poll(&tx->schedule, now);
    return STEP_ASK;
}

static enum step on_signed(struct transaction *tx, const struct answer *answer)
{
    const struct delivery delivery = {
        .record = &tx->record,
        .verifier = tx->verifier,
        .signature_len = tx->key->signature_len,
        .documents = tx->documents,
        .count = tx->count,
        .state_dir = tx->client->state_dir,
        .account = tx->client->account->name,
        .clock = tx->call->clock,
    };

    /* "Signed", and nothing to show for it: it may still come. */
    if (!answer->reply || answer->reply->signature_count == 0)
        return on_waiting(tx, answer);
    enum sca_status st = deliver_signatures(&delivery, answer->reply);
    tx->is_delivered = true;
    if (st == SCA_NOMEM)
        return done(tx, st); /* the signature is still at the service: it can be asked for again */
    if (st != SCA_OK)
        (void)call_fail(tx->call, st,
                        "transaction %s: %s; nothing wrong was handed out, sign again",
                        tx->record.id, sca_status_name(st));
    return over(tx, st);
}

static enum step on_refused(struct transaction *tx, const struct answer *answer)
{
    if (tx->is_joined && !tx->has_posted && is_old(tx))
        return STEP_RENEW;
    return over(tx, service_refusal(tx->client, tx->call, answer));
}

static enum step on_busy(struct transaction *tx, const struct answer *answer)
{
    tx->is_waiting = false;
    (void)service_refusal(tx->client, tx->call, answer);
    return again(tx, STEP_SUBMIT);
}

/* The request may or may not have got through: only its id can tell. */
static enum step on_lost(struct transaction *tx, const struct answer *answer)
{
    tx->has_posted = true;
    schedule_at_once(&tx->schedule);
    (void)service_refusal(tx->client, tx->call, answer);
    return STEP_ASK;
}

static enum step on_trouble(struct transaction *tx, const struct answer *answer)
{
    tx->is_waiting = false;
    (void)service_refusal(tx->client, tx->call, answer);
    return again(tx, STEP_ASK);
}

/*
 * The service said it had the transaction, and now that it has not. One that was accepted a moment
 * ago may not have arrived everywhere in the service; any other is gone.
 */
static enum step on_forgotten(struct transaction *tx)
{
    bool is_known_here = tx->is_answered || !tx->is_joined;
    uint64_t now = call_now_ms(tx->call);

    if (tx->unknown_since_ms == 0)
        tx->unknown_since_ms = now ? now : 1;
    bool is_fresh =
        now - tx->unknown_since_ms < UNKNOWN_GRACE_MS &&
        (is_known_here || (age_ms(tx) < UNKNOWN_GRACE_MS && journal_submitter_lives(&tx->record)));
    if (is_fresh)
        return again(tx, STEP_ASK);
    if (!is_known_here)
        return STEP_RENEW;
    return done(tx, call_fail(tx->call, SCA_PROTOCOL,
                              "the service accepted transaction %s and does not know it any more; "
                              "sign again",
                              tx->record.id));
}

static enum step on_unknown(struct transaction *tx, const struct answer *answer)
{
    (void)answer;
    tx->is_waiting = false;
    if (tx->record.state == JOURNAL_SUBMITTED)
        return on_forgotten(tx);
    if (tx->is_joined && !tx->has_posted) {
        if (is_old(tx))
            return STEP_RENEW;
        if (is_still_submitting(tx))
            return again(tx, STEP_ASK);
        schedule_at_once(&tx->schedule);
        return STEP_SUBMIT;
    }
    return done(tx, call_fail(tx->call, SCA_NETWORK,
                              "the request got lost on the way to the service, nobody was asked; "
                              "sign again (transaction %s)",
                              tx->record.id));
}

static enum step (*const after_submit[])(struct transaction *, const struct answer *) = {
    [VERDICT_SIGNED] = on_signed,
    [VERDICT_ACCEPTED] = on_waiting,
    [VERDICT_WAITING] = on_waiting,
    [VERDICT_REJECTED] = on_refused,
    [VERDICT_EXPIRED] = on_refused,
    [VERDICT_UNKNOWN_ID] = on_refused,
    [VERDICT_EXISTS] = on_waiting,
    [VERDICT_SERVICE_AUTH] = on_refused,
    [VERDICT_NOT_PERMITTED] = on_refused,
    [VERDICT_EXHAUSTED] = on_refused,
    [VERDICT_BUSY] = on_busy,
    [VERDICT_TROUBLE] = on_lost,
    [VERDICT_FAILED] = on_refused,
};

static enum step (*const after_ask[])(struct transaction *, const struct answer *) = {
    [VERDICT_SIGNED] = on_signed,         [VERDICT_ACCEPTED] = on_waiting,
    [VERDICT_WAITING] = on_waiting,       [VERDICT_REJECTED] = on_refused,
    [VERDICT_EXPIRED] = on_refused,       [VERDICT_UNKNOWN_ID] = on_unknown,
    [VERDICT_EXISTS] = on_waiting,        [VERDICT_SERVICE_AUTH] = on_refused,
    [VERDICT_NOT_PERMITTED] = on_refused, [VERDICT_EXHAUSTED] = on_refused,
    [VERDICT_BUSY] = on_trouble,          [VERDICT_TROUBLE] = on_trouble,
    [VERDICT_FAILED] = on_refused,
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
        tx->is_over = !tx->is_joined && !tx->has_posted;
        return done(tx, st);
    }
    tx->has_posted = true;
    if (st != SCA_NETWORK && st != SCA_PROTOCOL)
        return done(tx, st);
    schedule_at_once(&tx->schedule);
    return STEP_ASK;
}

static enum step submit(struct transaction *tx)
{
    AUTO(service_answer_fini) struct answer answer;
    AUTO(request_fini) struct request request;

    tx->has_tried = true;
    service_answer_init(&answer);
    if (request_init(&request, &tx->record) != SCA_OK)
        return submit_failed(tx, SCA_NOMEM, false);
    enum sca_status st = service_ask_sign(tx->client, tx->call, &request.body, &answer);
    if (st != SCA_OK)
        return submit_failed(tx, st, answer.response.was_sent || answer.response.status != 0);
    heed_hint(tx, &answer);
    tx->has_posted = tx->has_posted || answer.verdict != VERDICT_BUSY;
    return after_submit[answer.verdict](tx, &answer);
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
        return after_ask[answer.verdict](tx, &answer);
    }
    if (st != SCA_NETWORK && st != SCA_PROTOCOL)
        return done(tx, st);
    /* A question that our own deadline cut off says nothing about the service. */
    tx->is_waiting = tx->is_waiting && call_left_ms(tx->call) == 0;
    return again(tx, STEP_ASK);
}

static enum step out_of_time(struct transaction *tx)
{
    if (tx->is_waiting)
        return done(tx, call_fail(tx->call, SCA_UNCONFIRMED,
                                  "nobody confirmed on the phone in time; confirm there and sign "
                                  "the same document again to collect it (transaction %s)",
                                  tx->record.id));
    if (!tx->call->note[0])
        (void)call_fail(tx->call, SCA_NETWORK, "the service gave no usable answer in time");
    return done(tx, SCA_NETWORK);
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
        return done(tx, call_fail(tx->call, st, "cancelled by the application"));
    return goes_on && st == SCA_OK ? step : out_of_time(tx);
}

/* One transaction, ours or another's, until it has an outcome or turns out to be gone. */
static enum step run(struct transaction *tx)
{
    uint64_t interval_ms = tx->client->account->service.poll_interval_ms;
    enum step step = tx->is_joined ? STEP_ASK : STEP_SUBMIT;
    uint32_t seed = (uint32_t)strtoul(tx->record.id, NULL, 16); /* random by birth */

    schedule_init(&tx->schedule, interval_ms, call_now_ms(tx->call), tx->call->deadline_ms, seed);
    while (step == STEP_SUBMIT || step == STEP_ASK) {
        step = pause_before(tx, step);
        if (step == STEP_SUBMIT)
            step = submit(tx);
        else if (step == STEP_ASK)
            step = ask(tx);
    }

    bool is_unsent = !tx->is_joined && !tx->has_tried;
    if (step == STEP_RENEW || tx->is_over || is_unsent)
        journal_end(tx->client->journal, tx->record.id);
    else if (tx->record.state == JOURNAL_SUBMITTING && (tx->has_posted || !tx->is_joined))
        journal_left(tx->client->journal, tx->record.id);
    else
        note_news(tx);
    return step;
}

/* What a round leaves behind for the next. */
static void reset(struct transaction *tx)
{
    struct journal_transaction record = tx->record;

    *tx = (struct transaction){
        .client = tx->client,
        .call = tx->call,
        .key = tx->key,
        .verifier = tx->verifier,
        .documents = tx->documents,
        .count = tx->count,
        .record = record,
    };
}

static enum sca_status sign(struct transaction *tx)
{
    for (int round = 0; round < ROUNDS_MAX; round++) {
        reset(tx);
        const struct request_subject subject = {tx->client->account, tx->key->service_serial,
                                                tx->documents, tx->count};
        enum sca_status st = request_draft(&subject, tx->call, &tx->record);
        if (st == SCA_OK)
            st = journal_begin(tx->client->journal, tx->call, &tx->record, &tx->is_joined);
        if (st != SCA_OK)
            return st;
        if (tx->is_joined)
            log_line(LOG_LEVEL_INFO, "account %s: transaction %s goes on, nobody is asked again",
                     tx->client->account->name, tx->record.id);
        if (run(tx) == STEP_DONE)
            return tx->status;
    }
    return call_fail(tx->call, SCA_PROTOCOL,
                     "the service forgets what it accepts; try again later");
}

enum sca_status transaction_sign(struct smartca_client *client, struct call *call,
                                 const struct remote_key *key, struct remote_document *documents,
                                 size_t count)
{
    struct transaction tx = {
        .client = client,
        .call = call,
        .key = key,
        .documents = documents,
        .count = count,
        .status = SCA_INVALID,
    };

    if (count == 0 || count > JOURNAL_DOCUMENTS_MAX)
        return call_fail(call, SCA_INVALID, "%zu documents in one transaction", count);
    deliver_failure(SCA_INVALID, documents, count); /* until one is delivered */
    enum sca_status st = client_verifier(client, key->spki, &tx.verifier);
    if (st == SCA_OK)
        st = sign(&tx);
    else
        (void)call_fail(call, st, "the certificate's key cannot be used to verify");
    if (!tx.is_delivered)
        deliver_failure(st, documents, count);
    if (st == SCA_OK) {
        call->device_error = 0;
        call->note[0] = 0;
    }
    journal_transaction_fini(&tx.record);
    return st;
}
