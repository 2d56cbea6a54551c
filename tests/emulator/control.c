/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/emulator/control.h"

#include <stdio.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "tests/emulator/field.h"
#include "tests/emulator/reply.h"
#include "tests/emulator/tick.h"

void control_ok(struct exchange *x)
{
    cJSON *json = cJSON_CreateObject();
    (void)cJSON_AddTrueToObject(json, "ok");
    reply_json(x, MHD_HTTP_OK, json);
}

bool control_has_only(struct exchange *x, const cJSON *json, const char *const *names, size_t count)
{
    char text[160];
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, json)
    {
        size_t i = 0;
        while (i < count && strcmp(names[i], item->string) != 0)
            i++;
        if (i < count)
            continue;
        (void)snprintf(text, sizeof(text), "unknown member: %.64s", item->string);
        reply_refusal(x, MHD_HTTP_BAD_REQUEST, text);
        return false;
    }
    return true;
}

/* Call with the lock. NULL: set. */
static const char *set_phone_locked(struct emulator *emulator, const cJSON *json)
{
    const char *user_id = field_text(json, "user_id");
    const cJSON *queue = cJSON_GetObjectItemCaseSensitive(json, "queue");
    struct user *user = user_id ? emulator_find_user(emulator, user_id) : NULL;
    struct phone_rule rule = {.action = PHONE_APPROVE};
    bool has_rule = cJSON_HasObjectItem(json, "action");
    if (user_id && !user)
        return "no such user";
    if (queue && !user)
        return "a queue belongs to a user_id";
    if (!has_rule && !queue)
        return "action or queue is missing";
    if (has_rule && phone_rule_parse(json, &rule) != SCA_OK)
        return "action is approve, reject, expire, fail or never; after_ms, after_polls are "
               "numbers";
    if (queue && phone_queue_parse(queue, &user->phone) != SCA_OK)
        return "queue is an array of at most 256 objects with action, after_ms, after_polls";
    if (has_rule && user) {
        user->phone.rule = rule;
        user->phone.has_rule = true;
    } else if (has_rule) {
        emulator->rule = rule;
    }
    return NULL;
}

static void set_phone(struct exchange *x, const cJSON *json)
{
    static const char *const names[] = {"user_id", "action", "after_ms", "after_polls", "queue"};
    if (!control_has_only(x, json, names, ARRAY_LEN(names)))
        return;
    emulator_lock(x->emulator);
    const char *why = set_phone_locked(x->emulator, json);
    emulator_unlock(x->emulator);
    if (why)
        reply_refusal(x, MHD_HTTP_BAD_REQUEST, why);
    else
        control_ok(x);
}

static const char *decide_locked(struct exchange *x, const char *id, enum phone_action action)
{
    struct emulator *emulator = x->emulator;
    struct transaction *transaction =
        transaction_table_find(&emulator->transactions, id, ID_EITHER);
    if (!transaction)
        return "no such transaction";
    uint64_t now = tick_ms();
    transaction_settle(transaction, now, (uint64_t)emulator->behaviour.lifetime_s * 1000);
    if (transaction->state != TRANSACTION_WAITING)
        return "the transaction is not waiting any more";
    transaction->rule = (struct phone_rule){.action = action};
    transaction_decide(transaction, action, now);
    return NULL;
}

static void decide(struct exchange *x, const cJSON *json)
{
    static const char *const names[] = {"transaction_id", "action"};
    const char *id = field_text(json, "transaction_id");
    struct phone_rule rule;
    if (!control_has_only(x, json, names, ARRAY_LEN(names)))
        return;
    if (!id || phone_rule_parse(json, &rule) != SCA_OK) {
        reply_refusal(x, MHD_HTTP_BAD_REQUEST, "transaction_id and action are needed");
        return;
    }
    emulator_lock(x->emulator);
    const char *why = decide_locked(x, id, rule.action);
    emulator_unlock(x->emulator);
    if (why)
        reply_refusal(x, MHD_HTTP_CONFLICT, why);
    else
        control_ok(x);
}

static void set_behaviour(struct exchange *x, const cJSON *json)
{
    char text[160];
    const cJSON *item = NULL;
    emulator_lock(x->emulator);
    struct behaviour changed = x->emulator->behaviour;
    cJSON_ArrayForEach(item, json)
    {
        enum sca_status status = behaviour_set_json(&changed, item);
        if (status == SCA_OK)
            continue;
        emulator_unlock(x->emulator);
        (void)snprintf(text, sizeof(text), "%s: %.64s",
                       status == SCA_NOT_FOUND ? "no such behaviour" : "not a value of",
                       item->string);
        reply_refusal(x, MHD_HTTP_BAD_REQUEST, text);
        return;
    }
    x->emulator->behaviour = changed;
    emulator_unlock(x->emulator);
    control_ok(x);
}

static void add_fault(struct exchange *x, const cJSON *json)
{
    static const char *const names[] = {"endpoint", "kind",      "count",  "skip",
                                        "delay_ms", "processed", "status", "code",
                                        "size",     "every_ms",  "body",   "retry_after"};
    const char *kind = field_text(json, "kind");
    const char *why = NULL;
    if (!control_has_only(x, json, names, ARRAY_LEN(names)))
        return;
    emulator_lock(x->emulator);
    enum sca_status status = SCA_OK;
    if (kind && strcmp(kind, "none") == 0)
        fault_queue_clear(&x->emulator->faults);
    else
        status = fault_queue_add(&x->emulator->faults, json, &why);
    emulator_unlock(x->emulator);
    if (status != SCA_OK)
        reply_refusal(x, MHD_HTTP_BAD_REQUEST, why);
    else
        control_ok(x);
}

void control_with_json(struct exchange *x, void (*act)(struct exchange *x, const cJSON *json))
{
    cJSON *json = exchange_json(x);
    if (json)
        act(x, json);
    cJSON_Delete(json);
}

void control_set_phone(struct exchange *x)
{
    control_with_json(x, set_phone);
}

void control_decide(struct exchange *x)
{
    control_with_json(x, decide);
}

void control_set_behaviour(struct exchange *x)
{
    control_with_json(x, set_behaviour);
}

void control_add_fault(struct exchange *x)
{
    control_with_json(x, add_fault);
}

void control_reset(struct exchange *x)
{
    emulator_reset(x->emulator);
    control_ok(x);
}
