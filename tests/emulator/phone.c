/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/emulator/phone.h"

#include <string.h>

#include "remote/base/cleanup.h"
#include "tests/emulator/field.h"

static const char *const action_names[] = {
    [PHONE_APPROVE] = "approve", [PHONE_REJECT] = "reject", [PHONE_EXPIRE] = "expire",
    [PHONE_FAIL] = "fail",       [PHONE_NEVER] = "never",
};

struct phone_rule phone_next(struct phone *phone, struct phone_rule fallback)
{
    if (phone->queue_count == 0)
        return phone->has_rule ? phone->rule : fallback;
    struct phone_rule rule = phone->queue[phone->queue_first];
    phone->queue_first = (phone->queue_first + 1) % PHONE_QUEUE_MAX;
    phone->queue_count--;
    return rule;
}

bool phone_is_due(const struct phone_rule *rule, uint64_t age_ms, unsigned polls)
{
    bool is_polled = rule->after_polls == 0 || polls > rule->after_polls;
    return rule->action != PHONE_NEVER && is_polled && age_ms >= rule->after_ms;
}

static enum sca_status parse_action(const cJSON *json, enum phone_action *ret_action)
{
    const char *name = field_text(json, "action");
    for (size_t i = 0; name && i < ARRAY_LEN(action_names); i++) {
        if (strcmp(action_names[i], name) == 0) {
            *ret_action = (enum phone_action)i;
            return SCA_OK;
        }
    }
    return SCA_INVALID;
}

enum sca_status phone_rule_parse(const cJSON *json, struct phone_rule *ret_rule)
{
    struct phone_rule rule = {.action = PHONE_APPROVE};
    unsigned after_ms = 0;
    enum sca_status status = parse_action(json, &rule.action);
    if (status == SCA_OK)
        status = field_unsigned(json, "after_ms", &after_ms);
    if (status == SCA_OK)
        status = field_unsigned(json, "after_polls", &rule.after_polls);
    if (status != SCA_OK)
        return status;
    rule.after_ms = after_ms;
    *ret_rule = rule;
    return SCA_OK;
}

enum sca_status phone_queue_parse(const cJSON *json, struct phone *phone)
{
    struct phone_rule rules[PHONE_QUEUE_MAX];
    size_t count = 0;
    const cJSON *item = NULL;
    if (!cJSON_IsArray(json))
        return SCA_INVALID;
    cJSON_ArrayForEach(item, json)
    {
        if (count == PHONE_QUEUE_MAX || phone_rule_parse(item, &rules[count]) != SCA_OK)
            return SCA_INVALID;
        count++;
    }
    memcpy(phone->queue, rules, count * sizeof(rules[0]));
    phone->queue_first = 0;
    phone->queue_count = count;
    return SCA_OK;
}
