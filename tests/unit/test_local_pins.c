/* SPDX-License-Identifier: Apache-2.0 */
/* PINs of tokens on this computer, and what a person is told when one is not taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "tests/unit/backend_stage.h"

static const struct span no_key = {.ptr = NULL};

static struct token_state state_of(struct backend_stage *stage, CK_SLOT_ID id)
{
    struct token *token = backend_stage_token(stage, id);
    struct token_state state;
    assert_int_equal(token->ops->state(token, &state), SCA_OK);
    return state;
}

static void says(const struct backend_stage *stage, const char *text)
{
    if (!strstr(stage->call.note, text))
        fail_msg("\"%s\" is not in \"%s\"", text, stage->call.note);
}

static void an_empty_slot_takes_no_pin(void **state)
{
    struct backend_stage *stage = *state;

    assert_int_equal(backend_stage_login(stage, 0, TOKEN_USER, USER_PIN), SCA_NOT_FOUND);
    says(stage, "C_InitToken makes a token");
    assert_int_equal(backend_stage_set_pin(stage, 0, TOKEN_USER, USER_PIN, "new-pin"),
                     SCA_NOT_FOUND);
    assert_int_equal(backend_stage_init_pin(stage, 0, USER_PIN), SCA_USER_AUTH);

    assert_false(state_of(stage, 0).is_initialized);
}

static void a_new_token_has_no_user_pin(void **state)
{
    struct backend_stage *stage = *state;

    assert_int_equal(backend_stage_init_token(stage, 0, SO_PIN, "Lan"), SCA_OK);
    assert_int_equal(backend_stage_login(stage, 0, TOKEN_USER, USER_PIN), SCA_NOT_FOUND);

    says(stage, "token Lan has no user PIN yet");
    says(stage, "pkcs11-tool --init-pin");
    assert_false(state_of(stage, 0).has_user_pin);
}

static void a_short_so_pin_makes_no_token(void **state)
{
    struct backend_stage *stage = *state;

    assert_int_equal(backend_stage_init_token(stage, 0, "12345", "a"), SCA_INVALID);

    backend_stage_look(stage);
    backend_stage_slots(stage, "+0");
}

static void only_the_so_sets_the_users_pin(void **state)
{
    struct backend_stage *stage = *state;

    assert_int_equal(backend_stage_init_token(stage, 0, SO_PIN, "a"), SCA_OK);
    assert_int_equal(backend_stage_init_pin(stage, 0, USER_PIN), SCA_USER_AUTH);
    assert_int_equal(backend_stage_login(stage, 0, TOKEN_SO, USER_PIN), SCA_USER_AUTH);
    assert_int_equal(backend_stage_init_pin(stage, 0, USER_PIN), SCA_USER_AUTH);
    assert_int_equal(backend_stage_login(stage, 0, TOKEN_SO, SO_PIN), SCA_OK);
    assert_int_equal(backend_stage_init_pin(stage, 0, USER_PIN), SCA_OK);

    assert_true(state_of(stage, 0).has_user_pin);
    assert_int_equal(state_of(stage, 0).wrong_so_pins, 0);
    assert_int_equal(backend_stage_login(stage, 0, TOKEN_USER, USER_PIN), SCA_OK);
}

static void a_wrong_pin_is_counted_and_the_right_one_forgives_it(void **state)
{
    struct backend_stage *stage = *state;

    (void)backend_stage_make(stage, 0, "Lan");
    assert_int_equal(backend_stage_login(stage, 0, TOKEN_USER, "wrong-1"), SCA_USER_AUTH);
    says(stage, "wrong user PIN of token Lan: 1 of 10 tries are used");
    assert_int_equal(backend_stage_login(stage, 0, TOKEN_USER, "wrong-2"), SCA_USER_AUTH);
    says(stage, "2 of 10");
    assert_int_equal(state_of(stage, 0).wrong_user_pins, 2);
    assert_int_equal(backend_stage_login(stage, 0, TOKEN_USER, USER_PIN), SCA_OK);

    assert_int_equal(state_of(stage, 0).wrong_user_pins, 0);
}

static void ten_wrong_pins_lock_and_the_so_unlocks(void **state)
{
    struct backend_stage *stage = *state;
    char wrong[16];

    (void)backend_stage_make(stage, 0, "Lan");
    for (unsigned i = 0; i < 10; i++) {
        (void)snprintf(wrong, sizeof(wrong), "wrong-%u", i);
        assert_int_equal(backend_stage_login(stage, 0, TOKEN_USER, wrong), SCA_USER_AUTH);
    }
    assert_int_equal(backend_stage_login(stage, 0, TOKEN_USER, USER_PIN), SCA_PIN_LOCKED);
    says(stage, "the user PIN of token Lan is locked after 10 wrong tries; the SO PIN unlocks it");
    assert_int_equal(state_of(stage, 0).wrong_user_pins, 10);
    assert_int_equal(backend_stage_login(stage, 0, TOKEN_SO, SO_PIN), SCA_OK);
    assert_int_equal(backend_stage_init_pin(stage, 0, "new-user-pin"), SCA_OK);

    assert_int_equal(state_of(stage, 0).wrong_user_pins, 0);
    assert_int_equal(backend_stage_login(stage, 0, TOKEN_USER, "new-user-pin"), SCA_OK);
}

static void ten_wrong_so_pins_lock_making_the_token_anew_too(void **state)
{
    struct backend_stage *stage = *state;
    char wrong[16];

    (void)backend_stage_make(stage, 0, "Lan");
    for (unsigned i = 0; i < 10; i++) {
        (void)snprintf(wrong, sizeof(wrong), "wrong-%u", i);
        assert_int_equal(backend_stage_init_token(stage, 0, wrong, "b"), SCA_USER_AUTH);
    }
    says(stage, "token Lan is initialised already: its SO PIN is needed");
    assert_int_equal(backend_stage_init_token(stage, 0, SO_PIN, "b"), SCA_PIN_LOCKED);
    says(stage, "the SO PIN of token Lan is locked after 10 wrong tries");
    assert_int_equal(backend_stage_login(stage, 0, TOKEN_SO, SO_PIN), SCA_PIN_LOCKED);
    says(stage, "the user PIN still works");

    assert_string_equal(state_of(stage, 0).label, "Lan");
    assert_int_equal(state_of(stage, 0).wrong_so_pins, 10);
    assert_int_equal(backend_stage_login(stage, 0, TOKEN_USER, USER_PIN), SCA_OK);
}

static void a_program_that_repeats_a_wrong_pin_locks_itself_out_and_nobody_else(void **state)
{
    struct backend_stage *stage = *state;

    (void)backend_stage_make(stage, 0, "Lan");
    for (int i = 0; i < 4; i++)
        assert_int_equal(backend_stage_login(stage, 0, TOKEN_USER, "wrong-1"), SCA_USER_AUTH);
    for (int i = 0; i < 10; i++)
        assert_int_equal(backend_stage_login(stage, 0, TOKEN_USER, "wrong-1"), SCA_PIN_LOCKED);
    says(stage, "the same wrong PIN of token Lan was given again and again");

    assert_int_equal(state_of(stage, 0).wrong_user_pins, 1);
    assert_int_equal(backend_stage_login(stage, 0, TOKEN_USER, USER_PIN), SCA_OK);
}

static void a_changed_pin_opens_the_same_objects(void **state)
{
    struct backend_stage *stage = *state;
    AUTO(buf_fini) struct buf der;
    unsigned number = 0;

    backend_stage_new_key(&der);
    struct token *token = backend_stage_make(stage, 0, "a");
    assert_int_equal(backend_stage_login(stage, 0, TOKEN_USER, USER_PIN), SCA_OK);
    assert_int_equal(
        backend_stage_write(stage, token, CKO_PRIVATE_KEY, "key", buf_span(&der), &number), SCA_OK);
    assert_int_equal(backend_stage_set_pin(stage, 0, TOKEN_USER, USER_PIN, "new-pin"), SCA_OK);
    backend_stage_lists(token, "key* profiles");
    token->ops->logout(token);
    assert_int_equal(backend_stage_login(stage, 0, TOKEN_USER, USER_PIN), SCA_USER_AUTH);
    assert_int_equal(backend_stage_login(stage, 0, TOKEN_USER, "new-pin"), SCA_OK);

    backend_stage_lists(token, "key* profiles");
}

static void a_wrong_old_pin_changes_nothing_and_counts(void **state)
{
    struct backend_stage *stage = *state;

    (void)backend_stage_make(stage, 0, "Lan");
    assert_int_equal(backend_stage_set_pin(stage, 0, TOKEN_USER, "wrong-1", "new-pin"),
                     SCA_USER_AUTH);
    says(stage, "wrong user PIN of token Lan: 1 of 10");
    assert_int_equal(backend_stage_set_pin(stage, 0, TOKEN_SO, "wrong-1", "new-pin"),
                     SCA_USER_AUTH);
    says(stage, "wrong SO PIN of token Lan: 1 of 10");
    assert_int_equal(backend_stage_login(stage, 0, TOKEN_USER, "new-pin"), SCA_USER_AUTH);

    assert_int_equal(state_of(stage, 0).wrong_user_pins, 2);
    assert_int_equal(state_of(stage, 0).wrong_so_pins, 1);
    assert_int_equal(backend_stage_login(stage, 0, TOKEN_USER, USER_PIN), SCA_OK);
}

static void the_so_changes_the_so_pin(void **state)
{
    struct backend_stage *stage = *state;

    (void)backend_stage_make(stage, 0, "a");
    assert_int_equal(backend_stage_set_pin(stage, 0, TOKEN_SO, SO_PIN, "new-so-pin"), SCA_OK);
    assert_int_equal(backend_stage_login(stage, 0, TOKEN_SO, SO_PIN), SCA_USER_AUTH);

    assert_int_equal(backend_stage_login(stage, 0, TOKEN_SO, "new-so-pin"), SCA_OK);
    assert_int_equal(backend_stage_login(stage, 0, TOKEN_USER, USER_PIN), SCA_OK);
}

static void a_token_made_anew_is_empty_and_has_no_user_pin(void **state)
{
    struct backend_stage *stage = *state;
    unsigned number = 0;

    struct token *token = backend_stage_make(stage, 0, "a");
    struct token_state before = state_of(stage, 0);
    assert_int_equal(backend_stage_write(stage, token, CKO_DATA, "data", no_key, &number), SCA_OK);
    assert_int_equal(backend_stage_init_token(stage, 0, USER_PIN, "b"), SCA_USER_AUTH);
    backend_stage_lists(token, "data profiles");
    assert_int_equal(backend_stage_init_token(stage, 0, SO_PIN, "b"), SCA_OK);

    struct token_state after = state_of(stage, 0);
    assert_string_equal(after.label, "b");
    assert_string_not_equal(after.serial, before.serial);
    assert_false(after.has_user_pin);
    backend_stage_lists(token, "profiles");
    backend_stage_look(stage);
    backend_stage_slots(stage, "0 +1");
    assert_int_equal(backend_stage_login(stage, 0, TOKEN_USER, USER_PIN), SCA_NOT_FOUND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, backend_stage_begin, backend_stage_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_empty_slot_takes_no_pin),
        TEST(a_new_token_has_no_user_pin),
        TEST(a_short_so_pin_makes_no_token),
        TEST(only_the_so_sets_the_users_pin),
        TEST(a_wrong_pin_is_counted_and_the_right_one_forgives_it),
        TEST(ten_wrong_pins_lock_and_the_so_unlocks),
        TEST(ten_wrong_so_pins_lock_making_the_token_anew_too),
        TEST(a_program_that_repeats_a_wrong_pin_locks_itself_out_and_nobody_else),
        TEST(a_changed_pin_opens_the_same_objects),
        TEST(a_wrong_old_pin_changes_nothing_and_counts),
        TEST(the_so_changes_the_so_pin),
        TEST(a_token_made_anew_is_empty_and_has_no_user_pin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
