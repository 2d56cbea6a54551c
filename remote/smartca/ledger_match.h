/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the live transactions still count, and which of them a new one is to join. Pure. */
#ifndef REMOTE_SMARTCA_LEDGER_MATCH_H
#define REMOTE_SMARTCA_LEDGER_MATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "remote/smartca/ledger.h"

/* Takes out what is older than JOURNAL_KEEP_S; now: wall clock, seconds since 1970. */
void ledger_match_forget(struct ledger *ledger, int64_t now);

/*
 * Looks for wanted as journal_begin promises. Found: true, and *wanted is replaced by the ledger's
 * transaction, documents included; the item they were moved from is good for ledger_fini only.
 */
bool ledger_match_join(struct ledger *ledger, struct journal_transaction *wanted);

#endif
