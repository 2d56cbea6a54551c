/* SPDX-License-Identifier: Apache-2.0 */
/* Work on the journal's file, among threads and processes. For journal*.c only. */
#ifndef REMOTE_SMARTCA_JOURNAL_WORK_H
#define REMOTE_SMARTCA_JOURNAL_WORK_H

#include "remote/base/call.h"
#include "remote/smartca/journal.h"
#include "remote/smartca/journal_file.h"
#include "remote/smartca/ledger.h"

struct journal {
    char *dir;
    char *path;
};

/* One piece of work on the file, done with its lock held; arg is what it is about. */
typedef enum sca_status journal_worker(const struct journal *journal, struct journal_file *file,
                                       void *arg);

/*
 * Does the work when the file is free. Whoever waits holds no lock meanwhile, and can be cancelled;
 * call NULL: it waits a short while only. SCA_BUSY: others had it for too long.
 */
enum sca_status journal_in_turn(const struct journal *journal, struct call *call,
                                journal_worker *work, void *arg);

/* Why nothing may be sent, for journal_in_turn's status; errno says more. */
enum sca_status journal_explain(const struct journal *journal, struct call *call,
                                enum sca_status status);

/* Everything in the file into an empty ledger. */
enum sca_status journal_read_live(struct journal_file *file, struct ledger *ledger);

/* Adds whole lines, durably; ledger is what is live without them. A file of the past is blanked, a
 * large one written anew. */
enum sca_status journal_store(const struct journal *journal, struct journal_file *file,
                              const struct ledger *ledger, struct span added);

#endif
