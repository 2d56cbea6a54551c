/* SPDX-License-Identifier: Apache-2.0 */
/* Asynchronous sessions on the journalled transaction. */
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

static void ten_asynchronous_sessions_of_one_thread_are_one_transaction(void **state)
{
    enum { COUNT = 10 };
    CK_SESSION_HANDLE sessions[COUNT];
    CK_BYTE signatures[COUNT][256];
    char texts[COUNT][16];
    (void)state;
    batch_set_stage(PATIENT);
    batch_let_phone("approve");

    for (int i = 0; i < COUNT; i++) {
        (void)snprintf(texts[i], sizeof(texts[i]), "async %d", i);
        sessions[i] = async_begin(texts[i], signatures[i]);
    }
    assert_int_equal(world_requests(&world, "sign"), 0);

    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(async_complete(sessions[i]), CKR_OK);
        assert_true(world_verifies(&world, sessions[i], texts[i], signatures[i]));
        assert_int_equal(world.p11->C_CloseSession(sessions[i]), CKR_OK);
    }
    assert_int_equal(world_transactions(&world), 1);
}

/* In a child: fetches by its number what the parent began. Its exit status is 0 if it is right. */
static pid_t start_fetcher(CK_ULONG number, const char *text)
{
    CK_UTF8CHAR function[] = "C_Sign";
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    CK_BYTE signature[256];
    pid_t child = fork();

    assert_true(child >= 0);
    if (child)
        return child;
    if (world.p11->C_Initialize(NULL) != CKR_OK ||
        world.p11->C_OpenSession(world_slot(&world), CKF_SERIAL_SESSION | CKF_ASYNC_SESSION, NULL,
                                 NULL, &session) != CKR_OK)
        _exit(2);
    if (world.p11_32->C_AsyncJoin(session, function, number + 1, signature, 256) !=
        CKR_SAVED_STATE_INVALID)
        _exit(3);
    if (world.p11_32->C_AsyncJoin(session, function, number, signature, 256) != CKR_OK ||
        async_complete(session) != CKR_OK)
        _exit(4);
    _exit(world_verifies(&world, session, text, signature) ? 0 : 5);
}

static void another_process_fetches_a_signature_by_its_number(void **state)
{
    CK_UTF8CHAR function[] = "C_Sign";
    CK_BYTE signature[256];
    CK_ULONG number = 0;
    (void)state;
    batch_set_stage(PATIENT);

    CK_SESSION_HANDLE session = async_begin("fetched", signature);
    assert_int_equal(world.p11_32->C_AsyncGetID(session, function, &number), CKR_OK);
    assert_int_equal(world_transactions(&world), 1);
    assert_int_equal(world.p11->C_CloseSession(session), CKR_OK);
    batch_let_phone("approve");
    world_approve(&world);

    assert_int_equal(process_end(start_fetcher(number, "fetched")), 0);
    assert_int_equal(world_transactions(&world), 1);
    assert_int_equal(process_end(start_fetcher(number, "fetched")), 4); /* it was handed over */
}

/* The one that looks finds both confirmed; the other one gives up before it hears of it. */
static void what_a_cancelled_session_did_not_fetch_is_there_when_it_asks_again(void **state)
{
    CK_BYTE signatures[2][256];
    (void)state;
    batch_set_stage(PATIENT);
    batch_let_phone("approve");
    CK_SESSION_HANDLE looks = async_begin("looks", signatures[0]);
    CK_SESSION_HANDLE leaves = async_begin("leaves", signatures[1]);
    assert_int_equal(async_complete(looks), CKR_OK);

    assert_int_equal(world.p11_3->C_SessionCancel(leaves, CKF_SIGN), CKR_OK);
    CK_SESSION_HANDLE again = world_session(&world, NULL, NULL);
    CK_RV rv = world_sign(&world, again, "leaves", signatures[1]);

    assert_int_equal(rv, CKR_OK);
    assert_true(world_verifies(&world, again, "leaves", signatures[1]));
    assert_int_equal(world_transactions(&world), 1);
    assert_int_equal(world.p11->C_CloseSession(again), CKR_OK);
    assert_int_equal(world.p11->C_CloseSession(looks), CKR_OK);
    assert_int_equal(world.p11->C_CloseSession(leaves), CKR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_asynchronous_sessions_of_one_thread_are_one_transaction),
        cmocka_unit_test(what_a_cancelled_session_did_not_fetch_is_there_when_it_asks_again),
        cmocka_unit_test(another_process_fetches_a_signature_by_its_number),
    };
    return cmocka_run_group_tests(tests, batch_start, batch_stop);
}
