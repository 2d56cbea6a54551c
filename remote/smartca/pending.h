/* SPDX-License-Identifier: Apache-2.0 */
/* The transactions that are under way, for who looks at them from outside: the tool. */
#ifndef REMOTE_SMARTCA_PENDING_H
#define REMOTE_SMARTCA_PENDING_H

#include "remote/base/call.h"
#include "remote/base/status.h"
#include "remote/smartca/client.h"
#include "remote/smartca/ledger.h"

/* Those of the journal in state_dir, oldest first; the caller ledger_fini()s ret_ledger in any
 * case. The call's note says why not. */
enum sca_status pending_list(const char *state_dir, struct call *call, struct ledger *ret_ledger);

/* Takes it out of the journal: a signature that is confirmed after that is lost. SCA_BUSY: it is
 * still in there. Otherwise as pending_list. */
enum sca_status pending_forget(const char *state_dir, struct call *call, const char *id);

enum pending_outcome {
    PENDING_WAITING,  /* for the person */
    PENDING_SIGNED,   /* and its signatures wait at the service */
    PENDING_REJECTED, /* these three: over, and not in the journal any more */
    PENDING_EXPIRED,
    PENDING_REFUSED,
    PENDING_UNKNOWN, /* the service knows nothing of it */
    PENDING_OUTCOME_COUNT,
};

/*
 * Asks the service once for the outcome of a transaction of the client's account. SCA_OK, or why
 * there is no answer to be had, with the call's note. The journal stays as it is.
 */
enum sca_status pending_look(struct smartca_client *client, struct call *call,
                             const struct journal_transaction *transaction,
                             enum pending_outcome *ret_outcome);

/* The same, and what is over is taken out of the journal; the note then says how it ended. What is
 * signed is marked there. */
enum sca_status pending_ask(struct smartca_client *client, struct call *call,
                            const struct journal_transaction *transaction,
                            enum pending_outcome *ret_outcome);

#endif
