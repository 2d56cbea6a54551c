/* SPDX-License-Identifier: Apache-2.0 */
/* The sp769 interface, version 2 (SmartCA TH): password and one-time password, no phone. */
#ifndef TESTS_EMULATOR_V2_H
#define TESTS_EMULATOR_V2_H

#include "tests/emulator/exchange.h"

void v2_sign(struct exchange *x);
void v2_confirm(struct exchange *x);

/* The account of user_id, when its password is right; else NULL and why not. Call with the lock. */
struct user *v2_find_user(struct exchange *x, const cJSON *json, const char **ret_why);

#endif
