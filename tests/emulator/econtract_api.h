/* SPDX-License-Identifier: Apache-2.0 */
/* The eContract interface, below /econtract. */
#ifndef TESTS_EMULATOR_ECONTRACT_API_H
#define TESTS_EMULATOR_ECONTRACT_API_H

#include "tests/emulator/exchange.h"

void econtract_password_login(struct exchange *x);
void econtract_list_users(struct exchange *x);
void econtract_smartca_add(struct exchange *x);
void econtract_smartca_update(struct exchange *x);
void econtract_smartca_delete(struct exchange *x);

/* Replies {"data": data, "success": true, "code": 0, "messages": []}. */
void econtract_reply(struct exchange *x, cJSON *take_data);

/* Replies that it does not do that; by behaviour with HTTP 200 or 400. */
void econtract_refuse(struct exchange *x, const char *message);

/* Whom the request's Bearer token stands for; NULL: 401 has been replied. Call with the lock. */
const struct econtract_token *econtract_bearer(struct exchange *x);

/* A user as the calls on certificates answer it, and as the list does. Call with the lock. */
cJSON *econtract_user_json(const struct econtract_user *user);
cJSON *econtract_item_json(const struct econtract_user *user, int company_id);

#endif
