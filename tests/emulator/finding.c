/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/emulator/finding.h"

#include "tests/emulator/reply.h"
#include "tests/emulator/signatures.h"

void finding_take(struct finding *found, struct transaction *transaction)
{
    transaction_ref(transaction);
    *found = (struct finding){.transaction = transaction, .state = transaction->state};
}

static void let_go(struct exchange *x, struct transaction *transaction)
{
    emulator_lock(x->emulator);
    transaction_unref(transaction);
    emulator_unlock(x->emulator);
}

void finding_release(struct exchange *x, const struct finding *found)
{
    let_go(x, found->transaction);
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

cJSON *finding_data(struct exchange *x, const struct finding *found, bool is_other)
{
    char other[UUID_LEN + 1];
    const char *shown = x->behaviour.reply_id == REPLY_ID_OTHER ? found->transaction->other_id
                                                                : found->transaction->id;
    cJSON *data = cJSON_CreateObject();
    uuid_make(other);
    (void)cJSON_AddStringToObject(data, "transaction_id", is_other ? other : shown);
    if (found->tells_left)
        (void)cJSON_AddNumberToObject(data, "expired_in", (double)found->left_s);
    return data;
}

static void answer_with(struct exchange *x, const struct finding *found, enum fault_kind lie,
                        const char *message)
{
    cJSON *data = finding_data(x, found, lie == FAULT_WRONG_ID);
    enum sca_status status = transaction_sign(found->transaction, x->emulator->hsm);
    if (status == SCA_OK)
        status = signatures_add(x, found->transaction, lie, data);
    if (status == SCA_OK) {
        reply_service(x, x->behaviour.code_success, message, data);
        return;
    }
    cJSON_Delete(data);
    reply_service(x, MHD_HTTP_INTERNAL_SERVER_ERROR, "SERVAR_INTERNAL_ERROR: signing failed", NULL);
}

void finding_answer_signed(struct exchange *x, const struct finding *found, const char *message)
{
    enum fault_kind lie = exchange_falsify(x);
    struct finding shown = *found;
    if (lie == FAULT_REPLAY)
        shown.transaction = find_older(x, found->transaction);
    if (!shown.transaction) { /* nothing to replay yet: the signature of something else, then */
        shown.transaction = found->transaction;
        lie = FAULT_OTHER_HASH;
    }
    answer_with(x, &shown, lie, message);
    if (shown.transaction != found->transaction)
        let_go(x, shown.transaction);
}

void finding_answer_ended(struct exchange *x, const struct finding *found)
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
                  finding_data(x, found, false));
}
