/* SPDX-License-Identifier: Apache-2.0 */
/* The sp769 interface, version 1: the person confirms on the phone. */
#ifndef TESTS_EMULATOR_V1_H
#define TESTS_EMULATOR_V1_H

#include "tests/emulator/exchange.h"

void v1_certificates(struct exchange *x);
void v1_sign(struct exchange *x);
void v1_status(struct exchange *x);

/* Whether every one of count names is a non-empty string of json; else 400 has been replied. */
bool v1_has_fields(struct exchange *x, const cJSON *json, const char *const *names, size_t count);

/* Puts the transaction_id of json, which is there, into the log's entry. */
void v1_note_transaction(struct exchange *x, const cJSON *json);

/* Whether sp_id and sp_password of json are right; else 401 has been replied. */
bool v1_is_provider(struct exchange *x, const cJSON *json);

#endif
