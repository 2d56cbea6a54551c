/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/smartca/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "remote/base/crypto.h"
#include "remote/smartca/confirm.h"
#include "remote/smartca/service.h"

static bool copy_text(char *out, size_t size, const char *text)
{
    int len = snprintf(out, size, "%s", text);

    return len >= 0 && (size_t)len < size;
}

/* The control code; equal ones within a request get -2, -3 ... */
static void name_document(const struct journal_transaction *record, size_t index)
{
    struct journal_document *document = &record->documents[index];
    char code[CONFIRM_CODE_SIZE];
    size_t twin = 1;

    confirm_code(span_of(document->digest, document->digest_len), code);
    for (size_t i = 0; i < index; i++)
        twin += strncmp(record->documents[i].doc_id, code, CONFIRM_CODE_SIZE - 1) == 0;
    (void)snprintf(document->doc_id, sizeof(document->doc_id), twin == 1 ? "%s" : "%s-%zu", code,
                   twin);
}

struct journal_document *request_document(const struct journal_transaction *record,
                                          struct span digest, size_t start)
{
    for (size_t i = 0; i < record->document_count; i++) {
        struct journal_document *known = &record->documents[(start + i) % record->document_count];
        if (span_equal(span_of(known->digest, known->digest_len), digest))
            return known;
    }
    return NULL;
}

enum sca_status request_add_documents(struct journal_transaction *record,
                                      const struct journal_document *documents, size_t count)
{
    struct journal_document *room =
        reallocarray(record->documents, record->document_count + count, sizeof(*room));
    if (!room)
        return SCA_NOMEM;

    record->documents = room;
    for (size_t i = 0; i < count; i++) {
        struct span digest = span_of(documents[i].digest, documents[i].digest_len);
        if (request_document(record, digest, 0))
            continue;
        room[record->document_count] = documents[i];
        name_document(record, record->document_count);
        record->document_count++;
    }
    return SCA_OK;
}

void request_describe(struct journal_transaction *record)
{
    const struct journal_document *first = &record->documents[0];

    confirm_description(span_of(first->digest, first->digest_len), record->document_count,
                        record->description, sizeof(record->description));
}

static bool put_key(const struct account_config *account, const char *service_serial,
                    struct journal_transaction *record)
{
    return copy_text(record->url, sizeof(record->url), account->service.url) &&
           copy_text(record->user_id, sizeof(record->user_id), account->user_id) &&
           copy_text(record->serial, sizeof(record->serial), service_serial) &&
           copy_text(record->confirm, sizeof(record->confirm), confirm_names[account->confirm]);
}

enum sca_status request_key(const struct account_config *account, const char *service_serial,
                            struct journal_transaction *ret_key)
{
    struct journal_transaction key = {0};

    if (!put_key(account, service_serial, &key))
        return SCA_INVALID;
    *ret_key = key;
    return SCA_OK;
}

enum sca_status request_draft(const struct request_subject *subject, struct call *call,
                              struct journal_transaction *record)
{
    const struct account_config *account = subject->account;

    journal_transaction_fini(record);
    record->documents = calloc(subject->count, sizeof(*record->documents));
    if (!record->documents)
        return SCA_NOMEM;
    enum sca_status st = service_new_id(call, record->id);
    if (st != SCA_OK)
        return st;
    record->begun_at = call->clock->wall_s(call->clock);
    for (; record->document_count < subject->count; record->document_count++) {
        struct span digest = subject->documents[record->document_count].digest;
        struct journal_document *document = &record->documents[record->document_count];
        if (crypto_hash_of_len(digest.len) == CRYPTO_NO_HASH)
            return call_fail(call, SCA_INVALID, "a digest of %zu bytes", digest.len);
        memcpy(document->digest, digest.ptr, digest.len);
        document->digest_len = digest.len;
        name_document(record, record->document_count);
    }
    request_describe(record);
    return put_key(account, subject->service_serial, record)
               ? SCA_OK
               : call_fail(call, SCA_INVALID, "account %s: url, user_id or serial is too long",
                           account->name);
}

static void format_time(int64_t when, char out[static REQUEST_TIME_SIZE])
{
    time_t seconds = (time_t)when;
    struct tm utc = {0};

    if (!gmtime_r(&seconds, &utc) || strftime(out, REQUEST_TIME_SIZE, "%Y%m%d%H%M%SZ", &utc) == 0)
        out[0] = 0;
}

enum sca_status request_init(struct request *request, const struct journal_transaction *record)
{
    *request = (struct request){0};
    request->files = calloc(record->document_count, sizeof(*request->files));
    if (!request->files)
        return SCA_NOMEM;
    for (size_t i = 0; i < record->document_count; i++) {
        const struct journal_document *document = &record->documents[i];
        request->files[i].digest = span_of(document->digest, document->digest_len);
        request->files[i].doc_id = document->doc_id;
    }
    format_time(record->begun_at, request->time_stamp);
    request->body = (struct codec_sign_request){
        .transaction_id = record->id,
        .transaction_desc = record->description,
        .serial_number = record->serial,
        .time_stamp = request->time_stamp,
        .files = request->files,
        .file_count = record->document_count,
    };
    return SCA_OK;
}

void request_fini(struct request *request)
{
    free(request->files);
    *request = (struct request){0};
}
