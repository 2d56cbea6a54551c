/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/login_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "tests/lib/folder.h"

enum { COST = 10 };

struct secret *login_stage_secret(const char *text)
{
    struct secret *secret = NULL;
    assert_int_equal(secret_new(span_text(text), &secret), SCA_OK);
    return secret;
}

int login_stage_begin(void **state)
{
    static char name[] = "work";
    static char url[] = "https://localhost/sca";
    static char user_id[] = "0312345678";
    struct login_stage *stage = calloc(1, sizeof(*stage));

    assert_non_null(stage);
    (void)strcpy(stage->dir, "/tmp/login.XXXXXX");
    assert_non_null(mkdtemp(stage->dir));
    stage->config = (struct account_config){
        .name = name, .user_id = user_id, .service = {.url = url, .confirm_timeout_ms = 1000}};
    smartca_account_init(&stage->account, &stage->config, stage->dir);
    call_init(&stage->call, &clock_system, 30000);
    *state = stage;
    return 0;
}

int login_stage_end(void **state)
{
    struct login_stage *stage = *state;

    if (stage->token)
        stage->token->ops->free(stage->token);
    smartca_account_fini(&stage->account);
    call_fini(&stage->call);
    assert_int_equal(folder_remove(stage->dir), 0);
    free(stage);
    return 0;
}

struct token *login_stage_new_token(struct smartca_account *account)
{
    static const struct catalogue_entry entry = {
        .slot_id = 1,
        .url = "https://localhost/sca",
        .user_id = "0312345678",
        .service_serial = "",
        .service_status = "",
        .view = {.display_name = "", .signature_text = ""},
    };

    struct token *token = NULL;
    assert_int_equal(smartca_token_new(account, &entry, &token), SCA_OK);
    return token;
}

struct token *login_stage_token(struct login_stage *stage)
{
    stage->token = login_stage_new_token(&stage->account);
    return stage->token;
}

void login_stage_vault(struct login_stage *stage)
{
    const struct vault vault = {.state_dir = stage->dir,
                                .identity = config_identity(&stage->config)};
    AUTO(secret_freep) struct secret *pin = login_stage_secret(PIN);
    AUTO(vault_contents_fini)
    struct vault_contents contents = {
        .items = {[VAULT_PASSWORD] = login_stage_secret("password"),
                  [VAULT_TOTP_SECRET] = login_stage_secret("raw:0123456789")}};

    assert_int_equal(vault_create(&vault, &stage->call, pin, &contents, COST), SCA_OK);
}

enum sca_status login_stage_log_in_to(struct token *token, struct call *call, const char *typed)
{
    AUTO(secret_freep) struct secret *pin = login_stage_secret(typed);
    call->note[0] = 0;
    return token->ops->login(token, call, TOKEN_USER, pin);
}

enum sca_status login_stage_log_in(struct login_stage *stage, const char *typed)
{
    return login_stage_log_in_to(stage->token, &stage->call, typed);
}

struct token_state login_stage_state(struct login_stage *stage)
{
    struct token_state state;
    assert_int_equal(stage->token->ops->state(stage->token, &state), SCA_OK);
    return state;
}

void login_stage_opened(struct login_stage *stage, const struct secret *otp, const char *expected)
{
    AUTO(smartca_opened_fini) struct smartca_opened opened = {.vault = NULL};
    char text[128];
    struct remote_credentials given =
        smartca_borrow_opened((struct smartca_token *)stage->token, otp, &opened);

    (void)snprintf(text, sizeof(text), "%s %s %s",
                   given.password ? (const char *)secret_get(given.password).ptr : "-",
                   given.totp_secret ? (const char *)secret_get(given.totp_secret).ptr : "-",
                   given.otp ? (const char *)secret_get(given.otp).ptr : "-");
    assert_string_equal(text, expected);
    smartca_opened_spend(&opened); /* and signed */
}

struct token *login_stage_business(struct login_stage *stage)
{
    stage->config.confirm = CONFIRM_TOTP;
    stage->config.password.kind = SECRET_VAULT;
    stage->config.totp_secret.kind = SECRET_VAULT;
    return login_stage_token(stage);
}

struct token *login_stage_typed(struct login_stage *stage, enum secret_kind password)
{
    stage->config.confirm = CONFIRM_OTP;
    stage->config.password.kind = password;
    return login_stage_token(stage);
}
