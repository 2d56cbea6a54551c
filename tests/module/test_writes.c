/* SPDX-License-Identifier: Apache-2.0 */
/* Every attempt to change a write-protected token, and the attacks that begin with one. */
#include "remote/base/cleanup.h"
#include "tests/module/stage.h"

static CK_BBOOL yes = CK_TRUE;
static CK_BBOOL no = CK_FALSE;
static CK_OBJECT_CLASS data_class = CKO_DATA;
static CK_BYTE text[] = "text";

static void creating_is_refused(void **state)
{
    CK_ATTRIBUTE good[] = {
        {CKA_CLASS, &data_class, sizeof(data_class)}, {CKA_TOKEN, &yes, 1}, {CKA_LABEL, text, 4}};
    CK_ATTRIBUTE nameless[] = {{CKA_TOKEN, &yes, 1}};
    CK_ATTRIBUTE with_id[] = {{CKA_CLASS, &data_class, sizeof(data_class)},
                              {CKA_UNIQUE_ID, text, 4}};
    CK_ATTRIBUTE broken[] = {{CKA_CLASS, NULL, sizeof(data_class)}};
    CK_ATTRIBUTE endless[] = {{CKA_CLASS, &data_class, CK_UNAVAILABLE_INFORMATION}};
    CK_OBJECT_HANDLE made = 77;
    (void)state;
    CK_SESSION_HANDLE ro = stage_open(FAKE_PHONE);
    CK_SESSION_HANDLE rw = stage_open_rw(FAKE_PHONE);

    EXPECT(CKR_TOKEN_WRITE_PROTECTED, p11->C_CreateObject(rw, good, ARRAY_LEN(good), &made));
    EXPECT(CKR_SESSION_READ_ONLY, p11->C_CreateObject(ro, good, ARRAY_LEN(good), &made));
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_CreateObject(rw, good, ARRAY_LEN(good), NULL));
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_CreateObject(rw, NULL, 1, &made));
    EXPECT(CKR_TEMPLATE_INCOMPLETE, p11->C_CreateObject(rw, NULL, 0, &made));
    EXPECT(CKR_TEMPLATE_INCOMPLETE, p11->C_CreateObject(rw, nameless, 1, &made));
    EXPECT(CKR_ATTRIBUTE_READ_ONLY, p11->C_CreateObject(rw, with_id, 2, &made));
    EXPECT(CKR_ATTRIBUTE_VALUE_INVALID, p11->C_CreateObject(rw, broken, 1, &made));
    EXPECT(CKR_ATTRIBUTE_VALUE_INVALID, p11->C_CreateObject(rw, endless, 1, &made));
    assert_int_equal(made, 77);
}

static void copying_is_refused(void **state)
{
    CK_ATTRIBUTE readable[] = {{CKA_SENSITIVE, &no, 1}, {CKA_EXTRACTABLE, &yes, 1}};
    CK_ATTRIBUTE broken[] = {{CKA_LABEL, NULL, 3}};
    CK_OBJECT_HANDLE copy = 77;
    (void)state;
    CK_SESSION_HANDLE rw = stage_open_rw(FAKE_ODD);
    CK_SESSION_HANDLE ro = stage_open(FAKE_ODD);
    CK_OBJECT_HANDLE key = stage_find(rw, CKO_PRIVATE_KEY, FAKE_SMALL_KEY);
    CK_OBJECT_HANDLE free_data = stage_find(rw, CKO_DATA, FAKE_FREE_DATA);

    EXPECT(CKR_OBJECT_HANDLE_INVALID, p11->C_CopyObject(rw, 0, NULL, 0, &copy));
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_CopyObject(rw, free_data, NULL, 0, NULL));
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_CopyObject(rw, free_data, NULL, 1, &copy));
    EXPECT(CKR_ATTRIBUTE_VALUE_INVALID, p11->C_CopyObject(rw, free_data, broken, 1, &copy));
    EXPECT(CKR_ACTION_PROHIBITED, p11->C_CopyObject(rw, key, readable, 2, &copy));
    EXPECT(CKR_TOKEN_WRITE_PROTECTED, p11->C_CopyObject(rw, free_data, NULL, 0, &copy));
    EXPECT(CKR_SESSION_READ_ONLY, p11->C_CopyObject(ro, free_data, NULL, 0, &copy));
    assert_int_equal(copy, 77);
}

static void destroying_is_refused(void **state)
{
    CK_ULONG size = 0;
    (void)state;
    CK_SESSION_HANDLE rw = stage_open_rw(FAKE_ODD);
    CK_SESSION_HANDLE ro = stage_open(FAKE_ODD);
    CK_OBJECT_HANDLE key = stage_find(rw, CKO_PRIVATE_KEY, FAKE_SMALL_KEY);
    CK_OBJECT_HANDLE free_data = stage_find(rw, CKO_DATA, FAKE_FREE_DATA);

    EXPECT(CKR_OBJECT_HANDLE_INVALID, p11->C_DestroyObject(rw, 0));
    EXPECT(CKR_SESSION_READ_ONLY, p11->C_DestroyObject(ro, key));
    EXPECT(CKR_ACTION_PROHIBITED, p11->C_DestroyObject(rw, key));
    EXPECT(CKR_TOKEN_WRITE_PROTECTED, p11->C_DestroyObject(rw, free_data));

    EXPECT(CKR_OK, p11->C_GetObjectSize(rw, key, &size));
    EXPECT(CKR_OK, p11->C_GetObjectSize(rw, free_data, &size));
}

static void changing_is_refused(void **state)
{
    CK_ATTRIBUTE label[] = {{CKA_LABEL, text, 4}};
    CK_ATTRIBUTE class[] = {{CKA_CLASS, &data_class, sizeof(data_class)}};
    CK_ATTRIBUTE unique[] = {{CKA_UNIQUE_ID, text, 4}};
    CK_ATTRIBUTE sensitive[] = {{CKA_SENSITIVE, &no, 1}};
    CK_ATTRIBUTE extractable[] = {{CKA_EXTRACTABLE, &yes, 1}};
    CK_ATTRIBUTE endless[] = {{CKA_LABEL, text, CK_UNAVAILABLE_INFORMATION}};
    (void)state;
    CK_SESSION_HANDLE rw = stage_open_rw(FAKE_ODD);
    CK_SESSION_HANDLE ro = stage_open(FAKE_ODD);
    CK_OBJECT_HANDLE key = stage_find(rw, CKO_PRIVATE_KEY, FAKE_SMALL_KEY);
    CK_OBJECT_HANDLE free_data = stage_find(rw, CKO_DATA, FAKE_FREE_DATA);

    EXPECT(CKR_OBJECT_HANDLE_INVALID, p11->C_SetAttributeValue(rw, 0, label, 1));
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_SetAttributeValue(rw, key, NULL, 1));
    EXPECT(CKR_SESSION_READ_ONLY, p11->C_SetAttributeValue(ro, key, label, 1));
    EXPECT(CKR_SESSION_READ_ONLY, p11->C_SetAttributeValue(ro, free_data, label, 1));
    EXPECT(CKR_ATTRIBUTE_READ_ONLY, p11->C_SetAttributeValue(rw, key, label, 1));
    EXPECT(CKR_ATTRIBUTE_READ_ONLY, p11->C_SetAttributeValue(rw, key, sensitive, 1));
    EXPECT(CKR_ATTRIBUTE_READ_ONLY, p11->C_SetAttributeValue(rw, key, extractable, 1));
    EXPECT(CKR_ATTRIBUTE_READ_ONLY, p11->C_SetAttributeValue(rw, free_data, class, 1));
    EXPECT(CKR_ATTRIBUTE_READ_ONLY, p11->C_SetAttributeValue(rw, free_data, unique, 1));
    EXPECT(CKR_TOKEN_WRITE_PROTECTED, p11->C_SetAttributeValue(rw, free_data, label, 1));
    EXPECT(CKR_ATTRIBUTE_VALUE_INVALID, p11->C_SetAttributeValue(rw, free_data, endless, 1));

    assert_int_equal(stage_find(rw, CKO_DATA, FAKE_FREE_DATA), free_data);
}

static void initialising_the_token_is_refused(void **state)
{
    CK_UTF8CHAR label[] = "                                ";
    (void)state;

    EXPECT(CKR_SLOT_ID_INVALID, p11->C_InitToken(0, text, 4, label));
    EXPECT(CKR_TOKEN_NOT_PRESENT, p11->C_InitToken(FAKE_EMPTY, text, 4, label));
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_InitToken(FAKE_PIN, NULL, 4, label));
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_InitToken(FAKE_PIN, text, 4, NULL));
    EXPECT(CKR_TOKEN_WRITE_PROTECTED, p11->C_InitToken(FAKE_PIN, text, 4, label));
    CK_SESSION_HANDLE session = stage_open(FAKE_PIN);
    EXPECT(CKR_SESSION_EXISTS, p11->C_InitToken(FAKE_PIN, text, 4, label));
    EXPECT(CKR_OK, p11->C_CloseSession(session));
    EXPECT(CKR_TOKEN_WRITE_PROTECTED, p11->C_InitToken(FAKE_PIN, text, 4, label));
}

static void choosing_a_pin_is_refused(void **state)
{
    (void)state;
    CK_SESSION_HANDLE ro = stage_open(FAKE_PIN);
    CK_SESSION_HANDLE rw = stage_open_rw(FAKE_PIN);

    EXPECT(CKR_ARGUMENTS_BAD, p11->C_InitPIN(rw, NULL, 4));
    EXPECT(CKR_USER_NOT_LOGGED_IN, p11->C_InitPIN(rw, text, 4));
    EXPECT(CKR_USER_NOT_LOGGED_IN, p11->C_InitPIN(ro, text, 4));
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_SetPIN(rw, NULL, 4, text, 4));
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_SetPIN(rw, text, 4, NULL, 4));
    EXPECT(CKR_SESSION_READ_ONLY, p11->C_SetPIN(ro, text, 4, text, 4));
    EXPECT(CKR_TOKEN_WRITE_PROTECTED, p11->C_SetPIN(rw, text, 4, text, 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON(creating_is_refused),
        ON(copying_is_refused),
        ON(destroying_is_refused),
        ON(changing_is_refused),
        ON(initialising_the_token_is_refused),
        ON(choosing_a_pin_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
