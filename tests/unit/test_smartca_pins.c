/* SPDX-License-Identifier: Apache-2.0 */
/* Wrong PINs of SmartCA slots: counted, remembered, locked; and PINs changed. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "tests/unit/login_stage.h"

static void a_wrong_pin_opens_nothing_and_says_how_often_it_was_wrong(void **state)
{
    struct login_stage *stage = *state;
    login_stage_vault(stage);
    (void)login_stage_business(stage);

    assert_int_equal(login_stage_log_in(stage, "135790"), SCA_USER_AUTH);

    assert_non_null(strstr(stage->call.note, "1 of 10 tries"));
    login_stage_opened(stage, NULL, "- - -");
    assert_int_equal(login_stage_state(stage).wrong_user_pins, 1);
    assert_true(login_stage_state(stage).has_user_pin);
}

static void the_same_wrong_pin_is_counted_once_and_then_not_looked_at(void **state)
{
    struct login_stage *stage = *state;
    login_stage_vault(stage);
    (void)login_stage_business(stage);

    for (int i = 0; i < 4; i++)
        assert_int_equal(login_stage_log_in(stage, "135790"), SCA_USER_AUTH);
    assert_int_equal(login_stage_log_in(stage, "135790"), SCA_PIN_LOCKED);

    assert_non_null(strstr(stage->call.note, "again and again"));
    assert_int_equal(login_stage_state(stage).wrong_user_pins, 1);
    assert_int_equal(login_stage_log_in(stage, PIN), SCA_OK);
}

/* An application that tries one mistyped PIN on all certificates of a person. */
static void the_same_wrong_pin_is_counted_once_for_all_certificates(void **state)
{
    struct login_stage *stage = *state;
    login_stage_vault(stage);
    (void)login_stage_business(stage);
    assert_int_equal(login_stage_log_in(stage, "135790"), SCA_USER_AUTH);

    for (int i = 1; i < TOKEN_PIN_TRIES; i++) {
        struct token *other = login_stage_new_token(&stage->account);
        assert_int_equal(login_stage_log_in_to(other, &stage->call, "135790"),
                         i <= PIN_MEMORY_REPEATS ? SCA_USER_AUTH : SCA_PIN_LOCKED);
        other->ops->free(other);
    }

    assert_int_equal(login_stage_state(stage).wrong_user_pins, 1);
    assert_int_equal(login_stage_log_in(stage, PIN), SCA_OK);
}

struct attempt {
    pthread_t thread;
    struct token *token;
    enum sca_status status;
};

static void *try_wrong_pin(void *arg)
{
    struct attempt *attempt = arg;
    struct call call;

    call_init(&call, &clock_system, 30000);
    attempt->status = login_stage_log_in_to(attempt->token, &call, "135790");
    call_fini(&call);
    return NULL;
}

static void the_same_wrong_pin_tried_by_many_threads_is_counted_once(void **state)
{
    struct login_stage *stage = *state;
    struct attempt attempts[1 + PIN_MEMORY_REPEATS];
    login_stage_vault(stage);
    (void)login_stage_business(stage);

    for (size_t i = 0; i < ARRAY_LEN(attempts); i++) {
        attempts[i].token = login_stage_new_token(&stage->account);
        assert_int_equal(pthread_create(&attempts[i].thread, NULL, try_wrong_pin, &attempts[i]), 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(attempts); i++) {
        assert_int_equal(pthread_join(attempts[i].thread, NULL), 0);
        attempts[i].token->ops->free(attempts[i].token);
        assert_int_equal(attempts[i].status, SCA_USER_AUTH);
    }

    assert_int_equal(login_stage_state(stage).wrong_user_pins, 1);
}

static void two_accounts_of_one_identity_count_a_wrong_pin_once(void **state)
{
    struct login_stage *stage = *state;
    struct smartca_account twin;
    login_stage_vault(stage);
    (void)login_stage_business(stage);
    smartca_account_init(&twin, &stage->config, stage->dir);
    smartca_account_share_pins(&twin, &stage->account);
    struct token *other = login_stage_new_token(&twin);

    assert_int_equal(login_stage_log_in(stage, "135790"), SCA_USER_AUTH);
    assert_int_equal(login_stage_log_in_to(other, &stage->call, "135790"), SCA_USER_AUTH);
    assert_int_equal(login_stage_state(stage).wrong_user_pins, 1);
    assert_int_equal(login_stage_log_in_to(other, &stage->call, "246810"), SCA_USER_AUTH);
    assert_int_equal(login_stage_log_in(stage, "246810"), SCA_USER_AUTH);

    assert_int_equal(login_stage_state(stage).wrong_user_pins, 2);
    other->ops->free(other);
    smartca_account_fini(&twin);
}

/* Who is cancelled while another thread has the memory does not wait for it, and tries nothing. */
static void waiting_for_a_turn_can_be_cancelled(void **state)
{
    struct login_stage *stage = *state;
    struct pin_memory memory;
    login_stage_vault(stage);
    (void)login_stage_business(stage);
    assert_int_equal(wrong_pins_borrow(stage->account.wrong, TOKEN_USER, &stage->call, &memory),
                     SCA_OK);
    call_cancel(&stage->call);

    assert_int_equal(login_stage_log_in(stage, "135790"), SCA_CANCELLED);

    wrong_pins_return(stage->account.wrong, TOKEN_USER, &memory);
    assert_int_equal(login_stage_state(stage).wrong_user_pins, 0);
}

static void ten_wrong_pins_lock_and_the_note_says_how_to_go_on(void **state)
{
    struct login_stage *stage = *state;
    char pin[16];
    login_stage_vault(stage);
    (void)login_stage_business(stage);
    for (int i = 0; i < TOKEN_PIN_TRIES; i++) {
        (void)snprintf(pin, sizeof(pin), "wrong-%d", i);
        assert_int_equal(login_stage_log_in(stage, pin), SCA_USER_AUTH);
    }

    assert_int_equal(login_stage_log_in(stage, PIN), SCA_PIN_LOCKED);

    assert_non_null(strstr(stage->call.note, "smartca account pin work --reset"));
    assert_int_equal(login_stage_state(stage).wrong_user_pins, TOKEN_PIN_TRIES);
}

static void without_a_vault_there_is_no_pin_yet(void **state)
{
    struct login_stage *stage = *state;
    (void)login_stage_business(stage);

    assert_int_equal(login_stage_log_in(stage, PIN), SCA_NOT_FOUND);

    assert_non_null(strstr(stage->call.note, "smartca account pin work --reset"));
    assert_false(login_stage_state(stage).has_user_pin);
}

static void the_pin_is_changed(void **state)
{
    AUTO(secret_freep) struct secret *old_pin = login_stage_secret(PIN);
    AUTO(secret_freep) struct secret *new_pin = login_stage_secret("987654");
    struct login_stage *stage = *state;
    login_stage_vault(stage);
    struct token *token = login_stage_business(stage);

    assert_int_equal(token->ops->set_pin(token, &stage->call, TOKEN_USER, old_pin, new_pin),
                     SCA_OK);

    assert_int_equal(login_stage_log_in(stage, PIN), SCA_USER_AUTH);
    assert_int_equal(login_stage_log_in(stage, "987654"), SCA_OK);
    assert_int_equal(token->ops->set_pin(token, &stage->call, TOKEN_USER, old_pin, new_pin),
                     SCA_USER_AUTH);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, login_stage_begin, login_stage_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_wrong_pin_opens_nothing_and_says_how_often_it_was_wrong),
        TEST(the_same_wrong_pin_is_counted_once_and_then_not_looked_at),
        TEST(the_same_wrong_pin_is_counted_once_for_all_certificates),
        TEST(the_same_wrong_pin_tried_by_many_threads_is_counted_once),
        TEST(two_accounts_of_one_identity_count_a_wrong_pin_once),
        TEST(waiting_for_a_turn_can_be_cancelled),
        TEST(ten_wrong_pins_lock_and_the_note_says_how_to_go_on),
        TEST(without_a_vault_there_is_no_pin_yet),
        TEST(the_pin_is_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
