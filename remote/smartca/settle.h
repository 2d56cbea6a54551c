/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the journal is told of a transaction under way, for those who come after this call: that the
 * service has it, and how the round ended. Best effort, as all of the journal that is called here:
 * no failure comes back, and the call's note stays as it is.
 */
#ifndef REMOTE_SMARTCA_SETTLE_H
#define REMOTE_SMARTCA_SETTLE_H

#include "remote/smartca/transaction_state.h"

/*
 * Notes that the service has it, unless the journal knows. For whoever joins later: before a wait,
 * since it is of no use to a transaction that ends at once.
 */
void settle_submitted(struct transaction *tx);

/*
 * At the end of a round, once: ended, collected, remembered, dropped or left, by what tx says; step
 * is STEP_RENEW or STEP_DONE. tx stays the caller's; the documents that it collects are marked in
 * its record.
 */
void settle_round(struct transaction *tx, enum step step);

#endif
