/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/smartca/ledger_record.h"

#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"
#include "remote/smartca/json.h"
#include "remote/smartca/ledger.h"

/* False if there is no such text or it does not fit. */
static bool take_text(const cJSON *from, const char *name, char *out, size_t size)
{
    const char *text = json_text(from, name);
    size_t len = text ? strlen(text) : size;

    if (len >= size)
        return false;
    memcpy(out, text, len + 1);
    return true;
}

static bool is_digest_len(size_t len)
{
    return crypto_hash_of_len(len) != CRYPTO_NO_HASH;
}

static bool take_document(const cJSON *json, struct journal_document *document)
{
    const char *digest = json_text(json, "digest");

    return digest &&
           hex_decode(digest, document->digest, sizeof(document->digest), &document->digest_len) ==
               SCA_OK &&
           is_digest_len(document->digest_len) &&
           take_text(json, "doc_id", document->doc_id, sizeof(document->doc_id)) &&
           document->doc_id[0];
}

static enum sca_status take_documents(const cJSON *json, struct journal_transaction *transaction)
{
    int count = cJSON_GetArraySize(json);
    if (count < 1 || count > JOURNAL_DOCUMENTS_MAX)
        return SCA_INVALID;
    transaction->documents = calloc((size_t)count, sizeof(*transaction->documents));
    if (!transaction->documents)
        return SCA_NOMEM;

    for (const cJSON *item = json->child; item; item = item->next)
        if (!take_document(item, &transaction->documents[transaction->document_count++]))
            return SCA_INVALID;
    return SCA_OK;
}

static bool take_submitter(const cJSON *json, struct journal_transaction *transaction)
{
    long pid = 0;
    long started = 0;

    if (!json_integer(json, "pid", &pid) || !json_integer(json, "pid_started", &started) ||
        started < 0)
        return false;
    transaction->pid = pid;
    transaction->pid_started = (uint64_t)started;
    return true;
}

static bool take_facts(const cJSON *json, struct journal_transaction *transaction)
{
    long begun_at = 0;

    if (!json_integer(json, "begun_at", &begun_at) || !take_submitter(json, transaction))
        return false;
    transaction->begun_at = transaction->taken_at = begun_at;
    (void)take_text(json, "confirm", transaction->confirm, sizeof(transaction->confirm));
    return take_text(json, "id", transaction->id, sizeof(transaction->id)) &&
           take_text(json, "url", transaction->url, sizeof(transaction->url)) &&
           take_text(json, "user_id", transaction->user_id, sizeof(transaction->user_id)) &&
           take_text(json, "serial", transaction->serial, sizeof(transaction->serial)) &&
           take_text(json, "description", transaction->description,
                     sizeof(transaction->description)) &&
           transaction->id[0];
}

enum sca_status ledger_record_read(const cJSON *json, struct journal_transaction *ret_transaction)
{
    struct journal_transaction transaction = {0};

    if (!take_facts(json, &transaction))
        return SCA_INVALID;
    enum sca_status st = take_documents(json_array(json, "documents"), &transaction);
    if (st != SCA_OK) {
        journal_transaction_fini(&transaction);
        return st;
    }
    *ret_transaction = transaction;
    return SCA_OK;
}

bool ledger_record_read_code(const cJSON *json, struct journal_transaction *transaction)
{
    return take_text(json, "tran_code", transaction->tran_code, sizeof(transaction->tran_code));
}

bool ledger_record_read_claim(const cJSON *json, struct journal_transaction *transaction)
{
    long taken_at = 0;

    if (!json_integer(json, "taken_at", &taken_at) || !take_submitter(json, transaction))
        return false;
    transaction->taken_at = taken_at;
    return true;
}

static bool add_submitter(cJSON *json, const struct journal_transaction *transaction)
{
    return cJSON_AddNumberToObject(json, "pid", (double)transaction->pid) &&
           cJSON_AddNumberToObject(json, "pid_started", (double)transaction->pid_started);
}

cJSON *ledger_record_new_claim(const struct journal_transaction *transaction)
{
    AUTO(json_deletep) cJSON *json = cJSON_CreateObject();
    bool is_whole = cJSON_AddStringToObject(json, "event", "claimed") &&
                    cJSON_AddStringToObject(json, "id", transaction->id) &&
                    add_submitter(json, transaction) &&
                    cJSON_AddNumberToObject(json, "taken_at", (double)transaction->taken_at);

    return is_whole ? TAKE(json) : NULL;
}

/* The statuses a transaction may end with, by what they are called in the file. */
static const struct {
    const char *name;
    enum sca_status status;
} endings[] = {
    {"rejected", SCA_REJECTED},
    {"expired", SCA_UNCONFIRMED},
    {"not_permitted", SCA_NOT_PERMITTED},
    {"exhausted", SCA_EXHAUSTED},
    {"service_auth", SCA_SERVICE_AUTH},
    {"user_auth", SCA_USER_AUTH},
    {"failed", SCA_PROTOCOL},
};

bool ledger_record_read_ended(const cJSON *json, struct journal_transaction *transaction)
{
    const char *status = json_text(json, "status");
    long at = 0;
    long until = 0;

    if (!status || !json_integer(json, "at", &at) || !json_integer(json, "until", &until))
        return false;
    transaction->ended_with = SCA_PROTOCOL;
    for (size_t i = 0; i < ARRAY_LEN(endings); i++)
        if (strcmp(endings[i].name, status) == 0)
            transaction->ended_with = endings[i].status;
    transaction->ended_at = at;
    transaction->kept_until = until;
    return true;
}

cJSON *ledger_record_new_ended(const struct journal_transaction *transaction)
{
    AUTO(json_deletep) cJSON *json = cJSON_CreateObject();
    const char *status = "failed";

    for (size_t i = 0; i < ARRAY_LEN(endings); i++)
        if (endings[i].status == transaction->ended_with)
            status = endings[i].name;
    bool is_whole = cJSON_AddStringToObject(json, "event", "ended") &&
                    cJSON_AddStringToObject(json, "id", transaction->id) &&
                    cJSON_AddStringToObject(json, "status", status) &&
                    cJSON_AddNumberToObject(json, "at", (double)transaction->ended_at) &&
                    cJSON_AddNumberToObject(json, "until", (double)transaction->kept_until);

    return is_whole ? TAKE(json) : NULL;
}

cJSON *ledger_record_new_collected(const struct journal_transaction *transaction)
{
    AUTO(json_deletep) cJSON *json = cJSON_CreateObject();
    bool is_whole = cJSON_AddStringToObject(json, "event", "collected") &&
                    cJSON_AddStringToObject(json, "id", transaction->id);
    cJSON *names = is_whole ? cJSON_AddArrayToObject(json, "doc_ids") : NULL;

    is_whole = names != NULL;
    for (size_t i = 0; is_whole && i < transaction->document_count; i++)
        if (transaction->documents[i].is_collected)
            is_whole =
                cJSON_AddItemToArray(names, cJSON_CreateString(transaction->documents[i].doc_id));
    return is_whole ? TAKE(json) : NULL;
}

static bool add_document(cJSON *array, const struct journal_document *document)
{
    char digest[2 * JOURNAL_DIGEST_MAX + 1];
    cJSON *item = cJSON_CreateObject();

    hex_encode(span_of(document->digest, document->digest_len), digest);
    if (!cJSON_AddItemToArray(array, item)) {
        cJSON_Delete(item);
        return false;
    }
    return cJSON_AddStringToObject(item, "digest", digest) &&
           cJSON_AddStringToObject(item, "doc_id", document->doc_id);
}

cJSON *ledger_record_new(const struct journal_transaction *transaction)
{
    AUTO(json_deletep) cJSON *json = cJSON_CreateObject();
    const char *event = transaction->state == JOURNAL_WANTED ? "want" : "begin";
    bool is_whole = cJSON_AddStringToObject(json, "event", event) &&
                    cJSON_AddStringToObject(json, "id", transaction->id) &&
                    cJSON_AddStringToObject(json, "url", transaction->url) &&
                    cJSON_AddStringToObject(json, "user_id", transaction->user_id) &&
                    cJSON_AddStringToObject(json, "serial", transaction->serial) &&
                    cJSON_AddStringToObject(json, "confirm", transaction->confirm) &&
                    cJSON_AddStringToObject(json, "description", transaction->description) &&
                    cJSON_AddNumberToObject(json, "begun_at", (double)transaction->begun_at) &&
                    add_submitter(json, transaction);
    cJSON *documents = is_whole ? cJSON_AddArrayToObject(json, "documents") : NULL;

    is_whole = documents != NULL;
    for (size_t i = 0; is_whole && i < transaction->document_count; i++)
        is_whole = add_document(documents, &transaction->documents[i]);
    return is_whole ? TAKE(json) : NULL;
}

bool ledger_is_writable(const struct journal_transaction *transaction)
{
    const char *const texts[] = {transaction->id, transaction->url, transaction->user_id,
                                 transaction->serial, transaction->description};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (!utf8_is_valid(span_text(texts[i])))
            return false;
    for (size_t i = 0; i < transaction->document_count; i++)
        if (!is_digest_len(transaction->documents[i].digest_len) ||
            !transaction->documents[i].doc_id[0] ||
            !utf8_is_valid(span_text(transaction->documents[i].doc_id)))
            return false;
    return transaction->id[0] && transaction->document_count >= 1 &&
           transaction->document_count <= JOURNAL_DOCUMENTS_MAX;
}
