/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/base/cleanup.h"
#include "tests/module/background.h"
#include "tests/module/stage.h"

static CK_UTF8CHAR pin[] = FAKE_PIN_TEXT;
enum { PIN_LEN = sizeof(pin) - 1 };

static CK_STATE state_of(CK_SESSION_HANDLE session)
{
    CK_SESSION_INFO info;
    EXPECT(CKR_OK, p11->C_GetSessionInfo(session, &info));
    return info.state;
}

static void login_is_shared_by_all_sessions_of_the_token(void **state)
{
    (void)state;
    CK_SESSION_HANDLE ro = stage_open(FAKE_PIN);
    CK_SESSION_HANDLE rw = stage_open_rw(FAKE_PIN);
    CK_SESSION_HANDLE elsewhere = stage_open(FAKE_NO_PIN);

    EXPECT(CKR_OK, p11->C_Login(ro, CKU_USER, pin, PIN_LEN));
    assert_int_equal(state_of(ro), CKS_RO_USER_FUNCTIONS);
    assert_int_equal(state_of(rw), CKS_RW_USER_FUNCTIONS);
    assert_int_equal(state_of(stage_open(FAKE_PIN)), CKS_RO_USER_FUNCTIONS);
    assert_int_equal(state_of(elsewhere), CKS_RO_PUBLIC_SESSION);

    EXPECT(CKR_OK, p11->C_Logout(rw));
    assert_int_equal(state_of(ro), CKS_RO_PUBLIC_SESSION);
    assert_int_equal(fake_counted().logout, 1);
}

static void the_last_session_takes_the_login_with_it(void **state)
{
    (void)state;
    CK_SESSION_HANDLE first = stage_open(FAKE_PIN);
    CK_SESSION_HANDLE second = stage_open(FAKE_PIN);
    EXPECT(CKR_OK, stage_login(first, FAKE_PIN_TEXT));

    EXPECT(CKR_OK, p11->C_CloseSession(first));
    assert_int_equal(state_of(second), CKS_RO_USER_FUNCTIONS);
    EXPECT(CKR_OK, p11->C_CloseSession(second));

    assert_int_equal(state_of(stage_open(FAKE_PIN)), CKS_RO_PUBLIC_SESSION);
    assert_int_equal(fake_counted().logout, 1);
}

static void closing_all_sessions_logs_out(void **state)
{
    (void)state;
    EXPECT(CKR_OK, stage_login(stage_open(FAKE_PIN), FAKE_PIN_TEXT));

    EXPECT(CKR_OK, p11->C_CloseAllSessions(FAKE_PIN));

    assert_int_equal(state_of(stage_open(FAKE_PIN)), CKS_RO_PUBLIC_SESSION);
}

/* What a login is answered while nobody, or the user, is logged in. */
static void users_and_pins_are_checked(void **state)
{
    static const struct {
        CK_USER_TYPE user;
        bool has_pin;
        CK_ULONG len;
        CK_RV nobody;
        CK_RV user_in;
    } rows[] = {
        {7, true, PIN_LEN, CKR_USER_TYPE_INVALID, CKR_USER_TYPE_INVALID},
        {(CK_USER_TYPE)-1, true, PIN_LEN, CKR_USER_TYPE_INVALID, CKR_USER_TYPE_INVALID},
        {CKU_USER, false, PIN_LEN, CKR_ARGUMENTS_BAD, CKR_ARGUMENTS_BAD},
        {CKU_SO, false, PIN_LEN, CKR_ARGUMENTS_BAD, CKR_ARGUMENTS_BAD},
        {CKU_USER, true, PIN_LEN - 1, CKR_PIN_INCORRECT, CKR_USER_ALREADY_LOGGED_IN},
        {CKU_USER, true, 0, CKR_PIN_INCORRECT, CKR_USER_ALREADY_LOGGED_IN},
        {CKU_USER, false, 0, CKR_PIN_INCORRECT, CKR_USER_ALREADY_LOGGED_IN},
        {CKU_USER, true, PIN_LEN, CKR_OK, CKR_USER_ALREADY_LOGGED_IN},
        {CKU_SO, true, PIN_LEN, CKR_PIN_LOCKED, CKR_USER_ANOTHER_ALREADY_LOGGED_IN},
        {CKU_CONTEXT_SPECIFIC, true, PIN_LEN, CKR_OPERATION_NOT_INITIALIZED,
         CKR_OPERATION_NOT_INITIALIZED},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CK_UTF8CHAR *text = rows[i].has_pin ? pin : NULL;
        CK_SESSION_HANDLE session = stage_open_rw(FAKE_PIN);
        CK_RV nobody = p11->C_Login(session, rows[i].user, text, rows[i].len);
        if (nobody != CKR_OK)
            EXPECT(CKR_OK, stage_login(session, FAKE_PIN_TEXT));
        CK_RV user_in = p11->C_Login(session, rows[i].user, text, rows[i].len);
        if (nobody != rows[i].nobody || user_in != rows[i].user_in)
            fail_msg("row %zu: %s, then %s", i, stage_name(nobody), stage_name(user_in));
        EXPECT(CKR_OK, p11->C_CloseSession(session));
    }
}

static void a_wrong_pin_changes_nothing(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = stage_open(FAKE_PIN);

    EXPECT(CKR_PIN_INCORRECT, stage_login(session, "000000"));
    assert_int_equal(state_of(session), CKS_RO_PUBLIC_SESSION);
    EXPECT(CKR_USER_NOT_LOGGED_IN, p11->C_Logout(session));
    EXPECT(CKR_OK, stage_login(session, FAKE_PIN_TEXT));

    assert_int_equal(fake_counted().login, 2);
    assert_int_equal(fake_counted().logout, 0);
}

static void a_security_officer_needs_read_write_sessions_only(void **state)
{
    (void)state;
    CK_SESSION_HANDLE rw = stage_open_rw(FAKE_PIN);
    CK_SESSION_HANDLE ro = stage_open(FAKE_PIN);

    EXPECT(CKR_SESSION_READ_ONLY_EXISTS, p11->C_Login(rw, CKU_SO, pin, PIN_LEN));
    EXPECT(CKR_SESSION_READ_ONLY_EXISTS, p11->C_Login(ro, CKU_SO, pin, PIN_LEN));
    EXPECT(CKR_OK, p11->C_CloseSession(ro));
    EXPECT(CKR_PIN_LOCKED, p11->C_Login(rw, CKU_SO, pin, PIN_LEN));

    assert_int_equal(fake_counted().login, 0);
}

static void any_login_succeeds_where_the_phone_is_the_guard(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = stage_open(FAKE_PHONE);

    EXPECT(CKR_USER_NOT_LOGGED_IN, p11->C_Logout(session));
    EXPECT(CKR_OK, stage_login(session, "any PIN at all"));
    assert_int_equal(state_of(session), CKS_RO_USER_FUNCTIONS);
    EXPECT(CKR_USER_ALREADY_LOGGED_IN, stage_login(session, "another one"));
    EXPECT(CKR_OK, p11->C_Logout(session));
    EXPECT(CKR_OK, p11->C_Login(session, CKU_USER, NULL, 0));

    assert_int_equal(fake_counted().login, 0);
}

static void a_pin_that_was_never_chosen_is_not_asked_for(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = stage_open(FAKE_NO_PIN);

    EXPECT(CKR_USER_PIN_NOT_INITIALIZED, stage_login(session, FAKE_PIN_TEXT));

    assert_int_equal(state_of(session), CKS_RO_PUBLIC_SESSION);
    assert_int_equal(fake_counted().login, 0);
}

static void a_pin_too_long_to_be_kept_is_a_wrong_one(void **state)
{
    CK_UTF8CHAR text[SECRET_MAX + 1] = "";
    (void)state;

    EXPECT(CKR_PIN_INCORRECT, p11->C_Login(stage_open(FAKE_PIN), CKU_USER, text, sizeof(text)));

    assert_int_equal(fake_counted().login, 0);
}

static void trouble_with_the_service_is_no_wrong_pin(void **state)
{
    static const struct {
        enum sca_status status;
        CK_RV expected;
    } rows[] = {
        {SCA_NETWORK, CKR_DEVICE_ERROR},
        {SCA_IO, CKR_DEVICE_ERROR},
        {SCA_USER_AUTH, CKR_PIN_INCORRECT},
        {SCA_NOMEM, CKR_HOST_MEMORY},
    };
    (void)state;
    CK_SESSION_HANDLE session = stage_open(FAKE_PIN);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        fake_play((struct fake_script){.login_status = rows[i].status});
        EXPECT(rows[i].expected, stage_login(session, FAKE_PIN_TEXT));
        assert_int_equal(state_of(session), CKS_RO_PUBLIC_SESSION);
    }
}

static void login_user_is_login_with_a_name_nobody_needs(void **state)
{
    CK_UTF8CHAR name[] = "somebody";
    (void)state;
    CK_SESSION_HANDLE session = stage_open(FAKE_PIN);

    EXPECT(CKR_ARGUMENTS_BAD, p11->C_LoginUser(session, CKU_USER, pin, PIN_LEN, NULL, 8));
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_LoginUser(session, CKU_USER, NULL, 6, name, 8));
    EXPECT(CKR_USER_TYPE_INVALID, p11->C_LoginUser(session, 9, pin, PIN_LEN, name, 8));
    EXPECT(CKR_PIN_INCORRECT, p11->C_LoginUser(session, CKU_USER, pin, 5, name, 8));
    EXPECT(CKR_OK, p11->C_LoginUser(session, CKU_USER, pin, PIN_LEN, name, 8));
    EXPECT(CKR_USER_ALREADY_LOGGED_IN, p11->C_LoginUser(session, CKU_USER, pin, PIN_LEN, NULL, 0));
    assert_int_equal(state_of(session), CKS_RO_USER_FUNCTIONS);
}

static void a_waiting_login_ends_with_its_session(void **state)
{
    struct background login;
    (void)state;
    fake_play((struct fake_script){.is_holding = true});
    background_login(&login, stage_open(FAKE_PIN));
    assert_true(fake_await_held(1));

    EXPECT(CKR_OK, p11->C_CloseSession(login.session));

    EXPECT(CKR_SESSION_CLOSED, background_join(&login));
}

/* Else the next application to open a session would be logged in without a PIN. */
static void a_login_that_outlives_the_last_session_logs_nobody_in(void **state)
{
    struct background login;
    (void)state;
    fake_play((struct fake_script){.is_holding = true, .is_deaf = true});
    background_login(&login, stage_open(FAKE_PIN));
    assert_true(fake_await_held(1));

    EXPECT(CKR_OK, p11->C_CloseSession(login.session));
    fake_release();
    (void)background_join(&login);

    assert_int_equal(state_of(stage_open(FAKE_PIN)), CKS_RO_PUBLIC_SESSION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON(login_is_shared_by_all_sessions_of_the_token),
        ON(the_last_session_takes_the_login_with_it),
        ON(closing_all_sessions_logs_out),
        ON(users_and_pins_are_checked),
        ON(a_wrong_pin_changes_nothing),
        ON(a_security_officer_needs_read_write_sessions_only),
        ON(any_login_succeeds_where_the_phone_is_the_guard),
        ON(a_pin_that_was_never_chosen_is_not_asked_for),
        ON(a_pin_too_long_to_be_kept_is_a_wrong_one),
        ON(trouble_with_the_service_is_no_wrong_pin),
        ON(login_user_is_login_with_a_name_nobody_needs),
        ON(a_waiting_login_ends_with_its_session),
        ON(a_login_that_outlives_the_last_session_logs_nobody_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
