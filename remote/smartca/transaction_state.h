/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A transaction while transaction_sign runs it. Only transaction.c, which sends and waits, and
 * outcome.c, which judges the answers, look inside. It lives on the caller's stack: one thread.
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

enum step {
    STEP_SUBMIT, /* send the request */
    STEP_ASK,    /* ask for its outcome */
    STEP_RENEW,  /* this id is over and nobody was refused: begin another one */
    STEP_DONE,   /* tx->status is the outcome */
};

struct transaction {
    struct smartca_client *client;
    struct call *call;
    const struct remote_key *key;
    const struct result_key *verifier;
    struct remote_document *documents;
    size_t count;

    struct journal_transaction record;
    struct schedule schedule;
    uint64_t unknown_since_ms; /* the service first forgot what it had; 0: it did not */

    bool is_joined;    /* somebody else began it */
    bool has_tried;    /* this call tried to send the request */
    bool has_posted;   /* and the service may have it */
    bool is_answered;  /* this call heard of it from the service */
    bool is_announced; /* the person was told here */
    bool is_waiting;   /* the service's last word */
    bool is_news;      /* the record says more than the journal */
    bool tried_both_ids;
    bool is_over;      /* nothing is left to ask: the journal may forget it */
    bool is_delivered; /* each document has its own status */
    enum sca_status status;
};

#endif
