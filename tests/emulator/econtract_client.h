/* SPDX-License-Identifier: Apache-2.0 */
/* What a client of eContract does, for the emulator's own tests. */
#ifndef TESTS_EMULATOR_ECONTRACT_CLIENT_H
#define TESTS_EMULATOR_ECONTRACT_CLIENT_H

#include "tests/emulator/harness.h"

#define ECONTRACT_LOGIN_PATH  "/econtract/api/auth/password-login"
#define ECONTRACT_USERS_PATH  "/econtract/api/users"
#define ECONTRACT_ADD_PATH    "/econtract/api/users/smart-ca/add"
#define ECONTRACT_UPDATE_PATH "/econtract/api/users/smart-ca/update"
#define ECONTRACT_DELETE_PATH "/econtract/api/users/smart-ca/delete"
#define ECONTRACT_ADMIN       "\"username\":\"admin\",\"password\":\"econtract-password\""
#define ECONTRACT_SOLO        "\"username\":\"solo\",\"password\":\"solo-password\""

enum { ECONTRACT_BEARER_SIZE = 1100 };

/* A member of an object, NULL if there is none; its text, "" if there is none. */
const cJSON *econtract_member(const cJSON *object, const char *name);
const char *econtract_text(const cJSON *object, const char *name);

/* The first of "messages"; "" when there is none. */
const char *econtract_message(const struct answer *answer);

/* Asserts success. */
void econtract_assert_good(const struct answer *answer);

/* Asserts a failure with exactly this to say; the answer is done then. */
void econtract_assert_bad(struct answer answer, long status, int code, const char *message);

/* The header with the token that a login with this body gets. */
void econtract_log_in(struct harness *h, const char *body, char header[ECONTRACT_BEARER_SIZE]);

/* Asks as "solo". */
struct answer econtract_ask(struct harness *h, const char *path, const char *body);

#endif
