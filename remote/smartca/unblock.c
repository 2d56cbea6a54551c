/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/smartca/unblock.h"

#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/base/log.h"
#include "remote/smartca/client.h"
#include "remote/smartca/ledger_match.h"
#include "remote/smartca/pending.h"
#include "remote/smartca/request.h"

enum { LOOK_MOST_MS = 5000 }; /* all questions together: the turn may have come meanwhile */

/* Of one that the service does not know, the request may be on its way. */
static bool may_be_on_its_way(const struct smartca_client *client,
                              const struct journal_transaction *item, int64_t now)
{
    return (now - item->taken_at) * 1000 <= (int64_t)client->account->service.request_timeout_ms;
}

static bool is_asked_no_more(struct smartca_client *client, struct call *call,
                             const struct journal_transaction *item, int64_t now)
{
    enum pending_outcome outcome = PENDING_WAITING;

    if (pending_look(client, call, item, &outcome) != SCA_OK || outcome == PENDING_WAITING)
        return false;
    return outcome != PENDING_UNKNOWN || !may_be_on_its_way(client, item, now);
}

static void unblock_all(struct smartca_client *client, const struct ledger *ledger,
                        const struct journal_transaction *wanted, const struct journal_rules *rules,
                        struct call *call)
{
    int64_t now = call->clock->wall_s(call->clock);

    for (size_t i = 0; i < ledger->count; i++) {
        const struct journal_transaction *item = &ledger->items[i];
        if (!ledger_match_is_open(item, wanted, rules, now) ||
            !is_asked_no_more(client, call, item, now))
            continue;
        log_line(LOG_LEVEL_INFO, "account %s: transaction %s is answered and not fetched: next",
                 client->account->name, item->id);
        journal_park(client->journal, item->id);
    }
}

void unblock(const struct remote_asking *asking, const struct journal_rules *rules,
             struct call *call)
{
    AUTO(ledger_fini) struct ledger ledger = {.count = 0};
    struct smartca_client *client = asking->client;
    struct journal_transaction wanted;
    char note[sizeof(call->note)];
    uint64_t deadline_ms = call->deadline_ms;
    unsigned long device_error = call->device_error;

    if (request_key(client->account, asking->key->service_serial, &wanted) != SCA_OK)
        return;
    memcpy(note, call->note, sizeof(note));
    if (call_left_ms(call) > LOOK_MOST_MS)
        call->deadline_ms = call_now_ms(call) + LOOK_MOST_MS;

    if (journal_list(client->journal, call, &ledger) == SCA_OK)
        unblock_all(client, &ledger, &wanted, rules, call);

    call->deadline_ms = deadline_ms;
    call->device_error = device_error;
    memcpy(call->note, note, sizeof(note));
}
