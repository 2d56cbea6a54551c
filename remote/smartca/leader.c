/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/smartca/leader.h"

#include <stdlib.h>
#include <string.h>

#include "remote/smartca/client.h"
#include "remote/smartca/transaction.h"
#include "remote/smartca/unblock.h"

enum {
    TURN_FIRST_MS = 10, /* between two looks whether it is this process's turn; grows to the most */
    TURN_MOST_MS = 200,
    OPEN_AFTER_CONFIRM_S = 60,
    LOOK_EVERY_POLLS = 3, /* whoever waits for the confirmation itself asks at each */
    LOOK_LEAST_MS = 250,
};

static const struct service_config *service_of(const struct leader *leader)
{
    return &leader->asking->client->account->service;
}

/* When the first of those who wait came, by the wall clock. */
static int64_t arrived_at(const struct leader *leader)
{
    const struct call *call = leader->call;
    const struct remote_ticket *first = leader->lane->first;
    uint64_t age_ms = first ? call_now_ms(call) - first->arrived_ms : 0;

    return call->clock->wall_s(call->clock) - (int64_t)(age_ms / 1000);
}

static void leader_init(struct leader *leader)
{
    const struct account_config *account = leader->asking->client->account;
    const struct service_config *service = &account->service;

    leader->credentials = *leader->asking->credentials;
    if (leader->lane->is_spent)
        leader->credentials.otp = NULL;
    leader->rules = (struct journal_rules){
        /* What a person types is for one program and one transaction: nobody else's goes in. */
        .takes_turns = account->confirm != CONFIRM_OTP,
        .is_again = leader->lane->has_want,
        .since = arrived_at(leader),
        .joins_partly = true,
        .documents_max = service->batch_max,
        .prompts_max = account->confirm == CONFIRM_APP ? service->max_prompts : 0,
        .open_s = service->confirm_timeout_ms / 1000 + OPEN_AFTER_CONFIRM_S,
        .cooldown_s = service->reject_cooldown_ms / 1000,
    };
}

static struct order order_of(struct leader *leader, const struct batch *batch)
{
    return (struct order){
        .client = leader->asking->client,
        .credentials = &leader->credentials,
        .key = leader->asking->key,
        .documents = batch->documents,
        .count = batch->count,
        .rules = &leader->rules,
    };
}

/* Its outcome is there; whoever sleeps for it is told. */
static void finish(struct remote_ticket *ticket, enum sca_status status, const struct call *call)
{
    ticket->state = TICKET_DONE;
    ticket->status = status;
    ticket->wanted_by = NULL;
    ticket->device_error = status == SCA_OK ? 0 : call->device_error;
    ticket->note[0] = 0;
    if (status != SCA_OK)
        memcpy(ticket->note, call->note, sizeof(ticket->note));
    lane_remove(ticket->lane, ticket);
    ticket->lane = NULL;
    if (ticket->is_orphan)
        ticket_free(ticket);
    else if (ticket->sleeper)
        call_poke(ticket->sleeper);
}

static void wait_again(struct remote_ticket *ticket)
{
    ticket->state = TICKET_WAITS;
    ticket->wanted_by = NULL;
    if (!ticket->is_orphan)
        return;
    lane_remove(ticket->lane, ticket);
    ticket_free(ticket);
}

/* Did it end for the leader only? Then the others go on with the same transaction. */
static bool is_for_leader_only(const struct call *call, const struct order *order,
                               enum sca_status status)
{
    if (status == SCA_OK || order->is_over)
        return false;
    return status == SCA_CANCELLED || status == SCA_PENDING || status == SCA_NOMEM ||
           call_left_ms(call) == 0;
}

static void copy_to(const struct leader *leader, struct remote_ticket *ticket,
                    const struct remote_document *document, const struct order *order, bool goes_on)
{
    if (document->status != SCA_BUSY) {
        memcpy(ticket->transaction, leader->call->transaction, sizeof(ticket->transaction));
        ticket->is_left_open = goes_on && ticket->transaction[0];
        progress_drop(ticket->progress);
        ticket->progress = progress_share(order->left);
    }
    if (document->status == SCA_OK && document->signature != ticket->signature)
        memcpy(ticket->signature, document->signature, leader->asking->key->signature_len);
}

/* May free it. */
static void hand_to(const struct leader *leader, struct remote_ticket *ticket,
                    enum sca_status status, bool is_leaders_own)
{
    if (status == SCA_BUSY || status == SCA_PENDING || (is_leaders_own && ticket != leader->own))
        wait_again(ticket);
    else
        finish(ticket, status, leader->call);
}

/* Also to those who came meanwhile with a digest that was on its way. */
static void hand_out(const struct leader *leader, const struct batch *batch,
                     const struct order *order, enum sca_status status)
{
    bool is_leaders_own = is_for_leader_only(leader->call, order, status);
    bool goes_on = status != SCA_OK && !order->is_over;
    struct remote_ticket *next = NULL;

    /* A document's signature is in the first of its tickets: copied before that one is freed. */
    for (struct remote_ticket *ticket = leader->lane->first; ticket; ticket = ticket->next)
        if (ticket->wanted_by)
            copy_to(leader, ticket, &batch->documents[ticket->document], order, goes_on);
    for (struct remote_ticket *ticket = leader->lane->first; ticket; ticket = next) {
        next = ticket->next;
        if (ticket->wanted_by)
            hand_to(leader, ticket, batch->documents[ticket->document].status, is_leaders_own);
    }
}

/* Nothing was asked: all wait as before. */
static void put_back(const struct leader *leader)
{
    struct remote_ticket *next = NULL;

    for (struct remote_ticket *ticket = leader->lane->first; ticket; ticket = next) {
        next = ticket->next;
        if (ticket->wanted_by)
            wait_again(ticket);
    }
}

/* One transaction, or one look whether it may begin. The lock is held before and after. */
static enum sca_status lead_once(struct leader *leader) REQUIRES(leader->gather->lock)
{
    struct batch batch;

    enum sca_status st = batch_take(leader->lane, leader->rules.documents_max, &batch);
    if (st != SCA_OK)
        return st;
    struct order order = order_of(leader, &batch);
    order.known = lane_progress(leader->lane);
    lock_drop(&leader->gather->lock);
    st = transaction_take_turn(&order, leader->call);
    lock_take(&leader->gather->lock);
    leader->lane->has_want = st == SCA_BUSY;
    if (st != SCA_BUSY)
        leader->lane->next_look_ms = 0;
    leader->lane->is_spent = leader->lane->is_spent || st != SCA_BUSY;
    hand_out(leader, &batch, &order, st);
    progress_drop(order.left);
    batch_fini(&batch);
    return st;
}

/* What waits here, for other processes to take along. */
static enum sca_status show_want(struct leader *leader) REQUIRES(leader->gather->lock)
{
    struct batch batch;

    enum sca_status st = batch_take(leader->lane, leader->rules.documents_max, &batch);
    if (st != SCA_OK)
        return st;
    struct order order = order_of(leader, &batch);
    lock_drop(&leader->gather->lock);
    if (batch.count > 0)
        transaction_want(&order, leader->call);
    lock_take(&leader->gather->lock);
    leader->lane->has_want = true;
    leader->rules.is_again = true;
    put_back(leader);
    batch_fini(&batch);
    return SCA_OK;
}

/* The first half of batch_window is for this process; what is known then is shown to others, who
 * have the second half to do the same. */
static enum sca_status pause_for_more(struct leader *leader) REQUIRES(leader->gather->lock)
{
    uint64_t window_ms = service_of(leader)->batch_window_ms;
    uint64_t age_ms = call_now_ms(leader->call) - leader->lane->first->arrived_ms;

    if (leader->call->is_brief || age_ms >= window_ms)
        return SCA_OK;
    uint64_t left_ms = window_ms - age_ms;
    lock_drop(&leader->gather->lock);
    enum sca_status st = call_wait(leader->call, left_ms / 2);
    lock_take(&leader->gather->lock);
    if (st == SCA_OK && leader->rules.takes_turns)
        st = show_want(leader);
    if (st != SCA_OK)
        return st;
    lock_drop(&leader->gather->lock);
    st = call_wait(leader->call, left_ms - left_ms / 2);
    lock_take(&leader->gather->lock);
    return st;
}

/* It is not this process's turn: may be because of one that sleeps. */
static void look_at_blockers(struct leader *leader) REQUIRES(leader->gather->lock)
{
    uint64_t every_ms = LOOK_EVERY_POLLS * service_of(leader)->poll_interval_ms;
    struct lane *lane = leader->lane;

    if (lane->next_look_ms != 0 && call_now_ms(leader->call) >= lane->next_look_ms) {
        lock_drop(&leader->gather->lock);
        unblock(leader->asking, &leader->rules, leader->call);
        lock_take(&leader->gather->lock);
        lane->next_look_ms = 0;
    }
    if (lane->next_look_ms == 0)
        lane->next_look_ms =
            call_now_ms(leader->call) + (every_ms > LOOK_LEAST_MS ? every_ms : LOOK_LEAST_MS);
}

/* Whoever wanted it has left meanwhile: others need not sign it. */
static void take_want_back(struct leader *leader) REQUIRES(leader->gather->lock)
{
    const struct batch nothing = {.documents = NULL};
    struct order order = order_of(leader, &nothing);

    leader->lane->has_want = false;
    lock_drop(&leader->gather->lock);
    transaction_unwant(&order);
    lock_take(&leader->gather->lock);
}

/* Until there is nothing to lead, or the leader has what it came for. */
enum sca_status leader_run(struct leader *leader)
{
    uint64_t pause_ms = TURN_FIRST_MS;

    leader->lane->is_led = true;
    call_unpoke(leader->call);
    leader_init(leader);
    enum sca_status st = pause_for_more(leader);
    while (st == SCA_OK) {
        st = lead_once(leader);
        if (st != SCA_BUSY)
            break;
        leader->rules.is_again = true;
        look_at_blockers(leader);
        lock_drop(&leader->gather->lock);
        st = call_wait(leader->call, pause_ms);
        lock_take(&leader->gather->lock);
        pause_ms = pause_ms * 2 < TURN_MOST_MS ? pause_ms * 2 : TURN_MOST_MS;
    }
    if (!leader->lane->first && leader->lane->has_want)
        take_want_back(leader);
    leader->lane->is_led = false;
    lane_wake(leader->lane);
    lane_leave(&leader->gather->lanes, leader->lane);
    return st;
}
