/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One step of a transaction: a question to the service, or to the journal who may send the request
 * again. outcome.c judges what the service answered; step.c says what it means that no answer came.
 */
#ifndef REMOTE_SMARTCA_STEP_H
#define REMOTE_SMARTCA_STEP_H

#include "remote/smartca/transaction_state.h"

/*
 * Takes the step, whose time has come, and returns the one after it, with tx->schedule set for the
 * pause before that. tx, the caller's, learns what came of it: its record, its flags, its documents
 * where it is signed, and tx->sad, which the caller frees at the end of the round. Waits for an
 * answer, the journal or the next one-time password, with no lock held. With STEP_DONE, tx->status
 * is how the call ends: SCA_OK, or what outcome.c made of an answer, or a status of service_ask_*,
 * second_factor_prepare or journal_claim with their notes, or SCA_NOMEM. STEP_RENEW and STEP_DONE
 * come back as they are.
 */
enum step step_take(struct transaction *tx, enum step step);

#endif
