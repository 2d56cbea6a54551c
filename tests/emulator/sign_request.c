/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/emulator/sign_request.h"

#include <stdio.h>
#include <string.h>

#include <openssl/x509.h>

#include "remote/base/cleanup.h"
#include "tests/emulator/field.h"
#include "tests/emulator/reply.h"
#include "tests/emulator/v1.h"

const char text_used_up[] = "Gói dịch vụ đã hết lượt ký";

static bool refuse(struct exchange *x, const char *message)
{
    x->entry.body_ok = false;
    reply_service(x, MHD_HTTP_BAD_REQUEST, message, NULL);
    return false;
}

/* The service's own examples write hashes in lower case only. */
static bool parse_hash(const struct exchange *x, const char *hex, struct document *document)
{
    size_t len = strlen(hex);
    bool is_known = len == 64 || len == 96 || len == 128 || (len == 40 && x->behaviour.allows_sha1);
    return is_known && strspn(hex, "0123456789abcdef") == len &&
           hex_decode(hex, document->hash, sizeof(document->hash), &document->hash_len) == SCA_OK;
}

static bool parse_document(struct exchange *x, const cJSON *item, struct document *document)
{
    static const char *const required[] = {"data_to_be_signed", "doc_id", "file_type", "sign_type"};
    if (!cJSON_IsObject(item))
        return refuse(x, "BAD_REQUEST: sign_files holds something that is no object");
    if (!v1_has_fields(x, item, required, ARRAY_LEN(required)))
        return false;
    if (strcmp(field_text(item, "sign_type"), "hash") != 0)
        return refuse(x, "BAD_REQUEST: sign_type is not supported");
    if (!parse_hash(x, field_text(item, "data_to_be_signed"), document))
        return refuse(x, "BAD_REQUEST: data_to_be_signed is not the lower-case hex of a hash");
    const char *doc_id = field_text(item, "doc_id");
    if (strlen(doc_id) > DOCUMENT_ID_MAX)
        return refuse(x, "BAD_REQUEST: doc_id is too long");
    (void)snprintf(document->doc_id, sizeof(document->doc_id), "%s", doc_id);
    return true;
}

static bool is_repeated(const struct document *documents, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(documents[i].doc_id, documents[index].doc_id) == 0)
            return true;
    return false;
}

static bool parse_documents(struct exchange *x, const cJSON *files, struct transaction *transaction)
{
    size_t i = 0;
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, files)
    {
        if (!parse_document(x, item, &transaction->documents[i]))
            return false;
        if (is_repeated(transaction->documents, i))
            return refuse(x, "BAD_REQUEST: doc_id is not unique");
        i++;
    }
    return true;
}

/* Optional members may be absent or null, but not of another type. */
static bool has_good_options(struct exchange *x, const cJSON *json)
{
    static const char *const names[] = {"transaction_desc", "serial_number", "time_stamp"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, names[i]);
        if (item && !cJSON_IsString(item) && !cJSON_IsNull(item))
            return refuse(x, "BAD_REQUEST: an optional member is not a string");
    }
    const char *description = field_text(json, "transaction_desc");
    if (description && strlen(description) > TRANSACTION_TEXT_MAX)
        return refuse(x, "BAD_REQUEST: transaction_desc is too long");
    const char *serial = field_text(json, "serial_number");
    if (x->behaviour.needs_serial && (!serial || serial[0] == '\0'))
        return refuse(x, "BAD_REQUEST: serial_number is required");
    return true;
}

static size_t count_files(struct exchange *x, const cJSON *files)
{
    int count = cJSON_IsArray(files) ? cJSON_GetArraySize(files) : 0;
    if (count == 0)
        (void)refuse(x, "BAD_REQUEST: sign_files is required");
    else if (count > x->behaviour.documents_max)
        (void)refuse(x, "BAD_REQUEST: too many sign_files");
    else
        return (size_t)count;
    return 0;
}

struct transaction *sign_request_parse(struct exchange *x, const cJSON *json)
{
    const char *id = field_text(json, "transaction_id");
    const char *description = field_text(json, "transaction_desc");
    const cJSON *files = cJSON_GetObjectItemCaseSensitive(json, "sign_files");
    size_t count = has_good_options(x, json) ? count_files(x, files) : 0;
    if (count == 0)
        return NULL;
    if (strlen(id) > TRANSACTION_ID_MAX || strchr(id, '/')) {
        (void)refuse(x, "BAD_REQUEST: transaction_id is too long, or holds a slash");
        return NULL;
    }
    struct transaction *transaction = transaction_new(count);
    if (!transaction) {
        reply_service(x, MHD_HTTP_INTERNAL_SERVER_ERROR, "SERVAR_INTERNAL_ERROR", NULL);
        return NULL;
    }
    if (!parse_documents(x, files, transaction)) {
        transaction_unref(transaction);
        return NULL;
    }
    (void)snprintf(transaction->id, sizeof(transaction->id), "%s", id);
    (void)snprintf(transaction->description, sizeof(transaction->description), "%s",
                   description ? description : "");
    return transaction;
}

static bool is_in_time(const struct certificate *certificate)
{
    return X509_cmp_current_time(X509_get0_notBefore(certificate->x509)) < 0 &&
           X509_cmp_current_time(X509_get0_notAfter(certificate->x509)) > 0;
}

struct refusal sign_request_permit(const struct certificate *certificate)
{
    if (!certificate)
        return (struct refusal){MHD_HTTP_FORBIDDEN,
                                "CREDENTIAL_STATUS_INVALID: no such certificate of this user"};
    if (certificate->state != CERTIFICATE_ACTIVE || !is_in_time(certificate))
        return (struct refusal){MHD_HTTP_FORBIDDEN, "CREDENTIAL_STATUS_INVALID"};
    if (certificate->is_used_up)
        return (struct refusal){CODE_USED_UP, text_used_up};
    return (struct refusal){0, NULL};
}

void sign_request_push(struct exchange *x, struct user *user, struct transaction *transaction)
{
    transaction->rule = phone_next(&user->phone, x->emulator->rule);
    transaction->pushes++;
    x->emulator->pushes++;
}

cJSON *sign_request_data(struct exchange *x, struct transaction *transaction)
{
    char other[UUID_LEN + 1];
    const char *shown = transaction->id;
    cJSON *data = cJSON_CreateObject();
    uuid_make(other);
    if (exchange_falsify(x) != FAULT_NONE)
        shown = other;
    else if (x->behaviour.reply_id == REPLY_ID_OTHER)
        shown = transaction->other_id;
    (void)cJSON_AddStringToObject(data, "transaction_id", shown);
    (void)cJSON_AddStringToObject(data, "tran_code", transaction->tran_code);
    return data;
}
