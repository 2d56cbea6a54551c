/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who stands in line for a key. Pure bookkeeping: nothing here waits, and whoever calls holds the
 * gather's lock.
 */
#ifndef REMOTE_SMARTCA_LANE_H
#define REMOTE_SMARTCA_LANE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "remote/base/call.h"
#include "remote/remote.h"
#include "remote/smartca/journal.h"
#include "remote/smartca/progress.h"

enum ticket_state {
    TICKET_WAITS, /* for the next transaction */
    TICKET_RUNS,  /* in the one that the lane's leader has */
    TICKET_DONE,  /* out of the lane: status is the outcome */
};

struct lane;

/* One digest that somebody wants signed. */
struct remote_ticket {
    struct remote_ticket *next; /* in its lane, in the order of arrival */
    struct smartca_client *client;
    struct lane *lane;
    enum ticket_state state;
    bool is_orphan;       /* nobody wants it any more: whoever takes it out of the lane frees it */
    bool is_kept;         /* nobody sleeps for it: it is collected when it is dropped, if told */
    bool is_left_open;    /* its transaction went on when it last came back from it */
    bool is_told;         /* its outcome; the journal need not keep the signature any more */
    struct call *sleeper; /* who sleeps for it */
    size_t document;      /* while that one is in a transaction: its number there */
    atomic_uint *wanted_by;    /* and its counter; NULL: it is in none */
    struct progress *progress; /* of the transaction it was in when it last came back; or NULL */
    uint64_t arrived_ms;
    uint64_t deadline_ms;
    enum sca_status status;
    unsigned long device_error;
    char note[sizeof(((struct call *)NULL)->note)];
    char transaction[sizeof(((struct call *)NULL)->transaction)];
    size_t digest_len;
    uint8_t digest[JOURNAL_DIGEST_MAX];
    uint8_t signature[]; /* of the key's signature length */
};

/* Tickets of one key; where one-time passwords are typed, of one such password. */
struct lane {
    struct lane *next;
    struct remote_ticket *first;
    const struct secret *otp; /* told apart by where it is; not looked into */
    bool is_led;
    bool is_spent; /* the one-time password was used */
    bool has_want; /* the journal knows what is wanted here */
    uint64_t next_poll_ms;
    uint64_t next_look_ms; /* at what keeps it waiting; 0: nothing does */
    char serial[];
};

/* The lane of that key, made if need be; NULL without memory. */
struct lane *lane_enter(struct lane **lanes, const struct remote_asking *asking);

/* Takes it out of the list and frees it, if nobody is in it. */
void lane_leave(struct lane **lanes, struct lane *lane);

void lane_add(struct lane *lane, struct remote_ticket *ticket);
void lane_remove(struct lane *lane, struct remote_ticket *ticket);

/* It is in no lane any more. */
void ticket_free(struct remote_ticket *ticket);

/* Wakes one of those who wait and sleep, so that somebody leads. */
void lane_wake(const struct lane *lane);

/* What a leader takes along: each digest once. batch_fini frees. */
struct batch {
    struct remote_document *documents;
    atomic_uint *wanted_by; /* one for each document */
    size_t count;
};

/* Marks tickets that wait as running, of at most max documents. SCA_NOMEM: nobody runs. */
enum sca_status batch_take(struct lane *lane, size_t max, struct batch *ret_batch);
void batch_fini(struct batch *batch);

/* What to go on with: of the first of those who run that has been in a transaction. Or NULL. */
const struct progress *lane_progress(const struct lane *lane);

#endif
