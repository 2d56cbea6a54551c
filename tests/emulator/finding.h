/* SPDX-License-Identifier: Apache-2.0 */
/* Answers about a transaction that is signed, or has come to another end. */
#ifndef TESTS_EMULATOR_FINDING_H
#define TESTS_EMULATOR_FINDING_H

#include "tests/emulator/exchange.h"

/* What a request found: a reference, and the state at that moment. */
struct finding {
    struct transaction *transaction;
    enum transaction_state state;
    uint64_t left_s; /* to be told as expired_in */
    bool tells_left;
};

/* Call with the lock, after transaction_settle(). finding_release() it, without the lock. */
void finding_take(struct finding *found, struct transaction *transaction);
void finding_release(struct exchange *x, const struct finding *found);

/* The start of the data: transaction_id (is_other: of nothing at all) and expired_in. */
cJSON *finding_data(struct exchange *x, const struct finding *found, bool is_other);

/* Replies with the signatures, true or falsified, which are made now unless they are there. */
void finding_answer_signed(struct exchange *x, const struct finding *found, const char *message);

/* Replies that it was rejected, has expired or failed. */
void finding_answer_ended(struct exchange *x, const struct finding *found);

#endif
