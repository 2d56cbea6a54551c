/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/emulator/transaction.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"

static const char *const state_names[] = {
    [TRANSACTION_WAITING] = "waiting",   [TRANSACTION_SIGNED] = "signed",
    [TRANSACTION_REJECTED] = "rejected", [TRANSACTION_EXPIRED] = "expired",
    [TRANSACTION_FAILED] = "failed",
};

static const enum transaction_state outcomes[] = {
    [PHONE_APPROVE] = TRANSACTION_SIGNED, [PHONE_REJECT] = TRANSACTION_REJECTED,
    [PHONE_EXPIRE] = TRANSACTION_EXPIRED, [PHONE_FAIL] = TRANSACTION_FAILED,
    [PHONE_NEVER] = TRANSACTION_WAITING,
};

struct transaction *transaction_new(size_t count)
{
    struct transaction *transaction = calloc(1, sizeof(*transaction));
    struct document *documents = calloc(count, sizeof(*documents));
    if (!transaction || !documents) {
        free(transaction);
        free(documents);
        return NULL;
    }
    (void)pthread_mutex_init(&transaction->signing, NULL); /* cannot fail on Linux */
    uuid_make(transaction->tran_code);
    uuid_make(transaction->other_id);
    transaction->documents = documents;
    transaction->document_count = count;
    transaction->refs = 1;
    return transaction;
}

void transaction_ref(struct transaction *transaction)
{
    transaction->refs++;
}

void transaction_unref(struct transaction *transaction)
{
    if (!transaction || --transaction->refs > 0)
        return;
    (void)pthread_mutex_destroy(&transaction->signing);
    free(transaction->documents);
    free(transaction);
}

void transaction_permit(struct transaction *transaction, uint64_t now_ms)
{
    static const char header[] = "{\"alg\":\"RS256\",\"typ\":\"JWT\"}";
    char claims[160];
    char id[UUID_LEN + 1];
    uuid_make(id);
    (void)snprintf(claims, sizeof(claims), "{\"jti\":\"%s\",\"tran_code\":\"%s\"}", id,
                   transaction->tran_code);
    jwt_make(header, claims, transaction->sad);
    transaction->sad_ms = now_ms;
}

static bool is_same_document(const struct document *a, const struct document *b)
{
    return strcmp(a->doc_id, b->doc_id) == 0 &&
           span_equal(span_of(a->hash, a->hash_len), span_of(b->hash, b->hash_len));
}

bool transaction_is_same(const struct transaction *a, const struct transaction *b)
{
    bool is_same = a->user == b->user && a->certificate == b->certificate &&
                   a->document_count == b->document_count;
    for (size_t i = 0; is_same && i < a->document_count; i++)
        is_same = is_same_document(&a->documents[i], &b->documents[i]);
    return is_same;
}

void transaction_decide(struct transaction *transaction, enum phone_action action, uint64_t now_ms)
{
    if (transaction->state != TRANSACTION_WAITING || action == PHONE_NEVER)
        return;
    transaction->state = outcomes[action];
    transaction->decided_ms = now_ms;
}

void transaction_settle(struct transaction *transaction, uint64_t now_ms, uint64_t lifetime_ms)
{
    uint64_t age_ms = now_ms - transaction->created_ms;
    if (age_ms >= lifetime_ms)
        transaction_decide(transaction, PHONE_EXPIRE, now_ms);
    else if (phone_is_due(&transaction->rule, age_ms, transaction->polls))
        transaction_decide(transaction, transaction->rule.action, now_ms);
}

enum sca_status transaction_sign(struct transaction *transaction, struct hsm *hsm)
{
    enum sca_status status = SCA_OK;
    (void)pthread_mutex_lock(&transaction->signing);
    for (size_t i = 0;
         status == SCA_OK && !transaction->has_signatures && i < transaction->document_count; i++) {
        struct document *document = &transaction->documents[i];
        status = hsm_sign(hsm, transaction->certificate->key,
                          span_of(document->hash, document->hash_len), document->signature);
    }
    transaction->has_signatures = transaction->has_signatures || status == SCA_OK;
    (void)pthread_mutex_unlock(&transaction->signing);
    return status;
}

const char *transaction_state_name(enum transaction_state state)
{
    return state_names[state];
}

/* FNV-1a, cut to the number of rows. */
static size_t row_of(const char *id)
{
    uint32_t hash = 2166136261U;
    for (; *id; id++)
        hash = (hash ^ (unsigned char)*id) * 16777619U;
    return hash % TRANSACTION_ROWS;
}

struct transaction *transaction_table_find(const struct transaction_table *table, const char *id,
                                           enum id_kind kind)
{
    size_t row = row_of(id);
    struct transaction *found = (kind & ID_TRANSACTION) ? table->by_id[row] : NULL;
    while (found && strcmp(found->id, id) != 0)
        found = found->next_by_id;
    if (found || !(kind & ID_TRAN_CODE))
        return found;
    found = table->by_code[row];
    while (found && strcmp(found->tran_code, id) != 0)
        found = found->next_by_code;
    return found;
}

static enum sca_status make_room(struct transaction_table *table)
{
    if (table->count < table->room)
        return SCA_OK;
    size_t room = table->room ? table->room * 2 : 64;
    struct transaction **list = realloc(table->list, room * sizeof(struct transaction *));
    if (!list)
        return SCA_NOMEM;
    table->list = list;
    table->room = room;
    return SCA_OK;
}

enum sca_status transaction_table_add(struct transaction_table *table,
                                      struct transaction *transaction)
{
    if (transaction_table_find(table, transaction->id, ID_EITHER))
        return SCA_INVALID;
    enum sca_status status = make_room(table);
    if (status != SCA_OK)
        return status;
    struct transaction **by_id = &table->by_id[row_of(transaction->id)];
    struct transaction **by_code = &table->by_code[row_of(transaction->tran_code)];
    transaction->next_by_id = *by_id;
    transaction->next_by_code = *by_code;
    *by_id = transaction;
    *by_code = transaction;
    table->list[table->count++] = transaction;
    transaction_ref(transaction);
    return SCA_OK;
}

void transaction_table_clear(struct transaction_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        transaction_unref(table->list[i]);
    free(table->list);
    *table = (struct transaction_table){0};
}
