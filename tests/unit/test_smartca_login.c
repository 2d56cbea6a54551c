/* SPDX-License-Identifier: Apache-2.0 */
/* PINs and one-time passwords of SmartCA slots, without a service. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "tests/unit/login_stage.h"

static void the_phone_needs_no_login(void **state)
{
    struct login_stage *stage = *state;

    struct token *token = login_stage_token(stage);

    assert_false(token->needs_login);
    assert_null(token->ops->login);
    assert_null(token->ops->set_pin);
    assert_int_equal(token->pin_max, 0);
    assert_string_equal(token->identity.model, "SmartCA");
    login_stage_opened(stage, NULL, "- - -");
}

/* Which configurations have a PIN, and which lengths it may have at a login. */
static void the_configuration_decides_about_the_pin(void **state)
{
    static const struct {
        enum confirm_mode confirm;
        enum secret_kind password;
        enum secret_kind totp_secret;
        bool pin_required;
        bool is_context;
        bool needs_login;
        CK_ULONG pin_min;
        CK_ULONG pin_max;
        bool may_change;
    } rows[] = {
        {CONFIRM_APP, SECRET_VAULT, SECRET_VAULT, false, false, false, 0, 0, false},
        {CONFIRM_APP, SECRET_NONE, SECRET_NONE, true, false, true, 6, 64, true},
        {CONFIRM_TOTP, SECRET_FILE, SECRET_ENV, false, false, false, 0, 0, false},
        {CONFIRM_TOTP, SECRET_VAULT, SECRET_FILE, false, false, true, 6, 64, true},
        {CONFIRM_TOTP, SECRET_FILE, SECRET_VAULT, false, false, true, 6, 64, true},
        {CONFIRM_TOTP, SECRET_FILE, SECRET_FILE, true, false, true, 6, 64, true},
        {CONFIRM_OTP, SECRET_VAULT, SECRET_NONE, false, false, true, 6, 70, true},
        {CONFIRM_OTP, SECRET_VAULT, SECRET_NONE, false, true, true, 6, 64, true},
        {CONFIRM_OTP, SECRET_FILE, SECRET_NONE, false, false, true, 6, 6, false},
        {CONFIRM_OTP, SECRET_FILE, SECRET_NONE, false, true, true, 0, 0, false},
    };
    struct login_stage *stage = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        stage->config.confirm = rows[i].confirm;
        stage->config.password.kind = rows[i].password;
        stage->config.totp_secret.kind = rows[i].totp_secret;
        stage->config.pin_required = rows[i].pin_required;
        stage->config.otp_login_context = rows[i].is_context;
        struct token *token = login_stage_token(stage);
        assert_int_equal(token->needs_login, rows[i].needs_login);
        assert_int_equal(token->pin_min, rows[i].pin_min);
        assert_int_equal(token->pin_max, rows[i].pin_max);
        assert_int_equal(token->ops->set_pin != NULL, rows[i].may_change);
        assert_string_equal(token->identity.model,
                            rows[i].confirm == CONFIRM_APP ? "SmartCA" : "SmartCA TH");
        assert_int_equal(token->wants_otp_each_time,
                         rows[i].confirm == CONFIRM_OTP && rows[i].is_context);
        assert_int_equal(token->login_signs_once,
                         rows[i].confirm == CONFIRM_OTP && !rows[i].is_context);
        token->ops->free(token);
        stage->token = NULL;
    }
}

static void the_right_pin_opens_the_secrets_until_logout(void **state)
{
    struct login_stage *stage = *state;
    login_stage_vault(stage);
    struct token *token = login_stage_business(stage);

    assert_int_equal(login_stage_log_in(stage, PIN), SCA_OK);
    login_stage_opened(stage, NULL, "password raw:0123456789 -");
    login_stage_opened(stage, NULL, "password raw:0123456789 -"); /* as often as wanted */
    token->ops->logout(token);

    login_stage_opened(stage, NULL, "- - -");
}

static void what_a_signature_took_along_outlives_a_logout(void **state)
{
    AUTO(smartca_opened_fini) struct smartca_opened opened = {.vault = NULL};
    struct login_stage *stage = *state;
    login_stage_vault(stage);
    struct token *token = login_stage_business(stage);
    assert_int_equal(login_stage_log_in(stage, PIN), SCA_OK);

    struct remote_credentials given =
        smartca_borrow_opened((struct smartca_token *)token, NULL, &opened);
    token->ops->logout(token);

    assert_string_equal((const char *)secret_get(given.password).ptr, "password");
}

static void six_digits_behind_the_pin_are_for_one_signature(void **state)
{
    struct login_stage *stage = *state;
    login_stage_vault(stage);
    (void)login_stage_typed(stage, SECRET_VAULT);

    assert_int_equal(login_stage_log_in(stage, PIN "012345"), SCA_OK);

    login_stage_opened(stage, NULL, "password raw:0123456789 012345");
    login_stage_opened(stage, NULL, "password raw:0123456789 -");
}

static void without_six_digits_no_try_is_counted(void **state)
{
    static const char *const typed[] = {"24682a", "12345", "24682401234x", "pin 01234", ""};
    struct login_stage *stage = *state;
    login_stage_vault(stage);
    (void)login_stage_typed(stage, SECRET_VAULT);

    for (size_t i = 0; i < ARRAY_LEN(typed); i++) {
        assert_int_equal(login_stage_log_in(stage, typed[i]), SCA_USER_AUTH);
        assert_non_null(strstr(stage->call.note, "followed by the six digits"));
    }

    assert_int_equal(login_stage_state(stage).wrong_user_pins, 0);
}

/* Also who types the PIN alone, when that is six digits. */
static void digits_alone_are_no_try_where_there_is_a_vault(void **state)
{
    struct login_stage *stage = *state;
    login_stage_vault(stage);
    (void)login_stage_typed(stage, SECRET_VAULT);

    assert_int_equal(login_stage_log_in(stage, "012345"), SCA_USER_AUTH);

    assert_non_null(strstr(stage->call.note, "the PIN comes before the six digits"));
    assert_int_equal(login_stage_state(stage).wrong_user_pins, 0);
    login_stage_opened(stage, NULL, "- - -");
}

static void digits_alone_are_enough_where_there_is_no_vault(void **state)
{
    struct login_stage *stage = *state;
    (void)login_stage_typed(stage, SECRET_FILE);

    assert_int_equal(login_stage_log_in(stage, PIN "012345"), SCA_USER_AUTH);
    login_stage_opened(stage, NULL, "- - -");
    assert_int_equal(login_stage_log_in(stage, "012345"), SCA_OK);

    login_stage_opened(stage, NULL, "- - 012345");
}

static void a_password_for_one_operation_goes_before_that_of_the_login(void **state)
{
    AUTO(secret_freep) struct secret *otp = login_stage_secret("777777");
    struct login_stage *stage = *state;
    login_stage_vault(stage);
    stage->config.otp_login_context = true;
    (void)login_stage_typed(stage, SECRET_VAULT);
    assert_int_equal(login_stage_log_in(stage, PIN), SCA_OK);

    login_stage_opened(stage, otp, "password raw:0123456789 777777");
    login_stage_opened(stage, NULL, "password raw:0123456789 -");
}

static void without_a_vault_any_pin_will_do_until_the_digits_are_asked_for(void **state)
{
    AUTO(secret_freep) struct secret *otp = login_stage_secret("777777");
    struct login_stage *stage = *state;
    stage->config.otp_login_context = true;
    struct token *token = login_stage_typed(stage, SECRET_FILE);

    assert_int_equal(login_stage_log_in(stage, "x"), SCA_OK);

    assert_true(token->wants_otp_each_time);
    login_stage_opened(stage, NULL, "- - -");
    login_stage_opened(stage, otp, "- - 777777");
}

static void signatures_begun_before_one_ends_share_its_one_time_password(void **state)
{
    AUTO(smartca_opened_fini) struct smartca_opened first = {.vault = NULL};
    AUTO(smartca_opened_fini) struct smartca_opened second = {.vault = NULL};
    AUTO(smartca_opened_fini) struct smartca_opened third = {.vault = NULL};
    struct login_stage *stage = *state;
    stage->config.confirm = CONFIRM_OTP;
    struct smartca_token *token = (struct smartca_token *)login_stage_token(stage);
    assert_int_equal(login_stage_log_in(stage, "123456"), SCA_OK);

    const struct secret *one = smartca_borrow_opened(token, NULL, &first).otp;
    const struct secret *two = smartca_borrow_opened(token, NULL, &second).otp;
    token->base.ops->logout(&token->base);
    smartca_opened_spend(&first);

    assert_non_null(one);
    assert_ptr_equal(one, two);
    assert_null(smartca_borrow_opened(token, NULL, &third).otp);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, login_stage_begin, login_stage_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(signatures_begun_before_one_ends_share_its_one_time_password),
        TEST(the_phone_needs_no_login),
        TEST(the_configuration_decides_about_the_pin),
        TEST(the_right_pin_opens_the_secrets_until_logout),
        TEST(what_a_signature_took_along_outlives_a_logout),
        TEST(six_digits_behind_the_pin_are_for_one_signature),
        TEST(without_six_digits_no_try_is_counted),
        TEST(digits_alone_are_no_try_where_there_is_a_vault),
        TEST(digits_alone_are_enough_where_there_is_no_vault),
        TEST(a_password_for_one_operation_goes_before_that_of_the_login),
        TEST(without_a_vault_any_pin_will_do_until_the_digits_are_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
