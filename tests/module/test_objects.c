/* SPDX-License-Identifier: Apache-2.0 */
/* C_GetAttributeValue and C_GetObjectSize, and who may see what. */
#include <string.h>

#include "remote/base/cleanup.h"
#include "tests/module/stage.h"

#define UNAVAILABLE CK_UNAVAILABLE_INFORMATION

static void every_attribute_is_served_whatever_the_others_are(void **state)
{
    CK_OBJECT_CLASS class = 99;
    CK_BYTE small[2] = {0xee, 0xee};
    CK_BYTE big[1024];
    CK_BYTE label[16];
    (void)state;
    CK_SESSION_HANDLE session = stage_open(FAKE_PHONE);
    CK_ATTRIBUTE template[] = {
        {CKA_VALUE, big, sizeof(big)},       /* sensitive */
        {CKA_OWNER, big, sizeof(big)},       /* not there */
        {CKA_MODULUS, small, sizeof(small)}, /* too short */
        {CKA_CLASS, &class, sizeof(class)},  /* fine */
        {CKA_START_DATE, big, sizeof(big)},  /* empty */
        {CKA_LABEL, label, sizeof(label)},   /* fine, with room to spare */
        {CKA_MODULUS, NULL, 0},              /* length only */
        {0x80001234UL, NULL, 0},             /* unknown */
    };
    static const CK_ULONG lens[] = {UNAVAILABLE, UNAVAILABLE, UNAVAILABLE, sizeof(class),
                                    0,           3,           256,         UNAVAILABLE};
    memset(big, 0xee, sizeof(big));

    CK_RV rv = p11->C_GetAttributeValue(session, stage_find(session, CKO_PRIVATE_KEY, FAKE_KEY),
                                        template, ARRAY_LEN(template));

    assert_true(rv == CKR_ATTRIBUTE_SENSITIVE || rv == CKR_ATTRIBUTE_TYPE_INVALID ||
                rv == CKR_BUFFER_TOO_SMALL);
    for (size_t i = 0; i < ARRAY_LEN(lens); i++)
        if (template[i].ulValueLen != lens[i])
            fail_msg("entry %zu has length %lu", i, template[i].ulValueLen);
    assert_int_equal(class, CKO_PRIVATE_KEY);
    assert_memory_equal(label, FAKE_KEY, 3);
    assert_int_equal(small[0], 0xee); /* never written when it fails */
    for (size_t i = 0; i < sizeof(big); i++)
        assert_int_equal(big[i], 0xee);
}

/* One attribute on its own: its code and its length. */
static void single_attributes_have_their_own_codes(void **state)
{
    static const struct {
        CK_ATTRIBUTE_TYPE type;
        bool has_room;
        CK_ULONG room;
        CK_RV expected;
        CK_ULONG len;
    } rows[] = {
        {CKA_KEY_TYPE, false, 0, CKR_OK, sizeof(CK_KEY_TYPE)},
        {CKA_KEY_TYPE, false, UNAVAILABLE, CKR_OK, sizeof(CK_KEY_TYPE)},
        {CKA_KEY_TYPE, true, sizeof(CK_KEY_TYPE), CKR_OK, sizeof(CK_KEY_TYPE)},
        {CKA_KEY_TYPE, true, sizeof(CK_KEY_TYPE) - 1, CKR_BUFFER_TOO_SMALL, UNAVAILABLE},
        {CKA_KEY_TYPE, true, 0, CKR_BUFFER_TOO_SMALL, UNAVAILABLE},
        {CKA_SIGN, true, 1, CKR_OK, 1},
        {CKA_START_DATE, true, 0, CKR_OK, 0},
        {CKA_START_DATE, false, 0, CKR_OK, 0},
        {CKA_END_DATE, false, 0, CKR_ATTRIBUTE_TYPE_INVALID, UNAVAILABLE},
        {CKA_VALUE, false, 0, CKR_ATTRIBUTE_SENSITIVE, UNAVAILABLE},
        {CKA_VALUE, true, 300, CKR_ATTRIBUTE_SENSITIVE, UNAVAILABLE},
        {CKA_PRIVATE_EXPONENT, true, 300, CKR_ATTRIBUTE_SENSITIVE, UNAVAILABLE},
        {CKA_PRIME_1, false, 0, CKR_ATTRIBUTE_SENSITIVE, UNAVAILABLE},
        {CKA_PRIME_2, true, 300, CKR_ATTRIBUTE_SENSITIVE, UNAVAILABLE},
        {CKA_EXPONENT_1, true, 300, CKR_ATTRIBUTE_SENSITIVE, UNAVAILABLE},
        {CKA_EXPONENT_2, true, 300, CKR_ATTRIBUTE_SENSITIVE, UNAVAILABLE},
        {CKA_COEFFICIENT, true, 0, CKR_ATTRIBUTE_SENSITIVE, UNAVAILABLE},
    };
    CK_BYTE room[300];
    (void)state;
    CK_SESSION_HANDLE session = stage_open(FAKE_PHONE);
    CK_OBJECT_HANDLE key = stage_find(session, CKO_PRIVATE_KEY, FAKE_KEY);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CK_ATTRIBUTE one = {rows[i].type, rows[i].has_room ? room : NULL, rows[i].room};
        CK_RV rv = p11->C_GetAttributeValue(session, key, &one, 1);
        if (rv != rows[i].expected || one.ulValueLen != rows[i].len)
            fail_msg("row %zu: %s, length %lu", i, stage_name(rv), one.ulValueLen);
    }
}

static void only_keys_have_sensitive_values(void **state)
{
    CK_BYTE value[64];
    CK_ATTRIBUTE one = {CKA_VALUE, value, sizeof(value)};
    (void)state;
    CK_SESSION_HANDLE session = stage_open(FAKE_PHONE);

    EXPECT(CKR_OK,
           p11->C_GetAttributeValue(session, stage_find(session, CKO_CERTIFICATE, NULL), &one, 1));
    assert_int_equal(one.ulValueLen, 14);
    assert_memory_equal(value, "not really DER", 14);
    one.ulValueLen = sizeof(value);
    EXPECT(CKR_ATTRIBUTE_TYPE_INVALID,
           p11->C_GetAttributeValue(session, stage_find(session, CKO_PUBLIC_KEY, NULL), &one, 1));
}

static void handles_and_pointers_are_checked(void **state)
{
    CK_ATTRIBUTE one = {CKA_CLASS, NULL, 0};
    CK_ULONG size = 0;
    (void)state;
    CK_SESSION_HANDLE session = stage_open(FAKE_PHONE);
    CK_OBJECT_HANDLE key = stage_find(session, CKO_PRIVATE_KEY, FAKE_KEY);
    CK_SESSION_HANDLE elsewhere = stage_open(FAKE_ODD);
    const CK_OBJECT_HANDLE wrong[] = {0, key + 200, (CK_OBJECT_HANDLE)-1,
                                      stage_find(elsewhere, CKO_DATA, FAKE_FREE_DATA)};

    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        EXPECT(CKR_OBJECT_HANDLE_INVALID, p11->C_GetAttributeValue(session, wrong[i], &one, 1));
        EXPECT(CKR_OBJECT_HANDLE_INVALID, p11->C_GetAttributeValue(session, wrong[i], NULL, 1));
        EXPECT(CKR_OBJECT_HANDLE_INVALID, p11->C_GetObjectSize(session, wrong[i], &size));
    }
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_GetAttributeValue(session, key, NULL, 1));
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_GetObjectSize(session, key, NULL));
    EXPECT(CKR_OK, p11->C_GetObjectSize(session, key, &size));
    assert_in_range(size, 256, 4096);
}

static void a_private_object_is_there_after_login_only(void **state)
{
    CK_ATTRIBUTE one = {CKA_CLASS, NULL, 0};
    CK_ULONG size = 0;
    (void)state;
    CK_SESSION_HANDLE session = stage_open_rw(FAKE_PIN);
    assert_int_equal(stage_find(session, CKO_PRIVATE_KEY, FAKE_KEY), CK_INVALID_HANDLE);
    EXPECT(CKR_OK, stage_login(session, FAKE_PIN_TEXT));
    CK_OBJECT_HANDLE key = stage_find(session, CKO_PRIVATE_KEY, FAKE_KEY);
    EXPECT(CKR_OK, p11->C_GetAttributeValue(session, key, &one, 1));

    EXPECT(CKR_OK, p11->C_Logout(session));

    EXPECT(CKR_OBJECT_HANDLE_INVALID, p11->C_GetAttributeValue(session, key, &one, 1));
    EXPECT(CKR_OBJECT_HANDLE_INVALID, p11->C_GetObjectSize(session, key, &size));
    EXPECT(CKR_OBJECT_HANDLE_INVALID, p11->C_SetAttributeValue(session, key, &one, 1));
    EXPECT(CKR_OBJECT_HANDLE_INVALID, p11->C_DestroyObject(session, key));
    EXPECT(CKR_OBJECT_HANDLE_INVALID, p11->C_CopyObject(session, key, NULL, 0, &key));
    assert_int_equal(stage_find(session, CKO_PRIVATE_KEY, FAKE_KEY), CK_INVALID_HANDLE);
    assert_int_not_equal(stage_find(session, CKO_CERTIFICATE, NULL), CK_INVALID_HANDLE);
    assert_int_not_equal(stage_find(session, CKO_PUBLIC_KEY, NULL), CK_INVALID_HANDLE);
}

/* Applications store handles' names in their own files: the catalogue promises the same again. */
static void handles_are_the_same_in_every_run(void **state)
{
    CK_OBJECT_HANDLE handles[2];
    (void)state;

    for (size_t i = 0; i < 2; i++) {
        handles[i] = stage_find(stage_open(FAKE_PHONE), CKO_PRIVATE_KEY, FAKE_KEY);
        EXPECT(CKR_OK, p11->C_Finalize(NULL));
        EXPECT(CKR_OK, p11->C_Initialize(NULL));
    }

    assert_int_equal(handles[0], handles[1]);
    assert_in_range(handles[0], 1, 0x7fffffff);
}

static void every_object_has_a_unique_id_of_its_own(void **state)
{
    enum { ROOM = 64 };
    CK_OBJECT_HANDLE objects[ROOM];
    CK_ULONG count = 0;
    (void)state;
    CK_SESSION_HANDLE session = stage_open(FAKE_ODD);
    EXPECT(CKR_OK, p11->C_FindObjectsInit(session, NULL, 0));
    EXPECT(CKR_OK, p11->C_FindObjects(session, objects, ROOM, &count));
    EXPECT(CKR_OK, p11->C_FindObjectsFinal(session));

    for (CK_ULONG i = 0; i < count; i++) {
        CK_BYTE text[32];
        CK_ATTRIBUTE id = {CKA_UNIQUE_ID, text, sizeof(text)};
        CK_OBJECT_HANDLE found[2];
        CK_ULONG hits = 0;
        EXPECT(CKR_OK, p11->C_GetAttributeValue(session, objects[i], &id, 1));
        EXPECT(CKR_OK, p11->C_FindObjectsInit(session, &id, 1));
        EXPECT(CKR_OK, p11->C_FindObjects(session, found, 2, &hits));
        EXPECT(CKR_OK, p11->C_FindObjectsFinal(session));
        assert_int_equal(hits, 1);
        assert_int_equal(found[0], objects[i]);
    }
    assert_int_equal(count, FAKE_DATA_COUNT + 4);
}

static void a_token_that_cannot_list_its_objects_is_in_trouble(void **state)
{
    CK_ATTRIBUTE one = {CKA_CLASS, NULL, 0};
    CK_MECHANISM mechanism = {.mechanism = CKM_RSA_PKCS};
    (void)state;
    CK_SESSION_HANDLE session = stage_open(FAKE_PHONE);
    fake_play((struct fake_script){.list_status = SCA_IO});

    EXPECT(CKR_DEVICE_ERROR, p11->C_FindObjectsInit(session, NULL, 0));
    EXPECT(CKR_OPERATION_NOT_INITIALIZED, p11->C_FindObjectsFinal(session));
    EXPECT(CKR_DEVICE_ERROR, p11->C_GetAttributeValue(session, 1, &one, 1));
    EXPECT(CKR_DEVICE_ERROR, p11->C_SignInit(session, &mechanism, 1));
    fake_play((struct fake_script){.list_status = SCA_NOMEM});
    EXPECT(CKR_HOST_MEMORY, p11->C_FindObjectsInit(session, NULL, 0));

    fake_play((struct fake_script){.list_status = SCA_OK});
    EXPECT(CKR_OK, p11->C_FindObjectsInit(session, NULL, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON(every_attribute_is_served_whatever_the_others_are),
        ON(single_attributes_have_their_own_codes),
        ON(only_keys_have_sensitive_values),
        ON(handles_and_pointers_are_checked),
        ON(a_private_object_is_there_after_login_only),
        ON(handles_are_the_same_in_every_run),
        ON(every_object_has_a_unique_id_of_its_own),
        ON(a_token_that_cannot_list_its_objects_is_in_trouble),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
