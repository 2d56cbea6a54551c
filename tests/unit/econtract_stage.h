/* SPDX-License-Identifier: Apache-2.0 */
/* An eContract that answers line by line, a clock that stands still, and a folder that vanishes. */
#ifndef TESTS_UNIT_ECONTRACT_STAGE_H
#define TESTS_UNIT_ECONTRACT_STAGE_H

#include <stddef.h>

#include "remote/base/clock.h"
#include "remote/econtract/econtract.h"

enum { STAGE_REQUESTS_MAX = 16, STAGE_TEXT_MAX = 1024 };

#define STAGE_URL     "https://tenant.test/econtract"
#define STAGE_BEGIN_S 1780000000

/* The service's answer to one request. */
struct reply {
    long http;        /* 0: none comes */
    const char *body; /* NULL: like the one before */
};

struct stage_request {
    enum http_method method;
    bool is_repeatable;
    char url[STAGE_TEXT_MAX];
    char body[STAGE_TEXT_MAX];
    char bearer[STAGE_TEXT_MAX]; /* "": none */
};

struct econtract_stage {
    struct transport transport;
    struct clock clock;
    int64_t now_s;
    const struct reply *replies;
    size_t reply_count;
    struct stage_request requests[STAGE_REQUESTS_MAX];
    size_t request_count;
    char dir[64];
    char password[64];
    char company[64];
    struct econtract_config config;
    struct econtract *econtract;
    char note[sizeof(((struct call *)NULL)->note)]; /* of the last call */
};

/* cmocka setup and teardown; *state is the stage. */
int econtract_stage_begin(void **state);
int econtract_stage_end(void **state);

/* The answers to come; what was asked before is forgotten. */
void econtract_stage_tell(struct econtract_stage *stage, const struct reply *replies, size_t count);
#define TELL(stage, ...)                                                                           \
    econtract_stage_tell((stage), (const struct reply[]){__VA_ARGS__},                             \
                         sizeof((const struct reply[]){__VA_ARGS__}) / sizeof(struct reply))

/* As another run of the tool would begin. */
void econtract_stage_restart(struct econtract_stage *stage);

/* A call, and its end: the note is kept. */
void econtract_stage_call(struct econtract_stage *stage, struct call *call);
enum sca_status econtract_stage_ended(struct econtract_stage *stage, struct call *call,
                                      enum sca_status status);

/* One login; otp and company may be NULL. */
enum sca_status econtract_stage_login(struct econtract_stage *stage, const char *company,
                                      const char *otp, struct econtract_companies *ret_companies);

/* One page of users, and how many were on it. */
enum sca_status econtract_stage_list(struct econtract_stage *stage, size_t *ret_count);

/* dir/vault/econtract. */
const char *econtract_stage_ticket(const struct econtract_stage *stage,
                                   char out[static STAGE_TEXT_MAX]);

#endif
