/* SPDX-License-Identifier: Apache-2.0 */
/* PINs and one-time passwords of SmartCA slots, without a service. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "module/backend/smartca.h"
#include "remote/base/cleanup.h"
#include "tests/lib/folder.h"

enum { COST = 10 };

#define PIN "246824"

struct stage {
    char dir[32];
    struct account_config config;
    struct smartca_account account;
    struct token *token;
    struct call call;
};

static struct secret *secret_of(const char *text)
{
    struct secret *secret = NULL;
    assert_int_equal(secret_new(span_text(text), &secret), SCA_OK);
    return secret;
}

static int begin(void **state)
{
    static char name[] = "work";
    static char url[] = "https://localhost/sca";
    static char user_id[] = "0312345678";
    struct stage *stage = calloc(1, sizeof(*stage));

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

static int end(void **state)
{
    struct stage *stage = *state;

    if (stage->token)
        stage->token->ops->free(stage->token);
    smartca_account_fini(&stage->account);
    call_fini(&stage->call);
    assert_int_equal(folder_remove(stage->dir), 0);
    free(stage);
    return 0;
}

/* A certificate's token, after the test has changed the configuration. */
static struct token *new_token(struct smartca_account *account)
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

static struct token *make_token(struct stage *stage)
{
    stage->token = new_token(&stage->account);
    return stage->token;
}

static void make_vault(struct stage *stage)
{
    const struct vault vault = {.state_dir = stage->dir,
                                .identity = config_identity(&stage->config)};
    AUTO(secret_freep) struct secret *pin = secret_of(PIN);
    AUTO(vault_contents_fini)
    struct vault_contents contents = {.items = {[VAULT_PASSWORD] = secret_of("password"),
                                                [VAULT_TOTP_SECRET] = secret_of("raw:0123456789")}};

    assert_int_equal(vault_create(&vault, &stage->call, pin, &contents, COST), SCA_OK);
}

static enum sca_status login_to(struct token *token, struct call *call, const char *typed)
{
    AUTO(secret_freep) struct secret *pin = secret_of(typed);
    call->note[0] = 0;
    return token->ops->login(token, call, TOKEN_USER, pin);
}

static enum sca_status login(struct stage *stage, const char *typed)
{
    return login_to(stage->token, &stage->call, typed);
}

static struct token_state state_of(struct stage *stage)
{
    struct token_state state;
    assert_int_equal(stage->token->ops->state(stage->token, &state), SCA_OK);
    return state;
}

/* What a signature would be given: "password totp_secret otp", "-" for what there is not. */
static void assert_opened(struct stage *stage, const struct secret *otp, const char *expected)
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
    smartca_opened_spend(&opened);
}

static void the_phone_needs_no_login(void **state)
{
    struct stage *stage = *state;

    struct token *token = make_token(stage);

    assert_false(token->needs_login);
    assert_null(token->ops->login);
    assert_null(token->ops->set_pin);
    assert_int_equal(token->pin_max, 0);
    assert_string_equal(token->identity.model, "SmartCA");
    assert_opened(stage, NULL, "- - -");
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
    struct stage *stage = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        stage->config.confirm = rows[i].confirm;
        stage->config.password.kind = rows[i].password;
        stage->config.totp_secret.kind = rows[i].totp_secret;
        stage->config.pin_required = rows[i].pin_required;
        stage->config.otp_login_context = rows[i].is_context;
        struct token *token = make_token(stage);
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

static struct token *make_business(struct stage *stage)
{
    stage->config.confirm = CONFIRM_TOTP;
    stage->config.password.kind = SECRET_VAULT;
    stage->config.totp_secret.kind = SECRET_VAULT;
    return make_token(stage);
}

static struct token *make_typed(struct stage *stage, enum secret_kind password)
{
    stage->config.confirm = CONFIRM_OTP;
    stage->config.password.kind = password;
    return make_token(stage);
}

static void the_right_pin_opens_the_secrets_until_logout(void **state)
{
    struct stage *stage = *state;
    make_vault(stage);
    struct token *token = make_business(stage);

    assert_int_equal(login(stage, PIN), SCA_OK);
    assert_opened(stage, NULL, "password raw:0123456789 -");
    assert_opened(stage, NULL, "password raw:0123456789 -"); /* as often as wanted */
    token->ops->logout(token);

    assert_opened(stage, NULL, "- - -");
}

static void what_a_signature_took_along_outlives_a_logout(void **state)
{
    AUTO(smartca_opened_fini) struct smartca_opened opened = {.vault = NULL};
    struct stage *stage = *state;
    make_vault(stage);
    struct token *token = make_business(stage);
    assert_int_equal(login(stage, PIN), SCA_OK);

    struct remote_credentials given =
        smartca_borrow_opened((struct smartca_token *)token, NULL, &opened);
    token->ops->logout(token);

    assert_string_equal((const char *)secret_get(given.password).ptr, "password");
}

static void signatures_begun_before_one_ends_share_its_one_time_password(void **state)
{
    AUTO(smartca_opened_fini) struct smartca_opened first = {.vault = NULL};
    AUTO(smartca_opened_fini) struct smartca_opened second = {.vault = NULL};
    AUTO(smartca_opened_fini) struct smartca_opened third = {.vault = NULL};
    struct stage *stage = *state;
    stage->config.confirm = CONFIRM_OTP;
    struct smartca_token *token = (struct smartca_token *)make_token(stage);
    assert_int_equal(login(stage, "123456"), SCA_OK);

    const struct secret *one = smartca_borrow_opened(token, NULL, &first).otp;
    const struct secret *two = smartca_borrow_opened(token, NULL, &second).otp;
    token->base.ops->logout(&token->base);
    smartca_opened_spend(&first);

    assert_non_null(one);
    assert_ptr_equal(one, two);
    assert_null(smartca_borrow_opened(token, NULL, &third).otp);
}

static void a_wrong_pin_opens_nothing_and_says_how_often_it_was_wrong(void **state)
{
    struct stage *stage = *state;
    make_vault(stage);
    (void)make_business(stage);

    assert_int_equal(login(stage, "135790"), SCA_USER_AUTH);

    assert_non_null(strstr(stage->call.note, "1 of 10 tries"));
    assert_opened(stage, NULL, "- - -");
    assert_int_equal(state_of(stage).wrong_user_pins, 1);
    assert_true(state_of(stage).has_user_pin);
}

static void the_same_wrong_pin_is_counted_once_and_then_not_looked_at(void **state)
{
    struct stage *stage = *state;
    make_vault(stage);
    (void)make_business(stage);

    for (int i = 0; i < 4; i++)
        assert_int_equal(login(stage, "135790"), SCA_USER_AUTH);
    assert_int_equal(login(stage, "135790"), SCA_PIN_LOCKED);

    assert_non_null(strstr(stage->call.note, "again and again"));
    assert_int_equal(state_of(stage).wrong_user_pins, 1);
    assert_int_equal(login(stage, PIN), SCA_OK);
}

/* An application that tries one mistyped PIN on all certificates of a person. */
static void the_same_wrong_pin_is_counted_once_for_all_certificates(void **state)
{
    struct stage *stage = *state;
    make_vault(stage);
    (void)make_business(stage);
    assert_int_equal(login(stage, "135790"), SCA_USER_AUTH);

    for (int i = 1; i < TOKEN_PIN_TRIES; i++) {
        struct token *other = new_token(&stage->account);
        assert_int_equal(login_to(other, &stage->call, "135790"),
                         i <= PIN_MEMORY_REPEATS ? SCA_USER_AUTH : SCA_PIN_LOCKED);
        other->ops->free(other);
    }

    assert_int_equal(state_of(stage).wrong_user_pins, 1);
    assert_int_equal(login(stage, PIN), SCA_OK);
}

struct
try {
    pthread_t thread;
    struct token *token;
    enum sca_status status;
};

static void *try_wrong_pin(void *arg)
{
    struct try *try = arg;
    struct call call;

    call_init(&call, &clock_system, 30000);
    try->status = login_to(try->token, &call, "135790");
    call_fini(&call);
    return NULL;
}

static void the_same_wrong_pin_tried_by_many_threads_is_counted_once(void **state)
{
    struct stage *stage = *state;
    struct try tries[1 + PIN_MEMORY_REPEATS];
    make_vault(stage);
    (void)make_business(stage);

    for (size_t i = 0; i < ARRAY_LEN(tries); i++) {
        tries[i].token = new_token(&stage->account);
        assert_int_equal(pthread_create(&tries[i].thread, NULL, try_wrong_pin, &tries[i]), 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(tries); i++) {
        assert_int_equal(pthread_join(tries[i].thread, NULL), 0);
        tries[i].token->ops->free(tries[i].token);
        assert_int_equal(tries[i].status, SCA_USER_AUTH);
    }

    assert_int_equal(state_of(stage).wrong_user_pins, 1);
}

static void two_accounts_of_one_identity_count_a_wrong_pin_once(void **state)
{
    struct stage *stage = *state;
    struct smartca_account twin;
    make_vault(stage);
    (void)make_business(stage);
    smartca_account_init(&twin, &stage->config, stage->dir);
    smartca_account_share_pins(&twin, &stage->account);
    struct token *other = new_token(&twin);

    assert_int_equal(login(stage, "135790"), SCA_USER_AUTH);
    assert_int_equal(login_to(other, &stage->call, "135790"), SCA_USER_AUTH);
    assert_int_equal(state_of(stage).wrong_user_pins, 1);
    assert_int_equal(login_to(other, &stage->call, "246810"), SCA_USER_AUTH);
    assert_int_equal(login(stage, "246810"), SCA_USER_AUTH);

    assert_int_equal(state_of(stage).wrong_user_pins, 2);
    other->ops->free(other);
    smartca_account_fini(&twin);
}

/* Who is cancelled while another thread has the memory does not wait for it, and tries nothing. */
static void waiting_for_a_turn_can_be_cancelled(void **state)
{
    struct stage *stage = *state;
    struct pin_memory memory;
    make_vault(stage);
    (void)make_business(stage);
    assert_int_equal(wrong_pins_borrow(stage->account.wrong, TOKEN_USER, &stage->call, &memory),
                     SCA_OK);
    call_cancel(&stage->call);

    assert_int_equal(login(stage, "135790"), SCA_CANCELLED);

    wrong_pins_return(stage->account.wrong, TOKEN_USER, &memory);
    assert_int_equal(state_of(stage).wrong_user_pins, 0);
}

static void ten_wrong_pins_lock_and_the_note_says_how_to_go_on(void **state)
{
    struct stage *stage = *state;
    char pin[16];
    make_vault(stage);
    (void)make_business(stage);
    for (int i = 0; i < TOKEN_PIN_TRIES; i++) {
        (void)snprintf(pin, sizeof(pin), "wrong-%d", i);
        assert_int_equal(login(stage, pin), SCA_USER_AUTH);
    }

    assert_int_equal(login(stage, PIN), SCA_PIN_LOCKED);

    assert_non_null(strstr(stage->call.note, "smartca account pin work --reset"));
    assert_int_equal(state_of(stage).wrong_user_pins, TOKEN_PIN_TRIES);
}

static void without_a_vault_there_is_no_pin_yet(void **state)
{
    struct stage *stage = *state;
    (void)make_business(stage);

    assert_int_equal(login(stage, PIN), SCA_NOT_FOUND);

    assert_non_null(strstr(stage->call.note, "smartca account pin work --reset"));
    assert_false(state_of(stage).has_user_pin);
}

static void the_pin_is_changed(void **state)
{
    AUTO(secret_freep) struct secret *old_pin = secret_of(PIN);
    AUTO(secret_freep) struct secret *new_pin = secret_of("987654");
    struct stage *stage = *state;
    make_vault(stage);
    struct token *token = make_business(stage);

    assert_int_equal(token->ops->set_pin(token, &stage->call, TOKEN_USER, old_pin, new_pin),
                     SCA_OK);

    assert_int_equal(login(stage, PIN), SCA_USER_AUTH);
    assert_int_equal(login(stage, "987654"), SCA_OK);
    assert_int_equal(token->ops->set_pin(token, &stage->call, TOKEN_USER, old_pin, new_pin),
                     SCA_USER_AUTH);
}

static void six_digits_behind_the_pin_are_for_one_signature(void **state)
{
    struct stage *stage = *state;
    make_vault(stage);
    (void)make_typed(stage, SECRET_VAULT);

    assert_int_equal(login(stage, PIN "012345"), SCA_OK);

    assert_opened(stage, NULL, "password raw:0123456789 012345");
    assert_opened(stage, NULL, "password raw:0123456789 -");
}

static void without_six_digits_no_try_is_counted(void **state)
{
    static const char *const typed[] = {"24682a", "12345", "24682401234x", "pin 01234", ""};
    struct stage *stage = *state;
    make_vault(stage);
    (void)make_typed(stage, SECRET_VAULT);

    for (size_t i = 0; i < ARRAY_LEN(typed); i++) {
        assert_int_equal(login(stage, typed[i]), SCA_USER_AUTH);
        assert_non_null(strstr(stage->call.note, "followed by the six digits"));
    }

    assert_int_equal(state_of(stage).wrong_user_pins, 0);
}

/* Also who types the PIN alone, when that is six digits. */
static void digits_alone_are_no_try_where_there_is_a_vault(void **state)
{
    struct stage *stage = *state;
    make_vault(stage);
    (void)make_typed(stage, SECRET_VAULT);

    assert_int_equal(login(stage, "012345"), SCA_USER_AUTH);

    assert_non_null(strstr(stage->call.note, "the PIN comes before the six digits"));
    assert_int_equal(state_of(stage).wrong_user_pins, 0);
    assert_opened(stage, NULL, "- - -");
}

static void digits_alone_are_enough_where_there_is_no_vault(void **state)
{
    struct stage *stage = *state;
    (void)make_typed(stage, SECRET_FILE);

    assert_int_equal(login(stage, PIN "012345"), SCA_USER_AUTH);
    assert_opened(stage, NULL, "- - -");
    assert_int_equal(login(stage, "012345"), SCA_OK);

    assert_opened(stage, NULL, "- - 012345");
}

static void a_password_for_one_operation_goes_before_that_of_the_login(void **state)
{
    AUTO(secret_freep) struct secret *otp = secret_of("777777");
    struct stage *stage = *state;
    make_vault(stage);
    stage->config.otp_login_context = true;
    (void)make_typed(stage, SECRET_VAULT);
    assert_int_equal(login(stage, PIN), SCA_OK);

    assert_opened(stage, otp, "password raw:0123456789 777777");
    assert_opened(stage, NULL, "password raw:0123456789 -");
}

static void without_a_vault_any_pin_will_do_until_the_digits_are_asked_for(void **state)
{
    AUTO(secret_freep) struct secret *otp = secret_of("777777");
    struct stage *stage = *state;
    stage->config.otp_login_context = true;
    struct token *token = make_typed(stage, SECRET_FILE);

    assert_int_equal(login(stage, "x"), SCA_OK);

    assert_true(token->wants_otp_each_time);
    assert_opened(stage, NULL, "- - -");
    assert_opened(stage, otp, "- - 777777");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_phone_needs_no_login),
        TEST(the_configuration_decides_about_the_pin),
        TEST(the_right_pin_opens_the_secrets_until_logout),
        TEST(what_a_signature_took_along_outlives_a_logout),
        TEST(a_wrong_pin_opens_nothing_and_says_how_often_it_was_wrong),
        TEST(signatures_begun_before_one_ends_share_its_one_time_password),
        TEST(the_same_wrong_pin_is_counted_once_and_then_not_looked_at),
        TEST(the_same_wrong_pin_is_counted_once_for_all_certificates),
        TEST(the_same_wrong_pin_tried_by_many_threads_is_counted_once),
        TEST(two_accounts_of_one_identity_count_a_wrong_pin_once),
        TEST(waiting_for_a_turn_can_be_cancelled),
        TEST(ten_wrong_pins_lock_and_the_note_says_how_to_go_on),
        TEST(without_a_vault_there_is_no_pin_yet),
        TEST(the_pin_is_changed),
        TEST(six_digits_behind_the_pin_are_for_one_signature),
        TEST(without_six_digits_no_try_is_counted),
        TEST(digits_alone_are_no_try_where_there_is_a_vault),
        TEST(digits_alone_are_enough_where_there_is_no_vault),
        TEST(a_password_for_one_operation_goes_before_that_of_the_login),
        TEST(without_a_vault_any_pin_will_do_until_the_digits_are_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
