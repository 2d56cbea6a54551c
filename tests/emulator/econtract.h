/* SPDX-License-Identifier: Apache-2.0 */
/* What eContract knows: companies, who may log in, the users and the certificates they sign with.
 */
#ifndef TESTS_EMULATOR_ECONTRACT_H
#define TESTS_EMULATOR_ECONTRACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/emulator/jwt.h"
#include "tests/emulator/user.h"

enum {
    ECONTRACT_TEXT_MAX = 160, /* no less than a user's name */
    ECONTRACT_COMPANIES_MAX = 16,
    ECONTRACT_USERS_MAX = 1000,
    ECONTRACT_TOKENS_MAX = 256,
    ECONTRACT_ADMIN = 1, /* the id of the account "admin" */
};

/* A SmartCA certificate that a user of eContract signs with. */
struct econtract_certificate {
    int id;
    const struct user *identity;           /* lent; lives until the end */
    const struct certificate *certificate; /* lent; lives until the end */
    char name[ECONTRACT_TEXT_MAX];
    char created[32];
    int created_by; /* an account's id */
    struct econtract_certificate *next;
};

struct econtract_user {
    int id;
    char code[32];
    char name[ECONTRACT_TEXT_MAX];
    char signature_text[ECONTRACT_TEXT_MAX];
    int default_id; /* 0: none */
    struct econtract_certificate *certificates;
};

/* Somebody who administers it. */
struct econtract_account {
    int id;
    const char *username;
    char password[ECONTRACT_TEXT_MAX];
    bool is_in_all_companies; /* else in the first one only */
};

enum { ECONTRACT_ACCOUNTS = 2 };

struct econtract_token {
    char text[JWT_MAX + 1];
    uint64_t made_ms;
    int account_id;
    int company_id;
};

/* Guarded by the emulator's lock. */
struct econtract {
    char companies[ECONTRACT_COMPANIES_MAX][ECONTRACT_TEXT_MAX]; /* ids count from 1 */
    size_t company_count;
    struct econtract_account accounts[ECONTRACT_ACCOUNTS];
    char otp[16];
    struct econtract_token tokens[ECONTRACT_TOKENS_MAX]; /* a ring */
    unsigned long token_count;
    struct econtract_user *users; /* ids count from 1 */
    size_t user_count;
    int next_certificate_id;
};

/* The standard companies, accounts and users; no tokens and certificates. SCA_NOMEM: no users. */
enum sca_status econtract_reset(struct econtract *econtract);
void econtract_fini(struct econtract *econtract);

/* Replaces the users by that many new ones, at most ECONTRACT_USERS_MAX. */
enum sca_status econtract_make_users(struct econtract *econtract, size_t count);

/* Lend; NULL if there is none. */
struct econtract_user *econtract_find_user(struct econtract *econtract, int id);
struct econtract_certificate *econtract_find_certificate(struct econtract_user *user, int id);
const struct econtract_token *econtract_find_token(const struct econtract *econtract,
                                                   const char *text);

/* Whether an account is in the company of that id. */
bool econtract_is_in(const struct econtract *econtract, const struct econtract_account *account,
                     int company_id);

/*
 * Lends a new token. now: seconds since 1970, for the claims; how long it really lives is asked
 * when it is used.
 */
const struct econtract_token *econtract_log_in(struct econtract *econtract,
                                               const struct econtract_account *account,
                                               int company_id, int64_t now);

/* Lists the certificate for the user, as default if there is none, unless it is there already. */
enum sca_status econtract_add_certificate(struct econtract *econtract, struct econtract_user *user,
                                          const struct user *identity,
                                          const struct certificate *certificate, int created_by);

/* Takes it away; the first one left becomes the default if this one was. */
void econtract_remove_certificate(struct econtract_user *user, int id);

#endif
