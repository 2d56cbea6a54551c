/* SPDX-License-Identifier: Apache-2.0 */
/* POST /v2/signatures/confirm */
#include <string.h>

#include "remote/base/cleanup.h"
#include "tests/emulator/field.h"
#include "tests/emulator/finding.h"
#include "tests/emulator/reply.h"
#include "tests/emulator/sign_request.h"
#include "tests/emulator/tick.h"
#include "tests/emulator/v1.h"
#include "tests/emulator/v2.h"

/* Call with the lock. By either of its ids, or by the one the answer to sign showed instead. */
static struct transaction *find_transaction(const struct exchange *x, const char *id)
{
    const struct transaction_table *table = &x->emulator->transactions;
    struct transaction *found = transaction_table_find(table, id, ID_EITHER);
    for (size_t i = 0; i < table->count && !found; i++)
        if (strcmp(table->list[i]->other_id, id) == 0)
            found = table->list[i];
    return found;
}

static struct refusal check_sad(const struct exchange *x, const struct transaction *transaction,
                                const char *sad)
{
    uint64_t lifetime_ms = (uint64_t)x->behaviour.sad_lifetime_s * 1000;
    if (strcmp(transaction->sad, sad) != 0)
        return (struct refusal){MHD_HTTP_UNAUTHORIZED, "sad invalid"};
    if (tick_ms() - transaction->sad_ms >= lifetime_ms)
        return (struct refusal){MHD_HTTP_UNAUTHORIZED, "sad expired"};
    return (struct refusal){0, NULL};
}

/* Call with the lock, for a transaction whose sad was right: signed now, unless it is already. */
static struct refusal confirm(const struct exchange *x, struct transaction *transaction)
{
    uint64_t now = tick_ms();
    transaction_settle(transaction, now, (uint64_t)x->behaviour.lifetime_s * 1000);
    if (transaction->state == TRANSACTION_WAITING) {
        struct refusal refusal = sign_request_permit(transaction->certificate);
        if (refusal.code != 0)
            return refusal;
        transaction_decide(transaction, PHONE_APPROVE, now);
    } else if (transaction->confirms > 0 && x->behaviour.confirm_again == CONFIRM_AGAIN_ERROR) {
        return (struct refusal){MHD_HTTP_BAD_REQUEST, "Transaction was confirmed already"};
    }
    transaction->confirms += transaction->state == TRANSACTION_SIGNED;
    return (struct refusal){0, NULL};
}

/* Call with the lock. Code 0: found, in whatever state. */
static struct refusal find(struct exchange *x, const cJSON *json, struct finding *found)
{
    const char *why = NULL;
    struct user *user = v2_find_user(x, json, &why);
    if (!user)
        return (struct refusal){MHD_HTTP_UNAUTHORIZED, why};
    struct transaction *transaction = find_transaction(x, field_text(json, "transaction_id"));
    if (!transaction || transaction->user != user)
        return (struct refusal){x->behaviour.code_unknown, x->behaviour.text_unknown};
    struct refusal refusal = check_sad(x, transaction, field_text(json, "sad"));
    if (refusal.code == 0)
        refusal = confirm(x, transaction);
    if (refusal.code != 0)
        return refusal;
    finding_take(found, transaction);
    uint64_t age_s = (tick_ms() - transaction->sad_ms) / 1000;
    uint64_t lifetime_s = (uint64_t)x->behaviour.sad_lifetime_s;
    found->left_s = age_s < lifetime_s ? lifetime_s - age_s : 0;
    found->tells_left = true;
    return refusal;
}

static void answer(struct exchange *x, const cJSON *json)
{
    static const char *const required[] = {"sp_id",    "sp_password", "user_id",
                                           "password", "sad",         "transaction_id"};
    struct finding found = {.transaction = NULL};
    if (!v1_has_fields(x, json, required, ARRAY_LEN(required)))
        return;
    v1_note_transaction(x, json);
    if (!v1_is_provider(x, json))
        return;
    emulator_lock(x->emulator);
    struct refusal refusal = find(x, json, &found);
    emulator_unlock(x->emulator);
    if (refusal.code != 0) {
        reply_service(x, refusal.code, refusal.message, NULL);
        return;
    }
    if (found.state == TRANSACTION_SIGNED)
        finding_answer_signed(x, &found, x->behaviour.text_confirmed);
    else
        finding_answer_ended(x, &found);
    finding_release(x, &found);
}

void v2_confirm(struct exchange *x)
{
    cJSON *json = exchange_json(x);
    if (json)
        answer(x, json);
    cJSON_Delete(json);
}
