/* SPDX-License-Identifier: Apache-2.0 */
/* What the sign requests of both versions have in common. */
#ifndef TESTS_EMULATOR_SIGN_REQUEST_H
#define TESTS_EMULATOR_SIGN_REQUEST_H

#include "tests/emulator/exchange.h"

enum { CODE_USED_UP = 65000 };
extern const char text_used_up[];

/* Why the service does not do something; code 0: it does. message is static, or x->behaviour's. */
struct refusal {
    int code;
    const char *message;
};

/*
 * Reads documents and options into a transaction without user and certificate, whose one reference
 * is the caller's; NULL when a refusal has been replied. The members that both versions require are
 * there already.
 */
struct transaction *sign_request_parse(struct exchange *x, const cJSON *json);

/* Whether that certificate of a user, NULL for none, may sign now. Call with the lock. */
struct refusal sign_request_permit(const struct certificate *certificate);

/* Pushes the transaction to the phone of its user. Call with the lock. */
void sign_request_push(struct exchange *x, struct user *user, struct transaction *transaction);

/* The data both versions answer with: the two ids, true or, by fault or behaviour, another one. */
cJSON *sign_request_data(struct exchange *x, struct transaction *transaction);

#endif
