/* SPDX-License-Identifier: Apache-2.0 */
/* Things that go wrong: a queue of faults, consumed in order by the requests they are meant for. */
#ifndef TESTS_EMULATOR_FAULT_H
#define TESTS_EMULATOR_FAULT_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

#include "remote/base/status.h"

enum endpoint {
    ENDPOINT_ANY, /* in a fault: every one of the service's; never a request's */
    ENDPOINT_CERTIFICATES,
    ENDPOINT_SIGN,
    ENDPOINT_STATUS,
    ENDPOINT_SIGN2,   /* version 2 */
    ENDPOINT_CONFIRM, /* of version 2 */
    ENDPOINT_ECONTRACT,
    ENDPOINT_CONTROL, /* faults never reach it */
    ENDPOINT_NONE,    /* a path that the service does not know */
    ENDPOINT_COUNT
};

enum fault_kind {
    FAULT_NONE,
    /* of the connection */
    FAULT_DELAY,
    FAULT_RESET_BEFORE,
    FAULT_DROP_REPLY,
    FAULT_HANG,
    /* of the HTTP answer */
    FAULT_STATUS,
    FAULT_BODY_TEXT,
    FAULT_TRICKLE,
    FAULT_HUGE,
    FAULT_DEEP_JSON,
    FAULT_INVALID_UTF8,
    FAULT_BAD_JSON,
    FAULT_TRUNCATED,
    FAULT_SHORT_LENGTH,
    FAULT_LONG_LENGTH,
    FAULT_GZIP,
    FAULT_REDIRECT,
    /* of what a signed answer says */
    FAULT_WRONG_ID,
    FAULT_SWAP,
    FAULT_SWAP_ONE,
    FAULT_OTHER_HASH,
    FAULT_OTHER_KEY,
    FAULT_MISSING_SIGNATURE,
    FAULT_MISSING_ONE,
    FAULT_REPLAY,
    FAULT_DUPLICATE,
    FAULT_UNKNOWN_DOCUMENT,
};

enum { FAULT_RETRY_AFTER_MAX = 64 };

struct fault {
    enum fault_kind kind;
    enum endpoint endpoint;
    unsigned count;    /* requests it still hits */
    unsigned skip;     /* requests it lets pass before */
    unsigned delay_ms; /* before the answer, with any kind */
    bool is_processed; /* whether the service does its work before it fails to say so */
    unsigned status;   /* HTTP */
    int code;          /* status_code in the body */
    unsigned size;     /* of a huge, deep or compressed answer; bytes per step of a trickle */
    unsigned every_ms; /* between two bytes of a trickling answer */
    bool has_body;     /* FAULT_STATUS: an answer with a body */
    char *body;        /* owned; NULL: the emulator writes one */
    char retry_after[FAULT_RETRY_AFTER_MAX]; /* "": no such header */
};

struct fault_queue {
    struct fault *faults;
    size_t count;
};

const char *fault_name(enum fault_kind kind);
const char *endpoint_name(enum endpoint endpoint);

/* Appends what json describes. SCA_INVALID with ret_why (static) when it is not a fault. */
enum sca_status fault_queue_add(struct fault_queue *queue, const cJSON *json, const char **ret_why);

/* When a request asks for its fault: as it comes in, or once there is an answer to falsify. */
enum fault_stage { FAULT_AT_ARRIVAL, FAULT_AT_ANSWER };

/*
 * The fault that a request to endpoint meets, FAULT_NONE mostly. Only the first fault of that
 * endpoint is looked at: later ones wait until it is used up. The kinds from FAULT_WRONG_ID on wait
 * for FAULT_AT_ANSWER. The caller fault_fini()s the result.
 */
struct fault fault_queue_take(struct fault_queue *queue, enum endpoint endpoint,
                              enum fault_stage stage);
cJSON *fault_queue_json(const struct fault_queue *queue);
void fault_queue_clear(struct fault_queue *queue);
void fault_fini(struct fault *fault);

#endif
