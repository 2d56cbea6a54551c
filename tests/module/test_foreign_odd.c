/* SPDX-License-Identifier: Apache-2.0 */
/* Modules that do what they must not: it stays their own trouble. */
#include "tests/module/foreign_stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "remote/base/cleanup.h"

static void expect_logged(const char *text)
{
    AUTO(freep) char *log = foreign_log();
    if (!strstr(log, text))
        fail_msg("'%s' is not in the log: %s", text, log);
}

/* With file, line and section, as the first lines of main.conf are. */
static void expect_refused(const char *reason)
{
    char text[512];
    (void)snprintf(text, sizeof(text), "%s/main.conf:5: [token odd] shows no slot: module ",
                   foreign.dir);
    assert_int_equal(foreign_start(), 0);
    expect_logged(text);
    expect_logged(reason);
    EXPECT(CKR_OK, p11->C_Finalize(NULL));
}

static void a_module_that_cannot_be_used_takes_only_its_own_slots_away(void **state)
{
    static const struct {
        const char *words;
        const char *reason;
    } rows[] = {
        {"GetFunctionList=0x5", "it cannot be loaded"},
        {"version-0", "it speaks PKCS#11 0.40"},
        {"no-sign", "it has no C_Sign"},
        {"Initialize=0x30", "its C_Initialize says 0x30"},
        {"says-it-is-us", "it is this module, or one that loads it"},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        foreign_odd(rows[i].words);
        expect_refused(rows[i].reason);
    }
}

static void a_module_that_starts_later_is_tried_again(void **state)
{
    (void)state;

    foreign_odd("Initialize=0x30");
    assert_int_equal(foreign_start(), 0);
    EXPECT(CKR_OK, p11->C_Finalize(NULL));
    foreign_odd("");

    assert_int_equal(foreign_start(), 1);
}

static bool is_unwatched;

/* The linker puts this in its place. */
bool __real_inner_watch_exit(void);
bool __wrap_inner_watch_exit(void);
bool __wrap_inner_watch_exit(void)
{
    return !is_unwatched && __real_inner_watch_exit();
}

static void a_module_whose_end_cannot_be_watched_is_not_used(void **state)
{
    (void)state;

    is_unwatched = true;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(foreign_start(), 0);
        EXPECT(CKR_OK, p11->C_Finalize(NULL));
    }
    is_unwatched = false;
    assert_int_equal(foreign_start(), 1);

    assert_int_equal(foreign_counts()->initialized, foreign_counts()->finalized + 1);
}

static void a_file_that_others_could_have_written_is_not_loaded(void **state)
{
    (void)state;

    assert_int_equal(chmod(foreign.module, 0664), 0);
    expect_refused("writable by its group or by others");
    assert_int_equal(chmod(foreign.module, 0644), 0);
    assert_int_equal(chmod(foreign.dir, 0777), 0);
    assert_int_equal(foreign_start(), 0); /* not even the configuration is trusted then, or it is */
    EXPECT(CKR_OK, p11->C_Finalize(NULL));
    assert_int_equal(chmod(foreign.dir, 0700), 0);

    assert_null(foreign_counts());
}

static void a_link_to_a_file_in_a_folder_of_others_is_not_followed(void **state)
{
    char folder[96];
    char link[128];
    (void)state;

    (void)snprintf(folder, sizeof(folder), "%s/open", foreign.dir);
    (void)snprintf(link, sizeof(link), "%s/odd.so", folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_equal(symlink(foreign.module, link), 0);
    assert_int_equal(chmod(folder, 0777), 0);
    foreign_configure(link, "");

    expect_refused("a folder on the way to it is writable by its group or by others");
}

static void a_file_that_is_not_there_or_no_module_is_told(void **state)
{
    char path[96];
    (void)state;

    foreign_configure("/nonexistent/module.so", "");
    expect_refused("not there");
    (void)snprintf(path, sizeof(path), "%s/main.conf", foreign.dir);
    foreign_configure(path, "");
    expect_refused("it cannot be loaded");
    foreign_configure("/", "");
    expect_refused("not a regular file");
}

static void neither_this_program_nor_p11_kits_proxy_is_loaded(void **state)
{
    char self[256];
    ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
    (void)state;

    assert_true(len > 0);
    self[len] = 0;
    foreign_configure(self, ""); /* the module's code is in it */
    expect_refused("it is this module, or one that loads it");
    foreign_configure(P11_KIT_PROXY, "");
    expect_refused("it is this module, or one that loads it");
}

static void what_is_listed_is_bounded(void **state)
{
    static const struct {
        const char *words;
        CK_ULONG slots;
    } rows[] = {
        {"slots-grow", 1},
        {"slots-absurd", 0},
        {"slots-too-small", 0},
        {"GetSlotList=0x5", 0},
        {"GetTokenInfo=0x5", 0},
        {"GetSlotInfo=0x5", 1},
        {"GetInfo=0x5", 1},
        {"mechanisms-absurd", 0},
        {"GetMechanismList=0x5", 0},
        {"pins-absurd", 1},
        {"bare", 1},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        foreign_odd(rows[i].words);
        assert_int_equal(foreign_start(), rows[i].slots);
        EXPECT(CKR_OK, p11->C_Finalize(NULL));
    }
}

static void absurd_lengths_of_pins_are_replaced(void **state)
{
    CK_TOKEN_INFO info;
    (void)state;

    foreign_odd("pins-absurd");
    (void)foreign_start();
    EXPECT(CKR_OK, p11->C_GetTokenInfo(foreign_slot(), &info));

    assert_int_equal(info.ulMinPinLen, 0);
    assert_int_equal(info.ulMaxPinLen, 255);
}

static void objects_that_make_no_sense_are_left_out(void **state)
{
    static const struct {
        const char *words;
        bool is_shown;
        CK_RV rv; /* of a signature */
    } rows[] = {
        {"label-absurd", true, CKR_OK},
        {"label-grows", true, CKR_OK},
        {"type-cut", true, CKR_KEY_TYPE_INCONSISTENT},
        {"GetAttributeValue=0x5", false, CKR_KEY_HANDLE_INVALID},
        {"find-endless", true, CKR_OK},
    };
    CK_BYTE signature[ODD_SIGNATURE_LEN];
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        foreign_odd(rows[i].words);
        (void)foreign_start();
        CK_SESSION_HANDLE session = foreign_login(foreign_slot());
        assert_int_equal(foreign_key(session) != CK_INVALID_HANDLE, rows[i].is_shown);
        EXPECT(rows[i].rv, foreign_sign(session, signature));
        EXPECT(CKR_OK, p11->C_Finalize(NULL));
    }
}

static void a_list_that_fails_is_a_failure_of_the_device(void **state)
{
    static const struct {
        const char *words;
        CK_RV rv;
    } rows[] = {
        {"FindObjectsInit=0x5", CKR_DEVICE_ERROR}, {"FindObjects=0x5", CKR_DEVICE_ERROR},
        {"find-overflows", CKR_DEVICE_ERROR},      {"FindObjects=0x32", CKR_DEVICE_REMOVED},
        {"OpenSession=0xe0", CKR_DEVICE_REMOVED},  {"FindObjectsInit=0x2", CKR_HOST_MEMORY},
    };
    (void)state;

    (void)foreign_start();
    CK_SLOT_ID slot = foreign_slot();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CK_SESSION_HANDLE session = foreign_open(slot);
        foreign_odd(rows[i].words);
        EXPECT(rows[i].rv, p11->C_FindObjectsInit(session, NULL, 0));
        EXPECT(CKR_OK, p11->C_CloseSession(session));
        foreign_odd("");
    }
}

static void signatures_of_another_length_are_not_believed(void **state)
{
    static const struct {
        const char *words;
        CK_RV rv;
    } rows[] = {
        {"sign-long", CKR_DEVICE_ERROR},
        {"sign-absurd", CKR_DEVICE_ERROR},
        {"sign-nothing", CKR_DEVICE_ERROR},
        {"Sign=0x5", CKR_DEVICE_ERROR},
        {"Sign=0x80000000", CKR_DEVICE_ERROR},
        {"Sign=0x104", CKR_DEVICE_ERROR}, /* CKR_USER_ANOTHER_ALREADY_LOGGED_IN: of C_Login */
        {"Sign=0x54", CKR_FUNCTION_NOT_SUPPORTED},
        {"Sign=0x200", CKR_FUNCTION_REJECTED},
        {"Sign=0x50", CKR_FUNCTION_CANCELED},
        {"SignInit=0x70", CKR_MECHANISM_INVALID},
        {"SignInit=0x68", CKR_KEY_FUNCTION_NOT_PERMITTED},
        {"", CKR_OK},
    };
    CK_BYTE signature[ODD_SIGNATURE_LEN];
    (void)state;

    (void)foreign_start();
    CK_SESSION_HANDLE session = foreign_login(foreign_slot());
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        foreign_odd(rows[i].words);
        EXPECT(rows[i].rv, foreign_sign(session, signature));
    }
}

static void leading_zeros_that_a_token_drops_are_put_back(void **state)
{
    CK_BYTE signature[ODD_SIGNATURE_LEN];
    CK_BYTE expected[ODD_SIGNATURE_LEN] = {0};
    (void)state;

    foreign_odd("sign-short");
    (void)foreign_start();
    EXPECT(CKR_OK, foreign_sign(foreign_login(foreign_slot()), signature));

    memset(expected + 2, ODD_SIGNED, sizeof(expected) - 2);
    assert_memory_equal(signature, expected, sizeof(expected));
}

static void what_got_lost_is_asked_for_once_more(void **state)
{
    static const char *const rows[] = {
        "SignInit=0xb3 once", /* CKR_SESSION_HANDLE_INVALID */
        "SignInit=0x90 once", /* CKR_OPERATION_ACTIVE */
        "SignInit=0x60 once", /* CKR_KEY_HANDLE_INVALID */
    };
    CK_BYTE signature[ODD_SIGNATURE_LEN];
    (void)state;

    for (size_t i = 1; i < ARRAY_LEN(rows); i++) {
        (void)foreign_start();
        CK_SESSION_HANDLE session = foreign_login(foreign_slot());
        foreign_odd(rows[i]);
        EXPECT(CKR_OK, foreign_sign(session, signature));
        EXPECT(CKR_OK, p11->C_Finalize(NULL));
        foreign_odd("");
    }
}

static void what_cannot_be_asked_for_once_more_says_why(void **state)
{
    static const struct {
        const char *words; /* CKR_KEY_HANDLE_INVALID, and then that */
        CK_RV rv;
    } rows[] = {
        {"SignInit=0x60 FindObjects=0x2", CKR_HOST_MEMORY},
        {"SignInit=0x60 FindObjects=0x32", CKR_DEVICE_REMOVED},
        {"SignInit=0x60 FindObjects=0x5", CKR_DEVICE_ERROR},
    };
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    CK_BYTE signature[ODD_SIGNATURE_LEN];
    CK_BYTE data[] = "data";
    (void)state;

    (void)foreign_start();
    CK_SESSION_HANDLE session = foreign_login(foreign_slot());
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CK_ULONG len = sizeof(signature);
        EXPECT(CKR_OK, p11->C_SignInit(session, &mechanism, foreign_key(session)));
        foreign_odd(rows[i].words);
        EXPECT(rows[i].rv, p11->C_Sign(session, data, sizeof(data), signature, &len));
        foreign_odd("");
    }
}

static void a_token_that_cannot_be_read_for_a_moment_is_not_gone(void **state)
{
    static const struct {
        const char *words;
        CK_RV rv;
    } rows[] = {
        {"GetTokenInfo=0x5", CKR_DEVICE_ERROR}, /* CKR_GENERAL_ERROR, as SoftHSM2 says it */
        {"GetTokenInfo=0x2", CKR_HOST_MEMORY},
        {"GetTokenInfo=0xe0", CKR_DEVICE_REMOVED},
        {"", CKR_OK},
    };
    CK_TOKEN_INFO info;
    (void)state;

    (void)foreign_start();
    CK_SLOT_ID slot = foreign_slot();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        foreign_odd(rows[i].words);
        EXPECT(rows[i].rv, p11->C_GetTokenInfo(slot, &info));
    }
}

static void a_login_that_got_lost_is_told_and_can_be_made_again(void **state)
{
    CK_BYTE signature[ODD_SIGNATURE_LEN];
    (void)state;

    (void)foreign_start();
    CK_SESSION_HANDLE session = foreign_login(foreign_slot());
    foreign_odd("login-lost");
    EXPECT(CKR_USER_NOT_LOGGED_IN, foreign_sign(session, signature));
    foreign_odd("");

    EXPECT(CKR_OK, foreign_try_login(session, CKU_USER, ODD_PIN));
    EXPECT(CKR_OK, foreign_sign(session, signature));
}

static void a_token_with_one_session_serves_one_call_after_the_other(void **state)
{
    CK_BYTE signature[ODD_SIGNATURE_LEN];
    (void)state;

    foreign_odd("one-session no-login");
    (void)foreign_start();
    CK_SESSION_HANDLE session = foreign_open(foreign_slot());
    EXPECT(CKR_OK, foreign_try_login(session, CKU_USER, "any"));

    EXPECT(CKR_OK, foreign_sign(session, signature));
    EXPECT(CKR_OK, foreign_sign(session, signature));
    assert_int_equal(foreign_counts()->open_sessions, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FOREIGN(a_module_that_cannot_be_used_takes_only_its_own_slots_away),
        FOREIGN(a_module_that_starts_later_is_tried_again),
        FOREIGN(a_module_whose_end_cannot_be_watched_is_not_used),
        FOREIGN(a_file_that_others_could_have_written_is_not_loaded),
        FOREIGN(a_link_to_a_file_in_a_folder_of_others_is_not_followed),
        FOREIGN(a_file_that_is_not_there_or_no_module_is_told),
        FOREIGN(neither_this_program_nor_p11_kits_proxy_is_loaded),
        FOREIGN(what_is_listed_is_bounded),
        FOREIGN(absurd_lengths_of_pins_are_replaced),
        FOREIGN(objects_that_make_no_sense_are_left_out),
        FOREIGN(a_list_that_fails_is_a_failure_of_the_device),
        FOREIGN(signatures_of_another_length_are_not_believed),
        FOREIGN(leading_zeros_that_a_token_drops_are_put_back),
        FOREIGN(what_got_lost_is_asked_for_once_more),
        FOREIGN(what_cannot_be_asked_for_once_more_says_why),
        FOREIGN(a_token_that_cannot_be_read_for_a_moment_is_not_gone),
        FOREIGN(a_login_that_got_lost_is_told_and_can_be_made_again),
        FOREIGN(a_token_with_one_session_serves_one_call_after_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
