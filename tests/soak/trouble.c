/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/soak/trouble.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "tests/soak/worker.h"

enum { ACTIONS = 64, QUEUED = 2, WAIT_MS = 400, WAIT_POLLS = 3 };

static const struct fault_row {
    const char *kind;
    const char *more; /* further members */
    bool is_of_sign;  /* the answer to sign can have it, too */
} faults[] = {
    {"reset_before", "", true},
    {"drop_reply", "", true},
    {"hang", "", true},
    {"status", ",\"status\":500", true},
    {"status", ",\"status\":500,\"processed\":true", true},
    {"status", ",\"status\":503,\"body\":false", true},
    {"status", ",\"status\":429,\"retry_after\":1", true},
    {"trickle", "", true},
    {"truncated", "", true},
    {"bad_json", "", true},
    {"huge", "", true},
    {"deep_json", "", true},
    {"gzip", "", true},
    {"invalid_utf8", "", true},
    {"redirect", "", true},
    {"delay", ",\"delay_ms\":700", true},
    {"wrong_id", "", true},
    {"swap", "", false},
    {"swap_one", "", false},
    {"other_hash", "", false},
    {"other_key", "", false},
    {"replay", "", false},
    {"missing_signature", "", false},
    {"missing_one", "", false},
    {"duplicate", "", false},
    {"unknown_document", "", false},
};

static const struct action_row {
    const char *action;
    unsigned weight; /* of 100 */
} actions[] = {{"approve", 85}, {"reject", 6}, {"expire", 4}, {"fail", 4}, {"never", 1}};

static unsigned count_kinds(bool is_sign)
{
    unsigned count = 0;
    for (size_t i = 0; i < ARRAY_LEN(faults); i++)
        count += faults[i].is_of_sign || !is_sign;
    return count;
}

/*
 * Each kind once in a hundred: between two faults of any kind pass so many requests, on average.
 * Those of a signed answer wait for one besides.
 */
static void add_fault(const struct world *world, struct dice *dice, bool is_sign)
{
    char json[192];
    const struct fault_row *row = NULL;
    unsigned apart = 100 / count_kinds(is_sign);
    do
        row = &faults[dice_below(dice, ARRAY_LEN(faults))];
    while (is_sign && !row->is_of_sign);
    (void)snprintf(json, sizeof(json), "{\"endpoint\":\"%s\",\"kind\":\"%s\",\"skip\":%u%s}",
                   is_sign ? "sign" : "status", row->kind,
                   dice_below(dice, is_sign ? 2 * apart - 1 : apart), row->more);
    world_control(world, "fault", json);
}

void trouble_keep_up(const struct world *world, struct dice *dice)
{
    unsigned sign = 0;
    unsigned status = 0;
    const cJSON *fault = NULL;
    cJSON *queue = world_ask(world, "faults");
    cJSON_ArrayForEach(fault, queue)
    {
        bool is_sign = strcmp(cJSON_GetObjectItem(fault, "endpoint")->valuestring, "sign") == 0;
        sign += is_sign;
        status += !is_sign;
    }
    cJSON_Delete(queue);
    for (; sign < QUEUED; sign++)
        add_fault(world, dice, true);
    for (; status < QUEUED; status++)
        add_fault(world, dice, false);
}

static const char *choose_action(struct dice *dice)
{
    unsigned point = dice_below(dice, 100);
    size_t i = 0;
    while (point >= actions[i].weight)
        point -= actions[i++].weight;
    return actions[i].action;
}

static void set_phone_of(const struct world *world, struct dice *dice, const char *user_id)
{
    char json[ACTIONS * 80];
    int len = snprintf(json, sizeof(json), "{\"user_id\":\"%s\",\"queue\":[", user_id);
    for (int i = 0; i < ACTIONS && len > 0; i++)
        len +=
            snprintf(json + len, sizeof(json) - (size_t)len,
                     "%s{\"action\":\"%s\",\"after_ms\":%u,\"after_polls\":%u}", i ? "," : "",
                     choose_action(dice), dice_below(dice, WAIT_MS), dice_below(dice, WAIT_POLLS));
    (void)snprintf(json + len, sizeof(json) - (size_t)len, "]}");
    world_control(world, "phone", json);
}

void trouble_set_phone(const struct world *world, struct dice *dice)
{
    set_phone_of(world, dice, SOAK_USER);
    set_phone_of(world, dice, TOOL_USER);
}

void trouble_end(const struct world *world)
{
    static const char *const users[] = {SOAK_USER, TOOL_USER};
    char json[128];
    world_control(world, "fault", "{\"kind\":\"none\"}");
    for (size_t i = 0; i < ARRAY_LEN(users); i++) {
        (void)snprintf(json, sizeof(json),
                       "{\"user_id\":\"%s\",\"action\":\"approve\",\"queue\":[]}", users[i]);
        world_control(world, "phone", json);
    }
    world_control(world, "behaviour", "{\"lifetime_s\":5}"); /* what lies in a drawer ends */
}
