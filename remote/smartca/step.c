/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/smartca/step.h"

#include <stdatomic.h>

#include "remote/base/cleanup.h"
#include "remote/smartca/outcome.h"
#include "remote/smartca/request.h"
#include "remote/smartca/schedule.h"
#include "remote/smartca/service.h"

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

enum step step_take(struct transaction *tx, enum step step)
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
