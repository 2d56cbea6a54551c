/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/smartca/outcome.h"

#include <string.h>

#include "remote/base/log.h"
#include "remote/smartca/confirm.h"
#include "remote/smartca/deliver.h"

enum {
    UNKNOWN_GRACE_MS = 10000,     /* a service that accepted something may need this to find it */
    OLD_AFTER_CONFIRM_MS = 60000, /* past confirm_timeout: whoever waited for it has left */
    EXPIRY_MAX_S = 24 * 3600,     /* anything longer is no limit */
};

enum step outcome_done(struct transaction *tx, enum sca_status status)
{
    tx->status = status;
    return STEP_DONE;
}

static enum step over(struct transaction *tx, enum sca_status status)
{
    tx->is_over = true;
    return outcome_done(tx, status);
}

enum step outcome_again(struct transaction *tx, enum step step)
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
    if (st == SCA_NOMEM) /* the signature is still at the service: it can be asked for again */
        return outcome_done(tx, st);
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
    return outcome_again(tx, STEP_SUBMIT);
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
    return outcome_again(tx, STEP_ASK);
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
        return outcome_again(tx, STEP_ASK);
    if (!is_known_here)
        return STEP_RENEW;
    return outcome_done(
        tx, call_fail(tx->call, SCA_PROTOCOL,
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
            return outcome_again(tx, STEP_ASK);
        schedule_at_once(&tx->schedule);
        return STEP_SUBMIT;
    }
    return outcome_done(
        tx, call_fail(tx->call, SCA_NETWORK,
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

enum step outcome_of_submit(struct transaction *tx, const struct answer *answer)
{
    return after_submit[answer->verdict](tx, answer);
}

enum step outcome_of_ask(struct transaction *tx, const struct answer *answer)
{
    return after_ask[answer->verdict](tx, answer);
}
