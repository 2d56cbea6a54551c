/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stage for tests of remote/smartca: a clock that only moves when somebody waits, a service that
 * answers line by line, a key of its own, and a state folder that vanishes afterwards.
 */
#ifndef TESTS_UNIT_STORY_H
#define TESTS_UNIT_STORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "remote/base/call.h"
#include "remote/base/clock.h"
#include "remote/config/config.h"
#include "remote/http/http.h"
#include "remote/remote.h"
#include "remote/smartca/client.h"

/* Nothing was opened by a login: everything comes from the configuration. */
static const struct remote_credentials no_credentials = {.otp = NULL};

enum {
    STORY_REQUESTS_MAX = 400,
    STORY_SIGNATURE = 256,
    STORY_BUDGET_MS = 290000,
    STORY_BEGIN_MS = 1000000,
};
#define STORY_BEGIN_S 1780000000
#define STORY_USER    "012345678901"
#define STORY_SERIAL  "54010101aabbccddeeff001122334455"
#define STORY_URL     "https://service.test/sca/sp769"

enum fate {
    ANSWERED,
    LOST,     /* the service got it, the answer did not come back */
    UNSENT,   /* the service never got it */
    GIVEN_UP, /* the application cancels meanwhile */
};

/* What the service says to one request. */
struct line {
    const char *to;   /* how the URL must end */
    const char *says; /* SIGNED and the like are filled in */
    long http;        /* 0: 200 */
    enum fate fate;
    unsigned retry_after_ms;
    uint64_t takes_ms;
    size_t times;          /* 0: once */
    int64_t clock_ahead_s; /* the service's, of ours, by its Date; 0: it does not tell */
};

#define CERTIFICATES "/v1/credentials/get_certificate"
#define SIGN         "/v1/signatures/sign"
#define STATUS       "/status"
#define SIGN2        "/v2/signatures/sign"
#define CONFIRM      "/v2/signatures/confirm"

#define ENVELOPE(code, message, data)                                                              \
    "{\"status_code\":" code ",\"message\":\"" message "\",\"data\":" data "}"
#define ACCEPTED                                                                                   \
    ENVELOPE("200", "sig_wait_for_user_confirm",                                                   \
             "{\"transaction_id\":\"other\",\"tran_code\":\"code-1\"}")
#define WAITING    ENVELOPE("200", "sig_wait_for_user_confirm", "{\"signatures\":null}")
#define REJECTED   ENVELOPE("200", "User REJECTED", "null")
#define EXPIRED    ENVELOPE("200", "Transaction expired", "null")
#define UNKNOWN_ID ENVELOPE("404", "transaction not found", "null")

/* Bodies made from the request that was posted last. */
#define SIGNED          "@signed"
#define SIGNED_NAMELESS "@nameless" /* without doc_id */
#define SIGNED_TWISTED  "@twisted"  /* every item has the signature of the first */
#define SIGNED_PARTLY   "@partly"   /* the first item only */

struct story_request {
    char url[512];
    char *body;
    char id[64]; /* transaction_id, or what stands in the status URL */
    uint64_t at_ms;
};

struct story {
    struct clock clock;
    uint64_t now_ms;
    int64_t wall_shift_s;
    struct transport transport;
    const struct line *lines;
    size_t line_count;
    size_t line_at;
    size_t line_used;
    struct story_request requests[STORY_REQUESTS_MAX];
    size_t request_count;

    char dir[64];
    struct account_config account;
    struct remote_host host;
    struct smartca_client *client;
    EVP_PKEY *pkey;
    uint8_t *spki;
    struct remote_key key;
};

/* cmocka setup and teardown; *state is the story. */
int story_begin(void **state);
int story_end(void **state);

/* The lines to come; the requests so far are forgotten. */
void story_tell(struct story *story, const struct line *lines, size_t count);
#define TELL(story, ...)                                                                           \
    story_tell((story), (const struct line[]){__VA_ARGS__},                                        \
               sizeof((const struct line[]){__VA_ARGS__}) / sizeof(struct line))

/* Leaves the client behind as a crash would, and makes another one. */
void story_new_client(struct story *story);

void story_call(struct story *story, struct call *call, uint64_t budget_ms);

/* One call of transaction_sign with the usual budget. */
enum sca_status story_sign(struct story *story, struct remote_document *documents, size_t count);

enum { STORY_NOTE_SIZE = sizeof(((struct call *)0)->note) };

/* The same with what a login opened; note: STORY_NOTE_SIZE for why it failed, or NULL. */
enum sca_status story_sign_with(struct story *story, const struct remote_credentials *credentials,
                                struct remote_document *documents, size_t count, char *note);

/* A digest of 32 bytes, all seed. */
struct story_document {
    uint8_t digest[32];
    uint8_t signature[STORY_SIGNATURE];
};
struct remote_document story_document(struct story_document *document, uint8_t seed);

/* A single document, all 1, and the call that signs it. */
struct lone {
    struct story_document made;
    struct remote_document document;
};
void story_alone(struct lone *lone);
enum sca_status story_sign_alone(struct story *story, struct lone *lone);

/* When request number index came. */
uint64_t story_time(const struct story *story, size_t index);

/* What the story's key makes of a digest. */
void story_signature(const struct story *story, struct span digest,
                     uint8_t out[static STORY_SIGNATURE]);
bool story_is_signed(const struct story *story, const struct remote_document *document);

/* Size of the journal, 0 if there is none. */
size_t story_journal_size(const struct story *story);
bool story_journal_holds(const struct story *story, const char *text);

/* How many requests went to an endpoint, and how many different ids were in them. */
size_t story_count(const struct story *story, const char *endpoint);
size_t story_count_ids(const struct story *story, const char *endpoint);

/* A test service's answers, for transports of other tests. The caller frees. */
char *story_signed_body(const struct story *story, const char *request_body, const char *kind);
char *story_text_of(const char *json_body, const char *name);

#endif
