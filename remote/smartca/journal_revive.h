/* SPDX-License-Identifier: Apache-2.0 */
/* A transaction that was over here, and whose signatures are wanted all the same. */
#ifndef REMOTE_SMARTCA_JOURNAL_REVIVE_H
#define REMOTE_SMARTCA_JOURNAL_REVIVE_H

#include "remote/smartca/journal.h"

/*
 * Puts it into the journal as one that the service has and nobody waits for: whoever asks for a
 * digest of it that is not marked as collected joins it. It may still be there with other marks.
 * Otherwise as journal_begin.
 */
enum sca_status journal_revive(struct journal *journal, struct call *call,
                               const struct journal_transaction *transaction);

#endif
