/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far a transaction has come when a call that waits for it ends and others go on waiting. With
 * the journal alone they would ask the person anew as soon as another process collects the
 * signature first, or the file is lost: who has begun asks for the same id to the end.
 */
#ifndef REMOTE_SMARTCA_PROGRESS_H
#define REMOTE_SMARTCA_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "remote/base/status.h"
#include "remote/smartca/journal.h"

/* Shared by the tickets of one lane, whose lock guards owners. The rest is never changed. */
struct progress {
    size_t owners;
    struct journal_transaction record;
    uint64_t unknown_since_ms; /* the service first forgot what it had; 0: it did not */
    bool has_posted;           /* the service may have it from this process */
    bool is_answered;          /* this process heard of it from the service */
    bool is_announced;         /* the person was told here */
    bool is_phones;            /* v2: no permission came, so the phone is asked */
};

/* One owner; *record is taken over and empty then. NULL without memory: it stays the caller's. */
struct progress *progress_new(struct journal_transaction *record);

/* One owner more, or one less: the last one frees. NULL is nothing. */
struct progress *progress_share(struct progress *progress);
void progress_drop(struct progress *progress);

/* Its record, for a transaction that goes on; the caller's. SCA_NOMEM. */
enum sca_status progress_copy(const struct progress *progress,
                              struct journal_transaction *ret_record);

#endif
