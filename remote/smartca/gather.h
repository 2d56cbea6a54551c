/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Group commit, one confirmation for many: signatures that are asked for while others of the same
 * key are on their way become one transaction. Whoever asks puts a ticket into the lane of its key.
 * One caller leads the lane: it takes the tickets that wait, up to batch_max, through one
 * transaction, and hands out what came; the others sleep. A leader that is cancelled, or runs out
 * of time, leaves the lead to another one, who finds the transaction in the journal. No thread is
 * made, and no lock is held while anything is sent or waited for.
 *
 * Among processes the journal does the same (journal_take_turn): the one whose turn it is takes
 * along what the others want.
 *
 * Tickets of begin have nobody who waits: each poll leads for as long as one step takes.
 */
#ifndef REMOTE_SMARTCA_GATHER_H
#define REMOTE_SMARTCA_GATHER_H

#include <stdint.h>

#include "remote/base/call.h"
#include "remote/base/status.h"
#include "remote/remote.h"

/* The lanes of one client. */
struct gather;

enum sca_status gather_new(struct gather **ret_gather);
void gather_free(struct gather *gather); /* nobody is in it any more */

/* remote_ops.sign, begin, poll, number, join, keep and drop. */
enum sca_status gather_sign(struct smartca_client *client, struct call *call,
                            const struct remote_credentials *credentials,
                            const struct remote_key *key, struct remote_document *document);
enum sca_status gather_begin(const struct remote_asking *asking, struct call *call,
                             struct span digest, uint64_t patience_ms,
                             struct remote_ticket **ret_ticket);
enum sca_status gather_poll(struct remote_ticket *ticket, const struct remote_asking *asking,
                            struct call *call, uint8_t *signature);
enum sca_status gather_number(struct remote_ticket *ticket, const struct remote_asking *asking,
                              struct call *call, uint64_t *ret_number);
enum sca_status gather_join(const struct remote_asking *asking, struct call *call, uint64_t number,
                            uint64_t patience_ms, struct remote_ticket **ret_ticket);
void gather_keep(struct remote_ticket *ticket);
void gather_drop(struct remote_ticket *ticket);

#endif
