/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/smartca/ledger.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"
#include "remote/smartca/json.h"
#include "remote/smartca/ledger_record.h"

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

void journal_transaction_move(struct journal_transaction *from, struct journal_transaction *to)
{
    *to = *from;
    from->documents = NULL;
    from->document_count = 0;
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

void ledger_collect(struct journal_transaction *transaction, const char *doc_id)
{
    for (size_t i = 0; i < transaction->document_count; i++)
        if (strcmp(transaction->documents[i].doc_id, doc_id) == 0)
            transaction->documents[i].is_collected = true;
}

bool ledger_is_collected(const struct journal_transaction *transaction)
{
    for (size_t i = 0; i < transaction->document_count; i++)
        if (!transaction->documents[i].is_collected)
            return false;
    return true;
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

static enum sca_status add_record(struct ledger *ledger, const cJSON *json,
                                  enum journal_state state)
{
    struct journal_transaction transaction = {0};

    if (ledger_find(ledger, json_text(json, "id")))
        return SCA_INVALID;
    enum sca_status st = ledger_record_read(json, &transaction);
    transaction.state = state;
    return st == SCA_OK ? ledger_add(ledger, &transaction) : st;
}

static enum sca_status apply_begin(struct ledger *ledger, const cJSON *json)
{
    return add_record(ledger, json, JOURNAL_SUBMITTING);
}

static enum sca_status apply_want(struct ledger *ledger, const cJSON *json)
{
    return add_record(ledger, json, JOURNAL_WANTED);
}

static enum sca_status apply_submitted(struct ledger *ledger, const cJSON *json)
{
    struct journal_transaction *item = ledger_find(ledger, json_text(json, "id"));

    if (!item || !ledger_record_read_code(json, item))
        return SCA_INVALID;
    item->state = JOURNAL_SUBMITTED;
    return SCA_OK;
}

static enum sca_status apply_claimed(struct ledger *ledger, const cJSON *json)
{
    struct journal_transaction *item = ledger_find(ledger, json_text(json, "id"));

    if (!item || !ledger_record_read_claim(json, item))
        return SCA_INVALID;
    item->is_parked = false;
    return SCA_OK;
}

static enum sca_status apply_parked(struct ledger *ledger, const cJSON *json)
{
    struct journal_transaction *item = ledger_find(ledger, json_text(json, "id"));

    if (item)
        item->is_parked = true;
    return SCA_OK;
}

static enum sca_status apply_signed(struct ledger *ledger, const cJSON *json)
{
    struct journal_transaction *item = ledger_find(ledger, json_text(json, "id"));

    if (item)
        item->is_signed = true;
    return SCA_OK;
}

static enum sca_status apply_collected(struct ledger *ledger, const cJSON *json)
{
    struct journal_transaction *item = ledger_find(ledger, json_text(json, "id"));

    const cJSON *names = item ? json_array(json, "doc_ids") : NULL;

    for (const cJSON *name = names ? names->child : NULL; name; name = name->next)
        if (cJSON_IsString(name))
            ledger_collect(item, name->valuestring);
    return SCA_OK;
}

static enum sca_status apply_ended(struct ledger *ledger, const cJSON *json)
{
    struct journal_transaction *item = ledger_find(ledger, json_text(json, "id"));

    if (!item || !ledger_record_read_ended(json, item))
        return SCA_INVALID;
    item->state = JOURNAL_ENDED;
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
    {"begin", apply_begin},     {"submitted", apply_submitted},
    {"claimed", apply_claimed}, {"left", apply_left},
    {"end", apply_end},         {"want", apply_want},
    {"parked", apply_parked},   {"collected", apply_collected},
    {"ended", apply_ended},     {"signed", apply_signed},
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
    if (!checksum(text, expected))
        return SCA_NOMEM; /* a transaction that is skipped would be asked for again */
    if (memcmp(expected, line.ptr, CHECKSUM_LEN) != 0)
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

enum sca_status ledger_write_transaction(const struct journal_transaction *transaction,
                                         struct buf *lines)
{
    AUTO(json_deletep) cJSON *json = ledger_record_new(transaction);
    enum sca_status st = json ? write_line(json, lines) : SCA_NOMEM;

    if (st == SCA_OK && transaction->state == JOURNAL_SUBMITTED)
        st = ledger_write_event("submitted", transaction->id, transaction->tran_code, lines);
    if (st == SCA_OK && transaction->is_parked)
        st = ledger_write_event("parked", transaction->id, NULL, lines);
    if (st == SCA_OK && transaction->is_signed)
        st = ledger_write_event("signed", transaction->id, NULL, lines);
    if (st == SCA_OK && transaction->state == JOURNAL_ENDED)
        st = ledger_write_ended(transaction, lines);
    return st == SCA_OK ? ledger_write_collected(transaction, lines) : st;
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

enum sca_status ledger_write_claim(const struct journal_transaction *transaction, struct buf *lines)
{
    AUTO(json_deletep) cJSON *json = ledger_record_new_claim(transaction);

    return json ? write_line(json, lines) : SCA_NOMEM;
}

enum sca_status ledger_write_ended(const struct journal_transaction *transaction, struct buf *lines)
{
    AUTO(json_deletep) cJSON *json = ledger_record_new_ended(transaction);

    return json ? write_line(json, lines) : SCA_NOMEM;
}

enum sca_status ledger_write_collected(const struct journal_transaction *transaction,
                                       struct buf *lines)
{
    bool is_any = false;

    for (size_t i = 0; i < transaction->document_count; i++)
        is_any = is_any || transaction->documents[i].is_collected;
    if (!is_any)
        return SCA_OK;
    AUTO(json_deletep) cJSON *json = ledger_record_new_collected(transaction);
    return json ? write_line(json, lines) : SCA_NOMEM;
}
