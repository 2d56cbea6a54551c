/* SPDX-License-Identifier: Apache-2.0 */
/* A confirmation that nobody looks at any more keeps nobody else waiting. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/integration/batch_stage.h"

/* The other's call would be out of time before the blocking one were taken for over. */
#define SHORT                                                                                      \
    "poll_interval = 0.1\nconfirm_timeout = 10\nreject_cooldown = 0\nrequest_timeout = 1\n"

static CK_SESSION_HANDLE begin_idle(CK_BYTE *signature)
{
    CK_UTF8CHAR function[] = "C_Sign";
    CK_ASYNC_DATA data = {.ulVersion = 0};

    CK_SESSION_HANDLE session = async_begin("idle", signature);
    assert_int_equal(world.p11_32->C_AsyncComplete(session, function, &data), CKR_PENDING);
    batch_await_transactions(1);
    return session;
}

static void a_confirmed_one_that_its_program_does_not_fetch_lets_others_on(void **state)
{
    CK_BYTE signature[256];
    (void)state;
    batch_set_stage(SHORT);
    CK_SESSION_HANDLE session = begin_idle(signature);
    batch_let_phone("approve");
    world_approve(&world);

    int others = process_end(process_start(1, "other"));

    assert_int_equal(others, 1);
    assert_int_equal(async_complete(session), CKR_OK);
    assert_true(world_verifies(&world, session, "idle", signature));
    assert_int_equal(world_transactions(&world), 2);
    assert_int_equal(world.p11->C_CloseSession(session), CKR_OK);
}

static void one_that_waits_for_the_person_keeps_others_waiting(void **state)
{
    CK_BYTE signature[256];
    (void)state;
    batch_set_stage(SHORT);
    CK_SESSION_HANDLE session = begin_idle(signature);

    pid_t other = process_start(1, "other");
    for (int i = 0; i < 5; i++)
        batch_await_poll(); /* nobody but the other asks */
    assert_int_equal(world_transactions(&world), 1);
    assert_int_equal(world_requests(&world, "pushes"), 1);
    batch_let_phone("approve");
    world_approve(&world);

    assert_int_equal(process_end(other), 1);
    assert_int_equal(async_complete(session), CKR_OK);
    assert_int_equal(world_transactions(&world), 2);
    assert_int_equal(world.p11->C_CloseSession(session), CKR_OK);
}

static void a_stopped_process_hears_of_its_rejection_and_keeps_nobody_waiting(void **state)
{
    (void)state;
    batch_set_stage(SHORT);
    pid_t stopped = process_start(1, "stopped");
    batch_await_transactions(1);
    batch_await_poll();
    assert_int_equal(kill(stopped, SIGSTOP), 0);
    world_decide(&world, "reject");
    batch_let_phone("approve");

    int others = process_end(process_start(1, "other"));
    assert_int_equal(kill(stopped, SIGCONT), 0);

    assert_int_equal(others, 1);
    assert_int_equal(process_end(stopped), 0); /* nothing signed */
    assert_int_equal(world_transactions(&world), 2);
}

static void one_that_the_service_has_forgotten_lets_others_on(void **state)
{
    CK_BYTE signature[256];
    (void)state;
    batch_set_stage(SHORT);
    CK_SESSION_HANDLE session = begin_idle(signature);
    world_control(&world, "reset", "{}");
    batch_let_phone("approve");

    assert_int_equal(process_end(process_start(1, "other")), 1);

    assert_int_equal(world_transactions(&world), 1);
    assert_int_equal(world.p11->C_CloseSession(session), CKR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_confirmed_one_that_its_program_does_not_fetch_lets_others_on),
        cmocka_unit_test(one_that_waits_for_the_person_keeps_others_waiting),
        cmocka_unit_test(a_stopped_process_hears_of_its_rejection_and_keeps_nobody_waiting),
        cmocka_unit_test(one_that_the_service_has_forgotten_lets_others_on),
    };
    return cmocka_run_group_tests(tests, batch_start, batch_stop);
}
