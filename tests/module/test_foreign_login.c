/* SPDX-License-Identifier: Apache-2.0 */
/* PINs of another module's token: passed on, and what it says is passed back. */
#include "tests/module/foreign_stage.h"

#include "remote/base/cleanup.h"

static void private_objects_show_after_the_login_only(void **state)
{
    (void)state;

    (void)foreign_start();
    CK_SESSION_HANDLE session = foreign_open(foreign_slot());
    CK_OBJECT_HANDLE before = foreign_key(session);
    EXPECT(CKR_OK, foreign_try_login(session, CKU_USER, ODD_PIN));
    CK_OBJECT_HANDLE during = foreign_key(session);
    EXPECT(CKR_OK, p11->C_Logout(session));
    CK_OBJECT_HANDLE after = foreign_key(session);

    assert_int_equal(before, CK_INVALID_HANDLE);
    assert_int_not_equal(during, CK_INVALID_HANDLE);
    assert_int_equal(after, CK_INVALID_HANDLE);
    assert_int_equal(foreign_counts()->logouts, 1);
}

static void the_last_session_takes_the_login_with_it(void **state)
{
    (void)state;

    (void)foreign_start();
    CK_SLOT_ID slot = foreign_slot();
    EXPECT(CKR_OK, p11->C_CloseSession(foreign_login(slot)));

    assert_int_equal(foreign_counts()->logouts, 1);
    assert_int_equal(foreign_key(foreign_open(slot)), CK_INVALID_HANDLE);
}

static void a_wrong_pin_that_is_repeated_is_not_tried_again(void **state)
{
    static const CK_RV codes[] = {CKR_PIN_INCORRECT, CKR_PIN_INCORRECT, CKR_PIN_INCORRECT,
                                  CKR_PIN_INCORRECT, CKR_PIN_LOCKED,    CKR_PIN_LOCKED};
    (void)state;

    (void)foreign_start();
    CK_SESSION_HANDLE session = foreign_open(foreign_slot());
    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        EXPECT(codes[i], foreign_try_login(session, CKU_USER, "9999"));
    assert_int_equal(foreign_counts()->logins, 1);

    EXPECT(CKR_OK, foreign_try_login(session, CKU_USER, ODD_PIN));
    assert_int_equal(foreign_counts()->logins, 2);
}

static void codes_of_a_login_are_passed_on_where_they_mean_something(void **state)
{
    static const struct {
        const char *words;
        CK_RV outer;
    } rows[] = {
        {"Login=0xa4", CKR_PIN_LOCKED},
        {"Login=0xa3", CKR_PIN_EXPIRED},
        {"Login=0xa2", CKR_PIN_LEN_RANGE},
        {"Login=0x102", CKR_USER_PIN_NOT_INITIALIZED},
        {"Login=0x32", CKR_DEVICE_REMOVED},
        {"Login=0xe0", CKR_DEVICE_REMOVED}, /* CKR_TOKEN_NOT_PRESENT */
        {"Login=0x50", CKR_FUNCTION_CANCELED},
        {"Login=0x5", CKR_DEVICE_ERROR},        /* CKR_GENERAL_ERROR */
        {"Login=0x21", CKR_DEVICE_ERROR},       /* CKR_DATA_LEN_RANGE: no code of C_Login */
        {"Login=0x101", CKR_DEVICE_ERROR},      /* CKR_USER_NOT_LOGGED_IN: neither */
        {"Login=0x80000001", CKR_DEVICE_ERROR}, /* the vendor's own */
        {"Login=0xfffffffffff", CKR_DEVICE_ERROR},
    };
    (void)state;

    (void)foreign_start();
    CK_SESSION_HANDLE session = foreign_open(foreign_slot());
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        foreign_odd(rows[i].words);
        EXPECT(rows[i].outer, foreign_try_login(session, CKU_USER, ODD_PIN));
    }
}

static void a_token_with_a_protected_path_asks_by_itself(void **state)
{
    CK_TOKEN_INFO info;
    (void)state;

    foreign_odd("protected");
    (void)foreign_start();
    CK_SLOT_ID slot = foreign_slot();
    EXPECT(CKR_OK, p11->C_GetTokenInfo(slot, &info));
    CK_SESSION_HANDLE session = foreign_open(slot);
    EXPECT(CKR_OK, foreign_try_login(session, CKU_USER, NULL));

    assert_true(info.flags & CKF_PROTECTED_AUTHENTICATION_PATH);
    assert_int_not_equal(foreign_key(session), CK_INVALID_HANDLE);
    EXPECT(CKR_OK, p11->C_SetPIN(session, NULL, 0, NULL, 0));
}

static void without_a_protected_path_no_pin_is_no_pin(void **state)
{
    (void)state;

    (void)foreign_start();
    CK_SESSION_HANDLE session = foreign_open(foreign_slot());

    EXPECT(CKR_PIN_INCORRECT, foreign_try_login(session, CKU_USER, NULL));
    EXPECT(CKR_PIN_LEN_RANGE, p11->C_SetPIN(session, NULL, 0, NULL, 0));
    assert_int_equal(foreign_counts()->logins, 0);
}

static void the_pin_is_changed_by_the_token(void **state)
{
    CK_UTF8CHAR old_pin[] = ODD_PIN;
    CK_UTF8CHAR wrong[] = "0000";
    CK_UTF8CHAR new_pin[] = "5678";
    (void)state;

    (void)foreign_start();
    CK_SESSION_HANDLE session = foreign_open(foreign_slot());

    EXPECT(CKR_OK, p11->C_SetPIN(session, old_pin, 4, new_pin, 4));
    EXPECT(CKR_PIN_INCORRECT, p11->C_SetPIN(session, wrong, 4, new_pin, 4));
    EXPECT(CKR_PIN_LEN_RANGE, p11->C_SetPIN(session, old_pin, 4, new_pin, 3));
    foreign_odd("SetPIN=0xa4");
    EXPECT(CKR_PIN_LOCKED, p11->C_SetPIN(session, old_pin, 4, new_pin, 4));
    foreign_odd("SetPIN=0xa3"); /* what an application does about that is C_SetPIN */
    EXPECT(CKR_DEVICE_ERROR, p11->C_SetPIN(session, old_pin, 4, new_pin, 4));
    foreign_odd("SetPIN=0x101"); /* CKR_USER_NOT_LOGGED_IN: no code of C_SetPIN */
    EXPECT(CKR_DEVICE_ERROR, p11->C_SetPIN(session, old_pin, 4, new_pin, 4));
    foreign_odd("read-only");
    EXPECT(CKR_TOKEN_WRITE_PROTECTED, p11->C_SetPIN(session, old_pin, 4, new_pin, 4));
}

static void a_module_without_setpin_changes_none(void **state)
{
    CK_UTF8CHAR pin[] = ODD_PIN;
    (void)state;

    foreign_odd("bare");
    (void)foreign_start();
    CK_SESSION_HANDLE session = foreign_open(foreign_slot());

    EXPECT(CKR_FUNCTION_NOT_SUPPORTED, p11->C_SetPIN(session, pin, 4, pin, 4));
}

static void the_security_officer_is_not_passed_on(void **state)
{
    (void)state;

    (void)foreign_start();
    CK_SESSION_HANDLE session = foreign_open(foreign_slot());

    EXPECT(CKR_PIN_LOCKED, foreign_try_login(session, CKU_SO, "12345678"));
    assert_int_equal(foreign_counts()->logins, 0);
}

static void the_flags_of_wrong_pins_are_the_tokens(void **state)
{
    static const struct {
        const char *words;
        CK_FLAGS flags;
    } rows[] = {
        {"", 0},
        {"low", CKF_USER_PIN_COUNT_LOW},
        {"low final", CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY},
        {"locked", CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_LOCKED},
    };
    const CK_FLAGS all = CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED;
    (void)state;

    (void)foreign_start();
    CK_SLOT_ID slot = foreign_slot();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CK_TOKEN_INFO info;
        foreign_odd(rows[i].words);
        EXPECT(CKR_OK, p11->C_GetTokenInfo(slot, &info));
        assert_int_equal(info.flags & all, rows[i].flags);
    }
}

static void a_key_that_wants_a_login_each_time_gets_it(void **state)
{
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    CK_BYTE signature[ODD_SIGNATURE_LEN];
    CK_BYTE data[] = "data";
    CK_ULONG len = sizeof(signature);
    (void)state;

    foreign_odd("each-time");
    (void)foreign_start();
    CK_SESSION_HANDLE session = foreign_login(foreign_slot());
    EXPECT(CKR_OPERATION_NOT_INITIALIZED,
           foreign_try_login(session, CKU_CONTEXT_SPECIFIC, ODD_PIN));
    EXPECT(CKR_USER_NOT_LOGGED_IN, foreign_sign(session, signature));
    EXPECT(CKR_OK, p11->C_SignInit(session, &mechanism, foreign_key(session)));
    EXPECT(CKR_OK, foreign_try_login(session, CKU_CONTEXT_SPECIFIC, ODD_PIN));
    EXPECT(CKR_OK, p11->C_Sign(session, data, sizeof(data), signature, &len));

    assert_int_equal(signature[0], ODD_SIGNED);
    EXPECT(CKR_OK, p11->C_SignInit(session, &mechanism, foreign_key(session)));
    EXPECT(CKR_OK, foreign_try_login(session, CKU_CONTEXT_SPECIFIC, "9999"));
    EXPECT(CKR_PIN_INCORRECT, p11->C_Sign(session, data, sizeof(data), signature, &len));
    assert_int_not_equal(foreign_key(session), CK_INVALID_HANDLE); /* still logged in */
}

static void other_keys_take_no_login_of_their_own(void **state)
{
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    (void)state;

    (void)foreign_start();
    CK_SESSION_HANDLE session = foreign_login(foreign_slot());
    EXPECT(CKR_OK, p11->C_SignInit(session, &mechanism, foreign_key(session)));

    EXPECT(CKR_OPERATION_NOT_INITIALIZED,
           foreign_try_login(session, CKU_CONTEXT_SPECIFIC, ODD_PIN));
}

static void a_token_without_login_needs_none(void **state)
{
    CK_BYTE signature[ODD_SIGNATURE_LEN];
    (void)state;

    foreign_odd("no-login");
    (void)foreign_start();
    CK_SESSION_HANDLE session = foreign_open(foreign_slot());

    /* The key says that it is private: shown after a login, which any PIN does. */
    EXPECT(CKR_OK, foreign_try_login(session, CKU_USER, "whatever"));
    EXPECT(CKR_OK, foreign_sign(session, signature));
    assert_int_equal(foreign_counts()->logins, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FOREIGN(private_objects_show_after_the_login_only),
        FOREIGN(the_last_session_takes_the_login_with_it),
        FOREIGN(a_wrong_pin_that_is_repeated_is_not_tried_again),
        FOREIGN(codes_of_a_login_are_passed_on_where_they_mean_something),
        FOREIGN(a_token_with_a_protected_path_asks_by_itself),
        FOREIGN(without_a_protected_path_no_pin_is_no_pin),
        FOREIGN(the_pin_is_changed_by_the_token),
        FOREIGN(a_module_without_setpin_changes_none),
        FOREIGN(the_security_officer_is_not_passed_on),
        FOREIGN(the_flags_of_wrong_pins_are_the_tokens),
        FOREIGN(a_key_that_wants_a_login_each_time_gets_it),
        FOREIGN(other_keys_take_no_login_of_their_own),
        FOREIGN(a_token_without_login_needs_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
