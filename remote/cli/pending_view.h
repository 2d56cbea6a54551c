/* SPDX-License-Identifier: Apache-2.0 */
/* The journal's transactions, as the pending verbs see them. */
#ifndef REMOTE_CLI_PENDING_VIEW_H
#define REMOTE_CLI_PENDING_VIEW_H

#include "remote/cli/cli.h"
#include "remote/cli/workspace.h"
#include "remote/smartca/pending.h"

enum { PENDING_PATIENCE_MS = 5000 }; /* with those who have the journal */

/* Says on stderr why not. The caller ledger_fini()s ret_ledger in both cases. */
enum cli_exit pending_read(const struct cli *cli, const char *state_dir, struct ledger *ret_ledger);

/* The account whose transaction it is; NULL when the configuration has none any more. */
const struct account_config *pending_account(const struct config *config,
                                             const struct journal_transaction *item);

#endif
