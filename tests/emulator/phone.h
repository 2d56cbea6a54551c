/* SPDX-License-Identifier: Apache-2.0 */
/* What the person with the phone does. */
#ifndef TESTS_EMULATOR_PHONE_H
#define TESTS_EMULATOR_PHONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "remote/base/status.h"

enum phone_action {
    PHONE_APPROVE,
    PHONE_REJECT,
    PHONE_EXPIRE,
    PHONE_FAIL,  /* the person confirms, the provider cannot sign */
    PHONE_NEVER, /* the phone lies in a drawer: the transaction lives out its time */
};

/* One reaction to a push: when both conditions hold, the action happens. */
struct phone_rule {
    uint64_t after_ms; /* since the push */
    enum phone_action action;
    unsigned after_polls; /* that many status requests are answered "waiting" before */
};

enum { PHONE_QUEUE_MAX = 256 };

/* A person's habits: first the queued reactions, one per transaction, then always the same one. */
struct phone {
    struct phone_rule queue[PHONE_QUEUE_MAX];
    size_t queue_first;
    size_t queue_count;
    struct phone_rule rule;
    bool has_rule; /* otherwise the default of the emulator counts */
};

/* Takes the next reaction out of the queue, or the rule, or fallback. */
struct phone_rule phone_next(struct phone *phone, struct phone_rule fallback);

bool phone_is_due(const struct phone_rule *rule, uint64_t age_ms, unsigned polls);

/* {"action": name, "after_ms": n, "after_polls": n}; SCA_INVALID for anything else. */
enum sca_status phone_rule_parse(const cJSON *json, struct phone_rule *ret_rule);

/* Replaces the queue by an array of rules; SCA_INVALID leaves it as it was. */
enum sca_status phone_queue_parse(const cJSON *json, struct phone *phone);

#endif
