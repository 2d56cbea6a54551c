/* SPDX-License-Identifier: Apache-2.0 */
/* The "signatures" of a status answer, true or falsified. */
#ifndef TESTS_EMULATOR_SIGNATURES_H
#define TESTS_EMULATOR_SIGNATURES_H

#include "tests/emulator/exchange.h"

/*
 * Adds to data what the behaviour calls for: the array "signatures", or the direct
 * "signature_value". transaction is signed; nobody else's lock is needed. lie is one of the kinds
 * from FAULT_WRONG_ID on, or FAULT_NONE. SCA_IO when the token refuses.
 */
enum sca_status signatures_add(struct exchange *x, const struct transaction *transaction,
                               enum fault_kind lie, cJSON *data);

#endif
