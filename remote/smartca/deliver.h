/* SPDX-License-Identifier: Apache-2.0 */
/* The last step of a transaction: each document gets its own signature, verified, or none. */
#ifndef REMOTE_SMARTCA_DELIVER_H
#define REMOTE_SMARTCA_DELIVER_H

#include <stddef.h>

#include "remote/base/clock.h"
#include "remote/base/status.h"
#include "remote/remote.h"
#include "remote/smartca/codec.h"
#include "remote/smartca/journal.h"
#include "remote/smartca/result.h"

/* To whom, and what was asked for. Borrowed. */
struct delivery {
    const struct journal_transaction *record;
    const struct result_key *verifier;
    size_t signature_len;
    struct remote_document *documents;
    size_t count;
    const char *state_dir; /* where the audit log is */
    const char *account;
    const struct clock *clock;
};

/*
 * Matches the reply's items with the documents by the doc_id that record gave their digests, and
 * verifies each: one that fits another document of the same reply is wrong, too. What does not
 * verify leaves an entry in the audit log. Each document's status: SCA_OK; SCA_MISMATCH, what came
 * does not verify; SCA_PROTOCOL, nothing came; SCA_NOMEM. Returns SCA_OK when all are, else the
 * worst of them: SCA_NOMEM (asking again would help), then SCA_MISMATCH, then SCA_PROTOCOL.
 */
enum sca_status deliver_signatures(const struct delivery *delivery,
                                   const struct codec_reply *reply);

/* Gives every document the status of the whole, but for those with SCA_BUSY, which are not in it.
 */
void deliver_failure(enum sca_status status, struct remote_document *documents, size_t count);

#endif
