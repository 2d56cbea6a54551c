/* SPDX-License-Identifier: Apache-2.0 */
/* One SmartCA account in a folder of its own, its token and its vault, without a service. */
#ifndef TESTS_UNIT_LOGIN_STAGE_H
#define TESTS_UNIT_LOGIN_STAGE_H

#include "module/backend/smartca.h"

#define PIN "246824" /* the vault's */

struct login_stage {
    char dir[32];
    struct account_config config;
    struct smartca_account account;
    struct token *token;
    struct call call;
};

/* cmocka fixtures; *state is the stage. */
int login_stage_begin(void **state);
int login_stage_end(void **state);

struct secret *login_stage_secret(const char *text);

/* A certificate's token, after the test has changed the configuration; the caller frees it. */
struct token *login_stage_new_token(struct smartca_account *account);

/* The stage's own: as the configuration is, of a business account, of one whose codes are typed. */
struct token *login_stage_token(struct login_stage *stage);
struct token *login_stage_business(struct login_stage *stage);
struct token *login_stage_typed(struct login_stage *stage, enum secret_kind password);

/* With password and secret key in it. */
void login_stage_vault(struct login_stage *stage);

enum sca_status login_stage_log_in_to(struct token *token, struct call *call, const char *typed);
enum sca_status login_stage_log_in(struct login_stage *stage, const char *typed);
struct token_state login_stage_state(struct login_stage *stage);

/* What a signature would be given: "password totp_secret otp", "-" for what there is not. */
void login_stage_opened(struct login_stage *stage, const struct secret *otp, const char *expected);

#endif
