/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/smartca/ledger.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"
#include "remote/smartca/json.h"

enum {
    CHECKSUM_BYTES = 8,
    CHECKSUM_LEN = 2 * CHECKSUM_BYTES,
    JSON_AT = CHECKSUM_LEN + 1,
};

void journal_transaction_fini(struct journal_transaction *transaction)
{
    free(transaction->documents);
    *transaction = (struct journal_transaction){0};
}

void ledger_fini(struct ledger *ledger)
{
    for (size_t i = 0; i < ledger->count; i++)
        journal_transaction_fini(&ledger->items[i]);
    free(ledger->items);
    *ledger = (struct ledger){0};
}

/* As write_line puts it: the id follows the event, whose name has nothing to quote. */
static bool line_is_about(struct span line, struct span id)
{
    static const char key[] = "\",\"id\":\"";
    const uint8_t *at = memmem(line.ptr, line.len, key, sizeof(key) - 1);
    size_t left = at ? line.len - (size_t)(at - line.ptr) - (sizeof(key) - 1) : 0;

    return left > id.len && memcmp(at + sizeof(key) - 1, id.ptr, id.len) == 0 &&
           at[sizeof(key) - 1 + id.len] == '"';
}

bool ledger_is_only(struct span lines, const char *id)
{
    while (lines.len > 0) {
        const uint8_t *end = memchr(lines.ptr, '\n', lines.len);
        size_t len = end ? (size_t)(end - lines.ptr) : lines.len;
        if (len > 0 && !line_is_about(span_of(lines.ptr, len), span_text(id)))
            return false;
        len += end ? 1 : 0;
        lines = span_of(lines.ptr + len, lines.len - len);
    }
    return true;
}

struct journal_transaction *ledger_find(const struct ledger *ledger, const char *id)
{
    for (size_t i = 0; i < ledger->count; i++)
        if (strcmp(ledger->items[i].id, id) == 0)
            return &ledger->items[i];
    return NULL;
}

void ledger_remove(struct ledger *ledger, struct journal_transaction *item)
{
    size_t index = (size_t)(item - ledger->items);

    journal_transaction_fini(item);
    ledger->count--;
    memmove(item, item + 1, (ledger->count - index) * sizeof(*item));
}

/* Moves *transaction into the ledger; it is empty afterwards, also on failure. */
static enum sca_status ledger_add(struct ledger *ledger, struct journal_transaction *transaction)
{
    if (ledger->count == ledger->room) {
        size_t room = ledger->room ? 2 * ledger->room : 4;
        struct journal_transaction *items = realloc(ledger->items, room * sizeof(*items));
        if (!items) {
            journal_transaction_fini(transaction);
            return SCA_NOMEM;
        }
        ledger->items = items;
        ledger->room = room;
    }
    ledger->items[ledger->count++] = *transaction;
    *transaction = (struct journal_transaction){0};
    return SCA_OK;
}

static bool checksum(struct span json, char out[static CHECKSUM_LEN + 1])
{
    uint8_t hash[EVP_MAX_MD_SIZE];

    if (EVP_Digest(json.ptr, json.len, hash, NULL, crypto_md(CRYPTO_SHA256), NULL) != 1)
        return false;
    hex_encode(span_of(hash, CHECKSUM_BYTES), out);
    return true;
}

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

static bool take_facts(const cJSON *json, struct journal_transaction *transaction)
{
    long begun_at = 0;
    long started = 0;

    if (!json_integer(json, "begun_at", &begun_at) ||
        !json_integer(json, "pid", &transaction->pid) ||
        !json_integer(json, "pid_started", &started) || started < 0)
        return false;
    transaction->begun_at = begun_at;
    transaction->pid_started = (uint64_t)started;
    return take_text(json, "id", transaction->id, sizeof(transaction->id)) &&
           take_text(json, "url", transaction->url, sizeof(transaction->url)) &&
           take_text(json, "user_id", transaction->user_id, sizeof(transaction->user_id)) &&
           take_text(json, "serial", transaction->serial, sizeof(transaction->serial)) &&
           take_text(json, "description", transaction->description,
                     sizeof(transaction->description)) &&
           transaction->id[0];
}

static enum sca_status apply_begin(struct ledger *ledger, const cJSON *json)
{
    struct journal_transaction transaction = {0};

    if (!take_facts(json, &transaction) || ledger_find(ledger, transaction.id))
        return SCA_INVALID;
    enum sca_status st = take_documents(json_array(json, "documents"), &transaction);
    if (st != SCA_OK) {
        journal_transaction_fini(&transaction);
        return st;
    }
    return ledger_add(ledger, &transaction);
}

static enum sca_status apply_submitted(struct ledger *ledger, const cJSON *json)
{
    struct journal_transaction *item = ledger_find(ledger, json_text(json, "id"));

    if (!item || !take_text(json, "tran_code", item->tran_code, sizeof(item->tran_code)))
        return SCA_INVALID;
    item->state = JOURNAL_SUBMITTED;
    return SCA_OK;
}

static enum sca_status apply_left(struct ledger *ledger, const cJSON *json)
{
    struct journal_transaction *item = ledger_find(ledger, json_text(json, "id"));

    if (item)
        item->pid = 0;
    return SCA_OK;
}

static enum sca_status apply_end(struct ledger *ledger, const cJSON *json)
{
    struct journal_transaction *item = ledger_find(ledger, json_text(json, "id"));

    if (item)
        ledger_remove(ledger, item);
    return SCA_OK;
}

static const struct {
    const char *event;
    enum sca_status (*apply)(struct ledger *ledger, const cJSON *json);
} events[] = {
    {"begin", apply_begin},
    {"submitted", apply_submitted},
    {"left", apply_left},
    {"end", apply_end},
};

/* line.ptr[line.len] is 0. SCA_INVALID for a line that is to be skipped. */
static enum sca_status apply_line(struct ledger *ledger, struct span line)
{
    char expected[CHECKSUM_LEN + 1];
    AUTO(json_deletep) cJSON *json = NULL;
    const char *why = NULL;

    if (line.len <= JSON_AT || line.ptr[CHECKSUM_LEN] != ' ')
        return SCA_INVALID;
    struct span text = span_of(line.ptr + JSON_AT, line.len - JSON_AT);
    if (!checksum(text, expected) || memcmp(expected, line.ptr, CHECKSUM_LEN) != 0)
        return SCA_INVALID;
    enum sca_status st = json_parse(text, &json, &why);
    if (st != SCA_OK)
        return st;

    const char *event = json_text(json, "event");
    for (size_t i = 0; event && json_text(json, "id") && i < ARRAY_LEN(events); i++)
        if (strcmp(event, events[i].event) == 0)
            return events[i].apply(ledger, json);
    return SCA_INVALID;
}

enum sca_status ledger_read(struct ledger *ledger, struct buf *lines)
{
    uint8_t *at = lines->ptr;
    size_t left = lines->len;

    while (left > 0) {
        uint8_t *end = memchr(at, '\n', left);
        size_t len = end ? (size_t)(end - at) : left;
        at[len] = 0; /* what json_parse asks for; struct buf has room for the last one's */
        if (apply_line(ledger, span_of(at, len)) == SCA_NOMEM)
            return SCA_NOMEM;
        left -= end ? len + 1 : len;
        at += end ? len + 1 : len;
    }
    return SCA_OK;
}

static enum sca_status write_line(const cJSON *json, struct buf *lines)
{
    char sum[CHECKSUM_LEN + 1];
    char *text = cJSON_PrintUnformatted(json);

    enum sca_status st = text && checksum(span_text(text), sum) ? SCA_OK : SCA_NOMEM;
    if (st == SCA_OK)
        st = buf_append(lines, span_text(sum));
    if (st == SCA_OK)
        st = buf_append(lines, span_text(" "));
    if (st == SCA_OK)
        st = buf_append(lines, span_text(text));
    if (st == SCA_OK)
        st = buf_append(lines, span_text("\n"));
    cJSON_free(text);
    return st;
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

static cJSON *describe(const struct journal_transaction *transaction)
{
    AUTO(json_deletep) cJSON *json = cJSON_CreateObject();
    bool is_whole = cJSON_AddStringToObject(json, "event", "begin") &&
                    cJSON_AddStringToObject(json, "id", transaction->id) &&
                    cJSON_AddStringToObject(json, "url", transaction->url) &&
                    cJSON_AddStringToObject(json, "user_id", transaction->user_id) &&
                    cJSON_AddStringToObject(json, "serial", transaction->serial) &&
                    cJSON_AddStringToObject(json, "description", transaction->description) &&
                    cJSON_AddNumberToObject(json, "begun_at", (double)transaction->begun_at) &&
                    cJSON_AddNumberToObject(json, "pid", (double)transaction->pid) &&
                    cJSON_AddNumberToObject(json, "pid_started", (double)transaction->pid_started);
    cJSON *documents = is_whole ? cJSON_AddArrayToObject(json, "documents") : NULL;

    is_whole = documents != NULL;
    for (size_t i = 0; is_whole && i < transaction->document_count; i++)
        is_whole = add_document(documents, &transaction->documents[i]);
    return is_whole ? TAKE(json) : NULL;
}

enum sca_status ledger_write_transaction(const struct journal_transaction *transaction,
                                         struct buf *lines)
{
    AUTO(json_deletep) cJSON *json = describe(transaction);
    enum sca_status st = json ? write_line(json, lines) : SCA_NOMEM;

    if (st == SCA_OK && transaction->state == JOURNAL_SUBMITTED)
        st = ledger_write_event("submitted", transaction->id, transaction->tran_code, lines);
    return st;
}

enum sca_status ledger_write_event(const char *event, const char *id, const char *tran_code,
                                   struct buf *lines)
{
    AUTO(json_deletep) cJSON *json = cJSON_CreateObject();

    if (!cJSON_AddStringToObject(json, "event", event) || !cJSON_AddStringToObject(json, "id", id))
        return SCA_NOMEM;
    if (tran_code && !cJSON_AddStringToObject(json, "tran_code", tran_code))
        return SCA_NOMEM;
    return write_line(json, lines);
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
