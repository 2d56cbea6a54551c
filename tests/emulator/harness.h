/* SPDX-License-Identifier: Apache-2.0 */
/* Starts the emulator and talks to it over TLS, for the emulator's own tests. */
#ifndef TESTS_EMULATOR_HARNESS_H
#define TESTS_EMULATOR_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cjson/cJSON.h>
#include <cmocka.h>
#include <curl/curl.h>

#include "remote/base/bytes.h"

#define HARNESS_USER "012345678901"
#define HASH_32                                                                                    \
    "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" /* of "hello"               \
                                                                        */

#define HASH_32B                                                                                   \
    "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9" /* of "hello world" */

/* A running emulator and its folder. */
struct harness {
    char dir[64];
    pid_t pid;
    int stdin_fd;
    unsigned port;
    const char *scheme;
    CURL *curl; /* one connection, kept alive */
};

/* One answer; harness_done() it. body is never NULL. */
struct answer {
    CURLcode result;
    long status;
    struct buf body;
    cJSON *json; /* NULL when the body is no JSON */
};

/* Asserts that the emulator comes up. args: further options, ending with NULL. */
void harness_start(struct harness *h, const char *const *args);

/* Ends it through its stdin, asserts that it ends well, and removes the folder. */
void harness_stop(struct harness *h);

/* The same folder once more, with other options. */
void harness_restart(struct harness *h, const char *const *args);

/* Runs the program with args (ending with NULL) until it ends by itself; its exit code. */
int harness_run(const char *const *args);

/* body NULL: GET; "": POST without a body. */
struct answer harness_ask(struct harness *h, const char *path, const char *body);

/* The same on a connection of its own, with another content type. */
struct answer harness_ask_as(struct harness *h, const char *path, const char *body,
                             const char *content_type);

/* The same on the common connection, with one header more ("Name: value"). */
struct answer harness_ask_with(struct harness *h, const char *path, const char *body,
                               const char *header);
void harness_done(struct answer *answer);

/* Asserts that the control plane takes it. */
void harness_control(struct harness *h, const char *path, const char *body);

/* Asks for the signature of HASH_32 in a new transaction; the reply has been asserted to be 200. */
void harness_sign(struct harness *h, const char *transaction_id);
struct answer harness_status(struct harness *h, const char *transaction_id);

/* A number of GET /control/counters. */
int harness_counter(struct harness *h, const char *name);

/* A text of the last certificate GET /control/users has of that user: "serial_number", say. */
void harness_certificate_text(struct harness *h, const char *user_id, const char *name, char *out,
                              size_t room);

/* What that user's authenticator shows, steps of its periods from now. */
void harness_otp(struct harness *h, const char *user_id, int steps, char out[8]);

/* A text of the reply's data, or of the first signature in it; NULL when it is not there. */
const char *answer_data(const struct answer *answer, const char *name);
const char *answer_signature(const struct answer *answer, const char *name);
const char *answer_message(const struct answer *answer);
int answer_code(const struct answer *answer);

/* The data of the reply, and a whole number of any object; -1 when it is not there. */
const cJSON *answer_object(const struct answer *answer);
int answer_number(const cJSON *object, const char *name);

/* Group set-up and tear-down with one emulator in *state, and the reset before each test. */
int harness_group_setup(void **state);
int harness_group_teardown(void **state);
int harness_reset(void **state);

/* A sign request; files is the text of the array. */
void harness_sign_body(char *out, size_t room, const char *transaction_id, const char *files);

#define SP_MEMBERS                                                                                 \
    "\"sp_id\":\"4184-637127995547330633.apps.signserviceapi.com\","                               \
    "\"sp_password\":\"test-password\""
#define FILE_OF(hash, doc_id)                                                                      \
    "{\"data_to_be_signed\":\"" hash "\",\"doc_id\":\"" doc_id                                     \
    "\",\"file_type\":\"pdf\",\"sign_type\":\"hash\"}"
#define SIGN_PATH         "/sca/sp769/v1/signatures/sign"
#define CERTIFICATES_PATH "/sca/sp769/v1/credentials/get_certificate"
#define CERTIFICATES_BODY                                                                          \
    "{" SP_MEMBERS ",\"user_id\":\"" HARNESS_USER "\",\"transaction_id\":\"list-1\"}"

#endif
