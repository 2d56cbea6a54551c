/* SPDX-License-Identifier: Apache-2.0 */
/* POST /v1/signatures/sign/{id}/status */
#include <stdio.h>

#include "tests/emulator/reply.h"
#include "tests/emulator/signatures.h"
#include "tests/emulator/tick.h"
#include "tests/emulator/v1.h"

/* What a status request found: a reference, and the state at that moment. */
struct finding {
    struct transaction *transaction;
    enum transaction_state state;
    uint64_t age_ms;
};

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
        transaction_ref(transaction);
        transaction->polls++;
        if (transaction->first_status_ms == 0)
            transaction->first_status_ms = now;
        transaction_settle(transaction, now, (uint64_t)x->behaviour.lifetime_s * 1000);
        *found = (struct finding){transaction, transaction->state, now - transaction->created_ms};
    }
    emulator_unlock(emulator);
    return transaction != NULL;
}

static void let_go(struct exchange *x, struct transaction *transaction)
{
    emulator_lock(x->emulator);
    transaction_unref(transaction);
    emulator_unlock(x->emulator);
}

/* A signed transaction other than this one, with a reference; NULL if there is none. */
static struct transaction *find_older(struct exchange *x, const struct transaction *transaction)
{
    struct transaction *older = NULL;
    emulator_lock(x->emulator);
    const struct transaction_table *table = &x->emulator->transactions;
    for (size_t i = 0; i < table->count && !older; i++)
        if (table->list[i] != transaction && table->list[i]->state == TRANSACTION_SIGNED)
            older = table->list[i];
    if (older)
        transaction_ref(older);
    emulator_unlock(x->emulator);
    return older;
}

static cJSON *start_data(struct exchange *x, const struct finding *found, bool is_other)
{
    char other[UUID_LEN + 1];
    cJSON *data = cJSON_CreateObject();
    uuid_make(other);
    (void)cJSON_AddStringToObject(
        data, "transaction_id",
        is_other || x->behaviour.reply_id == REPLY_ID_OTHER ? other : found->transaction->id);
    uint64_t lifetime_ms = (uint64_t)x->behaviour.lifetime_s * 1000;
    uint64_t left_s = found->age_ms < lifetime_ms ? (lifetime_ms - found->age_ms) / 1000 : 0;
    if (x->behaviour.has_expired_in_status)
        (void)cJSON_AddNumberToObject(data, "expired_in", (double)left_s);
    return data;
}

static void answer_waiting(struct exchange *x, const struct finding *found)
{
    cJSON *data = start_data(x, found, false);
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

static void answer_with(struct exchange *x, const struct finding *found, enum fault_kind lie)
{
    cJSON *data = start_data(x, found, lie == FAULT_WRONG_ID);
    enum sca_status status = transaction_sign(found->transaction, x->emulator->hsm);
    if (status == SCA_OK)
        status = signatures_add(x, found->transaction, lie, data);
    if (status == SCA_OK) {
        reply_service(x, x->behaviour.code_success, x->behaviour.text_signed, data);
        return;
    }
    cJSON_Delete(data);
    reply_service(x, MHD_HTTP_INTERNAL_SERVER_ERROR, "SERVAR_INTERNAL_ERROR: signing failed", NULL);
}

static void answer_signed(struct exchange *x, const struct finding *found)
{
    enum fault_kind lie = exchange_falsify(x);
    struct finding shown = *found;
    if (lie == FAULT_REPLAY)
        shown.transaction = find_older(x, found->transaction);
    if (!shown.transaction) { /* nothing to replay yet: the signature of something else, then */
        shown.transaction = found->transaction;
        lie = FAULT_OTHER_HASH;
    }
    answer_with(x, &shown, lie);
    if (shown.transaction != found->transaction)
        let_go(x, shown.transaction);
}

static void answer_ended(struct exchange *x, const struct finding *found)
{
    const struct behaviour *b = &x->behaviour;
    const struct {
        int code;
        const char *message;
    } endings[] = {
        [TRANSACTION_REJECTED] = {b->code_rejected, b->text_rejected},
        [TRANSACTION_EXPIRED] = {b->code_expired, b->text_expired},
        [TRANSACTION_FAILED] = {b->code_failed, b->text_failed},
    };
    reply_service(x, endings[found->state].code, endings[found->state].message,
                  start_data(x, found, false));
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
        answer_signed(x, &found);
    else
        answer_ended(x, &found);
    let_go(x, found.transaction);
}
