/* SPDX-License-Identifier: Apache-2.0 */
/* The GET half of the control plane. */
#include "tests/emulator/control.h"
#include "tests/emulator/reply.h"
#include "tests/emulator/tick.h"

static void add_number(cJSON *object, const char *name, uint64_t value)
{
    (void)cJSON_AddNumberToObject(object, name, (double)value);
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
    add_number(item, "pushes", 1); /* a repeated id is refused before it reaches the phone */
    add_number(item, "documents", transaction->document_count);
    cJSON *doc_ids = cJSON_AddArrayToObject(item, "doc_ids");
    for (size_t i = 0; i < transaction->document_count; i++)
        (void)cJSON_AddItemToArray(doc_ids, cJSON_CreateString(transaction->documents[i].doc_id));
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
    for (size_t i = 0; i < emulator->transactions.count; i++) {
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

void control_get_users(struct exchange *x)
{
    cJSON *list = cJSON_CreateArray();
    emulator_lock(x->emulator);
    for (const struct user *user = x->emulator->users; user; user = user->next) {
        cJSON *item = cJSON_CreateObject();
        (void)cJSON_AddStringToObject(item, "user_id", user->id);
        (void)cJSON_AddStringToObject(item, "name", user->name);
        cJSON *certificates = cJSON_AddArrayToObject(item, "certificates");
        for (const struct certificate *c = user->certificates; c; c = c->next)
            (void)cJSON_AddItemToArray(certificates, certificate_json(c));
        (void)cJSON_AddItemToArray(list, item);
    }
    emulator_unlock(x->emulator);
    reply_json(x, MHD_HTTP_OK, list);
}

void control_get_requests(struct exchange *x)
{
    reply_json(x, MHD_HTTP_OK, request_log_json(&x->emulator->log));
}

void control_get_counters(struct exchange *x)
{
    struct emulator *emulator = x->emulator;
    cJSON *json = cJSON_CreateObject();
    emulator_lock(emulator);
    for (int i = ENDPOINT_CERTIFICATES; i <= ENDPOINT_STATUS; i++)
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
