/* SPDX-License-Identifier: Apache-2.0 */
/* A token that takes writes: being made, its PINs, who is logged in. */
#include <string.h>

#include "remote/base/cleanup.h"
#include "tests/module/disk_stage.h"

static CK_RV init_token(CK_SLOT_ID slot, const char *so_pin, const char *name)
{
    CK_UTF8CHAR label[32];
    memset(label, ' ', sizeof(label));
    memcpy(label, name, strlen(name));
    return p11->C_InitToken(slot, disk_text(so_pin), strlen(so_pin), label);
}

static CK_RV init_pin(CK_SESSION_HANDLE session, const char *pin)
{
    return p11->C_InitPIN(session, disk_text(pin), strlen(pin));
}

static CK_RV set_pin(CK_SESSION_HANDLE session, const char *old_pin, const char *new_pin)
{
    AUTO(freep) CK_UTF8CHAR *copy = (CK_UTF8CHAR *)strdup(old_pin);
    return p11->C_SetPIN(session, copy, strlen(old_pin), disk_text(new_pin), strlen(new_pin));
}

static CK_FLAGS token_flags(CK_SLOT_ID slot)
{
    CK_TOKEN_INFO info;
    EXPECT(CKR_OK, p11->C_GetTokenInfo(slot, &info));
    return info.flags;
}

static CK_STATE state_of(CK_SESSION_HANDLE session)
{
    CK_SESSION_INFO info;
    EXPECT(CKR_OK, p11->C_GetSessionInfo(session, &info));
    return info.state;
}

static void the_empty_slot_is_listed_last(void **state)
{
    CK_SLOT_ID slots[16];
    CK_ULONG count = ARRAY_LEN(slots);
    (void)state;

    EXPECT(CKR_OK, p11->C_GetSlotList(CK_TRUE, slots, &count));

    assert_true(count > 2);
    assert_int_equal(slots[count - 1], FAKE_SPARE);
    assert_int_equal(token_flags(FAKE_SPARE), CKF_LOGIN_REQUIRED | CKF_RNG);
}

static void an_empty_slot_opens_no_session(void **state)
{
    CK_SESSION_HANDLE session = 0;
    (void)state;

    EXPECT(CKR_TOKEN_NOT_RECOGNIZED,
           p11->C_OpenSession(FAKE_SPARE, CKF_SERIAL_SESSION, NULL, NULL, &session));
}

static void an_empty_slot_becomes_a_token_of_that_label(void **state)
{
    CK_TOKEN_INFO info;
    (void)state;

    EXPECT(CKR_OK, init_token(FAKE_SPARE, "12345678", "Nguyễn Văn Ánh"));

    EXPECT(CKR_OK, p11->C_GetTokenInfo(FAKE_SPARE, &info));
    assert_memory_equal(info.label, "Nguyễn Văn Ánh  ", 20);
    assert_int_equal(info.flags, CKF_LOGIN_REQUIRED | CKF_RNG | CKF_TOKEN_INITIALIZED);
    assert_int_equal(info.ulMinPinLen, 6);
    assert_int_equal(info.ulMaxPinLen, 64);
}

static void the_security_officer_gives_the_user_a_pin(void **state)
{
    (void)state;
    EXPECT(CKR_OK, init_token(FAKE_SPARE, "12345678", "new"));
    CK_SESSION_HANDLE session = stage_open_rw(FAKE_SPARE);
    EXPECT(CKR_USER_PIN_NOT_INITIALIZED, stage_login(session, "abcdef"));

    EXPECT(CKR_OK, disk_login_so(session, "12345678"));
    assert_int_equal(state_of(session), CKS_RW_SO_FUNCTIONS);
    EXPECT(CKR_PIN_LEN_RANGE, init_pin(session, "12345"));
    EXPECT(CKR_OK, init_pin(session, "abcdef"));
    EXPECT(CKR_OK, p11->C_Logout(session));
    EXPECT(CKR_OK, stage_login(session, "abcdef"));

    assert_int_equal(state_of(session), CKS_RW_USER_FUNCTIONS);
    assert_true(token_flags(FAKE_SPARE) & CKF_USER_PIN_INITIALIZED);
}

static void only_the_security_officer_gives_pins(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = stage_open_rw(FAKE_DISK);

    EXPECT(CKR_USER_NOT_LOGGED_IN, init_pin(session, "abcdef"));
    EXPECT(CKR_OK, stage_login(session, FAKE_PIN_TEXT));
    EXPECT(CKR_USER_NOT_LOGGED_IN, init_pin(session, "abcdef"));
}

static void the_security_officer_wants_read_write_sessions(void **state)
{
    CK_SESSION_HANDLE second = 0;
    (void)state;
    CK_SESSION_HANDLE ro = stage_open(FAKE_DISK);
    CK_SESSION_HANDLE rw = stage_open_rw(FAKE_DISK);

    EXPECT(CKR_SESSION_READ_ONLY_EXISTS, disk_login_so(rw, FAKE_SO_PIN_TEXT));
    EXPECT(CKR_OK, p11->C_CloseSession(ro));
    EXPECT(CKR_OK, disk_login_so(rw, FAKE_SO_PIN_TEXT));
    EXPECT(CKR_SESSION_READ_WRITE_SO_EXISTS,
           p11->C_OpenSession(FAKE_DISK, CKF_SERIAL_SESSION, NULL, NULL, &second));
    EXPECT(CKR_USER_ANOTHER_ALREADY_LOGGED_IN, stage_login(rw, FAKE_PIN_TEXT));
    EXPECT(CKR_USER_ALREADY_LOGGED_IN, disk_login_so(rw, FAKE_SO_PIN_TEXT));
}

static void wrong_pins_show_in_the_flags_and_lock_at_ten(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = stage_open_rw(FAKE_DISK);

    EXPECT(CKR_PIN_INCORRECT, stage_login(session, "wrong 1"));
    assert_int_equal(token_flags(FAKE_DISK) & ~(CKF_RNG | CKF_LOGIN_REQUIRED),
                     CKF_TOKEN_INITIALIZED | CKF_USER_PIN_INITIALIZED | CKF_USER_PIN_COUNT_LOW);
    for (int i = 2; i < 10; i++)
        EXPECT(CKR_PIN_INCORRECT, stage_login(session, "wrong"));
    assert_true(token_flags(FAKE_DISK) & CKF_USER_PIN_FINAL_TRY);
    EXPECT(CKR_PIN_INCORRECT, stage_login(session, "wrong 10"));
    assert_true(token_flags(FAKE_DISK) & CKF_USER_PIN_LOCKED);
    assert_false(token_flags(FAKE_DISK) & CKF_USER_PIN_FINAL_TRY);
    EXPECT(CKR_PIN_LOCKED, stage_login(session, FAKE_PIN_TEXT));

    EXPECT(CKR_OK, disk_login_so(session, FAKE_SO_PIN_TEXT));
    EXPECT(CKR_OK, init_pin(session, "unlocked"));
    EXPECT(CKR_OK, p11->C_Logout(session));
    EXPECT(CKR_OK, stage_login(session, "unlocked"));
    assert_false(token_flags(FAKE_DISK) & (CKF_USER_PIN_LOCKED | CKF_USER_PIN_COUNT_LOW));
}

static void a_wrong_so_pin_shows_too(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = stage_open_rw(FAKE_DISK);

    EXPECT(CKR_PIN_INCORRECT, disk_login_so(session, "not the SO's"));

    assert_true(token_flags(FAKE_DISK) & CKF_SO_PIN_COUNT_LOW);
    assert_int_equal(state_of(session), CKS_RW_PUBLIC_SESSION);
}

static void an_empty_pin_is_never_right(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = stage_open_rw(FAKE_DISK);

    EXPECT(CKR_PIN_INCORRECT, p11->C_Login(session, CKU_USER, NULL, 0));
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_Login(session, CKU_USER, NULL, 6));
    EXPECT(CKR_PIN_INCORRECT, disk_login_so(session, ""));
}

static void the_user_changes_the_pin_logged_in_or_not(void **state)
{
    (void)state;
    CK_SESSION_HANDLE ro = stage_open(FAKE_DISK);
    CK_SESSION_HANDLE rw = stage_open_rw(FAKE_DISK);

    EXPECT(CKR_SESSION_READ_ONLY, set_pin(ro, FAKE_PIN_TEXT, "abcdef"));
    EXPECT(CKR_PIN_INCORRECT, set_pin(rw, "wrong pin", "abcdef"));
    EXPECT(CKR_PIN_LEN_RANGE, set_pin(rw, FAKE_PIN_TEXT, "short"));
    EXPECT(CKR_OK, set_pin(rw, FAKE_PIN_TEXT, "abcdef"));
    EXPECT(CKR_PIN_INCORRECT, stage_login(rw, FAKE_PIN_TEXT));
    EXPECT(CKR_OK, stage_login(rw, "abcdef"));
    EXPECT(CKR_OK, set_pin(rw, "abcdef", "ghijkl"));
    assert_int_equal(state_of(rw), CKS_RW_USER_FUNCTIONS);
}

static void the_security_officer_changes_the_so_pin(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = stage_open_rw(FAKE_DISK);
    EXPECT(CKR_OK, disk_login_so(session, FAKE_SO_PIN_TEXT));

    EXPECT(CKR_OK, set_pin(session, FAKE_SO_PIN_TEXT, "another so pin"));

    EXPECT(CKR_OK, p11->C_Logout(session));
    EXPECT(CKR_PIN_INCORRECT, disk_login_so(session, FAKE_SO_PIN_TEXT));
    EXPECT(CKR_OK, disk_login_so(session, "another so pin"));
}

static void the_so_pin_in_place_of_a_locked_one_unlocks_it(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = stage_open_rw(FAKE_DISK);
    EXPECT(CKR_PIN_INCORRECT, set_pin(session, FAKE_SO_PIN_TEXT, "abcdef")); /* not locked yet */
    for (int i = 1; i < 10; i++)
        EXPECT(CKR_PIN_INCORRECT, stage_login(session, "wrong"));
    EXPECT(CKR_PIN_LOCKED, stage_login(session, FAKE_PIN_TEXT));

    EXPECT(CKR_PIN_INCORRECT, set_pin(session, "not the SO's", "abcdef"));
    EXPECT(CKR_OK, set_pin(session, FAKE_SO_PIN_TEXT, "abcdef"));

    assert_int_equal(state_of(session), CKS_RW_PUBLIC_SESSION);
    EXPECT(CKR_OK, stage_login(session, "abcdef"));
}

static void a_token_in_use_is_not_made_anew(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = stage_open(FAKE_DISK);

    EXPECT(CKR_SESSION_EXISTS, init_token(FAKE_DISK, FAKE_SO_PIN_TEXT, "again"));
    EXPECT(CKR_OK, p11->C_CloseSession(session));
    EXPECT(CKR_PIN_INCORRECT, init_token(FAKE_DISK, "not the SO's", "again"));
    EXPECT(CKR_PIN_INCORRECT, init_token(FAKE_DISK, "short", "again"));
    EXPECT(CKR_ARGUMENTS_BAD, init_token(FAKE_DISK, FAKE_SO_PIN_TEXT, "\xff\xfe"));
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_InitToken(FAKE_DISK, disk_text(FAKE_SO_PIN_TEXT), 9, NULL));
    EXPECT(CKR_SLOT_ID_INVALID, init_token(0x7777, FAKE_SO_PIN_TEXT, "again"));
    EXPECT(CKR_TOKEN_WRITE_PROTECTED, init_token(FAKE_PHONE, FAKE_SO_PIN_TEXT, "again"));
}

static void a_token_made_anew_is_empty(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();
    disk_create_data(session, "a note", CK_TRUE, CK_FALSE);
    EXPECT(CKR_OK, p11->C_CloseSession(session));

    EXPECT(CKR_OK, init_token(FAKE_DISK, FAKE_SO_PIN_TEXT, "again"));

    session = stage_open_rw(FAKE_DISK);
    assert_int_equal(stage_find(session, CKO_DATA, "a note"), CK_INVALID_HANDLE);
    EXPECT(CKR_USER_PIN_NOT_INITIALIZED, stage_login(session, FAKE_PIN_TEXT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        disk_test(the_empty_slot_is_listed_last),
        disk_test(an_empty_slot_opens_no_session),
        disk_test(an_empty_slot_becomes_a_token_of_that_label),
        disk_test(the_security_officer_gives_the_user_a_pin),
        disk_test(only_the_security_officer_gives_pins),
        disk_test(the_security_officer_wants_read_write_sessions),
        disk_test(wrong_pins_show_in_the_flags_and_lock_at_ten),
        disk_test(a_wrong_so_pin_shows_too),
        disk_test(an_empty_pin_is_never_right),
        disk_test(the_user_changes_the_pin_logged_in_or_not),
        disk_test(the_security_officer_changes_the_so_pin),
        disk_test(the_so_pin_in_place_of_a_locked_one_unlocks_it),
        disk_test(a_token_in_use_is_not_made_anew),
        disk_test(a_token_made_anew_is_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
