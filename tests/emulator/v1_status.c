/* SPDX-License-Identifier: Apache-2.0 */
/* POST /v1/signatures/sign/{id}/status */
#include <stdio.h>

#include "tests/emulator/finding.h"
#include "tests/emulator/reply.h"
#include "tests/emulator/tick.h"
#include "tests/emulator/v1.h"

static bool find(struct exchange *x, struct finding *found)
{
    static const enum id_kind kinds[] = {
        [STATUS_ID_BOTH] = ID_EITHER,
        [STATUS_ID_TRANSACTION] = ID_TRANSACTION,
        [STATUS_ID_TRAN_CODE] = ID_TRAN_CODE,
    };
    struct emulator *emulator = x->emulator;
    uint64_t now = tick_ms();
    emulator_lock(emulator);
    struct transaction *transaction =
        transaction_table_find(&emulator->transactions, x->route_id, kinds[x->behaviour.status_id]);
    if (transaction) {
        transaction->polls++;
        if (transaction->first_status_ms == 0)
            transaction->first_status_ms = now;
        uint64_t lifetime_ms = (uint64_t)x->behaviour.lifetime_s * 1000;
        uint64_t age_ms = now - transaction->created_ms;
        transaction_settle(transaction, now, lifetime_ms);
        finding_take(found, transaction);
        found->left_s = age_ms < lifetime_ms ? (lifetime_ms - age_ms) / 1000 : 0;
        found->tells_left = x->behaviour.has_expired_in_status;
    }
    emulator_unlock(emulator);
    return transaction != NULL;
}

static void answer_waiting(struct exchange *x, const struct finding *found)
{
    cJSON *data = finding_data(x, found, false);
    if (x->behaviour.waiting_list == WAITING_NULL)
        (void)cJSON_AddNullToObject(data, "signatures");
    if (x->behaviour.waiting_list == WAITING_EMPTY)
        (void)cJSON_AddArrayToObject(data, "signatures");
    (void)snprintf(x->retry_after, sizeof(x->retry_after), "%s", x->behaviour.retry_after);
    reply_service(x, x->behaviour.is_waiting_409 ? MHD_HTTP_CONFLICT : x->behaviour.code_success,
                  x->behaviour.text_waiting, data);
    if (x->behaviour.is_waiting_409)
        x->http_status = MHD_HTTP_CONFLICT;
}

/* An empty body is as good as an object; what is in it counts only where credentials are asked for.
 */
static bool is_acceptable(struct exchange *x)
{
    if (x->body.len == 0 && !x->behaviour.needs_status_credentials) {
        x->entry.body_ok = true;
        return true;
    }
    cJSON *json = exchange_json(x);
    bool is_good = json && (!x->behaviour.needs_status_credentials || v1_is_provider(x, json));
    cJSON_Delete(json);
    return is_good;
}

void v1_status(struct exchange *x)
{
    struct finding found;
    if (!is_acceptable(x))
        return;
    if (!find(x, &found)) {
        reply_service(x, x->behaviour.code_unknown, x->behaviour.text_unknown, NULL);
        return;
    }
    (void)snprintf(x->entry.transaction_id, sizeof(x->entry.transaction_id), "%s",
                   found.transaction->id);
    if (found.state == TRANSACTION_WAITING)
        answer_waiting(x, &found);
    else if (found.state == TRANSACTION_SIGNED)
        finding_answer_signed(x, &found, x->behaviour.text_signed);
    else
        finding_answer_ended(x, &found);
    finding_release(x, &found);
}
