/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/smartca/pending.h"

#include "remote/base/cleanup.h"
#include "remote/smartca/service.h"

static void journal_freep(struct journal **journal)
{
    journal_free(*journal);
}

enum sca_status pending_list(const char *state_dir, struct call *call, struct ledger *ret_ledger)
{
    AUTO(journal_freep) struct journal *journal = NULL;

    *ret_ledger = (struct ledger){.count = 0};
    enum sca_status st = journal_new(state_dir, &journal);
    return st == SCA_OK ? journal_list(journal, call, ret_ledger) : st;
}

enum sca_status pending_forget(const char *state_dir, struct call *call, const char *id)
{
    AUTO(journal_freep) struct journal *journal = NULL;
    AUTO(ledger_fini) struct ledger left = {.count = 0};

    enum sca_status st = journal_new(state_dir, &journal);
    if (st != SCA_OK)
        return st;
    journal_end(journal, id);
    st = journal_list(journal, call, &left);
    return st == SCA_OK && ledger_find(&left, id) ? SCA_BUSY : st;
}

/* What an answer to the question for the status tells; TROUBLE and its like tell nothing. */
static const struct {
    bool is_known;
    enum pending_outcome outcome;
} outcomes[] = {
    [VERDICT_SIGNED] = {true, PENDING_SIGNED},
    [VERDICT_ACCEPTED] = {true, PENDING_WAITING},
    [VERDICT_WAITING] = {true, PENDING_WAITING},
    [VERDICT_REJECTED] = {true, PENDING_REJECTED},
    [VERDICT_EXPIRED] = {true, PENDING_EXPIRED},
    [VERDICT_UNKNOWN_ID] = {true, PENDING_UNKNOWN},
    [VERDICT_EXISTS] = {true, PENDING_WAITING},
    [VERDICT_NOT_PERMITTED] = {true, PENDING_REFUSED},
    [VERDICT_EXHAUSTED] = {true, PENDING_REFUSED},
    [VERDICT_FAILED] = {true, PENDING_REFUSED},
};

static bool is_over(enum pending_outcome outcome)
{
    return outcome == PENDING_REJECTED || outcome == PENDING_EXPIRED || outcome == PENDING_REFUSED;
}

/* Only the service itself can say that it is over, and not who stands before it. */
static bool is_known(const struct answer *answer)
{
    return answer->verdict < ARRAY_LEN(outcomes) && outcomes[answer->verdict].is_known &&
           (answer->reply || !is_over(outcomes[answer->verdict].outcome));
}

static enum sca_status ask(struct smartca_client *client, struct call *call, const char *id,
                           enum pending_outcome *ret_outcome)
{
    AUTO(service_answer_fini) struct answer answer;

    service_answer_init(&answer);
    enum sca_status st = service_ask_status(client, call, id, &answer);
    if (st != SCA_OK)
        return st;
    if (!is_known(&answer))
        return service_refusal(client, call, &answer);
    enum pending_outcome outcome = outcomes[answer.verdict].outcome;
    if (is_over(outcome))
        (void)service_refusal(client, call, &answer); /* for its note */
    if (outcome == PENDING_SIGNED && (!answer.reply || answer.reply->signature_count == 0))
        outcome = PENDING_WAITING; /* "signed", and nothing to show for it: it may still come */
    *ret_outcome = outcome;
    return SCA_OK;
}

enum sca_status pending_look(struct smartca_client *client, struct call *call,
                             const struct journal_transaction *transaction,
                             enum pending_outcome *ret_outcome)
{
    enum pending_outcome outcome = PENDING_UNKNOWN;

    enum sca_status st = ask(client, call, transaction->id, &outcome);
    /* The service's paper leaves open by which of its two ids it is to be asked for. */
    if (st == SCA_OK && outcome == PENDING_UNKNOWN && transaction->tran_code[0])
        st = ask(client, call, transaction->tran_code, &outcome);
    if (st == SCA_OK)
        *ret_outcome = outcome;
    return st;
}

enum sca_status pending_ask(struct smartca_client *client, struct call *call,
                            const struct journal_transaction *transaction,
                            enum pending_outcome *ret_outcome)
{
    enum pending_outcome outcome = PENDING_UNKNOWN;

    enum sca_status st = pending_look(client, call, transaction, &outcome);
    if (st != SCA_OK)
        return st;
    if (is_over(outcome))
        journal_end(client->journal, transaction->id);
    else if (outcome == PENDING_SIGNED)
        journal_signed(client->journal, transaction->id);
    *ret_outcome = outcome;
    return SCA_OK;
}
