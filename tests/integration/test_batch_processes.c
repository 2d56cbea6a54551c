/* SPDX-License-Identifier: Apache-2.0 */
/* Many documents, one confirmation, among processes ("What it promises" in README.md). */
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

static void eight_processes_of_eight_threads_cost_one_confirmation(void **state)
{
    enum { PROCESSES = 8, THREADS = 8 };
    pid_t children[PROCESSES];
    (void)state;
    batch_set_stage(PATIENT "batch_window = 5000\n");
    batch_let_phone("approve");

    processes_start(children, PROCESSES, THREADS);

    for (size_t i = 0; i < PROCESSES; i++)
        assert_int_equal(process_end(children[i]), THREADS);
    assert_int_equal(world_transactions(&world), 1);
    assert_int_equal(world_requests(&world, "sign"), 1);
    assert_int_equal(world_requests(&world, "pushes"), 1);
}

static void processes_that_come_while_one_waits_share_the_next(void **state)
{
    enum { PROCESSES = 6 };
    pid_t first = 0;
    pid_t children[PROCESSES];
    (void)state;
    batch_set_stage(PATIENT);

    first = process_start(1, "first");
    batch_await_transactions(1);
    processes_start(children, PROCESSES, 1);
    for (int i = 0; i < 10; i++)
        batch_await_poll(); /* long enough for all of them to stand in line */
    assert_int_equal(world_transactions(&world), 1);
    batch_let_phone("approve");
    world_approve(&world);

    assert_int_equal(process_end(first), 1);
    for (size_t i = 0; i < PROCESSES; i++)
        assert_int_equal(process_end(children[i]), 1);
    assert_int_equal(world_transactions(&world), 2);
}

/* How many documents the last transaction had. */
static int count_last_documents(void)
{
    cJSON *transactions = world_ask(&world, "transactions");
    const cJSON *last = cJSON_GetArrayItem(transactions, cJSON_GetArraySize(transactions) - 1);
    int count = cJSON_GetObjectItem(last, "documents")->valueint;

    cJSON_Delete(transactions);
    return count;
}

static void what_all_callers_gave_up_is_in_nobodys_transaction(void **state)
{
    enum { COUNT = 6 };
    static struct signer signers[COUNT];
    (void)state;
    batch_set_stage(PATIENT);

    pid_t first = process_start(1, "first");
    batch_await_transactions(1);
    signers_start(signers, COUNT, "given up");
    for (int i = 0; i < 10; i++)
        batch_await_poll(); /* long enough to stand in line */
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(world.p11_3->C_SessionCancel(signers[i].session, CKF_SIGN), CKR_OK);
    signers_join(signers, COUNT);
    batch_let_phone("approve");
    world_approve(&world);
    assert_int_equal(process_end(first), 1);

    assert_int_equal(process_end(process_start(1, "third")), 1);

    assert_int_equal(signers_count_answers(signers, COUNT, CKR_FUNCTION_CANCELED), COUNT);
    assert_int_equal(signers_count_signed(signers, COUNT), 0);
    assert_int_equal(world_transactions(&world), 2);
    assert_int_equal(count_last_documents(), 1);
}

static void a_confirmation_that_followers_wait_for_is_open_when_its_leader_left(void **state)
{
    enum { COUNT = 3 };
    static struct signer signers[COUNT];
    (void)state;
    batch_set_stage(WINDOW);
    signers_start(signers, COUNT, "followers");
    batch_await_transactions(1);
    batch_await_poll();
    assert_int_equal(world.p11_3->C_SessionCancel(signers[0].session, CKF_SIGN), CKR_OK);
    assert_int_equal(pthread_join(signers[0].thread, NULL), 0);

    pid_t other = process_start(1, "other");
    for (int i = 0; i < 25; i++)
        batch_await_poll(); /* longer than the other's window */
    assert_int_equal(world_transactions(&world), 1);
    batch_let_phone("approve");
    world_approve(&world);
    for (size_t i = 1; i < COUNT; i++)
        assert_int_equal(pthread_join(signers[i].thread, NULL), 0);

    assert_int_equal(process_end(other), 1);
    assert_int_equal(signers_count_signed(signers, COUNT), COUNT - 1);
    assert_int_equal(world_transactions(&world), 2);
}

static void when_the_leading_process_dies_another_takes_over_without_a_second_prompt(void **state)
{
    enum { PROCESSES = 4 };
    pid_t children[PROCESSES];
    int answers = 0;
    (void)state;
    batch_set_stage(WINDOW);

    processes_start(children, PROCESSES, 1);
    batch_await_transactions(1);
    for (int i = 0; i < 10; i++)
        batch_await_poll();
    assert_int_equal(kill(children[0], SIGKILL), 0);
    assert_int_equal(process_end(children[0]), -1);
    batch_let_phone("approve");
    world_approve(&world);

    for (size_t i = 1; i < PROCESSES; i++)
        answers += process_end(children[i]);
    assert_int_equal(answers, PROCESSES - 1);
    assert_int_equal(world_transactions(&world), 1);
}

static void what_a_killed_process_had_in_it_is_collected_by_the_next_one(void **state)
{
    pid_t children[2];
    (void)state;
    batch_set_stage(WINDOW);
    processes_start(children, 2, 1);
    batch_await_transactions(1);
    for (int i = 0; i < 10; i++)
        batch_await_poll();
    assert_int_equal(kill(children[1], SIGKILL), 0);
    assert_int_equal(process_end(children[1]), -1);
    batch_let_phone("approve");
    world_approve(&world);
    assert_int_equal(process_end(children[0]), 1);

    pid_t again = process_start(1, "process 1");

    assert_int_equal(process_end(again), 1);
    assert_int_equal(world_transactions(&world), 1);
}

static void a_rejection_fails_all_processes(void **state)
{
    enum { PROCESSES = 4 };
    pid_t children[PROCESSES];
    (void)state;
    batch_set_stage(WINDOW);
    batch_let_phone("reject");

    processes_start(children, PROCESSES, 2);

    for (size_t i = 0; i < PROCESSES; i++)
        assert_int_equal(process_end(children[i]), 0);
    assert_int_equal(world_transactions(&world), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eight_processes_of_eight_threads_cost_one_confirmation),
        cmocka_unit_test(processes_that_come_while_one_waits_share_the_next),
        cmocka_unit_test(what_all_callers_gave_up_is_in_nobodys_transaction),
        cmocka_unit_test(a_confirmation_that_followers_wait_for_is_open_when_its_leader_left),
        cmocka_unit_test(when_the_leading_process_dies_another_takes_over_without_a_second_prompt),
        cmocka_unit_test(what_a_killed_process_had_in_it_is_collected_by_the_next_one),
        cmocka_unit_test(a_rejection_fails_all_processes),
    };
    return cmocka_run_group_tests(tests, batch_start, batch_stop);
}
