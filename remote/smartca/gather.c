/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/smartca/gather.h"

#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/smartca/client.h"
#include "remote/smartca/leader.h"
#include "remote/smartca/request.h"

enum {
    POLL_FIRST_MS = 100, /* between two questions for what nobody sleeps for, at least */
    POLL_PART = 4,       /* and so much of its age, up to poll_interval */
};

enum sca_status gather_new(struct gather **ret_gather)
{
    struct gather *gather = calloc(1, sizeof(*gather));

    if (!gather)
        return SCA_NOMEM;
    lock_init(&gather->lock, LOCK_BACKEND);
    *ret_gather = gather;
    return SCA_OK;
}

void gather_free(struct gather *gather)
{
    if (!gather)
        return;
    lock_fini(&gather->lock);
    free(gather);
}

static enum sca_status check_digest(struct call *call, struct span digest)
{
    return digest.len <= JOURNAL_DIGEST_MAX
               ? SCA_OK
               : call_fail(call, SCA_INVALID, "a digest of %zu bytes", digest.len);
}

/* NULL without memory. The digest was checked. */
static struct remote_ticket *ticket_new(const struct remote_asking *asking, struct call *call,
                                        struct span digest)
{
    struct remote_ticket *ticket = calloc(1, sizeof(*ticket) + asking->key->signature_len);
    if (!ticket)
        return NULL;

    ticket->client = asking->client;
    ticket->arrived_ms = call_now_ms(call);
    ticket->digest_len = digest.len;
    memcpy(ticket->digest, digest.ptr, digest.len);
    return ticket;
}

/* Into the lane of its key, behind all others. */
static enum sca_status line_up(struct gather *gather, const struct remote_asking *asking,
                               struct remote_ticket *ticket) REQUIRES(gather->lock)
{
    struct lane *lane = lane_enter(&gather->lanes, asking);

    if (!lane)
        return SCA_NOMEM;
    lane_add(lane, ticket);
    return SCA_OK;
}

/* Nobody wants it any more. While a leader has it, it stays in the transaction, and in the lane. */
static void withdraw(struct gather *gather, struct remote_ticket *ticket) REQUIRES(gather->lock)
{
    if (ticket->wanted_by && !ticket->is_kept)
        atomic_fetch_sub(ticket->wanted_by, 1);
    if (ticket->state == TICKET_RUNS) {
        ticket->is_orphan = true;
        return;
    }
    if (ticket->state == TICKET_WAITS) {
        struct lane *lane = ticket->lane;
        lane_remove(lane, ticket);
        lane_wake(lane);
        lane_leave(&gather->lanes, lane);
    }
    ticket_free(ticket);
}

/* What the journal is to know when a ticket goes. */
struct farewell {
    struct journal *journal;
    bool is_left;      /* its transaction goes on, and nobody here waits for it any more */
    bool is_collected; /* it was kept there, and was handed over */
    bool is_unwanted;  /* this process wants nothing of its key any more */
    char transaction[sizeof(((struct call *)NULL)->transaction)];
    uint8_t digest[JOURNAL_DIGEST_MAX];
    size_t digest_len;
    struct journal_transaction key;
};

/* Is another ticket here in the same transaction? */
static bool has_company(const struct gather *gather, const struct remote_ticket *ticket)
{
    for (const struct lane *lane = gather->lanes; lane; lane = lane->next)
        for (const struct remote_ticket *other = lane->first; other; other = other->next)
            if (other != ticket && strcmp(other->transaction, ticket->transaction) == 0)
                return true;
    return false;
}

/* Does the journal still say that this process wants something of the key, for it alone? */
static bool is_last_want(const struct remote_ticket *ticket)
{
    const struct lane *lane = ticket->state == TICKET_WAITS ? ticket->lane : NULL;

    return lane && lane->has_want && !lane->is_led && lane->first == ticket && !ticket->next;
}

/* The ticket is gone then. */
static void leave(struct gather *gather, struct remote_ticket *ticket,
                  struct farewell *ret_farewell) REQUIRES(gather->lock)
{
    struct farewell farewell = {
        .journal = ticket->client->journal,
        .is_left =
            ticket->is_left_open && ticket->state != TICKET_RUNS && !has_company(gather, ticket),
        .is_collected = ticket->is_kept && ticket->is_told && ticket->transaction[0],
        .digest_len = ticket->digest_len,
    };

    memcpy(farewell.transaction, ticket->transaction, sizeof(farewell.transaction));
    memcpy(farewell.digest, ticket->digest, sizeof(farewell.digest));
    farewell.is_unwanted =
        is_last_want(ticket) &&
        request_key(ticket->client->account, ticket->lane->serial, &farewell.key) == SCA_OK;
    withdraw(gather, ticket);
    *ret_farewell = farewell;
}

static void say_farewell(const struct farewell *farewell)
{
    if (farewell->is_collected)
        journal_collect_digest(farewell->journal, farewell->transaction,
                               span_of(farewell->digest, farewell->digest_len));
    if (farewell->is_left)
        journal_park(farewell->journal, farewell->transaction);
    if (farewell->is_unwanted)
        journal_unwant(farewell->journal, &farewell->key);
}

static enum sca_status sleep_on(struct gather *gather, struct remote_ticket *ticket,
                                struct call *call) REQUIRES(gather->lock)
{
    ticket->sleeper = call;
    lock_drop(&gather->lock);
    enum sca_status st = call_sleep(call);
    lock_take(&gather->lock);
    ticket->sleeper = NULL;
    call_unpoke(call);
    return st;
}

/* Its lock is the gather's, by another name. */
static enum sca_status lead(struct gather *gather, struct leader *leader)
    REQUIRES(gather->lock) NO_LOCK_ANALYSIS
{
    (void)gather;
    return leader_run(leader);
}

/* Nothing more can be done within this call; otherwise what ended was others' only. */
static bool is_at_end(const struct call *call, enum sca_status status)
{
    return status == SCA_CANCELLED || status == SCA_PENDING || status == SCA_NOMEM ||
           call_left_ms(call) == 0;
}

/* Sleeps while somebody leads, and leads when nobody does. SCA_OK: the ticket is done. */
static enum sca_status wait_for(struct gather *gather, struct remote_ticket *ticket,
                                struct call *call, const struct remote_asking *asking)
    REQUIRES(gather->lock)
{
    struct leader leader = {
        .gather = gather, .lane = ticket->lane, .call = call, .asking = asking, .own = ticket};
    enum sca_status st = SCA_OK;

    while (ticket->state != TICKET_DONE) {
        st = ticket->lane->is_led ? sleep_on(gather, ticket, call) : lead(gather, &leader);
        if (ticket->state != TICKET_DONE && is_at_end(call, st))
            return call_left_ms(call) == 0 && st != SCA_CANCELLED ? SCA_UNCONFIRMED : st;
    }
    return SCA_OK;
}

static enum sca_status explain_wait(const struct remote_ticket *ticket, struct call *call,
                                    enum sca_status status)
{
    if (status == SCA_CANCELLED)
        return call_fail(call, status, "cancelled by the application");
    if (status == SCA_UNCONFIRMED && !ticket->transaction[0])
        return call_fail(call, status,
                         "nobody was asked: other confirmations of this account stayed open; "
                         "smartca pending shows them");
    if (status == SCA_UNCONFIRMED)
        return call_fail(call, status,
                         "nobody confirmed on the phone in time; confirm there and sign the same "
                         "document again to collect it");
    return status;
}

/* The ticket's outcome, for the call that asked. */
static enum sca_status tell(struct remote_ticket *ticket, struct call *call, size_t len,
                            uint8_t *signature)
{
    call->device_error = ticket->device_error;
    memcpy(call->note, ticket->note, sizeof(call->note));
    memcpy(call->transaction, ticket->transaction, sizeof(call->transaction));
    ticket->is_told = !ticket->is_left_open;
    if (ticket->status == SCA_OK)
        memcpy(signature, ticket->signature, len);
    return ticket->status;
}

enum sca_status gather_sign(struct smartca_client *client, struct call *call,
                            const struct remote_credentials *credentials,
                            const struct remote_key *key, struct remote_document *document)
{
    const struct remote_asking asking = {client, credentials, key};
    struct gather *gather = client->gather;
    struct farewell farewell = {.is_left = false};

    document->status = check_digest(call, document->digest);
    if (document->status != SCA_OK)
        return document->status;
    struct remote_ticket *ticket = ticket_new(&asking, call, document->digest);
    if (!ticket)
        return document->status = SCA_NOMEM;
    lock_take(&gather->lock);
    enum sca_status st = line_up(gather, &asking, ticket);
    if (st == SCA_OK) {
        st = wait_for(gather, ticket, call, &asking);
        st = st == SCA_OK ? tell(ticket, call, key->signature_len, document->signature)
                          : explain_wait(ticket, call, st);
        leave(gather, ticket, &farewell);
    } else {
        ticket_free(ticket);
    }
    lock_drop(&gather->lock);
    say_farewell(&farewell);
    document->status = st;
    return st;
}

/* progress: of the transaction that it is in already, taken over; NULL: of none. */
static enum sca_status begin(const struct remote_asking *asking, struct call *call,
                             struct span digest, uint64_t patience_ms, struct progress *progress,
                             struct remote_ticket **ret_ticket)
{
    struct gather *gather = asking->client->gather;
    struct remote_ticket *ticket = ticket_new(asking, call, digest);

    if (!ticket) {
        progress_drop(progress);
        return SCA_NOMEM;
    }
    ticket->progress = progress;
    ticket->is_kept = true;
    ticket->deadline_ms = ticket->arrived_ms + patience_ms;
    lock_take(&gather->lock);
    enum sca_status st = line_up(gather, asking, ticket);
    lock_drop(&gather->lock);
    if (st == SCA_OK)
        *ret_ticket = ticket;
    else
        ticket_free(ticket);
    return st;
}

enum sca_status gather_begin(const struct remote_asking *asking, struct call *call,
                             struct span digest, uint64_t patience_ms,
                             struct remote_ticket **ret_ticket)
{
    enum sca_status st = check_digest(call, digest);

    return st == SCA_OK ? begin(asking, call, digest, patience_ms, NULL, ret_ticket) : st;
}

/* Is there something to do for it now? Others may be at it, or it is too early to ask again. */
static bool is_due(const struct remote_ticket *ticket, const struct call *call)
{
    uint64_t now = call_now_ms(call);
    const struct lane *lane = ticket->lane;

    return ticket->state == TICKET_WAITS && !lane->is_led && now >= lane->next_poll_ms &&
           now - lane->first->arrived_ms >= ticket->client->account->service.batch_window_ms;
}

/* One step for the whole lane. */
static enum sca_status take_step(struct gather *gather, struct remote_ticket *ticket,
                                 struct call *call, const struct remote_asking *asking)
    REQUIRES(gather->lock)
{
    uint64_t most_ms = ticket->client->account->service.poll_interval_ms;

    call->is_brief = true;
    enum sca_status st = wait_for(gather, ticket, call, asking);
    uint64_t now = call_now_ms(call);
    uint64_t pause_ms = (now - ticket->arrived_ms) / POLL_PART;
    if (pause_ms < POLL_FIRST_MS)
        pause_ms = POLL_FIRST_MS;
    if (ticket->state != TICKET_DONE)
        ticket->lane->next_poll_ms = now + (pause_ms < most_ms ? pause_ms : most_ms);
    return st;
}

enum sca_status gather_poll(struct remote_ticket *ticket, const struct remote_asking *asking,
                            struct call *call, uint8_t *signature)
{
    struct gather *gather = ticket->client->gather;
    enum sca_status st = SCA_PENDING;

    lock_take(&gather->lock);
    if (is_due(ticket, call))
        st = take_step(gather, ticket, call, asking);
    if (ticket->state == TICKET_DONE)
        st = tell(ticket, call, asking->key->signature_len, signature);
    else if (st == SCA_PENDING && call_now_ms(call) >= ticket->deadline_ms)
        st = explain_wait(ticket, call, SCA_UNCONFIRMED);
    else if (st != SCA_PENDING)
        st = explain_wait(ticket, call, st);
    lock_drop(&gather->lock);
    return st;
}

enum sca_status gather_number(struct remote_ticket *ticket, const struct remote_asking *asking,
                              struct call *call, uint64_t *ret_number)
{
    struct gather *gather = ticket->client->gather;
    enum sca_status st = SCA_PENDING;
    uint64_t number = 0;

    lock_take(&gather->lock);
    if (!ticket->transaction[0] && is_due(ticket, call))
        st = take_step(gather, ticket, call, asking);
    if (ticket->state == TICKET_DONE && (ticket->is_told || ticket->status != SCA_OK))
        st = SCA_UNSUPPORTED;
    else if (ticket->transaction[0])
        number = journal_number(ticket->transaction, span_of(ticket->digest, ticket->digest_len));
    lock_drop(&gather->lock);
    if (number == 0)
        return st;
    *ret_number = number;
    return SCA_OK;
}

enum sca_status gather_join(const struct remote_asking *asking, struct call *call, uint64_t number,
                            uint64_t patience_ms, struct remote_ticket **ret_ticket)
{
    struct journal_transaction key;
    struct journal_transaction found;
    size_t index = 0;

    enum sca_status st = request_key(asking->client->account, asking->key->service_serial, &key);
    if (st == SCA_OK)
        st = journal_find(asking->client->journal, call, &key, number, &found, &index);
    if (st != SCA_OK)
        return st;
    const struct journal_document document = found.documents[index];
    struct progress *progress = progress_new(&found);
    if (!progress) {
        journal_transaction_fini(&found);
        return SCA_NOMEM;
    }
    return begin(asking, call, span_of(document.digest, document.digest_len), patience_ms, progress,
                 ret_ticket);
}

void gather_keep(struct remote_ticket *ticket)
{
    struct gather *gather = ticket->client->gather;

    lock_take(&gather->lock);
    ticket->is_told = false;
    lock_drop(&gather->lock);
}

void gather_drop(struct remote_ticket *ticket)
{
    if (!ticket)
        return;
    struct gather *gather = ticket->client->gather;
    struct farewell farewell;

    lock_take(&gather->lock);
    leave(gather, ticket, &farewell);
    lock_drop(&gather->lock);
    say_farewell(&farewell);
}
