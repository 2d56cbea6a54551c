/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One confirmation, from the documents to their signatures: submitted once, asked for until it has
 * an outcome, never submitted under another id while its outcome is unknown (design.md section 5
 * promises 1 to 3, section 8.9 to 8.13). The states are drawn in remote/README.md.
 */
#ifndef REMOTE_SMARTCA_TRANSACTION_H
#define REMOTE_SMARTCA_TRANSACTION_H

#include <stddef.h>

#include "remote/base/call.h"
#include "remote/base/status.h"
#include "remote/remote.h"
#include "remote/smartca/client.h"

/*
 * remote_ops.sign. Thread-safe: calls with different digests run side by side, calls with the same
 * ones meet in the journal. No lock is held while anything is sent or waited for.
 */
enum sca_status transaction_sign(struct smartca_client *client, struct call *call,
                                 const struct remote_credentials *credentials,
                                 const struct remote_key *key, struct remote_document *documents,
                                 size_t count);

#endif
