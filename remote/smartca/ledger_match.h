/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the live transactions still count, and which of them a new one is to join. Pure. */
#ifndef REMOTE_SMARTCA_LEDGER_MATCH_H
#define REMOTE_SMARTCA_LEDGER_MATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "remote/smartca/ledger.h"

/* Takes out what is older than JOURNAL_KEEP_S, how others ended when nobody needs it any more, and
 * what processes wanted that are gone; now: wall clock, seconds since 1970. */
void ledger_match_forget(struct ledger *ledger, int64_t now);

/* Takes out all but live transactions that are not too old. */
void ledger_match_keep_live(struct ledger *ledger, int64_t now);

/*
 * Looks for wanted as journal_begin promises; is_partial: one that holds any of its digests will
 * do. Found: true, and *wanted is replaced by the ledger's transaction, documents included; the
 * item they were moved from is good for ledger_fini only.
 */
bool ledger_match_join(struct ledger *ledger, struct journal_transaction *wanted, bool is_partial);

/* The same among those that ended, as far as the rules let that answer for wanted. */
bool ledger_match_ended(struct ledger *ledger, struct journal_transaction *wanted,
                        const struct journal_rules *rules, int64_t now);

/* Is the item an open confirmation of wanted's identity, which somebody waits for? */
bool ledger_match_is_open(const struct journal_transaction *item,
                          const struct journal_transaction *wanted,
                          const struct journal_rules *rules, int64_t now);

/* Does another confirmation keep this one waiting? */
bool ledger_match_must_wait(const struct ledger *ledger, const struct journal_transaction *wanted,
                            const struct journal_rules *rules, int64_t now);

/* Is the item what somebody wants of the same key, confirmed the same way: nobody's document is to
 * be signed by computed codes for which a person was to be asked. What this process wants of it, or
 * NULL. */
bool ledger_match_is_want(const struct journal_transaction *item,
                          const struct journal_transaction *wanted);
struct journal_transaction *ledger_match_own_want(const struct ledger *ledger,
                                                  const struct journal_transaction *wanted);

/* The same documents in the same order? */
bool ledger_match_is_same(const struct journal_transaction *one,
                          const struct journal_transaction *other);

/* The live transaction of the key that holds the document of that number (journal_number), and
 * which one it is; or NULL. */
struct journal_transaction *ledger_match_number(struct ledger *ledger,
                                                const struct journal_transaction *key,
                                                uint64_t number, size_t *ret_index);

#endif
