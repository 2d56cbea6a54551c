/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/emulator/behaviour.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "remote/base/cleanup.h"

enum kind { FLAG, NUMBER, SIGNED, CHOICE, TEXT };

enum { NUMBER_MAX = 1000000 };

struct row {
    const char *name;
    enum kind kind;
    size_t offset;
    const char *choices; /* CHOICE: the names in the order of the enum, divided by '|' */
    const char *standard;
};

#define ROW(the_kind, the_name, field, the_choices, value)                                         \
    {                                                                                              \
        .name = (the_name), .kind = (the_kind), .offset = offsetof(struct behaviour, field),       \
        .choices = (the_choices), .standard = (value)                                              \
    }

static const struct row rows[] = {
    ROW(CHOICE, "errors", errors, "both|http|body", "both"),
    ROW(CHOICE, "status_id", status_id, "both|transaction_id|tran_code", "both"),
    ROW(CHOICE, "waiting_signatures", waiting_list, "null|absent|empty", "null"),
    ROW(CHOICE, "signature_form", signature_form, "list|direct", "list"),
    ROW(CHOICE, "signature_type", signature_type, "pkcs1|cms", "pkcs1"),
    ROW(CHOICE, "signature_base64", signature_base64, "plain|crlf|spaces", "plain"),
    ROW(CHOICE, "cert_base64", certificate_base64, "plain|crlf|spaces|pem", "plain"),
    ROW(CHOICE, "reply_transaction_id", reply_id, "same|other", "same"),
    ROW(CHOICE, "otp_reuse", otp_reuse, "refuse|allow", "refuse"),
    ROW(CHOICE, "v2_exists", exists_v2, "error|sad", "error"),
    ROW(CHOICE, "confirm_again", confirm_again, "same|error", "same"),
    ROW(CHOICE, "unknown_user", unknown_user, "error|empty", "error"),
    ROW(CHOICE, "econtract_errors", econtract_errors, "body|http", "body"),
    ROW(FLAG, "single_doc_id", has_doc_id_when_single, NULL, "true"),
    ROW(FLAG, "expired_in_sign", has_expired_in_sign, NULL, "false"),
    ROW(FLAG, "expired_in_status", has_expired_in_status, NULL, "false"),
    ROW(FLAG, "cert_status_code", has_cert_status_code, NULL, "true"),
    ROW(FLAG, "root_cert", has_root_cert, NULL, "true"),
    ROW(FLAG, "reduced_certificate", is_certificate_reduced, NULL, "false"),
    ROW(FLAG, "waiting_409", is_waiting_409, NULL, "false"),
    ROW(FLAG, "uppercase_messages", is_uppercase, NULL, "false"),
    ROW(FLAG, "serial_required", needs_serial, NULL, "false"),
    ROW(FLAG, "status_credentials", needs_status_credentials, NULL, "false"),
    ROW(FLAG, "allow_sha1", allows_sha1, NULL, "false"),
    ROW(FLAG, "used_up_refuses_list", refuses_list_when_used_up, NULL, "false"),
    ROW(FLAG, "v2_no_sad", is_v2_without_sad, NULL, "false"),
    ROW(FLAG, "econtract_otp", needs_econtract_otp, NULL, "false"),
    ROW(NUMBER, "success_code", code_success, NULL, "200"),
    ROW(NUMBER, "exists_code", code_exists, NULL, "400"),
    ROW(NUMBER, "unknown_code", code_unknown, NULL, "404"),
    ROW(NUMBER, "rejected_code", code_rejected, NULL, "200"),
    ROW(NUMBER, "expired_code", code_expired, NULL, "200"),
    ROW(NUMBER, "failed_code", code_failed, NULL, "500"),
    ROW(NUMBER, "otp_wrong_code", code_otp_wrong, NULL, "1003"),
    ROW(NUMBER, "sad_lifetime_s", sad_lifetime_s, NULL, "299"),
    ROW(NUMBER, "otp_steps", otp_steps, NULL, "1"),
    ROW(SIGNED, "otp_offset_s", otp_offset_s, NULL, "0"),
    ROW(NUMBER, "econtract_token_s", econtract_token_s, NULL, "86400"),
    ROW(NUMBER, "lifetime_s", lifetime_s, NULL, "300"),
    ROW(NUMBER, "documents_max", documents_max, NULL, "50"),
    ROW(TEXT, "certificates_message", text_certificates, NULL, "Success"),
    ROW(TEXT, "sign_message", text_sign, NULL, "sig_wait_for_user_confirm"),
    ROW(TEXT, "waiting_message", text_waiting, NULL, "sig_wait_for_user_confirm"),
    ROW(TEXT, "signed_message", text_signed, NULL, "SUCCESS"),
    ROW(TEXT, "confirm_message", text_confirmed, NULL, "Success"),
    ROW(TEXT, "rejected_message", text_rejected, NULL, "REJECTED"),
    ROW(TEXT, "expired_message", text_expired, NULL, "EXPIRED"),
    ROW(TEXT, "failed_message", text_failed, NULL, "FAILED"),
    ROW(TEXT, "exists_message", text_exists, NULL, "Transaction exist"),
    ROW(TEXT, "unknown_message", text_unknown, NULL, "Transaction not found"),
    ROW(TEXT, "retry_after", retry_after, NULL, ""),
};

static int *number_of(struct behaviour *behaviour, const struct row *row)
{
    return (int *)(void *)((char *)behaviour + row->offset);
}

static char *text_of(struct behaviour *behaviour, const struct row *row)
{
    return (char *)behaviour + row->offset;
}

/* Index of value among names divided by '|'; -1 if it is none of them. */
static int choice_index(const char *choices, const char *value)
{
    size_t len = strlen(value);
    for (int i = 0;; i++) {
        size_t width = strcspn(choices, "|");
        if (width == len && strncmp(choices, value, len) == 0)
            return i;
        if (choices[width] == '\0')
            return -1;
        choices += width + 1;
    }
}

static enum sca_status set_number(int *out, const char *value, long min)
{
    char *end = NULL;
    errno = 0;
    long number = strtol(value, &end, 10);
    if (errno != 0 || end == value || *end != '\0' || number < min || number > NUMBER_MAX)
        return SCA_INVALID;
    *out = (int)number;
    return SCA_OK;
}

static enum sca_status set_choice(int *out, const char *choices, const char *value)
{
    int index = choice_index(choices, value);
    if (index < 0)
        return SCA_INVALID;
    *out = index;
    return SCA_OK;
}

static enum sca_status set_text(char *out, const char *value)
{
    if (strlen(value) >= BEHAVIOUR_TEXT_MAX)
        return SCA_INVALID;
    memcpy(out, value, strlen(value) + 1);
    return SCA_OK;
}

static enum sca_status set_row(struct behaviour *behaviour, const struct row *row,
                               const char *value)
{
    switch (row->kind) {
    case FLAG:
        return set_choice(number_of(behaviour, row), "false|true", value);
    case NUMBER:
        return set_number(number_of(behaviour, row), value, 0);
    case SIGNED:
        return set_number(number_of(behaviour, row), value, -NUMBER_MAX);
    case CHOICE:
        return set_choice(number_of(behaviour, row), row->choices, value);
    case TEXT:
        return set_text(text_of(behaviour, row), value);
    }
    return SCA_INVALID;
}

int64_t behaviour_now(const struct behaviour *behaviour)
{
    return (int64_t)time(NULL) + behaviour->otp_offset_s;
}

void behaviour_init(struct behaviour *behaviour)
{
    memset(behaviour, 0, sizeof(*behaviour));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        (void)set_row(behaviour, &rows[i], rows[i].standard); /* the table's own values */
}

enum sca_status behaviour_set(struct behaviour *behaviour, const char *name, const char *value)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (strcmp(rows[i].name, name) == 0)
            return set_row(behaviour, &rows[i], value);
    return SCA_NOT_FOUND;
}

enum sca_status behaviour_set_json(struct behaviour *behaviour, const cJSON *item)
{
    char number[32];
    if (cJSON_IsBool(item))
        return behaviour_set(behaviour, item->string, cJSON_IsTrue(item) ? "true" : "false");
    if (cJSON_IsString(item))
        return behaviour_set(behaviour, item->string, item->valuestring);
    if (!cJSON_IsNumber(item))
        return SCA_INVALID;
    (void)snprintf(number, sizeof(number), "%.0f", item->valuedouble);
    return behaviour_set(behaviour, item->string, number);
}

static cJSON *choice_json(const char *choices, int index)
{
    char name[64];
    for (; index > 0; index--)
        choices += strcspn(choices, "|") + 1;
    (void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(choices, "|"), choices);
    return cJSON_CreateString(name);
}

static cJSON *row_json(const struct behaviour *behaviour, const struct row *row)
{
    struct behaviour copy = *behaviour;
    int number = row->kind == TEXT ? 0 : *number_of(&copy, row);
    switch (row->kind) {
    case FLAG:
        return cJSON_CreateBool(number);
    case NUMBER:
    case SIGNED:
        return cJSON_CreateNumber(number);
    case CHOICE:
        return choice_json(row->choices, number);
    case TEXT:
        return cJSON_CreateString(text_of(&copy, row));
    }
    return NULL;
}

cJSON *behaviour_json(const struct behaviour *behaviour)
{
    cJSON *object = cJSON_CreateObject();
    for (size_t i = 0; object && i < ARRAY_LEN(rows); i++)
        (void)cJSON_AddItemToObject(object, rows[i].name, row_json(behaviour, &rows[i]));
    return object;
}
