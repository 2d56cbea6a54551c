/* SPDX-License-Identifier: Apache-2.0 */
/* Token files without an entry in the catalogue, as a process leaves them that is killed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "remote/keystore/keystore.h"
#include "tests/unit/backend_stage.h"

enum { CHEAP = 10 };

static struct secret *secret_of(const char *text)
{
    struct secret *secret = NULL;
    assert_int_equal(secret_new(span_text(text), &secret), SCA_OK);
    return secret;
}

/* A token's file, and nothing that knows of it. */
static void make_file(const struct backend_stage *stage, char name[static KEYSTORE_NAME_SIZE])
{
    AUTO(secret_freep) struct secret *so_pin = secret_of(SO_PIN);
    const struct keystore keystore = {.state_dir = stage->dir, .name = name};
    struct call call;

    call_init(&call, &clock_system, 60000);
    assert_int_equal(keystore_new_name(name), SCA_OK);
    assert_int_equal(keystore_create(&keystore, &call, so_pin, span_text("left"), 1, CHEAP),
                     SCA_OK);
}

static void give_user_pin(const struct backend_stage *stage, const char *name)
{
    AUTO(secret_freep) struct secret *so_pin = secret_of(SO_PIN);
    AUTO(secret_freep) struct secret *pin = secret_of(USER_PIN);
    AUTO(secret_freep) struct secret *master_key = NULL;
    const struct keystore keystore = {.state_dir = stage->dir, .name = name};
    struct pin_memory memory = {0};
    struct call call;

    call_init(&call, &clock_system, 60000);
    assert_int_equal(keystore_login(&keystore, &call, KEYSTORE_SO, so_pin, &memory, &master_key),
                     SCA_OK);
    assert_int_equal(keystore_init_pin(&keystore, &call, master_key, pin, CHEAP), SCA_OK);
}

static bool has_file(const struct backend_stage *stage, const char *name)
{
    char path[160];

    (void)snprintf(path, sizeof(path), "%s/tokens/%s.token", stage->dir, name);
    return access(path, F_OK) == 0;
}

static void what_a_killed_maker_left_goes_with_the_next_token(void **state)
{
    struct backend_stage *stage = *state;
    char left[KEYSTORE_NAME_SIZE];

    (void)backend_stage_make(stage, 0, "a");
    backend_stage_look(stage);
    make_file(stage, left);
    (void)backend_stage_make(stage, 1, "b");
    backend_stage_look(stage);

    assert_false(has_file(stage, left));
    backend_stage_slots(stage, "0 1 +2");
}

static void a_token_without_a_slot_that_somebody_used_stays(void **state)
{
    struct backend_stage *stage = *state;
    char used[KEYSTORE_NAME_SIZE];

    (void)backend_stage_make(stage, 0, "a");
    backend_stage_look(stage);
    make_file(stage, used);
    give_user_pin(stage, used);
    (void)backend_stage_make(stage, 1, "b");

    assert_true(has_file(stage, used));
}

static void listed_tokens_that_are_new_stay(void **state)
{
    struct backend_stage *stage = *state;

    assert_int_equal(backend_stage_init_token(stage, 0, SO_PIN, "a"), SCA_OK);
    backend_stage_look(stage);
    assert_int_equal(backend_stage_init_token(stage, 1, SO_PIN, "b"), SCA_OK);
    backend_stage_look(stage);
    assert_int_equal(backend_stage_init_token(stage, 2, SO_PIN, "c"), SCA_OK);
    backend_stage_look(stage);

    backend_stage_slots(stage, "0 1 2 +3");
    for (CK_SLOT_ID id = 0; id < 3; id++)
        assert_int_equal(backend_stage_login(stage, id, TOKEN_SO, SO_PIN), SCA_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, backend_stage_begin, backend_stage_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_a_killed_maker_left_goes_with_the_next_token),
        TEST(a_token_without_a_slot_that_somebody_used_stays),
        TEST(listed_tokens_that_are_new_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
