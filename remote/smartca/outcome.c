/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/smartca/outcome.h"

#include <string.h>

#include "remote/base/log.h"
#include "remote/smartca/confirm.h"
#include "remote/smartca/deliver.h"

enum {
    UNKNOWN_GRACE_MS = 10000,     /* a service that accepted something may need this to find it */
    OLD_AFTER_CONFIRM_MS = 60000, /* past confirm_timeout: whoever waited for it has left */
    LIMBO_MS = 5000,              /* what is under way at the service has come out by then */
    LIFE_S = 300,                 /* of a transaction that nobody confirms */
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

static enum step claim_at_once(struct transaction *tx)
{
    schedule_at_once(&tx->schedule);
    return STEP_CLAIM;
}

/* Since the transaction was begun, by the wall clock: it may have been in another process. */
static int64_t age_ms(const struct transaction *tx)
{
    return (tx->call->clock->wall_s(tx->call->clock) - tx->record.begun_at) * 1000;
}

bool outcome_is_old(const struct transaction *tx)
{
    int64_t confirm_ms = tx->client->account->service.confirm_timeout_ms;

    return age_ms(tx) > confirm_ms + OLD_AFTER_CONFIRM_MS;
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

/* The service has it: what its answer tells besides. */
static void note_waiting(struct transaction *tx, const struct answer *answer)
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
    tx->is_waiting = !tx->factor || tx->is_phones; /* for a person, that is */
    tx->unknown_since_ms = 0;
    if (reply && reply->expired_in > 0 && reply->expired_in < EXPIRY_MAX_S)
        schedule_expiry(&tx->schedule, now, (uint64_t)reply->expired_in * 1000);
}

/*
 * A repetition was refused, or cannot be: what was sent before it may be signed all the same, by
 * the phone or by a confirmation whose answer got lost. It is asked for a while more, then left to
 * the next call, and never forgotten.
 */
static enum step enter_limbo(struct transaction *tx, enum sca_status status, uint64_t for_ms)
{
    secret_freep(&tx->sad);
    tx->limbo = status;
    tx->limbo_until_ms = call_now_ms(tx->call) + for_ms;
    memcpy(tx->limbo_note, tx->call->note, sizeof(tx->limbo_note));
    tx->is_waiting = false; /* for the service, not for a person */
    schedule_at_once(&tx->schedule);
    return STEP_ASK;
}

static enum step leave_limbo(struct transaction *tx)
{
    memcpy(tx->call->note, tx->limbo_note, sizeof(tx->limbo_note));
    return outcome_done(tx, tx->limbo);
}

static enum step stay_in_limbo(struct transaction *tx)
{
    uint64_t now = call_now_ms(tx->call);

    tx->is_waiting = false;
    if (now >= tx->limbo_until_ms)
        return leave_limbo(tx);
    schedule_poll(&tx->schedule, now);
    return STEP_ASK;
}

/* v2: the service has the request and gave the permission for it to somebody who died, or never. */
static enum step on_lost_permission(struct transaction *tx)
{
    int64_t left_s = LIFE_S - age_ms(tx) / 1000;
    long long left_min = left_s > 60 ? (left_s + 59) / 60 : 1;

    enum sca_status st = call_fail(tx->call, SCA_PROTOCOL,
                                   "the permission to sign got lost with an earlier answer; sign "
                                   "again in %lld min (transaction %s)",
                                   left_min, tx->record.id);
    return enter_limbo(tx, st, LIMBO_MS);
}

/* One answer's effects. The handlers below are the rows of the tables after them. */
static enum step on_waiting(struct transaction *tx, const struct answer *answer)
{
    note_waiting(tx, answer);
    announce(tx);
    schedule_poll(&tx->schedule, call_now_ms(tx->call));
    return STEP_ASK;
}

/*
 * v2: the request was taken, with a permission to sign; without one it is the phone's turn, as in
 * v1.
 */
static enum step on_accepted(struct transaction *tx, const struct answer *answer)
{
    if (tx->factor)
        second_factor_accepted(tx->factor);
    tx->is_phones = !answer->reply || !answer->reply->sad;
    if (!tx->factor || tx->is_phones)
        return on_waiting(tx, answer);
    note_waiting(tx, answer);
    secret_freep(&tx->sad);
    enum sca_status st = secret_new(secret_get(answer->reply->sad), &tx->sad);
    if (st != SCA_OK)
        return outcome_done(tx, st);
    schedule_at_once(&tx->schedule);
    return STEP_CONFIRM;
}

/* v2: it is known, and gives its permission only once. Without v2 it is what was accepted before.
 */
static enum step on_exists(struct transaction *tx, const struct answer *answer)
{
    if (!tx->factor || (answer->reply && answer->reply->sad))
        return on_accepted(tx, answer);
    second_factor_accepted(tx->factor);
    note_waiting(tx, answer);
    return on_lost_permission(tx);
}

/*
 * v2: whoever has the permission uses it, again where the answer got lost. Where it died with its
 * owner, or with an answer, the same request is sent once more, under its id.
 */
static enum step on_still_waiting(struct transaction *tx, const struct answer *answer)
{
    if (!tx->factor || tx->is_phones)
        return on_waiting(tx, answer);
    note_waiting(tx, answer);
    if (tx->limbo != SCA_OK)
        return stay_in_limbo(tx);
    if (tx->sad)
        return outcome_again(tx, STEP_CONFIRM);
    if (tx->has_resumed)
        return on_lost_permission(tx);
    if (tx->is_joined)
        return claim_at_once(tx);
    tx->has_resumed = true;
    schedule_at_once(&tx->schedule);
    return STEP_SUBMIT;
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

/* What expired without its permission was never anybody's to confirm. */
static bool is_renewable(const struct transaction *tx, const struct answer *answer)
{
    bool is_expired = tx->factor && answer->verdict == VERDICT_EXPIRED;

    return tx->is_joined && !tx->has_posted && (is_expired || outcome_is_old(tx));
}

static enum step on_refused(struct transaction *tx, const struct answer *answer)
{
    if (is_renewable(tx, answer))
        return STEP_RENEW;
    return over(tx, service_refusal(tx->client, tx->call, answer));
}

/* The question was refused, which says nothing of the transaction: it may be confirmed already,
 * however old it is. */
static enum step on_question_refused(struct transaction *tx, const struct answer *answer)
{
    return outcome_done(tx, service_refusal(tx->client, tx->call, answer));
}

/* Only the service itself can say that a transaction is over, and not who stands before it. */
static enum step on_ask_refused(struct transaction *tx, const struct answer *answer)
{
    return answer->reply ? on_refused(tx, answer) : on_question_refused(tx, answer);
}

/* The request, where an earlier one with this id may have been taken. */
static enum step on_request_refused(struct transaction *tx, const struct answer *answer)
{
    if (!tx->is_joined && !tx->has_resumed)
        return on_refused(tx, answer);
    return enter_limbo(tx, service_refusal(tx->client, tx->call, answer), 0);
}

static enum step on_confirm_refused(struct transaction *tx, const struct answer *answer)
{
    if (!tx->is_joined && !tx->has_resumed && !tx->has_confirmed)
        return on_refused(tx, answer);
    return enter_limbo(tx, service_refusal(tx->client, tx->call, answer), LIMBO_MS);
}

/* A neighbouring step's code, once: the request was refused before it was looked at. */
static enum step on_otp_refused(struct transaction *tx, const struct answer *answer)
{
    (void)service_refusal(tx->client, tx->call, answer);
    enum sca_status st = second_factor_retry(tx->factor, tx->call, answer->response.date);
    if (st != SCA_OK)
        return tx->is_joined || tx->has_resumed ? outcome_done(tx, st) : over(tx, st);
    schedule_at_once(&tx->schedule);
    return STEP_SUBMIT;
}

static enum step on_busy(struct transaction *tx, const struct answer *answer)
{
    tx->is_waiting = false;
    enum sca_status st = service_refusal(tx->client, tx->call, answer);
    /* The one code there was went with this request: the person is to hear why, and types another.
     */
    if (tx->factor && second_factor_is_spent(tx->factor))
        return tx->is_joined || tx->has_resumed ? outcome_done(tx, st) : over(tx, st);
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
    if (tx->limbo != SCA_OK)
        return leave_limbo(tx);
    if (tx->record.state == JOURNAL_SUBMITTED)
        return on_forgotten(tx);
    if (tx->is_joined && !tx->has_posted)
        return claim_at_once(tx);
    return outcome_done(
        tx, call_fail(tx->call, SCA_NETWORK,
                      "the request got lost on the way to the service, nobody was asked; "
                      "sign again (transaction %s)",
                      tx->record.id));
}

typedef enum step handler(struct transaction *, const struct answer *);

static handler *const after_submit[] = {
    [VERDICT_SIGNED] = on_signed,
    [VERDICT_ACCEPTED] = on_accepted,
    [VERDICT_WAITING] = on_accepted,
    [VERDICT_REJECTED] = on_request_refused,
    [VERDICT_EXPIRED] = on_request_refused,
    [VERDICT_UNKNOWN_ID] = on_request_refused,
    [VERDICT_EXISTS] = on_exists,
    [VERDICT_SERVICE_AUTH] = on_request_refused,
    [VERDICT_USER_AUTH] = on_request_refused,
    [VERDICT_OTP_REFUSED] = on_otp_refused,
    [VERDICT_NOT_PERMITTED] = on_request_refused,
    [VERDICT_EXHAUSTED] = on_request_refused,
    [VERDICT_BUSY] = on_busy,
    [VERDICT_TROUBLE] = on_lost,
    [VERDICT_FAILED] = on_request_refused,
};

/* What could not be understood is asked for: the status of the transaction knows. */
static handler *const after_confirm[] = {
    [VERDICT_SIGNED] = on_signed,
    [VERDICT_ACCEPTED] = on_still_waiting,
    [VERDICT_WAITING] = on_still_waiting,
    [VERDICT_REJECTED] = on_confirm_refused,
    [VERDICT_EXPIRED] = on_confirm_refused,
    [VERDICT_UNKNOWN_ID] = on_confirm_refused,
    [VERDICT_EXISTS] = on_still_waiting,
    [VERDICT_SERVICE_AUTH] = on_confirm_refused,
    [VERDICT_USER_AUTH] = on_confirm_refused,
    [VERDICT_OTP_REFUSED] = on_confirm_refused,
    [VERDICT_NOT_PERMITTED] = on_confirm_refused,
    [VERDICT_EXHAUSTED] = on_confirm_refused,
    [VERDICT_BUSY] = on_trouble,
    [VERDICT_TROUBLE] = on_lost,
    [VERDICT_FAILED] = on_confirm_refused,
};

static handler *const after_ask[] = {
    [VERDICT_SIGNED] = on_signed,
    [VERDICT_ACCEPTED] = on_still_waiting,
    [VERDICT_WAITING] = on_still_waiting,
    [VERDICT_REJECTED] = on_refused,
    [VERDICT_EXPIRED] = on_refused,
    [VERDICT_UNKNOWN_ID] = on_unknown,
    [VERDICT_EXISTS] = on_still_waiting,
    [VERDICT_SERVICE_AUTH] = on_question_refused,
    [VERDICT_USER_AUTH] = on_question_refused,
    [VERDICT_OTP_REFUSED] = on_question_refused,
    [VERDICT_NOT_PERMITTED] = on_ask_refused,
    [VERDICT_EXHAUSTED] = on_ask_refused,
    [VERDICT_BUSY] = on_trouble,
    [VERDICT_TROUBLE] = on_trouble,
    [VERDICT_FAILED] = on_ask_refused,
};

enum step outcome_of_submit(struct transaction *tx, const struct answer *answer)
{
    return after_submit[answer->verdict](tx, answer);
}

enum step outcome_of_confirm(struct transaction *tx, const struct answer *answer)
{
    return after_confirm[answer->verdict](tx, answer);
}

enum step outcome_of_ask(struct transaction *tx, const struct answer *answer)
{
    return after_ask[answer->verdict](tx, answer);
}
