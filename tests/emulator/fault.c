/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/emulator/fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "tests/emulator/field.h"

enum { QUEUE_MAX = 10000, DEEP_LEVELS = 100000, HUGE_BYTES = 100 * 1024 * 1024 };

/* The first name of a kind is the one shown. */
static const struct kind_row {
    const char *name;
    enum fault_kind kind;
    bool is_processed; /* unless the fault says otherwise */
} kinds[] = {
    {"delay", FAULT_DELAY, true},
    {"delay_ms", FAULT_DELAY, true},
    {"reset_before", FAULT_RESET_BEFORE, false},
    {"drop_reply", FAULT_DROP_REPLY, true},
    {"hang", FAULT_HANG, false},
    {"status", FAULT_STATUS, false},
    {"body_text", FAULT_BODY_TEXT, false},
    {"trickle", FAULT_TRICKLE, true},
    {"huge", FAULT_HUGE, true},
    {"deep_json", FAULT_DEEP_JSON, true},
    {"invalid_utf8", FAULT_INVALID_UTF8, true},
    {"bad_json", FAULT_BAD_JSON, true},
    {"truncated", FAULT_TRUNCATED, true},
    {"short_length", FAULT_SHORT_LENGTH, true},
    {"long_length", FAULT_LONG_LENGTH, true},
    {"gzip", FAULT_GZIP, true},
    {"redirect", FAULT_REDIRECT, false},
    {"wrong_id", FAULT_WRONG_ID, true},
    {"swap", FAULT_SWAP, true},
    {"swap_one", FAULT_SWAP_ONE, true},
    {"other_hash", FAULT_OTHER_HASH, true},
    {"other_key", FAULT_OTHER_KEY, true},
    {"missing_signature", FAULT_MISSING_SIGNATURE, true},
    {"missing_one", FAULT_MISSING_ONE, true},
    {"replay", FAULT_REPLAY, true},
    {"duplicate", FAULT_DUPLICATE, true},
    {"unknown_document", FAULT_UNKNOWN_DOCUMENT, true},
};

static const char *const endpoint_names[ENDPOINT_COUNT] = {
    [ENDPOINT_ANY] = "any",
    [ENDPOINT_CERTIFICATES] = "get_certificate",
    [ENDPOINT_SIGN] = "sign",
    [ENDPOINT_STATUS] = "status",
    [ENDPOINT_SIGN2] = "sign2",
    [ENDPOINT_CONFIRM] = "confirm",
    [ENDPOINT_ECONTRACT] = "econtract",
    [ENDPOINT_CONTROL] = "control",
    [ENDPOINT_NONE] = "none",
};

const char *fault_name(enum fault_kind kind)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (kinds[i].kind == kind)
            return kinds[i].name;
    return "none";
}

const char *endpoint_name(enum endpoint endpoint)
{
    return endpoint_names[endpoint];
}

static enum fault_stage stage_of(enum fault_kind kind)
{
    return kind >= FAULT_WRONG_ID ? FAULT_AT_ANSWER : FAULT_AT_ARRIVAL;
}

static bool parse_kind(const char *name, struct fault *fault)
{
    for (size_t i = 0; name && i < ARRAY_LEN(kinds); i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            fault->kind = kinds[i].kind;
            fault->is_processed = kinds[i].is_processed;
            return true;
        }
    }
    return false;
}

static bool parse_endpoint(const char *name, struct fault *fault)
{
    for (size_t i = ENDPOINT_ANY; name && i < ENDPOINT_CONTROL; i++) {
        if (strcmp(endpoint_names[i], name) == 0) {
            fault->endpoint = (enum endpoint)i;
            return true;
        }
    }
    return !name;
}

static bool is_signed_answer(enum endpoint endpoint)
{
    return endpoint == ENDPOINT_STATUS || endpoint == ENDPOINT_CONFIRM;
}

/* What falsifies signatures belongs to the answers that have some; an id is in others, too. */
static bool fits_endpoint(const struct fault *fault)
{
    bool has_id = fault->endpoint == ENDPOINT_SIGN || fault->endpoint == ENDPOINT_SIGN2;
    return stage_of(fault->kind) == FAULT_AT_ARRIVAL || fault->endpoint == ENDPOINT_ANY ||
           is_signed_answer(fault->endpoint) || (has_id && fault->kind == FAULT_WRONG_ID);
}

/* "any" means any endpoint that can have this fault. */
static bool is_meant(const struct fault *fault, enum endpoint endpoint)
{
    if (fault->endpoint != ENDPOINT_ANY)
        return fault->endpoint == endpoint;
    return stage_of(fault->kind) == FAULT_AT_ARRIVAL || is_signed_answer(endpoint);
}

static bool parse_numbers(const cJSON *json, struct fault *fault)
{
    return field_unsigned(json, "count", &fault->count) == SCA_OK &&
           field_unsigned(json, "skip", &fault->skip) == SCA_OK &&
           field_unsigned(json, "delay_ms", &fault->delay_ms) == SCA_OK &&
           field_unsigned(json, "status", &fault->status) == SCA_OK &&
           field_unsigned(json, "size", &fault->size) == SCA_OK &&
           field_unsigned(json, "every_ms", &fault->every_ms) == SCA_OK &&
           field_int(json, "code", &fault->code) == SCA_OK &&
           field_bool(json, "processed", &fault->is_processed) == SCA_OK && fault->count > 0 &&
           fault->status >= 100 && fault->status <= 99999;
}

/* "body": text, or false for an answer without one. */
static bool parse_body(const cJSON *json, struct fault *fault)
{
    const cJSON *body = cJSON_GetObjectItemCaseSensitive(json, "body");
    if (cJSON_IsString(body)) {
        fault->body = strdup(body->valuestring);
        return fault->body != NULL;
    }
    fault->has_body = !cJSON_IsFalse(body);
    return fault->kind != FAULT_BODY_TEXT && (!body || cJSON_IsBool(body));
}

/* A text, or a number of seconds. */
static bool parse_retry_after(const cJSON *json, struct fault *fault)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, "retry_after");
    if (!item)
        return true;
    if (cJSON_IsString(item) && strlen(item->valuestring) < FAULT_RETRY_AFTER_MAX) {
        memcpy(fault->retry_after, item->valuestring, strlen(item->valuestring) + 1);
        return true;
    }
    unsigned seconds = 0;
    if (field_unsigned(json, "retry_after", &seconds) != SCA_OK)
        return false;
    (void)snprintf(fault->retry_after, sizeof(fault->retry_after), "%u", seconds);
    return true;
}

static const char *parse(const cJSON *json, struct fault *fault)
{
    if (!parse_kind(field_text(json, "kind"), fault))
        return "kind is missing or unknown";
    if (!parse_endpoint(field_text(json, "endpoint"), fault))
        return "endpoint is get_certificate, sign, status, sign2, confirm, econtract or any";
    if (!fits_endpoint(fault))
        return "this kind of fault is for status and confirm";
    fault->status = fault->kind == FAULT_REDIRECT ? 302 : fault->kind == FAULT_STATUS ? 500 : 200;
    if (!parse_numbers(json, fault))
        return "a number is out of range or of another type";
    if (!cJSON_GetObjectItemCaseSensitive(json, "code"))
        fault->code = (int)fault->status;
    if (fault->status >= 600)
        fault->status = 400; /* a code of the service, 64002 say, is no HTTP status */
    if (!parse_body(json, fault))
        return "body is a text (which body_text needs) or false";
    if (!parse_retry_after(json, fault))
        return "retry_after is a short text or a number";
    return NULL;
}

static unsigned default_size(enum fault_kind kind)
{
    if (kind == FAULT_TRICKLE)
        return 1;
    return kind == FAULT_DEEP_JSON ? DEEP_LEVELS : HUGE_BYTES;
}

enum sca_status fault_queue_add(struct fault_queue *queue, const cJSON *json, const char **ret_why)
{
    struct fault fault = {.count = 1, .every_ms = 1000, .has_body = true};
    const char *why = queue->count < QUEUE_MAX ? parse(json, &fault) : "too many faults are queued";
    if (why) {
        fault_fini(&fault);
        *ret_why = why;
        return SCA_INVALID;
    }
    if (fault.size == 0)
        fault.size = default_size(fault.kind);
    struct fault *grown = realloc(queue->faults, (queue->count + 1) * sizeof(*grown));
    if (!grown) {
        fault_fini(&fault);
        *ret_why = "out of memory";
        return SCA_NOMEM;
    }
    queue->faults = grown;
    queue->faults[queue->count++] = fault;
    return SCA_OK;
}

static void remove_at(struct fault_queue *queue, size_t index)
{
    queue->count--;
    memmove(&queue->faults[index], &queue->faults[index + 1],
            (queue->count - index) * sizeof(queue->faults[0]));
}

static struct fault hit(struct fault_queue *queue, size_t index)
{
    struct fault *fault = &queue->faults[index];
    struct fault copy = *fault;
    if (--fault->count == 0) {
        remove_at(queue, index); /* copy is the owner of the body now */
        return copy;
    }
    copy.body =
        fault->body ? strdup(fault->body) : NULL; /* without memory: the emulator's own text */
    return copy;
}

struct fault fault_queue_take(struct fault_queue *queue, enum endpoint endpoint,
                              enum fault_stage stage)
{
    struct fault none = {.kind = FAULT_NONE};
    if (endpoint >= ENDPOINT_CONTROL)
        return none;
    for (size_t i = 0; i < queue->count; i++) {
        struct fault *fault = &queue->faults[i];
        if (!is_meant(fault, endpoint))
            continue;
        if (stage_of(fault->kind) != stage)
            return none;
        if (fault->skip > 0) {
            fault->skip--;
            return none;
        }
        return hit(queue, i);
    }
    return none;
}

cJSON *fault_queue_json(const struct fault_queue *queue)
{
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; list && i < queue->count; i++) {
        const struct fault *fault = &queue->faults[i];
        cJSON *item = cJSON_CreateObject();
        (void)cJSON_AddStringToObject(item, "kind", fault_name(fault->kind));
        (void)cJSON_AddStringToObject(item, "endpoint", endpoint_name(fault->endpoint));
        (void)cJSON_AddNumberToObject(item, "count", fault->count);
        (void)cJSON_AddNumberToObject(item, "skip", fault->skip);
        (void)cJSON_AddItemToArray(list, item);
    }
    return list;
}

void fault_queue_clear(struct fault_queue *queue)
{
    for (size_t i = 0; i < queue->count; i++)
        fault_fini(&queue->faults[i]);
    free(queue->faults);
    *queue = (struct fault_queue){0};
}

void fault_fini(struct fault *fault)
{
    free(fault->body);
    fault->body = NULL;
}
