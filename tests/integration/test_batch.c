/* SPDX-License-Identifier: Apache-2.0 */
/* Many documents, one confirmation, among threads ("What it promises" in README.md). */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "tests/integration/batch_stage.h"

static void sixty_four_threads_cost_one_confirmation(void **state)
{
    static struct signer signers[SIGNERS_MAX];
    (void)state;
    batch_set_stage(WINDOW);
    batch_let_phone("approve");

    signers_start(signers, SIGNERS_MAX, "thread");
    signers_join(signers, SIGNERS_MAX);

    assert_int_equal(signers_count_signed(signers, SIGNERS_MAX), SIGNERS_MAX);
    assert_int_equal(world_transactions(&world), 1);
    assert_int_equal(world_requests(&world, "sign"), 1);
    assert_int_equal(world_requests(&world, "pushes"), 1);
}

static void what_arrives_while_one_waits_forms_the_next(void **state)
{
    enum { LATE = 20 };
    static struct signer first;
    static struct signer late[LATE];
    (void)state;
    batch_set_stage(PATIENT);

    signers_start(&first, 1, "first");
    batch_await_transactions(1);
    signers_start(late, LATE, "late");
    batch_await_poll();
    world_approve(&world);
    signers_join(&first, 1);
    batch_await_transactions(2);
    batch_let_phone("approve");
    world_approve(&world);
    signers_join(late, LATE);

    assert_int_equal(signers_count_signed(&first, 1), 1);
    assert_int_equal(signers_count_signed(late, LATE), LATE);
    assert_true(world_transactions(&world) <= 3); /* a thread may come when the others are off */
}

static void a_rejection_fails_all_and_nothing_is_signed(void **state)
{
    enum { COUNT = 8 };
    static struct signer signers[COUNT];
    (void)state;
    batch_set_stage(WINDOW);
    batch_let_phone("reject");

    signers_start(signers, COUNT, "reject");
    signers_join(signers, COUNT);

    assert_int_equal(signers_count_answers(signers, COUNT, CKR_FUNCTION_REJECTED), COUNT);
    assert_int_equal(signers_count_signed(signers, COUNT), 0);
    assert_int_equal(world_transactions(&world), 1);
}

/* The fault is about the first document of the answer. */
static void one_bad_result_fails_its_own_call_only(void **state)
{
    enum { COUNT = 8 };
    static const char *const faults[] = {
        "{\"kind\":\"swap_one\",\"endpoint\":\"status\"}",
        "{\"kind\":\"missing_one\",\"endpoint\":\"status\"}",
    };
    static struct signer signers[COUNT];
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        batch_set_stage(WINDOW);
        world_control(&world, "fault", faults[i]);
        batch_let_phone("approve");

        signers_start(signers, COUNT, "bad");
        signers_join(signers, COUNT);

        assert_int_equal(signers_count_answers(signers, COUNT, CKR_DEVICE_ERROR), 1);
        assert_int_equal(signers_count_signed(signers, COUNT), COUNT - 1);
        assert_int_equal(world_transactions(&world), 1);
    }
}

static void a_cancelled_caller_leaves_the_others_alone_whether_it_leads_or_not(void **state)
{
    enum { COUNT = 6 };
    static struct signer signers[COUNT];
    (void)state;

    for (size_t who = 0; who < COUNT; who += COUNT - 1) {
        batch_set_stage(WINDOW);
        signers_start(signers, COUNT, "cancel");
        batch_await_transactions(1);
        batch_await_poll();

        assert_int_equal(world.p11_3->C_SessionCancel(signers[who].session, CKF_SIGN), CKR_OK);
        assert_int_equal(pthread_join(signers[who].thread, NULL), 0);
        batch_await_poll();
        batch_let_phone("approve");
        world_approve(&world);
        for (size_t i = 0; i < COUNT; i++)
            if (i != who)
                assert_int_equal(pthread_join(signers[i].thread, NULL), 0);

        assert_int_equal(signers[who].rv, CKR_FUNCTION_CANCELED);
        assert_int_equal(signers_count_signed(signers, COUNT), COUNT - 1);
        assert_int_equal(world_transactions(&world), 1);
        assert_int_equal(world_requests(&world, "sign"), 1);
    }
}

static void what_a_cancelled_caller_wanted_is_there_when_it_asks_again(void **state)
{
    enum { COUNT = 3 };
    static struct signer signers[COUNT];
    CK_BYTE signature[256];
    (void)state;
    batch_set_stage(WINDOW);
    signers_start(signers, COUNT, "again");
    batch_await_transactions(1);
    batch_await_poll();
    assert_int_equal(world.p11_3->C_SessionCancel(signers[1].session, CKF_SIGN), CKR_OK);
    assert_int_equal(pthread_join(signers[1].thread, NULL), 0);
    batch_let_phone("approve");
    world_approve(&world);
    assert_int_equal(pthread_join(signers[0].thread, NULL), 0);
    assert_int_equal(pthread_join(signers[2].thread, NULL), 0);

    assert_int_equal(world_sign(&world, signers[1].session, signers[1].text, signature), CKR_OK);

    assert_true(world_verifies(&world, signers[1].session, signers[1].text, signature));
    assert_int_equal(signers_count_signed(signers, COUNT), COUNT - 1);
    assert_int_equal(world_transactions(&world), 1);
}

static void a_rejected_document_is_not_asked_for_again_at_once(void **state)
{
    CK_BYTE signature[256];
    (void)state;
    batch_set_stage("poll_interval = 0.1\nreject_cooldown = 2\n");
    batch_let_phone("reject");
    CK_SESSION_HANDLE session = world_session(&world, NULL, NULL);
    assert_int_equal(world_sign(&world, session, "no", signature), CKR_FUNCTION_REJECTED);
    batch_let_phone("approve");

    CK_RV same = world_sign(&world, session, "no", signature);
    CK_RV other = world_sign(&world, session, "yes", signature);
    uint64_t began_ms = world_now_ms();
    CK_RV later = CKR_FUNCTION_REJECTED;
    while (later == CKR_FUNCTION_REJECTED && world_now_ms() - began_ms < 5000)
        later = world_sign(&world, session, "no", signature);

    assert_int_equal(same, CKR_FUNCTION_REJECTED);
    assert_int_equal(other, CKR_OK);
    assert_int_equal(later, CKR_OK);
    assert_int_equal(world_transactions(&world), 3);
    assert_int_equal(world.p11->C_CloseSession(session), CKR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sixty_four_threads_cost_one_confirmation),
        cmocka_unit_test(what_arrives_while_one_waits_forms_the_next),
        cmocka_unit_test(a_rejection_fails_all_and_nothing_is_signed),
        cmocka_unit_test(one_bad_result_fails_its_own_call_only),
        cmocka_unit_test(a_cancelled_caller_leaves_the_others_alone_whether_it_leads_or_not),
        cmocka_unit_test(what_a_cancelled_caller_wanted_is_there_when_it_asks_again),
        cmocka_unit_test(a_rejected_document_is_not_asked_for_again_at_once),
    };
    return cmocka_run_group_tests(tests, batch_start, batch_stop);
}
