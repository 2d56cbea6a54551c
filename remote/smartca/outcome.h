/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an answer of the service makes of a transaction: its state, its schedule, its documents and
 * the next step. One row per verdict; nothing here asks the service, waits or writes the journal.
 */
#ifndef REMOTE_SMARTCA_OUTCOME_H
#define REMOTE_SMARTCA_OUTCOME_H

#include "remote/base/status.h"
#include "remote/smartca/service.h"
#include "remote/smartca/transaction_state.h"

/* After the request itself, after its confirmation (v2), after a question for its outcome. */
enum step outcome_of_submit(struct transaction *tx, const struct answer *answer);
enum step outcome_of_confirm(struct transaction *tx, const struct answer *answer);
enum step outcome_of_ask(struct transaction *tx, const struct answer *answer);

/* status is how the call ends; the transaction itself may go on. */
enum step outcome_done(struct transaction *tx, enum sca_status status);

/* The same step or another one, after a pause that grows. */
enum step outcome_again(struct transaction *tx, enum step step);

/* Begun so long ago, by whoever it was, that nobody can be waiting for it any more. */
bool outcome_is_old(const struct transaction *tx);

#endif
