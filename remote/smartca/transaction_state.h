/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A transaction while transaction_sign runs it. Only transaction.c, which waits, step.c, which
 * sends, outcome.c, which judges the answers, and settle.c, which tells the journal, look inside.
 * It lives on the caller's stack: one thread.
 */
#ifndef REMOTE_SMARTCA_TRANSACTION_STATE_H
#define REMOTE_SMARTCA_TRANSACTION_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "remote/base/call.h"
#include "remote/base/status.h"
#include "remote/remote.h"
#include "remote/smartca/client.h"
#include "remote/smartca/journal.h"
#include "remote/smartca/result.h"
#include "remote/smartca/schedule.h"
#include "remote/smartca/second_factor.h"

enum step {
    STEP_SUBMIT,  /* send the request */
    STEP_CLAIM,   /* joined, and the service knows nothing: send it, if nobody else does */
    STEP_CONFIRM, /* v2: use the permission that the answer gave */
    STEP_ASK,     /* ask for its outcome */
    STEP_RENEW,   /* this id is over and nobody was refused: begin another one */
    STEP_DONE,    /* tx->status is the outcome */
};

struct transaction {
    struct smartca_client *client;
    struct call *call;
    const struct remote_credentials *credentials;
    const struct remote_key *key;
    const struct result_key *verifier;
    struct remote_document *documents; /* SCA_BUSY: not in this transaction */
    size_t count;
    const struct journal_rules *rules;

    struct journal_transaction record;
    struct schedule schedule;
    uint64_t unknown_since_ms; /* the service first forgot what it had; 0: it did not */

    struct second_factor *factor; /* NULL: the phone decides. Outlives the rounds */
    struct secret *sad;           /* v2: the service's permission to sign, for this transaction */

    enum sca_status limbo;   /* it was refused, but not at first: the end, if it is not signed */
    uint64_t limbo_until_ms; /* asked until then */
    char limbo_note[sizeof(((struct call *)NULL)->note)];

    bool is_begun;     /* or joined: the record is no draft any more */
    bool is_joined;    /* somebody else began it, or another call of this process */
    bool has_tried;    /* this call tried to send the request */
    bool has_posted;   /* and the service may have it */
    bool is_answered;  /* this call heard of it from the service */
    bool is_announced; /* the person was told here */
    bool is_waiting;   /* the service's last word */
    bool is_news;      /* the record says more than the journal */
    bool tried_both_ids;
    bool is_phones;     /* v2: no permission came, so the phone is asked */
    bool has_confirmed; /* v2: the permission was used, and the answer decided nothing */
    bool has_resumed;   /* v2: the request was sent again for a permission that got lost */
    bool is_over;       /* nothing is left to ask: the journal may forget it */
    bool is_dropped;    /* it never left this call */
    bool is_delivered;  /* each document has its own status */
    enum sca_status status;
};

#endif
