/* SPDX-License-Identifier: Apache-2.0 */
/* A C_Sign that waits for a person: what ends it, and what goes on meanwhile. */
#include <stdatomic.h>

#include "remote/base/cleanup.h"
#include "tests/module/background.h"
#include "tests/module/stage.h"

/* A C_Sign held in the token, in a session of its own. */
static void begin_waiting(struct background *signing, CK_SLOT_ID slot)
{
    CK_SESSION_HANDLE session = stage_signing(slot, CKM_SHA256_RSA_PKCS);
    fake_play((struct fake_script){.is_holding = true});
    background_sign(signing, session);
    assert_true(fake_await_held(1));
}

static void cancelling_the_session_ends_the_wait(void **state)
{
    struct background signing;
    CK_SESSION_INFO info;
    (void)state;
    begin_waiting(&signing, FAKE_PHONE);

    EXPECT(CKR_OK, p11->C_SessionCancel(signing.session, CKF_SIGN));

    EXPECT(CKR_FUNCTION_CANCELED, background_join(&signing));
    EXPECT(CKR_OK, p11->C_GetSessionInfo(signing.session, &info));
    assert_false(stage_was_signing(signing.session));
}

/* The person confirmed in the moment of the cancel: what is signed is handed out. */
static void a_signature_that_comes_with_the_cancel_is_not_lost(void **state)
{
    struct background signing;
    (void)state;
    CK_SESSION_HANDLE session = stage_signing(FAKE_PHONE, CKM_SHA256_RSA_PKCS);
    fake_play((struct fake_script){.is_holding = true, .is_deaf = true});
    background_sign(&signing, session);
    assert_true(fake_await_held(1));

    EXPECT(CKR_OK, p11->C_SessionCancel(session, CKF_SIGN));
    fake_release();

    EXPECT(CKR_OK, background_join(&signing));
    assert_true(fake_verifies(CRYPTO_SHA256, span_of(MESSAGE, MESSAGE_LEN),
                              span_of(signing.signature, signing.signature_len)));
}

static void cancelling_something_else_does_not(void **state)
{
    struct background signing;
    (void)state;
    begin_waiting(&signing, FAKE_PHONE);

    EXPECT(CKR_OK, p11->C_SessionCancel(signing.session, CKF_DIGEST | CKF_FIND_OBJECTS));
    fake_release();

    EXPECT(CKR_OK, background_join(&signing));
    assert_true(fake_verifies(CRYPTO_SHA256, span_of(MESSAGE, MESSAGE_LEN),
                              span_of(signing.signature, signing.signature_len)));
}

static void init_without_a_mechanism_ends_the_wait(void **state)
{
    struct background signing;
    (void)state;
    begin_waiting(&signing, FAKE_PHONE);

    EXPECT(CKR_OK, p11->C_SignInit(signing.session, NULL, 0));

    EXPECT(CKR_FUNCTION_CANCELED, background_join(&signing));
}

static void closing_the_session_ends_the_wait(void **state)
{
    struct background signing;
    (void)state;
    begin_waiting(&signing, FAKE_PHONE);

    EXPECT(CKR_OK, p11->C_CloseSession(signing.session));

    EXPECT(CKR_SESSION_CLOSED, background_join(&signing));
    EXPECT(CKR_SESSION_HANDLE_INVALID, p11->C_SessionCancel(signing.session, CKF_SIGN));
}

static void closing_all_sessions_ends_the_wait(void **state)
{
    struct background signing;
    (void)state;
    begin_waiting(&signing, FAKE_PHONE);

    EXPECT(CKR_OK, p11->C_CloseAllSessions(FAKE_PHONE));

    EXPECT(CKR_SESSION_CLOSED, background_join(&signing));
}

static void another_call_in_a_waiting_session_is_refused(void **state)
{
    struct background signing;
    CK_BYTE out[SIGNATURE_LEN];
    CK_ULONG len = sizeof(out);
    CK_MECHANISM sha256 = {.mechanism = CKM_SHA256};
    (void)state;
    begin_waiting(&signing, FAKE_PHONE);
    CK_SESSION_HANDLE session = signing.session;

    EXPECT(CKR_OPERATION_ACTIVE, p11->C_Sign(session, MESSAGE, MESSAGE_LEN, out, &len));
    EXPECT(CKR_OPERATION_ACTIVE, p11->C_Sign(session, MESSAGE, MESSAGE_LEN, NULL, &len));
    EXPECT(CKR_OPERATION_ACTIVE, p11->C_SignUpdate(session, MESSAGE, MESSAGE_LEN));
    EXPECT(CKR_OPERATION_ACTIVE, p11->C_SignFinal(session, out, &len));
    EXPECT(CKR_OPERATION_ACTIVE, stage_sign_init(session, CKM_RSA_PKCS, 1));
    EXPECT(CKR_OPERATION_ACTIVE, p11->C_DigestInit(session, &sha256));
    EXPECT(CKR_OPERATION_ACTIVE, p11->C_FindObjectsInit(session, NULL, 0));
    EXPECT(CKR_STATE_UNSAVEABLE, p11->C_GetOperationState(session, NULL, &len));
    fake_release();

    EXPECT(CKR_OK, background_join(&signing));
    assert_int_equal(fake_counted().sign, 1);
}

/* One lock held during a signature would stop Java's and GnuTLS's other threads. */
static void everything_else_goes_on_during_a_wait(void **state)
{
    struct background signing;
    CK_TOKEN_INFO token;
    CK_SESSION_INFO info;
    CK_ULONG count = 0;
    CK_BYTE digest[32];
    CK_ULONG digest_len = sizeof(digest);
    CK_MECHANISM sha256 = {.mechanism = CKM_SHA256};
    (void)state;
    begin_waiting(&signing, FAKE_PIN);

    EXPECT(CKR_OK, p11->C_GetSlotList(CK_TRUE, NULL, &count));
    EXPECT(CKR_OK, p11->C_GetTokenInfo(FAKE_PIN, &token));
    EXPECT(CKR_OK, p11->C_GetSessionInfo(signing.session, &info));
    CK_SESSION_HANDLE other = stage_open(FAKE_PIN);
    CK_OBJECT_HANDLE key = stage_find(other, CKO_PRIVATE_KEY, FAKE_KEY);
    EXPECT(CKR_OK, p11->C_GetObjectSize(other, key, &count));
    EXPECT(CKR_OK, p11->C_DigestInit(other, &sha256));
    EXPECT(CKR_OK, p11->C_Digest(other, MESSAGE, MESSAGE_LEN, digest, &digest_len));
    EXPECT(CKR_OK, stage_sign_init(other, CKM_RSA_PKCS, key));
    EXPECT(CKR_OK, p11->C_Sign(other, MESSAGE, MESSAGE_LEN, NULL, &count));
    EXPECT(CKR_USER_ALREADY_LOGGED_IN, stage_login(other, FAKE_PIN_TEXT));
    EXPECT(CKR_OK, p11->C_CloseSession(other));
    assert_int_equal(fake_counted().sign, 1);
    fake_release();

    EXPECT(CKR_OK, background_join(&signing));
}

static void sessions_wait_side_by_side(void **state)
{
    enum { SIGNERS = 8 };
    struct background signers[SIGNERS];
    (void)state;
    fake_play((struct fake_script){.is_holding = true});
    for (size_t i = 0; i < SIGNERS; i++)
        background_sign(&signers[i], stage_signing(FAKE_PHONE, CKM_SHA256_RSA_PKCS));
    assert_true(fake_await_held(SIGNERS)); /* all of them are with the token at once */

    EXPECT(CKR_OK, p11->C_SessionCancel(signers[3].session, CKF_SIGN));
    EXPECT(CKR_FUNCTION_CANCELED, background_join(&signers[3]));
    fake_release();

    for (size_t i = 0; i < SIGNERS; i++)
        if (i != 3)
            EXPECT(CKR_OK, background_join(&signers[i]));
}

struct notified {
    atomic_uint calls;
    CK_RV answer;
    CK_SESSION_HANDLE session;
    CK_NOTIFICATION event;
    CK_RV cancel;
    CK_RV finalize;
    CK_RV info;
};

static CK_RV on_notify(CK_SESSION_HANDLE session, CK_NOTIFICATION event, void *application)
{
    struct notified *notified = application;
    CK_SESSION_INFO info;

    notified->session = session;
    notified->event = event;
    notified->cancel = p11->C_SessionCancel(session, CKF_SIGN);
    notified->finalize = p11->C_Finalize(NULL);
    notified->info = p11->C_GetSessionInfo(session, &info);
    atomic_fetch_add(&notified->calls, 1);
    if (notified->answer == CKR_OK)
        fake_release();
    return notified->answer;
}

static CK_RV sign_notified(struct notified *notified, CK_SESSION_HANDLE *ret_session)
{
    CK_BYTE signature[SIGNATURE_LEN];
    CK_ULONG len = sizeof(signature);

    fake_play((struct fake_script){.is_holding = true, .is_ticking = true});
    EXPECT(CKR_OK,
           p11->C_OpenSession(FAKE_PHONE, CKF_SERIAL_SESSION, notified, on_notify, ret_session));
    EXPECT(CKR_OK, stage_sign_init(*ret_session, CKM_SHA256_RSA_PKCS,
                                   stage_find(*ret_session, CKO_PRIVATE_KEY, FAKE_KEY)));
    return p11->C_Sign(*ret_session, MESSAGE, MESSAGE_LEN, signature, &len);
}

static void the_application_is_asked_and_may_go_on(void **state)
{
    struct notified notified = {.answer = CKR_OK};
    CK_SESSION_HANDLE session = 0;
    (void)state;

    EXPECT(CKR_OK, sign_notified(&notified, &session));

    assert_int_equal(notified.calls, 1);
    assert_int_equal(notified.session, session);
    assert_int_equal(notified.event, CKN_SURRENDER);
}

static void the_application_is_asked_and_may_give_up(void **state)
{
    struct notified notified = {.answer = CKR_CANCEL};
    CK_SESSION_HANDLE session = 0;
    (void)state;

    EXPECT(CKR_FUNCTION_CANCELED, sign_notified(&notified, &session));

    assert_int_equal(notified.calls, 1);
    assert_false(stage_was_signing(session));
}

static void a_callback_may_look_but_not_end_anything(void **state)
{
    struct notified notified = {.answer = CKR_OK};
    CK_SESSION_HANDLE session = 0;
    (void)state;

    EXPECT(CKR_OK, sign_notified(&notified, &session));

    EXPECT(CKR_FUNCTION_FAILED, notified.cancel);
    EXPECT(CKR_FUNCTION_FAILED, notified.finalize);
    EXPECT(CKR_OK, notified.info);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON(cancelling_the_session_ends_the_wait),
        ON(a_signature_that_comes_with_the_cancel_is_not_lost),
        ON(cancelling_something_else_does_not),
        ON(init_without_a_mechanism_ends_the_wait),
        ON(closing_the_session_ends_the_wait),
        ON(closing_all_sessions_ends_the_wait),
        ON(another_call_in_a_waiting_session_is_refused),
        ON(everything_else_goes_on_during_a_wait),
        ON(sessions_wait_side_by_side),
        ON(the_application_is_asked_and_may_go_on),
        ON(the_application_is_asked_and_may_give_up),
        ON(a_callback_may_look_but_not_end_anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
