/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that want a one-time password: with each signature, or with a login that is good for one. */
#include <pthread.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "tests/module/stage.h"

static CK_UTF8CHAR otp[] = "012345";
enum { OTP_LEN = sizeof(otp) - 1 };

static void begin(struct fake_script script)
{
    fake_play(script);
    EXPECT(CKR_OK, p11->C_Initialize(NULL));
}

/* A session with its user logged in, on keys that want a password each time. */
static CK_SESSION_HANDLE asked_each_time(void)
{
    begin((struct fake_script){.asks_otp = true});
    CK_SESSION_HANDLE session = stage_open(FAKE_PIN);
    EXPECT(CKR_OK, stage_login(session, FAKE_PIN_TEXT));
    return session;
}

static CK_RV sign_init(CK_SESSION_HANDLE session)
{
    return stage_sign_init(session, CKM_SHA256_RSA_PKCS,
                           stage_find(session, CKO_PRIVATE_KEY, FAKE_KEY));
}

static CK_RV sign(CK_SESSION_HANDLE session)
{
    CK_BYTE signature[SIGNATURE_LEN];
    CK_ULONG len = sizeof(signature);
    return p11->C_Sign(session, MESSAGE, MESSAGE_LEN, signature, &len);
}

static void each_signature_takes_the_password_given_for_it(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = asked_each_time();

    EXPECT(CKR_OK, sign_init(session));
    EXPECT(CKR_OK, p11->C_Login(session, CKU_CONTEXT_SPECIFIC, otp, OTP_LEN));
    EXPECT(CKR_OK, sign(session));

    assert_string_equal(fake_last_job().otp, "012345");
    EXPECT(CKR_OK, sign_init(session));
    EXPECT(CKR_USER_NOT_LOGGED_IN, sign(session));
    assert_int_equal(fake_counted().sign, 1);
}

static void a_question_for_the_length_needs_no_password(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = asked_each_time();
    CK_ULONG len = 0;
    EXPECT(CKR_OK, sign_init(session));

    EXPECT(CKR_OK, p11->C_Sign(session, MESSAGE, MESSAGE_LEN, NULL, &len));

    assert_int_equal(len, SIGNATURE_LEN);
    EXPECT(CKR_OK, p11->C_Login(session, CKU_CONTEXT_SPECIFIC, otp, OTP_LEN));
    EXPECT(CKR_OK, sign(session));
}

static void the_password_may_come_between_the_parts(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = asked_each_time();
    CK_BYTE signature[SIGNATURE_LEN];
    CK_ULONG len = sizeof(signature);
    EXPECT(CKR_OK, sign_init(session));
    EXPECT(CKR_OK, p11->C_SignUpdate(session, MESSAGE, MESSAGE_LEN));

    EXPECT(CKR_OK, p11->C_Login(session, CKU_CONTEXT_SPECIFIC, otp, OTP_LEN));

    EXPECT(CKR_OK, p11->C_SignFinal(session, signature, &len));
    assert_string_equal(fake_last_job().otp, "012345");
}

static void the_last_of_two_passwords_counts(void **state)
{
    (void)state;
    CK_UTF8CHAR mistyped[] = "999999";
    CK_SESSION_HANDLE session = asked_each_time();
    EXPECT(CKR_OK, sign_init(session));

    EXPECT(CKR_OK, p11->C_Login(session, CKU_CONTEXT_SPECIFIC, mistyped, OTP_LEN));
    EXPECT(CKR_OK, p11->C_Login(session, CKU_CONTEXT_SPECIFIC, otp, OTP_LEN));

    EXPECT(CKR_OK, sign(session));
    assert_string_equal(fake_last_job().otp, "012345");
}

static void what_is_no_password_is_refused_and_the_operation_stays(void **state)
{
    static CK_UTF8CHAR bad[][8] = {"", "12345", "1234567", "12345a", " 12345"};
    (void)state;
    CK_SESSION_HANDLE session = asked_each_time();
    EXPECT(CKR_OK, sign_init(session));

    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        EXPECT(CKR_PIN_INCORRECT,
               p11->C_Login(session, CKU_CONTEXT_SPECIFIC, bad[i], strlen((const char *)bad[i])));
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_Login(session, CKU_CONTEXT_SPECIFIC, NULL, OTP_LEN));

    EXPECT(CKR_OK, p11->C_Login(session, CKU_CONTEXT_SPECIFIC, otp, OTP_LEN));
    EXPECT(CKR_OK, sign(session));
}

static void without_an_operation_there_is_nothing_to_log_in_to(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = asked_each_time();

    EXPECT(CKR_OPERATION_NOT_INITIALIZED,
           p11->C_Login(session, CKU_CONTEXT_SPECIFIC, otp, OTP_LEN));
}

static void a_password_does_not_replace_the_pin(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = asked_each_time();
    CK_OBJECT_HANDLE key = stage_find(session, CKO_PRIVATE_KEY, FAKE_KEY);
    EXPECT(CKR_OK, stage_sign_init(session, CKM_SHA256_RSA_PKCS, key));
    EXPECT(CKR_OK, p11->C_Logout(session));

    EXPECT(CKR_OPERATION_NOT_INITIALIZED,
           p11->C_Login(session, CKU_CONTEXT_SPECIFIC, otp, OTP_LEN));
    EXPECT(CKR_USER_NOT_LOGGED_IN, stage_sign_init(session, CKM_SHA256_RSA_PKCS, key));
}

static void a_key_that_wants_none_takes_none(void **state)
{
    (void)state;
    begin((struct fake_script){.asks_otp = true});
    CK_SESSION_HANDLE session = stage_signing(FAKE_PHONE, CKM_SHA256_RSA_PKCS);

    EXPECT(CKR_OPERATION_NOT_INITIALIZED,
           p11->C_Login(session, CKU_CONTEXT_SPECIFIC, otp, OTP_LEN));

    EXPECT(CKR_OK, sign(session));
    assert_string_equal(fake_last_job().otp, "");
}

static void a_login_for_one_signature_is_over_after_it(void **state)
{
    (void)state;
    begin((struct fake_script){.signs_once = true});
    CK_SESSION_HANDLE session = stage_open(FAKE_PIN);
    CK_SESSION_INFO info;
    EXPECT(CKR_OK, stage_login(session, FAKE_PIN_TEXT));
    EXPECT(CKR_OK, sign_init(session));

    EXPECT(CKR_OK, sign(session));

    EXPECT(CKR_OK, p11->C_GetSessionInfo(session, &info));
    assert_int_equal(info.state, CKS_RO_PUBLIC_SESSION);
    assert_int_equal(fake_counted().logout, 1);
    EXPECT(CKR_OK, stage_login(session, FAKE_PIN_TEXT));
    EXPECT(CKR_OK, sign_init(session));
    EXPECT(CKR_OK, sign(session));
}

static void it_is_over_after_a_failure_as_well(void **state)
{
    (void)state;
    begin((struct fake_script){.signs_once = true, .sign_status = SCA_NETWORK});
    CK_SESSION_HANDLE session = stage_open(FAKE_PIN);
    EXPECT(CKR_OK, stage_login(session, FAKE_PIN_TEXT));
    EXPECT(CKR_OK, sign_init(session));

    EXPECT(CKR_DEVICE_ERROR, sign(session));

    EXPECT(CKR_OK, stage_login(session, FAKE_PIN_TEXT));
}

static void *log_in_anew(void *arg)
{
    const CK_SESSION_HANDLE *session = arg;
    EXPECT(CKR_OK, p11->C_Logout(*session));
    EXPECT(CKR_OK, stage_login(*session, FAKE_PIN_TEXT));
    return NULL;
}

/* Another thread of the application, while the signature is on its way. */
static void log_in_meanwhile(void *session)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, log_in_anew, session), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

/* The code of the new login is for another signature. */
static void a_signature_that_ends_late_leaves_a_newer_login(void **state)
{
    (void)state;
    begin((struct fake_script){.signs_once = true});
    CK_SESSION_HANDLE session = stage_open(FAKE_PIN);
    CK_SESSION_HANDLE other = stage_open(FAKE_PIN);
    CK_SESSION_INFO info;
    EXPECT(CKR_OK, stage_login(session, FAKE_PIN_TEXT));
    EXPECT(CKR_OK, sign_init(session));
    fake_call_back(log_in_meanwhile, &other);

    EXPECT(CKR_OK, sign(session));

    fake_call_back(NULL, NULL);
    EXPECT(CKR_OK, p11->C_GetSessionInfo(session, &info));
    assert_int_equal(info.state, CKS_RO_USER_FUNCTIONS);
    assert_int_equal(fake_counted().logout, 1);
    EXPECT(CKR_OK, sign_init(session));
    EXPECT(CKR_OK, sign(session));
    EXPECT(CKR_USER_NOT_LOGGED_IN, p11->C_Logout(session));
}

static void what_never_reached_the_service_leaves_the_login(void **state)
{
    (void)state;
    begin((struct fake_script){.signs_once = true});
    CK_SESSION_HANDLE session = stage_open(FAKE_PIN);
    CK_BYTE signature[1];
    CK_ULONG len = sizeof(signature);
    EXPECT(CKR_OK, stage_login(session, FAKE_PIN_TEXT));
    EXPECT(CKR_OK, sign_init(session));

    EXPECT(CKR_BUFFER_TOO_SMALL, p11->C_Sign(session, MESSAGE, MESSAGE_LEN, signature, &len));

    EXPECT(CKR_USER_ALREADY_LOGGED_IN, stage_login(session, FAKE_PIN_TEXT));
    EXPECT(CKR_OK, sign(session));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OFF(each_signature_takes_the_password_given_for_it),
        OFF(a_question_for_the_length_needs_no_password),
        OFF(the_password_may_come_between_the_parts),
        OFF(the_last_of_two_passwords_counts),
        OFF(what_is_no_password_is_refused_and_the_operation_stays),
        OFF(without_an_operation_there_is_nothing_to_log_in_to),
        OFF(a_password_does_not_replace_the_pin),
        OFF(a_key_that_wants_none_takes_none),
        OFF(a_login_for_one_signature_is_over_after_it),
        OFF(it_is_over_after_a_failure_as_well),
        OFF(a_signature_that_ends_late_leaves_a_newer_login),
        OFF(what_never_reached_the_service_leaves_the_login),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
