/* SPDX-License-Identifier: Apache-2.0 */
/* The GET half of the control plane. */
#include "tests/emulator/control.h"

#include <stdlib.h>

#include "remote/base/bytes.h"
#include "tests/emulator/reply.h"
#include "tests/emulator/tick.h"

static void add_number(cJSON *object, const char *name, uint64_t value)
{
    (void)cJSON_AddNumberToObject(object, name, (double)value);
}

static void add_digests(cJSON *item, const struct transaction *transaction)
{
    cJSON *digests = cJSON_AddArrayToObject(item, "digests");
    for (size_t i = 0; i < transaction->document_count; i++) {
        const struct document *document = &transaction->documents[i];
        char hex[2 * sizeof(document->hash) + 1];
        hex_encode(span_of(document->hash, document->hash_len), hex);
        (void)cJSON_AddItemToArray(digests, cJSON_CreateString(hex));
    }
}

/* How many of the list its reader has already: "after" of the query, 0 without it. */
static size_t count_known(struct exchange *x)
{
    const char *text = MHD_lookup_connection_value(x->connection, MHD_GET_ARGUMENT_KIND, "after");
    return text ? strtoul(text, NULL, 10) : 0;
}

static cJSON *transaction_json(const struct transaction *transaction)
{
    cJSON *item = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(item, "transaction_id", transaction->id);
    (void)cJSON_AddStringToObject(item, "tran_code", transaction->tran_code);
    (void)cJSON_AddStringToObject(item, "user_id", transaction->user->id);
    (void)cJSON_AddStringToObject(item, "serial_number", transaction->certificate->serial);
    (void)cJSON_AddStringToObject(item, "state", transaction_state_name(transaction->state));
    (void)cJSON_AddStringToObject(item, "description", transaction->description);
    add_number(item, "version", transaction->is_v2 ? 2 : 1);
    add_number(item, "pushes", transaction->pushes);
    add_number(item, "confirms", transaction->confirms);
    add_number(item, "documents", transaction->document_count);
    cJSON *doc_ids = cJSON_AddArrayToObject(item, "doc_ids");
    for (size_t i = 0; i < transaction->document_count; i++)
        (void)cJSON_AddItemToArray(doc_ids, cJSON_CreateString(transaction->documents[i].doc_id));
    add_digests(item, transaction);
    add_number(item, "created_ms", transaction->created_ms);
    add_number(item, "first_status_ms", transaction->first_status_ms);
    add_number(item, "decided_ms", transaction->decided_ms);
    add_number(item, "polls", transaction->polls);
    return item;
}

void control_get_transactions(struct exchange *x)
{
    struct emulator *emulator = x->emulator;
    cJSON *list = cJSON_CreateArray();
    uint64_t now = tick_ms();
    emulator_lock(emulator);
    for (size_t i = count_known(x); i < emulator->transactions.count; i++) {
        struct transaction *transaction = emulator->transactions.list[i];
        transaction_settle(transaction, now, (uint64_t)emulator->behaviour.lifetime_s * 1000);
        (void)cJSON_AddItemToArray(list, transaction_json(transaction));
    }
    emulator_unlock(emulator);
    reply_json(x, MHD_HTTP_OK, list);
}

static cJSON *certificate_json(const struct certificate *certificate)
{
    cJSON *item = cJSON_CreateObject();
    add_number(item, "number", certificate->number);
    (void)cJSON_AddStringToObject(item, "serial_number", certificate->serial);
    (void)cJSON_AddStringToObject(item, "subject", certificate->subject);
    (void)cJSON_AddStringToObject(item, "status", certificate_state_name(certificate->state));
    (void)cJSON_AddStringToObject(item, "cert_status", certificate->cert_status);
    (void)cJSON_AddStringToObject(item, "cert_status_code", certificate->cert_status_code);
    (void)cJSON_AddStringToObject(item, "service_type", certificate->service_type);
    (void)cJSON_AddStringToObject(item, "valid_from", certificate->valid_from);
    (void)cJSON_AddStringToObject(item, "valid_to", certificate->valid_to);
    (void)cJSON_AddBoolToObject(item, "package_used_up", certificate->is_used_up);
    (void)cJSON_AddBoolToObject(item, "replaced", certificate->is_replaced);
    return item;
}

static cJSON *user_json(const struct user *user)
{
    cJSON *item = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(item, "user_id", user->id);
    (void)cJSON_AddStringToObject(item, "name", user->name);
    (void)cJSON_AddStringToObject(item, "stage", user_stage_name(user->stage));
    (void)cJSON_AddBoolToObject(item, "business", user->is_business);
    (void)cJSON_AddStringToObject(item, "password", user->password);
    (void)cJSON_AddStringToObject(item, "totp_secret", user->otp.secret);
    add_number(item, "totp_period", user->otp.period_s);
    cJSON *certificates = cJSON_AddArrayToObject(item, "certificates");
    for (const struct certificate *c = user->certificates; c; c = c->next)
        (void)cJSON_AddItemToArray(certificates, certificate_json(c));
    return item;
}

void control_get_users(struct exchange *x)
{
    cJSON *list = cJSON_CreateArray();
    emulator_lock(x->emulator);
    for (const struct user *user = x->emulator->users; user; user = user->next)
        (void)cJSON_AddItemToArray(list, user_json(user));
    emulator_unlock(x->emulator);
    reply_json(x, MHD_HTTP_OK, list);
}

/* What the person would read from the authenticator, "steps" (0) of its periods from now. */
void control_get_otp(struct exchange *x)
{
    const char *user_id =
        MHD_lookup_connection_value(x->connection, MHD_GET_ARGUMENT_KIND, "user_id");
    const char *steps = MHD_lookup_connection_value(x->connection, MHD_GET_ARGUMENT_KIND, "steps");
    int64_t now = behaviour_now(&x->behaviour);
    char code[OTP_LEN + 1] = "";
    unsigned seconds_left = 0;
    emulator_lock(x->emulator);
    const struct user *user = user_id ? emulator_find_user(x->emulator, user_id) : NULL;
    if (user) {
        otp_show(&user->otp, now, steps ? (int)strtol(steps, NULL, 10) : 0, code);
        seconds_left = otp_seconds_left(&user->otp, now);
    }
    emulator_unlock(x->emulator);
    if (!user) {
        reply_refusal(x, MHD_HTTP_BAD_REQUEST, "user_id is missing, or nobody's");
        return;
    }
    cJSON *json = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(json, "otp", code);
    add_number(json, "seconds_left", seconds_left);
    reply_json(x, MHD_HTTP_OK, json);
}

void control_get_requests(struct exchange *x)
{
    reply_json(x, MHD_HTTP_OK, request_log_json(&x->emulator->log, count_known(x)));
}

void control_get_counters(struct exchange *x)
{
    struct emulator *emulator = x->emulator;
    cJSON *json = cJSON_CreateObject();
    emulator_lock(emulator);
    for (int i = ENDPOINT_CERTIFICATES; i < ENDPOINT_CONTROL; i++)
        add_number(json, endpoint_name((enum endpoint)i), emulator->requests[i]);
    add_number(json, "unknown_path", emulator->requests[ENDPOINT_NONE]);
    add_number(json, "pushes", emulator->pushes);
    add_number(json, "transactions", emulator->transactions.count);
    emulator_unlock(emulator);
    add_number(json, "connections", atomic_load(&emulator->connections));
    add_number(json, "now_ms", tick_ms());
    reply_json(x, MHD_HTTP_OK, json);
}

void control_get_behaviour(struct exchange *x)
{
    reply_json(x, MHD_HTTP_OK, behaviour_json(&x->behaviour));
}

void control_get_faults(struct exchange *x)
{
    emulator_lock(x->emulator);
    cJSON *list = fault_queue_json(&x->emulator->faults);
    emulator_unlock(x->emulator);
    reply_json(x, MHD_HTTP_OK, list);
}
