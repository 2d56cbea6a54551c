/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which process submits a transaction: its pid and its start time, since a pid alone may by now be
 * another process. journal_submitter_lives, in journal.h, is the question to it.
 */
#ifndef REMOTE_SMARTCA_JOURNAL_SUBMITTER_H
#define REMOTE_SMARTCA_JOURNAL_SUBMITTER_H

#include "remote/smartca/journal.h"

/* Makes this process the submitter. */
void journal_submitter_set(struct journal_transaction *transaction);

#endif
