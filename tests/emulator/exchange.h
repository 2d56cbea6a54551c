/* SPDX-License-Identifier: Apache-2.0 */
/* One request and its answer. */
#ifndef TESTS_EMULATOR_EXCHANGE_H
#define TESTS_EMULATOR_EXCHANGE_H

#include <microhttpd.h>

#include "remote/base/bytes.h"
#include "tests/emulator/emulator.h"

enum { BODY_MAX = 4 * 1024 * 1024 };

struct route;

struct exchange {
    struct emulator *emulator; /* lent */
    struct MHD_Connection *connection;
    int socket_fd;
    const struct route *route;             /* NULL: no such path */
    char route_id[TRANSACTION_ID_MAX + 1]; /* the {id} of the path */
    bool is_wrong_method;
    bool is_too_large;
    struct buf body;
    uint64_t start_ms;
    struct behaviour behaviour; /* as it was when the request arrived */
    struct fault fault;
    struct request_entry entry;

    unsigned http_status;
    cJSON *reply; /* owned; NULL: no body */
    char retry_after[BEHAVIOUR_TEXT_MAX];
};

/* A new one for the request whose head has just been read; NULL without memory. */
struct exchange *exchange_new(struct emulator *emulator, struct MHD_Connection *connection,
                              const char *method, const char *path);
void exchange_free(struct exchange *x);

/* More of the body. */
void exchange_feed(struct exchange *x, struct span bytes);

/* The request is complete: does what it asks and answers, well or badly. */
enum MHD_Result exchange_answer(struct exchange *x);

/* Cuts the TCP connection with RST. Always MHD_NO, which is what the caller returns. */
enum MHD_Result exchange_abort(struct exchange *x);

/* The request met FAULT_RESET_BEFORE: it gets no further than its head. */
bool exchange_dies_early(const struct exchange *x);

/* Logs the request with what has been decided about it. */
void exchange_log(struct exchange *x);

/* The body as a JSON object, which the caller deletes; NULL if it is none, with a reply set. */
cJSON *exchange_json(struct exchange *x);

/* The next fault of this endpoint that falsifies answers, if there is one; kept in x->fault. */
enum fault_kind exchange_falsify(struct exchange *x);

#endif
