/* SPDX-License-Identifier: Apache-2.0 */
/* Never twice, never lost, cancelled at once, nobody else held up. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "tests/integration/harness.h"

static struct world world;

static int start(void **state)
{
    (void)state;
    world_start(&world, NULL, "poll_interval = 0.1\nconfirm_timeout = 20\n");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    world_stop(&world);
    return 0;
}

static int reset(void **state)
{
    (void)state;
    world_control(&world, "reset", "{}");
    world_control(&world, "phone", "{\"action\":\"never\"}");
    return 0;
}

/* A C_Sign on a thread of its own. */
struct signer {
    pthread_t thread;
    CK_SESSION_HANDLE session;
    const char *text;
    CK_BYTE signature[256];
    CK_RV rv;
    uint64_t ended_ms;
};

static void *sign_on_thread(void *arg)
{
    struct signer *signer = arg;
    signer->rv = world_sign(&world, signer->session, signer->text, signer->signature);
    signer->ended_ms = world_now_ms();
    return NULL;
}

/* Returns once the service has been asked for the outcome at least once more. */
static void signer_start(struct signer *signer, const char *text, CK_NOTIFY notify, void *arg)
{
    unsigned before = world_requests(&world, "status");
    *signer = (struct signer){.text = text, .session = world_session(&world, notify, arg)};
    assert_int_equal(pthread_create(&signer->thread, NULL, sign_on_thread, signer), 0);
    while (world_requests(&world, "status") == before)
        continue;
}

static void a_killed_program_finds_its_confirmation_again(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        CK_BYTE signature[256];
        if (world.p11->C_Initialize(NULL) != CKR_OK)
            _exit(1);
        (void)world_sign(&world, world_session(&world, NULL, NULL), "killed", signature);
        _exit(2);
    }
    while (world_requests(&world, "status") < 1)
        continue;
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    world_approve(&world);
    CK_BYTE signature[256];
    CK_SESSION_HANDLE session = world_session(&world, NULL, NULL);

    assert_int_equal(world_sign(&world, session, "killed", signature), CKR_OK);

    assert_true(world_verifies(&world, session, "killed", signature));
    assert_int_equal(world_transactions(&world), 1);
    assert_int_equal(world_requests(&world, "sign"), 1);
    assert_int_equal(world.p11->C_CloseSession(session), CKR_OK);
}

static void
the_same_digest_asked_after_its_signature_was_handed_out_is_a_new_transaction(void **state)
{
    (void)state;
    CK_BYTE signature[256];
    world_control(&world, "phone", "{\"action\":\"approve\"}");
    CK_SESSION_HANDLE session = world_session(&world, NULL, NULL);

    assert_int_equal(world_sign(&world, session, "twice", signature), CKR_OK);
    assert_int_equal(world_sign(&world, session, "twice", signature), CKR_OK);

    assert_int_equal(world_transactions(&world), 2);
    assert_int_equal(world.p11->C_CloseSession(session), CKR_OK);
}

static CK_RV cancel_session(const struct signer *signer)
{
    return world.p11_3->C_SessionCancel(signer->session, CKF_SIGN);
}

static CK_RV cancel_by_init(const struct signer *signer)
{
    return world.p11->C_SignInit(signer->session, NULL, 0);
}

static CK_RV close_session(const struct signer *signer)
{
    return world.p11->C_CloseSession(signer->session);
}

static CK_RV finalize(const struct signer *signer)
{
    (void)signer;
    return world.p11->C_Finalize(NULL);
}

static void every_way_to_cancel_ends_the_wait_within_a_second(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        CK_RV (*cancel)(const struct signer *signer);
        CK_RV rv;
    } rows[] = {
        {"C_SessionCancel", cancel_session, CKR_FUNCTION_CANCELED},
        {"C_SignInit(NULL)", cancel_by_init, CKR_FUNCTION_CANCELED},
        {"C_CloseSession", close_session, CKR_SESSION_CLOSED},
        {"C_Finalize", finalize, CKR_CRYPTOKI_NOT_INITIALIZED},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct signer signer;
        signer_start(&signer, rows[i].text, NULL, NULL);
        uint64_t cancelled_ms = world_now_ms();

        assert_int_equal(rows[i].cancel(&signer), CKR_OK);
        assert_int_equal(pthread_join(signer.thread, NULL), 0);

        if (signer.rv != rows[i].rv)
            fail_msg("%s: 0x%lx", rows[i].text, signer.rv);
        assert_true(signer.ended_ms - cancelled_ms < 1000);
    }
    assert_int_equal(world.p11->C_Initialize(NULL), CKR_OK);
}

static CK_RV give_up_at_second_call(CK_SESSION_HANDLE session, CK_NOTIFICATION event, void *arg)
{
    unsigned *calls = arg;
    assert_int_equal(event, CKN_SURRENDER);
    /* The library may be asked things, but not to cancel (3.0 section 5.6.6). */
    CK_SESSION_INFO info;
    assert_int_equal(world.p11->C_GetSessionInfo(session, &info), CKR_OK);
    assert_int_equal(world.p11_3->C_SessionCancel(session, CKF_SIGN), CKR_FUNCTION_FAILED);
    assert_int_equal(world.p11->C_Finalize(NULL), CKR_FUNCTION_FAILED);
    return ++*calls < 2 ? CKR_OK : CKR_CANCEL;
}

static void the_application_is_asked_every_second_and_may_give_up(void **state)
{
    (void)state;
    unsigned calls = 0;
    CK_BYTE signature[256];
    uint64_t started_ms = world_now_ms();
    CK_SESSION_HANDLE session = world_session(&world, give_up_at_second_call, &calls);

    CK_RV rv = world_sign(&world, session, "notify", signature);

    assert_int_equal(rv, CKR_FUNCTION_CANCELED);
    assert_int_equal(calls, 2);
    assert_true(world_now_ms() - started_ms < 3000);
    assert_int_equal(world.p11->C_CloseSession(session), CKR_OK);
}

static void a_cancelled_document_signed_again_is_not_pushed_again(void **state)
{
    (void)state;
    struct signer signer;
    signer_start(&signer, "cancelled", NULL, NULL);
    assert_int_equal(cancel_session(&signer), CKR_OK);
    assert_int_equal(pthread_join(signer.thread, NULL), 0);
    world_approve(&world);

    assert_int_equal(world_sign(&world, signer.session, "cancelled", signer.signature), CKR_OK);

    assert_int_equal(world_transactions(&world), 1);
    assert_int_equal(world.p11->C_CloseSession(signer.session), CKR_OK);
}

static void two_threads_with_the_same_digest_share_one_confirmation(void **state)
{
    (void)state;
    struct signer first;
    struct signer second;
    signer_start(&first, "shared", NULL, NULL);
    signer_start(&second, "shared", NULL, NULL);
    world_approve(&world);

    assert_int_equal(pthread_join(first.thread, NULL), 0);
    assert_int_equal(pthread_join(second.thread, NULL), 0);

    assert_int_equal(first.rv, CKR_OK);
    assert_int_equal(second.rv, CKR_OK);
    assert_int_equal(world_transactions(&world), 1);
    assert_int_equal(world.p11->C_CloseSession(first.session), CKR_OK);
    assert_int_equal(world.p11->C_CloseSession(second.session), CKR_OK);
}

static void while_one_waits_everything_else_on_the_slot_answers_at_once(void **state)
{
    (void)state;
    enum { ROUNDS = 100, LIMIT_MS = 5 };
    struct signer signer;
    CK_TOKEN_INFO info;
    CK_SESSION_HANDLE other = CK_INVALID_HANDLE;
    CK_SLOT_ID slot = world_slot(&world);
    signer_start(&signer, "waiting", NULL, NULL);

    uint64_t started_ms = world_now_ms();
    for (int i = 0; i < ROUNDS; i++) {
        assert_int_equal(world.p11->C_GetTokenInfo(slot, &info), CKR_OK);
        assert_int_equal(world.p11->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &other),
                         CKR_OK);
        (void)world_key(&world, other, CKO_PUBLIC_KEY);
        assert_int_equal(world.p11->C_CloseSession(other), CKR_OK);
    }
    uint64_t took_ms = world_now_ms() - started_ms;

    assert_true(took_ms < ROUNDS * LIMIT_MS);
    assert_int_equal(cancel_session(&signer), CKR_OK);
    assert_int_equal(pthread_join(signer.thread, NULL), 0);
    assert_int_equal(world.p11->C_CloseSession(signer.session), CKR_OK);
}

static void a_forked_child_leaves_the_parents_signature_alone(void **state)
{
    (void)state;
    struct signer signer;
    signer_start(&signer, "parent", NULL, NULL);

    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        CK_SESSION_INFO info;
        bool is_new =
            world.p11->C_GetSessionInfo(signer.session, &info) == CKR_CRYPTOKI_NOT_INITIALIZED &&
            world.p11->C_Finalize(NULL) == CKR_CRYPTOKI_NOT_INITIALIZED &&
            world.p11->C_Initialize(NULL) == CKR_OK &&
            world.p11->C_GetSessionInfo(signer.session, &info) == CKR_SESSION_HANDLE_INVALID &&
            world.p11->C_Finalize(NULL) == CKR_OK;
        _exit(is_new ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    world_approve(&world);
    assert_int_equal(pthread_join(signer.thread, NULL), 0);

    assert_int_equal(status, 0);
    assert_int_equal(signer.rv, CKR_OK);
    assert_int_equal(world_transactions(&world), 1);
    assert_int_equal(world.p11->C_CloseSession(signer.session), CKR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_killed_program_finds_its_confirmation_again, reset),
        cmocka_unit_test_setup(
            the_same_digest_asked_after_its_signature_was_handed_out_is_a_new_transaction, reset),
        cmocka_unit_test_setup(every_way_to_cancel_ends_the_wait_within_a_second, reset),
        cmocka_unit_test_setup(the_application_is_asked_every_second_and_may_give_up, reset),
        cmocka_unit_test_setup(a_cancelled_document_signed_again_is_not_pushed_again, reset),
        cmocka_unit_test_setup(two_threads_with_the_same_digest_share_one_confirmation, reset),
        cmocka_unit_test_setup(while_one_waits_everything_else_on_the_slot_answers_at_once, reset),
        cmocka_unit_test_setup(a_forked_child_leaves_the_parents_signature_alone, reset),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
