/* SPDX-License-Identifier: Apache-2.0 */
/* The life of the library: C_Finalize, starting again, being called by itself. */
#include <pthread.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/base/reentry.h"
#include "tests/module/background.h"
#include "tests/module/child.h"
#include "tests/module/stage.h"

static void info_says_what_the_library_is(void **state)
{
    CK_INFO info;
    (void)state;

    EXPECT(CKR_ARGUMENTS_BAD, p11->C_GetInfo(NULL));
    memset(&info, 0xee, sizeof(info));
    EXPECT(CKR_OK, p11->C_GetInfo(&info));

    assert_int_equal(info.cryptokiVersion.major, 3);
    assert_int_equal(info.cryptokiVersion.minor, 2);
    assert_int_equal(info.flags, 0);
    assert_memory_equal(info.manufacturerID, "libsmartca-pkcs11               ", 32);
    assert_memory_equal(info.libraryDescription, "VNPT SmartCA PKCS#11            ", 32);
}

static void it_starts_again_a_hundred_times(void **state)
{
    CK_ULONG count = 0;
    (void)state;

    for (int i = 0; i < 100; i++) {
        EXPECT(CKR_OK, p11->C_Initialize(NULL));
        CK_SESSION_HANDLE session = stage_signing(FAKE_PIN, CKM_SHA256_RSA_PKCS);
        EXPECT(CKR_OK, p11->C_Sign(session, MESSAGE, MESSAGE_LEN, NULL, &count));
        EXPECT(CKR_OK, p11->C_Finalize(NULL));
        EXPECT(CKR_CRYPTOKI_NOT_INITIALIZED, p11->C_Finalize(NULL));
        assert_int_equal(fake_counted().live, 0);
    }
}

static void finalize_closes_sessions_and_forgets_the_login(void **state)
{
    CK_SESSION_INFO info;
    (void)state;
    CK_SESSION_HANDLE session = stage_open(FAKE_PIN);
    EXPECT(CKR_OK, stage_login(session, FAKE_PIN_TEXT));

    EXPECT(CKR_OK, p11->C_Finalize(NULL));
    EXPECT(CKR_OK, p11->C_Initialize(NULL));

    EXPECT(CKR_SESSION_HANDLE_INVALID, p11->C_GetSessionInfo(session, &info));
    EXPECT(CKR_OK, p11->C_GetSessionInfo(stage_open(FAKE_PIN), &info));
    assert_int_equal(info.state, CKS_RO_PUBLIC_SESSION);
    assert_int_equal(fake_counted().logout, 1);
}

static void finalize_ends_a_waiting_signature(void **state)
{
    struct background signing;
    (void)state;
    fake_play((struct fake_script){.is_holding = true});
    background_sign(&signing, stage_signing(FAKE_PHONE, CKM_SHA256_RSA_PKCS));
    assert_true(fake_await_held(1));

    EXPECT(CKR_OK, p11->C_Finalize(NULL));

    EXPECT(CKR_CRYPTOKI_NOT_INITIALIZED, background_join(&signing));
    assert_int_equal(fake_counted().live, 0);
}

static int stuck_story(void *arg)
{
    struct background *signing = arg;
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    CK_ULONG count = 0;

    CHECK(p11->C_Initialize(NULL) == CKR_OK);
    background_sign(signing, stage_signing(FAKE_PHONE, CKM_SHA256_RSA_PKCS));
    CHECK(fake_await_held(1));

    CHECK(p11->C_Finalize(NULL) == CKR_OK);
    CHECK(p11->C_Initialize(NULL) == CKR_OK);
    CHECK(p11->C_GetSlotList(CK_TRUE, NULL, &count) == CKR_OK);
    session = stage_open(FAKE_PHONE);
    fake_release();
    (void)background_join(signing);
    CHECK(p11->C_CloseSession(session) == CKR_OK);
    return 0;
}

/* A call stuck in somebody else's code costs the memory it stands on, and hangs nobody. */
static void finalize_gives_up_a_call_that_is_stuck(void **state)
{
    struct background signing;
    (void)state;
    fake_play((struct fake_script){.is_holding = true, .is_deaf = true});

    assert_int_equal(child_run(stuck_story, &signing), 0);
}

struct nested {
    CK_SESSION_HANDLE session;
    CK_RV initialize;
    CK_RV info;
    CK_RV open;
    CK_RV finalize;
};

/* What happens when a library below us (OpenSSL with a pkcs11 provider) calls us back. */
static void call_ourselves(void *arg)
{
    struct nested *nested = arg;
    CK_SESSION_HANDLE session = 0;
    CK_INFO info;

    reentry_enter();
    nested->initialize = p11->C_Initialize(NULL);
    nested->info = p11->C_GetInfo(&info);
    nested->open = p11->C_OpenSession(FAKE_PHONE, CKF_SERIAL_SESSION, NULL, NULL, &session);
    nested->finalize = p11->C_Finalize(NULL);
    reentry_leave();
}

static void a_call_from_below_is_sent_away_at_once(void **state)
{
    CK_BYTE signature[SIGNATURE_LEN];
    CK_ULONG len = sizeof(signature);
    struct nested nested = {.session = 0};
    (void)state;
    CK_SESSION_HANDLE session = stage_signing(FAKE_PHONE, CKM_SHA256_RSA_PKCS);
    fake_call_back(call_ourselves, &nested);

    EXPECT(CKR_OK, p11->C_Sign(session, MESSAGE, MESSAGE_LEN, signature, &len));

    EXPECT(CKR_CRYPTOKI_ALREADY_INITIALIZED, nested.initialize);
    EXPECT(CKR_CRYPTOKI_NOT_INITIALIZED, nested.info);
    EXPECT(CKR_CRYPTOKI_NOT_INITIALIZED, nested.open);
    EXPECT(CKR_CRYPTOKI_NOT_INITIALIZED, nested.finalize);
    EXPECT(CKR_OK, p11->C_CloseSession(session));
}

static void *initialize(void *arg)
{
    CK_RV *rv = arg;
    *rv = p11->C_Initialize(NULL);
    return NULL;
}

static void of_many_initializes_exactly_one_wins(void **state)
{
    enum { THREADS = 16 };
    pthread_t threads[THREADS];
    CK_RV results[THREADS];
    size_t winners = 0;
    (void)state;

    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, initialize, &results[i]), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);

    for (size_t i = 0; i < THREADS; i++) {
        winners += results[i] == CKR_OK;
        assert_true(results[i] == CKR_OK || results[i] == CKR_CRYPTOKI_ALREADY_INITIALIZED);
    }
    assert_int_equal(winners, 1);
}

static void tokens_are_never_asked_with_a_lock_held(void **state)
{
    CK_BYTE signature[SIGNATURE_LEN];
    CK_ULONG len = sizeof(signature);
    CK_ULONG count = 0;
    (void)state;

    EXPECT(CKR_OK, p11->C_GetSlotList(CK_FALSE, NULL, &count));
    CK_SESSION_HANDLE session = stage_signing(FAKE_PIN, CKM_SHA256_RSA_PKCS);
    EXPECT(CKR_OK, p11->C_Sign(session, MESSAGE, MESSAGE_LEN, signature, &len));
    EXPECT(CKR_OK, p11->C_Logout(session));
    EXPECT(CKR_OK, stage_login(session, FAKE_PIN_TEXT));
    EXPECT(CKR_OK, p11->C_CloseAllSessions(FAKE_PIN));

    assert_int_equal(fake_counted().logout, 2);
    assert_int_equal(fake_counted().under_lock, 0);
}

static void finalize_logs_out_with_no_lock_held(void **state)
{
    (void)state;
    EXPECT(CKR_OK, stage_login(stage_open(FAKE_PIN), FAKE_PIN_TEXT));

    EXPECT(CKR_OK, p11->C_Finalize(NULL));

    assert_int_equal(fake_counted().logout, 1);
    assert_int_equal(fake_counted().under_lock, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON(info_says_what_the_library_is),
        OFF(it_starts_again_a_hundred_times),
        ON(finalize_closes_sessions_and_forgets_the_login),
        ON(finalize_ends_a_waiting_signature),
        ON(a_call_from_below_is_sent_away_at_once),
        OFF(of_many_initializes_exactly_one_wins),
        ON(tokens_are_never_asked_with_a_lock_held),
        ON(finalize_logs_out_with_no_lock_held),
        OFF(finalize_gives_up_a_call_that_is_stuck),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
