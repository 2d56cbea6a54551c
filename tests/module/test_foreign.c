/* SPDX-License-Identifier: Apache-2.0 */
/* A token of another module as a slot: what is shown, what is signed, what is kept apart. */
#include "tests/module/foreign_stage.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void nothing_is_loaded_before_the_slots_are_listed(void **state)
{
    CK_ULONG count = 0;
    (void)state;

    EXPECT(CKR_OK, p11->C_Initialize(NULL));
    struct odd_counts *before = foreign_counts();
    EXPECT(CKR_OK, p11->C_GetSlotList(CK_TRUE, NULL, &count));

    assert_null(before);
    assert_int_equal(foreign_counts()->initialized, 1);
}

static void a_token_is_shown_as_its_module_tells_it(void **state)
{
    CK_SLOT_INFO slot_info;
    CK_TOKEN_INFO info;
    (void)state;

    (void)foreign_start();
    CK_SLOT_ID slot = foreign_slot();
    EXPECT(CKR_OK, p11->C_GetSlotInfo(slot, &slot_info));
    EXPECT(CKR_OK, p11->C_GetTokenInfo(slot, &info));

    assert_memory_equal(slot_info.slotDescription, "a reader  ", 10);
    assert_int_equal(slot_info.flags, CKF_TOKEN_PRESENT | CKF_REMOVABLE_DEVICE);
    assert_memory_equal(info.label, "odd                             ", 32);
    assert_memory_equal(info.manufacturerID, "Odd?? Ltd                       ", 32);
    assert_memory_equal(info.model, "0123456789abcdef", 16);
    assert_memory_equal(info.serialNumber, "0123456789ABCDEF", 16);
    assert_int_equal(info.flags, CKF_WRITE_PROTECTED | CKF_LOGIN_REQUIRED |
                                     CKF_USER_PIN_INITIALIZED | CKF_TOKEN_INITIALIZED);
    assert_int_equal(info.ulMinPinLen, 4);
    assert_int_equal(info.ulMaxPinLen, 8);
}

static void only_mechanisms_that_sign_and_are_known_are_passed_on(void **state)
{
    enum { DIGESTS = 4 };
    CK_MECHANISM_TYPE types[16];
    CK_ULONG count = 16;
    (void)state;

    (void)foreign_start();
    EXPECT(CKR_OK, p11->C_GetMechanismList(foreign_slot(), types, &count));

    assert_int_equal(count, 2 + DIGESTS);
    assert_int_equal(types[0], CKM_SHA256_RSA_PKCS);
    assert_int_equal(types[1], CKM_RSA_PKCS);
}

static void slots_and_objects_have_the_same_numbers_in_every_run(void **state)
{
    CK_SLOT_ID slots[2];
    CK_OBJECT_HANDLE keys[2];
    (void)state;

    for (int i = 0; i < 2; i++) {
        (void)foreign_start();
        slots[i] = foreign_slot();
        keys[i] = foreign_key(foreign_login(slots[i]));
        EXPECT(CKR_OK, p11->C_Finalize(NULL));
    }

    assert_int_equal(slots[0], slots[1]);
    assert_int_equal(keys[0], keys[1]);
    assert_int_not_equal(keys[0], CK_INVALID_HANDLE);
}

static void a_signature_comes_from_the_token(void **state)
{
    CK_BYTE signature[ODD_SIGNATURE_LEN] = {0};
    CK_BYTE expected[ODD_SIGNATURE_LEN];
    (void)state;

    (void)foreign_start();
    CK_SESSION_HANDLE session = foreign_login(foreign_slot());
    EXPECT(CKR_OK, foreign_sign(session, signature));

    memset(expected, ODD_SIGNED, sizeof(expected));
    assert_memory_equal(signature, expected, sizeof(expected));
    assert_int_equal(foreign_counts()->signatures, 1);
}

static void a_question_for_the_length_does_not_reach_the_token(void **state)
{
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    CK_BYTE data[] = "data";
    CK_BYTE small[8];
    CK_ULONG len = 0;
    (void)state;

    (void)foreign_start();
    CK_SESSION_HANDLE session = foreign_login(foreign_slot());
    EXPECT(CKR_OK, p11->C_SignInit(session, &mechanism, foreign_key(session)));
    EXPECT(CKR_OK, p11->C_Sign(session, data, sizeof(data), NULL, &len));
    assert_int_equal(len, ODD_SIGNATURE_LEN);
    len = sizeof(small);
    EXPECT(CKR_BUFFER_TOO_SMALL, p11->C_Sign(session, data, sizeof(data), small, &len));

    assert_int_equal(foreign_counts()->signatures, 0);
}

static void no_secret_part_and_no_foreign_use_of_a_key_is_shown(void **state)
{
    CK_BBOOL decrypts = CK_TRUE;
    CK_BYTE exponent[8];
    CK_ATTRIBUTE template[] = {{CKA_DECRYPT, &decrypts, sizeof(decrypts)},
                               {CKA_PRIVATE_EXPONENT, exponent, sizeof(exponent)}};
    (void)state;

    (void)foreign_start();
    CK_SESSION_HANDLE session = foreign_login(foreign_slot());
    CK_RV rv = p11->C_GetAttributeValue(session, foreign_key(session), template, 2);

    EXPECT(CKR_ATTRIBUTE_SENSITIVE, rv);
    assert_int_equal(decrypts, CK_FALSE);
    assert_int_equal(template[1].ulValueLen, CK_UNAVAILABLE_INFORMATION);
}

static void sessions_are_kept_for_the_next_call_and_closed_at_the_end(void **state)
{
    CK_BYTE signature[ODD_SIGNATURE_LEN];
    (void)state;

    (void)foreign_start();
    CK_SESSION_HANDLE session = foreign_login(foreign_slot());
    for (int i = 0; i < 5; i++)
        EXPECT(CKR_OK, foreign_sign(session, signature));
    int during = foreign_counts()->open_sessions;
    EXPECT(CKR_OK, p11->C_Finalize(NULL));

    assert_int_equal(during, 2); /* of the login, and of the signatures */
    assert_int_equal(foreign_counts()->open_sessions, 0);
    assert_int_equal(foreign_counts()->logouts, 1);
}

static void the_module_is_never_finalised(void **state)
{
    (void)state;

    foreign_odd("finalize-hangs");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(foreign_start(), 1);
        EXPECT(CKR_OK, p11->C_Finalize(NULL));
    }

    assert_int_equal(foreign_counts()->initialized, 1);
    assert_int_equal(foreign_counts()->finalized, 0);
}

static void a_module_that_the_host_has_initialised_is_used_as_it_is(void **state)
{
    CK_BYTE signature[ODD_SIGNATURE_LEN];
    (void)state;

    CK_FUNCTION_LIST *host = foreign_load_as_host();
    EXPECT(CKR_OK, host->C_Initialize(NULL));
    assert_int_equal(foreign_start(), 1);
    EXPECT(CKR_OK, foreign_sign(foreign_login(foreign_slot()), signature));
    EXPECT(CKR_OK, p11->C_Finalize(NULL));

    assert_int_equal(foreign_counts()->finalized, 0);
    EXPECT(CKR_CRYPTOKI_ALREADY_INITIALIZED, host->C_Initialize(NULL));
}

static void a_host_that_finalises_the_module_does_not_stop_us(void **state)
{
    CK_BYTE signature[ODD_SIGNATURE_LEN];
    (void)state;

    (void)foreign_start();
    CK_SLOT_ID slot = foreign_slot();
    CK_SESSION_HANDLE session = foreign_login(slot);
    EXPECT(CKR_OK, foreign_sign(session, signature));
    EXPECT(CKR_OK, foreign_load_as_host()->C_Finalize(NULL));

    EXPECT(CKR_USER_NOT_LOGGED_IN, foreign_sign(session, signature));
    EXPECT(CKR_OK, foreign_try_login(session, CKU_USER, ODD_PIN));
    EXPECT(CKR_OK, foreign_sign(session, signature));
    assert_int_equal(foreign_slot(), slot);
}

static void a_login_of_the_host_is_the_hosts_to_end(void **state)
{
    CK_UTF8CHAR pin[] = ODD_PIN;
    (void)state;

    CK_FUNCTION_LIST *host = foreign_load_as_host();
    EXPECT(CKR_OK, host->C_Initialize(NULL));
    EXPECT(CKR_OK, host->C_Login(1, CKU_USER, pin, strlen(ODD_PIN)));
    (void)foreign_start();
    CK_SESSION_HANDLE session = foreign_login(foreign_slot());
    CK_OBJECT_HANDLE key = foreign_key(session);
    EXPECT(CKR_OK, p11->C_Logout(session));

    assert_int_not_equal(key, CK_INVALID_HANDLE);
    assert_int_equal(foreign_counts()->logouts, 0);
    assert_int_equal(foreign_key(session), CK_INVALID_HANDLE);
}

static void a_login_of_the_host_is_ours_until_we_log_out(void **state)
{
    CK_UTF8CHAR pin[] = ODD_PIN;
    CK_SESSION_INFO before;
    CK_SESSION_INFO during;
    CK_SESSION_INFO after;
    (void)state;

    CK_FUNCTION_LIST *host = foreign_load_as_host();
    EXPECT(CKR_OK, host->C_Initialize(NULL));
    (void)foreign_start();
    CK_SESSION_HANDLE session = foreign_open(foreign_slot());
    EXPECT(CKR_OK, p11->C_GetSessionInfo(session, &before));
    EXPECT(CKR_OK, host->C_Login(1, CKU_USER, pin, strlen(ODD_PIN)));
    EXPECT(CKR_OK, p11->C_GetSessionInfo(session, &during));
    CK_OBJECT_HANDLE key = foreign_key(session);
    EXPECT(CKR_OK, p11->C_Logout(session));
    EXPECT(CKR_OK, p11->C_GetSessionInfo(session, &after));

    assert_int_equal(before.state, CKS_RW_PUBLIC_SESSION);
    assert_int_equal(during.state, CKS_RW_USER_FUNCTIONS);
    assert_int_not_equal(key, CK_INVALID_HANDLE);
    assert_int_equal(after.state, CKS_RW_PUBLIC_SESSION);
    assert_int_equal(foreign_counts()->logouts, 0);
}

/* What a program gets in a child: it signs, or the number of the step that failed. */
static int sign_in_child(void)
{
    CK_BYTE signature[ODD_SIGNATURE_LEN];
    CK_SLOT_ID slots[4];
    CK_ULONG count = 4;

    if (p11->C_GetSlotList(CK_TRUE, slots, &count) != CKR_CRYPTOKI_NOT_INITIALIZED)
        return 1;
    if (p11->C_Initialize(NULL) != CKR_OK)
        return 2;
    CK_SESSION_HANDLE session = foreign_login(foreign_slot());
    return foreign_sign(session, signature) == CKR_OK && p11->C_Finalize(NULL) == CKR_OK ? 0 : 3;
}

static void a_child_begins_anew(void **state)
{
    CK_BYTE signature[ODD_SIGNATURE_LEN];
    int status = 0;
    (void)state;

    (void)foreign_start();
    CK_SESSION_HANDLE session = foreign_login(foreign_slot());
    EXPECT(CKR_OK, foreign_sign(session, signature));
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(sign_in_child());
    assert_int_equal(waitpid(child, &status, 0), child);

    assert_int_equal(status, 0);
    EXPECT(CKR_OK, foreign_sign(session, signature));
}

/* In a child of nginx libp11 opens a session in the slot that its parent listed, and nothing
 * before. */
static int open_in_child(CK_SLOT_ID slot)
{
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    CK_RV rv = p11->C_Initialize(NULL);
    if (rv == CKR_OK)
        rv = p11->C_OpenSession(slot + 1, CKF_SERIAL_SESSION, NULL, NULL, &session);
    if (rv != CKR_SLOT_ID_INVALID)
        return 1;
    return p11->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &session) == CKR_OK ? 0 : 2;
}

static void a_child_opens_the_slot_that_its_parent_listed(void **state)
{
    int status = 0;
    (void)state;

    (void)foreign_start();
    CK_SLOT_ID slot = foreign_slot();
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(open_in_child(slot));
    assert_int_equal(waitpid(child, &status, 0), child);

    assert_int_equal(status, 0);
}

static void a_slot_that_was_listed_is_found_after_c_finalize(void **state)
{
    CK_SLOT_INFO info;
    CK_TOKEN_INFO token;
    (void)state;

    (void)foreign_start();
    CK_SLOT_ID slot = foreign_slot();
    EXPECT(CKR_OK, p11->C_Finalize(NULL));
    EXPECT(CKR_OK, p11->C_Initialize(NULL));

    EXPECT(CKR_SLOT_ID_INVALID, p11->C_CloseAllSessions(slot)); /* it asks nobody */
    EXPECT(CKR_OK, p11->C_GetSlotInfo(slot, &info));
    EXPECT(CKR_OK, p11->C_GetTokenInfo(slot, &token));
    (void)foreign_login(slot);
}

static void a_label_chooses_the_token(void **state)
{
    (void)state;

    foreign_configure(foreign.module, "slots = odd\n");
    CK_ULONG wanted = foreign_start();
    EXPECT(CKR_OK, p11->C_Finalize(NULL));
    foreign_configure(foreign.module, "slots = other\n");
    CK_ULONG others = foreign_start();

    assert_int_equal(wanted, 1);
    assert_int_equal(others, 0);
}

static void a_token_that_two_sections_name_is_shown_once(void **state)
{
    char lines[256];
    (void)state;

    (void)snprintf(lines, sizeof(lines), "[token two]\nmodule = %s\n", foreign.module);
    foreign_configure(foreign.module, lines);

    assert_int_equal(foreign_start(), 1);
}

static void a_blank_token_is_not_shown(void **state)
{
    (void)state;

    foreign_odd("blank");

    assert_int_equal(foreign_start(), 0);
}

static void the_slot_is_write_protected(void **state)
{
    CK_BBOOL yes = CK_TRUE;
    CK_OBJECT_CLASS class = CKO_DATA;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof(class)}, {CKA_TOKEN, &yes, sizeof(yes)}};
    CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
    (void)state;

    (void)foreign_start();
    CK_SESSION_HANDLE session = foreign_login(foreign_slot());

    EXPECT(CKR_TOKEN_WRITE_PROTECTED, p11->C_CreateObject(session, template, 2, &object));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FOREIGN(nothing_is_loaded_before_the_slots_are_listed),
        FOREIGN(a_token_is_shown_as_its_module_tells_it),
        FOREIGN(only_mechanisms_that_sign_and_are_known_are_passed_on),
        FOREIGN(slots_and_objects_have_the_same_numbers_in_every_run),
        FOREIGN(a_signature_comes_from_the_token),
        FOREIGN(a_question_for_the_length_does_not_reach_the_token),
        FOREIGN(no_secret_part_and_no_foreign_use_of_a_key_is_shown),
        FOREIGN(sessions_are_kept_for_the_next_call_and_closed_at_the_end),
        FOREIGN(the_module_is_never_finalised),
        FOREIGN(a_module_that_the_host_has_initialised_is_used_as_it_is),
        FOREIGN(a_host_that_finalises_the_module_does_not_stop_us),
        FOREIGN(a_login_of_the_host_is_the_hosts_to_end),
        FOREIGN(a_login_of_the_host_is_ours_until_we_log_out),
        FOREIGN(a_child_begins_anew),
        FOREIGN(a_child_opens_the_slot_that_its_parent_listed),
        FOREIGN(a_slot_that_was_listed_is_found_after_c_finalize),
        FOREIGN(a_label_chooses_the_token),
        FOREIGN(a_token_that_two_sections_name_is_shown_once),
        FOREIGN(a_blank_token_is_not_shown),
        FOREIGN(the_slot_is_write_protected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
