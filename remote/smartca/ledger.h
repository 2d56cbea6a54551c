/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lines of the transaction journal as bytes: written, checked and added up. Pure functions;
 * the file and its locks are journal.c's.
 *
 * A line is CHECKSUM SP JSON LF. CHECKSUM is the first 16 hex digits of the JSON's SHA-256. The
 * JSON is an object with "event" and "id"; "begin" has the whole transaction, "submitted" the
 * service's tran_code, "claimed" who submits it now, "collected" the doc_ids that are done with,
 * "ended" how and when; "left", "parked", "signed" and "end" have nothing more. "want" is like
 * "begin", and "end" takes it back.
 */
#ifndef REMOTE_SMARTCA_LEDGER_H
#define REMOTE_SMARTCA_LEDGER_H

#include <stddef.h>

#include "remote/base/bytes.h"
#include "remote/base/status.h"
#include "remote/smartca/journal.h"

enum { LEDGER_SIZE_MAX = 16 * 1024 * 1024 };

/* The live transactions, oldest first. */
struct ledger {
    struct journal_transaction *items;
    size_t count;
    size_t room;
};

void ledger_fini(struct ledger *ledger);

/*
 * Adds the lines of a file to an empty ledger. lines is changed on the way. A line that is torn,
 * damaged or of an unknown kind is skipped. SCA_NOMEM; the ledger holds what was read until then.
 */
enum sca_status ledger_read(struct ledger *ledger, struct buf *lines);

/* Is no line about any other transaction? Tells by the text alone, damaged lines included. */
bool ledger_is_only(struct span lines, const char *id);

/* The live transaction of that id, or NULL. */
struct journal_transaction *ledger_find(const struct ledger *ledger, const char *id);

/* Marks a document as collected; are all of them? */
void ledger_collect(struct journal_transaction *transaction, const char *doc_id);
bool ledger_is_collected(const struct journal_transaction *transaction);

/* Takes one item out, releasing it. */
void ledger_remove(struct ledger *ledger, struct journal_transaction *item);

/* Appends the line(s) that stand for a transaction, or for one event of it, to lines. */
enum sca_status ledger_write_transaction(const struct journal_transaction *transaction,
                                         struct buf *lines);
enum sca_status ledger_write_event(const char *event, const char *id, const char *tran_code,
                                   struct buf *lines);
enum sca_status ledger_write_collected(const struct journal_transaction *transaction,
                                       struct buf *lines);
enum sca_status ledger_write_ended(const struct journal_transaction *transaction,
                                   struct buf *lines);
enum sca_status ledger_write_claim(const struct journal_transaction *transaction,
                                   struct buf *lines);

/* Would the lines of it be read back? */
bool ledger_is_writable(const struct journal_transaction *transaction);

#endif
