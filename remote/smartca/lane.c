/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/smartca/lane.h"

#include <stdlib.h>
#include <string.h>

struct lane *lane_enter(struct lane **lanes, const struct remote_asking *asking)
{
    const char *serial = asking->key->service_serial;
    const struct secret *otp = asking->credentials->otp;
    struct lane *lane = *lanes;

    while (lane && (lane->otp != otp || strcmp(lane->serial, serial) != 0))
        lane = lane->next;
    if (lane)
        return lane;
    lane = calloc(1, sizeof(*lane) + strlen(serial) + 1);
    if (!lane)
        return NULL;
    memcpy(lane->serial, serial, strlen(serial) + 1);
    lane->otp = otp;
    lane->next = *lanes;
    *lanes = lane;
    return lane;
}

void lane_leave(struct lane **lanes, struct lane *lane)
{
    struct lane **at = lanes;

    if (lane->first || lane->is_led)
        return;
    while (*at != lane)
        at = &(*at)->next;
    *at = lane->next;
    free(lane);
}

static bool has_digest(const struct remote_ticket *ticket, const struct remote_ticket *other)
{
    return span_equal(span_of(ticket->digest, ticket->digest_len),
                      span_of(other->digest, other->digest_len));
}

/* One more who wants what is on its way. */
static void want_too(struct remote_ticket *ticket, const struct remote_ticket *running)
{
    ticket->document = running->document;
    ticket->wanted_by = running->wanted_by;
    if (!ticket->is_kept)
        atomic_fetch_add(ticket->wanted_by, 1);
}

void lane_add(struct lane *lane, struct remote_ticket *ticket)
{
    struct remote_ticket **at = &lane->first;

    for (; *at; at = &(*at)->next)
        if ((*at)->state == TICKET_RUNS && !ticket->wanted_by && has_digest(*at, ticket))
            want_too(ticket, *at);
    *at = ticket;
    ticket->lane = lane;
}

void lane_remove(struct lane *lane, struct remote_ticket *ticket)
{
    struct remote_ticket **at = &lane->first;

    while (*at != ticket)
        at = &(*at)->next;
    *at = ticket->next;
    ticket->next = NULL;
}

void ticket_free(struct remote_ticket *ticket)
{
    progress_drop(ticket->progress);
    free(ticket);
}

const struct progress *lane_progress(const struct lane *lane)
{
    for (const struct remote_ticket *ticket = lane->first; ticket; ticket = ticket->next)
        if (ticket->state == TICKET_RUNS && ticket->progress)
            return ticket->progress;
    return NULL;
}

void lane_wake(const struct lane *lane)
{
    for (struct remote_ticket *ticket = lane->first; ticket; ticket = ticket->next)
        if (ticket->sleeper && ticket->state == TICKET_WAITS) {
            call_poke(ticket->sleeper);
            return;
        }
}

void batch_fini(struct batch *batch)
{
    free(batch->documents);
    free(batch->wanted_by);
}

static size_t count_tickets(const struct lane *lane)
{
    size_t count = 0;

    for (const struct remote_ticket *ticket = lane->first; ticket; ticket = ticket->next)
        count++;
    return count;
}

/* The number of the ticket's document; count: it is not among them. */
static size_t find(const struct batch *batch, struct span digest)
{
    size_t i = 0;

    while (i < batch->count && !span_equal(batch->documents[i].digest, digest))
        i++;
    return i;
}

/* Unless it has to wait for the next one. */
static void take_ticket(struct batch *batch, struct remote_ticket *ticket, size_t max)
{
    struct span digest = span_of(ticket->digest, ticket->digest_len);
    size_t index = find(batch, digest);

    if (index == batch->count) {
        if (index >= max)
            return;
        batch->documents[index] = (struct remote_document){.digest = digest,
                                                           .signature = ticket->signature,
                                                           .wanted_by = &batch->wanted_by[index]};
        batch->count++;
    }
    ticket->state = TICKET_RUNS;
    ticket->document = index;
    ticket->wanted_by = &batch->wanted_by[index];
    /* Whoever may be cancelled before it hears of the signature, or fetch it in another process,
     * collects it when it was told. */
    if (!ticket->is_kept)
        atomic_fetch_add(ticket->wanted_by, 1);
}

enum sca_status batch_take(struct lane *lane, size_t max, struct batch *ret_batch)
{
    size_t room = count_tickets(lane) + 1;
    struct batch batch = {.documents = calloc(room, sizeof(*batch.documents)),
                          .wanted_by = calloc(room, sizeof(*batch.wanted_by))};

    if (!batch.documents || !batch.wanted_by) {
        batch_fini(&batch);
        return SCA_NOMEM;
    }
    for (struct remote_ticket *ticket = lane->first; ticket; ticket = ticket->next)
        if (ticket->state == TICKET_WAITS)
            take_ticket(&batch, ticket, max);
    *ret_batch = batch;
    return SCA_OK;
}
