/* SPDX-License-Identifier: Apache-2.0 */
/* A forked child is another application (2.40 section 6.6.1). */
#include <pthread.h>

#include "remote/base/cleanup.h"
#include "tests/module/background.h"
#include "tests/module/child.h"
#include "tests/module/stage.h"

/* The session the parent has open. */
static CK_SESSION_HANDLE inherited;

static int every_call_is_refused(void *arg)
{
    CK_BYTE out[SIGNATURE_LEN];
    CK_ULONG len = sizeof(out);
    CK_SLOT_ID slot = 0;
    CK_INFO info;
    CK_SESSION_INFO session;
    (void)arg;

    CHECK(p11->C_GetInfo(&info) == CKR_CRYPTOKI_NOT_INITIALIZED);
    CHECK(p11->C_GetSlotList(CK_FALSE, NULL, &len) == CKR_CRYPTOKI_NOT_INITIALIZED);
    CHECK(p11->C_GetSessionInfo(inherited, &session) == CKR_CRYPTOKI_NOT_INITIALIZED);
    CHECK(p11->C_Sign(inherited, MESSAGE, MESSAGE_LEN, out, &len) == CKR_CRYPTOKI_NOT_INITIALIZED);
    CHECK(p11->C_CloseSession(inherited) == CKR_CRYPTOKI_NOT_INITIALIZED);
    CHECK(p11->C_CloseAllSessions(FAKE_PHONE) == CKR_CRYPTOKI_NOT_INITIALIZED);
    CHECK(p11->C_WaitForSlotEvent(0, &slot, NULL) == CKR_CRYPTOKI_NOT_INITIALIZED);
    CHECK(p11->C_Logout(inherited) == CKR_CRYPTOKI_NOT_INITIALIZED);
    CHECK(p11->C_Finalize(NULL) == CKR_CRYPTOKI_NOT_INITIALIZED);
    return 0;
}

static int a_new_life_begins(void *arg)
{
    CK_BYTE out[SIGNATURE_LEN];
    CK_ULONG len = sizeof(out);
    CK_MECHANISM mechanism = {.mechanism = CKM_SHA256_RSA_PKCS};
    CK_SESSION_INFO info;
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    (void)arg;

    fake_play((struct fake_script){.sign_status = SCA_OK});
    CHECK(p11->C_Initialize(NULL) == CKR_OK);
    CHECK(p11->C_Initialize(NULL) == CKR_CRYPTOKI_ALREADY_INITIALIZED);
    CHECK(p11->C_GetSessionInfo(inherited, &info) == CKR_SESSION_HANDLE_INVALID);
    CHECK(p11->C_OpenSession(FAKE_PIN, CKF_SERIAL_SESSION, NULL, NULL, &session) == CKR_OK);
    CHECK(p11->C_GetSessionInfo(session, &info) == CKR_OK);
    CHECK(info.state == CKS_RO_PUBLIC_SESSION); /* the parent's login is the parent's */
    CHECK(stage_login(session, FAKE_PIN_TEXT) == CKR_OK);
    CHECK(p11->C_SignInit(session, &mechanism, stage_find(session, CKO_PRIVATE_KEY, FAKE_KEY)) ==
          CKR_OK);
    CHECK(p11->C_Sign(session, MESSAGE, MESSAGE_LEN, out, &len) == CKR_OK);
    CHECK(fake_verifies(CRYPTO_SHA256, span_of(MESSAGE, MESSAGE_LEN), span_of(out, len)));
    CHECK(p11->C_Finalize(NULL) == CKR_OK);
    CHECK(p11->C_Finalize(NULL) == CKR_CRYPTOKI_NOT_INITIALIZED);
    return 0;
}

static int a_grandchild_starts_anew_too(void *arg)
{
    CHECK(p11->C_Initialize(NULL) == CKR_OK);
    inherited = CK_INVALID_HANDLE;
    CHECK(p11->C_OpenSession(FAKE_PHONE, CKF_SERIAL_SESSION, NULL, NULL, &inherited) == CKR_OK);
    int line = child_run(every_call_is_refused, arg);
    if (line == 0)
        line = child_run(a_new_life_begins, arg);
    CHECK(p11->C_CloseSession(inherited) == CKR_OK);
    return line;
}

static void *initialize(void *arg)
{
    CK_RV *rv = arg;
    CK_INFO info;
    *rv = p11->C_Initialize(NULL);
    if (p11->C_GetInfo(&info) != CKR_OK) /* whoever won, it is initialised now */
        *rv = CKR_GENERAL_ERROR;
    return NULL;
}

static int threads_begin_a_new_life_at_once(void *arg)
{
    enum { THREADS = 8 };
    pthread_t threads[THREADS];
    CK_RV results[THREADS];
    unsigned winners = 0;
    CK_SESSION_INFO info;
    (void)arg;

    for (size_t i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, initialize, &results[i]) == 0);
    for (size_t i = 0; i < THREADS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        CHECK(results[i] == CKR_OK || results[i] == CKR_CRYPTOKI_ALREADY_INITIALIZED);
        winners += results[i] == CKR_OK;
    }
    CHECK(winners == 1);
    CHECK(p11->C_GetSessionInfo(inherited, &info) == CKR_SESSION_HANDLE_INVALID);
    CHECK(p11->C_Finalize(NULL) == CKR_OK);
    return 0;
}

static void assert_parent_unharmed(CK_SESSION_HANDLE session)
{
    CK_BYTE out[SIGNATURE_LEN];
    CK_ULONG len = sizeof(out);
    CK_SESSION_INFO info;

    EXPECT(CKR_OK, p11->C_GetSessionInfo(session, &info));
    assert_int_equal(info.state, CKS_RO_USER_FUNCTIONS);
    EXPECT(CKR_OK, p11->C_Sign(session, MESSAGE, MESSAGE_LEN, out, &len));
}

static void a_child_must_initialize(void **state)
{
    (void)state;
    inherited = stage_signing(FAKE_PIN, CKM_SHA256_RSA_PKCS);

    assert_int_equal(child_run(every_call_is_refused, NULL), 0);

    assert_parent_unharmed(inherited);
}

static void a_child_that_initializes_has_a_module_of_its_own(void **state)
{
    (void)state;
    inherited = stage_signing(FAKE_PIN, CKM_SHA256_RSA_PKCS);

    assert_int_equal(child_run(a_new_life_begins, NULL), 0);

    assert_parent_unharmed(inherited);
}

static void of_a_childs_threads_exactly_one_initializes(void **state)
{
    (void)state;
    inherited = stage_signing(FAKE_PIN, CKM_SHA256_RSA_PKCS);

    for (int i = 0; i < 20; i++)
        assert_int_equal(child_run(threads_begin_a_new_life_at_once, NULL), 0);

    assert_parent_unharmed(inherited);
}

static void children_of_children_do_as_well(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = stage_signing(FAKE_PIN, CKM_SHA256_RSA_PKCS);

    assert_int_equal(child_run(a_grandchild_starts_anew_too, NULL), 0);

    assert_parent_unharmed(session);
}

static void a_child_of_a_process_that_never_initialized_is_no_different(void **state)
{
    (void)state;

    assert_int_equal(child_run(a_new_life_begins, NULL), 0);

    EXPECT(CKR_CRYPTOKI_NOT_INITIALIZED, p11->C_Finalize(NULL));
}

static void a_fork_during_a_signature_disturbs_nobody(void **state)
{
    struct background signing;
    (void)state;
    fake_play((struct fake_script){.is_holding = true});
    inherited = stage_signing(FAKE_PHONE, CKM_SHA256_RSA_PKCS);
    background_sign(&signing, inherited);
    assert_true(fake_await_held(1));

    assert_int_equal(child_run(every_call_is_refused, NULL), 0);
    assert_int_equal(child_run(a_new_life_begins, NULL), 0);
    fake_release();

    EXPECT(CKR_OK, background_join(&signing));
    assert_true(fake_verifies(CRYPTO_SHA256, span_of(MESSAGE, MESSAGE_LEN),
                              span_of(signing.signature, signing.signature_len)));
}

static void a_fork_while_others_wait_for_events_disturbs_nobody(void **state)
{
    struct background waiter;
    (void)state;
    inherited = stage_open(FAKE_PHONE);
    background_wait(&waiter);

    for (int i = 0; i < 10; i++)
        assert_int_equal(child_run(a_new_life_begins, NULL), 0);

    EXPECT(CKR_OK, p11->C_Finalize(NULL));
    EXPECT(CKR_CRYPTOKI_NOT_INITIALIZED, background_join(&waiter));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON(a_child_must_initialize),
        ON(a_child_that_initializes_has_a_module_of_its_own),
        ON(of_a_childs_threads_exactly_one_initializes),
        ON(children_of_children_do_as_well),
        OFF(a_child_of_a_process_that_never_initialized_is_no_different),
        ON(a_fork_during_a_signature_disturbs_nobody),
        ON(a_fork_while_others_wait_for_events_disturbs_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
