/* SPDX-License-Identifier: Apache-2.0 */
/* The control plane: what tests tell the emulator, and ask it. Described in README.md. */
#ifndef TESTS_EMULATOR_CONTROL_H
#define TESTS_EMULATOR_CONTROL_H

#include "tests/emulator/exchange.h"

void control_set_phone(struct exchange *x);
void control_decide(struct exchange *x);
void control_set_user(struct exchange *x);
void control_set_behaviour(struct exchange *x);
void control_add_fault(struct exchange *x);
void control_set_econtract(struct exchange *x);
void control_reset(struct exchange *x);

void control_get_users(struct exchange *x);
void control_get_otp(struct exchange *x);
void control_get_econtract(struct exchange *x);
void control_get_transactions(struct exchange *x);
void control_get_requests(struct exchange *x);
void control_get_counters(struct exchange *x);
void control_get_behaviour(struct exchange *x);
void control_get_faults(struct exchange *x);

/* {"ok": true} */
void control_ok(struct exchange *x);

/* An unknown member is a typing error in a test: refused, so that it cannot pass unnoticed. */
bool control_has_only(struct exchange *x, const cJSON *json, const char *const *names,
                      size_t count);

/* Calls act with the body, if it is a JSON object. */
void control_with_json(struct exchange *x, void (*act)(struct exchange *x, const cJSON *json));

#endif
