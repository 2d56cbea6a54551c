/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One confirmation, from the documents to their signatures: submitted once, asked for until it has
 * an outcome, never submitted under another id while its outcome is unknown: never
 * twice, never lost, never wrong, as README.md promises. The states are drawn in remote/README.md.
 */
#ifndef REMOTE_SMARTCA_TRANSACTION_H
#define REMOTE_SMARTCA_TRANSACTION_H

#include <stdbool.h>
#include <stddef.h>

#include "remote/base/call.h"
#include "remote/base/status.h"
#include "remote/remote.h"
#include "remote/smartca/client.h"
#include "remote/smartca/journal.h"
#include "remote/smartca/progress.h"

/* Who is to sign what, and in which turn. Borrowed. */
struct order {
    struct smartca_client *client;
    const struct remote_credentials *credentials;
    const struct remote_key *key;
    struct remote_document *documents;
    size_t count;
    const struct journal_rules *rules;
    const struct progress *known; /* goes on with that one, whatever the journal says; or NULL */
    bool is_over;                 /* out: nothing is left to wait for, whoever asks */
    struct progress *left;        /* out: what is left, the caller's; or NULL */
};

/*
 * Signs the documents in one transaction, whatever else is going on. Thread-safe: calls with
 * different digests run side by side, calls with the same ones meet in the journal. No lock is held
 * while anything is sent or waited for. Each document has its own status; returns the worst.
 */
enum sca_status transaction_sign(struct smartca_client *client, struct call *call,
                                 const struct remote_credentials *credentials,
                                 const struct remote_key *key, struct remote_document *documents,
                                 size_t count);

/*
 * The same under rules: SCA_BUSY as long as another transaction is open, with the documents noted
 * down for the next one; to be asked again soon, with is_again. A document with that status was in
 * no transaction, or not in the one that the others were in. Of a brief call SCA_PENDING: it is on
 * its way, and the same order finds it again.
 */
enum sca_status transaction_take_turn(struct order *order, struct call *call);

/* Notes the documents down for whoever has the next turn; and that nothing is wanted any more. */
void transaction_want(const struct order *order, struct call *call);
void transaction_unwant(const struct order *order);

#endif
