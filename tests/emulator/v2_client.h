/* SPDX-License-Identifier: Apache-2.0 */
/* The two calls of version 2, as a client makes them, for the emulator's own tests. */
#ifndef TESTS_EMULATOR_V2_CLIENT_H
#define TESTS_EMULATOR_V2_CLIENT_H

#include "tests/emulator/harness.h"

#define V2_SIGN_PATH    "/sca/sp769/v2/signatures/sign"
#define V2_CONFIRM_PATH "/sca/sp769/v2/signatures/confirm"
#define V2_ONE_FILE     "[" FILE_OF(HASH_32, "d-1") "]"

enum { V2_SAD_SIZE = 1024 };

/* A sign request as it should be, but for the members that are not NULL. */
struct v2_ask {
    const char *id;
    const char *user;
    const char *password;
    const char *otp;
    const char *serial;
    const char *files;
};

struct answer v2_sign(struct harness *h, struct v2_ask ask);
struct answer v2_confirm(struct harness *h, const char *id, const char *sad);
struct answer v2_confirm_as(struct harness *h, const char *user, const char *id, const char *sad);

/* On a connection of its own: curl asks again by itself where a used one is cut. */
struct answer v2_confirm_alone(struct harness *h, const char *id, const char *sad);

/* A transaction that waits to be confirmed. OTPs may be repeated from now on. */
void v2_begin(struct harness *h, const char *id, char sad[V2_SAD_SIZE]);

/* Asserts an answer without sad and signatures; it is done then. */
void v2_assert_refused(struct answer answer, long status, int code, const char *message);

#endif
