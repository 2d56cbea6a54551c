/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures that a run had collected and died before it wrote them: the service still has them. */
#ifndef REMOTE_CLI_SIGN_REVIVE_H
#define REMOTE_CLI_SIGN_REVIVE_H

#include "remote/cli/sign_memory.h"

/*
 * Asks the service for the transactions of memory's notes that have something of files which the
 * journal (memory->waiting) does not; those that are signed, or wait, are in the journal again
 * afterwards, entries of the others are over. False, with the reason in trouble, where one cannot
 * be asked for.
 */
bool sign_revive(const struct sign_memory *memory, const struct account_config *account,
                 const struct sign_files *files, struct trouble *trouble);

#endif
