/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "remote/base/cleanup.h"
#include "tests/module/stage.h"

enum { ROOM = 1024 };

/* All objects of a session, fetched stride by stride. Returns how many. */
static CK_ULONG find_all(CK_SESSION_HANDLE session, CK_ULONG stride, CK_OBJECT_HANDLE *found)
{
    CK_ULONG count = 0;
    CK_ULONG got = 0;
    EXPECT(CKR_OK, p11->C_FindObjectsInit(session, NULL, 0));
    do {
        assert_true(count + stride <= 2 * ROOM);
        EXPECT(CKR_OK, p11->C_FindObjects(session, found + count, stride, &got));
        assert_true(got <= stride);
        count += got;
    } while (got);
    EXPECT(CKR_OK, p11->C_FindObjectsFinal(session));
    return count;
}

static void every_stride_finds_the_same(void **state)
{
    static const CK_ULONG strides[] = {1, 2, 10, 41, 1024};
    CK_OBJECT_HANDLE first[2 * ROOM];
    CK_OBJECT_HANDLE other[2 * ROOM];
    (void)state;
    CK_SESSION_HANDLE session = stage_open(FAKE_ODD);
    CK_ULONG count = find_all(session, 3, first);
    assert_int_equal(count, FAKE_DATA_COUNT + 4);

    for (size_t i = 0; i < ARRAY_LEN(strides); i++) {
        assert_int_equal(find_all(session, strides[i], other), count);
        assert_memory_equal(first, other, count * sizeof(*first));
    }
}

static void the_end_is_told_again_and_again(void **state)
{
    CK_OBJECT_HANDLE objects[ROOM];
    CK_ULONG count = 99;
    (void)state;
    CK_SESSION_HANDLE session = stage_open(FAKE_PHONE);
    EXPECT(CKR_OK, p11->C_FindObjectsInit(session, NULL, 0));

    EXPECT(CKR_OK, p11->C_FindObjects(session, NULL, 0, &count));
    assert_int_equal(count, 0);
    EXPECT(CKR_OK, p11->C_FindObjects(session, objects, ROOM, &count));
    assert_int_equal(count, 4);
    for (int i = 0; i < 3; i++) {
        EXPECT(CKR_OK, p11->C_FindObjects(session, objects, ROOM, &count));
        assert_int_equal(count, 0);
    }
}

static void finding_has_an_order_of_calls(void **state)
{
    CK_OBJECT_HANDLE object;
    CK_ATTRIBUTE one = {CKA_TOKEN, NULL, 0};
    CK_ULONG count = 0;
    (void)state;
    CK_SESSION_HANDLE session = stage_open(FAKE_PHONE);

    EXPECT(CKR_OPERATION_NOT_INITIALIZED, p11->C_FindObjects(session, &object, 1, &count));
    EXPECT(CKR_OPERATION_NOT_INITIALIZED, p11->C_FindObjectsFinal(session));
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_FindObjectsInit(session, NULL, 1));
    EXPECT(CKR_OPERATION_NOT_INITIALIZED, p11->C_FindObjectsFinal(session));
    EXPECT(CKR_OK, p11->C_FindObjectsInit(session, NULL, 0));
    EXPECT(CKR_OPERATION_ACTIVE, p11->C_FindObjectsInit(session, &one, 1));
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_FindObjects(session, NULL, 1, &count));
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_FindObjects(session, &object, 1, NULL));
    EXPECT(CKR_OK, p11->C_FindObjects(session, &object, 1, &count)); /* the first search lives */
    assert_int_equal(count, 1);
    EXPECT(CKR_OK, p11->C_FindObjectsFinal(session));
    EXPECT(CKR_OPERATION_NOT_INITIALIZED, p11->C_FindObjectsFinal(session));
    EXPECT(CKR_OK, p11->C_FindObjectsInit(session, NULL, 0));
    EXPECT(CKR_OK, p11->C_SessionCancel(session, CKF_FIND_OBJECTS));
    EXPECT(CKR_OPERATION_NOT_INITIALIZED, p11->C_FindObjects(session, &object, 1, &count));
}

static CK_ULONG matches(CK_SESSION_HANDLE session, CK_ATTRIBUTE *template, CK_ULONG len)
{
    CK_OBJECT_HANDLE objects[ROOM];
    CK_ULONG count = 0;
    EXPECT(CKR_OK, p11->C_FindObjectsInit(session, template, len));
    EXPECT(CKR_OK, p11->C_FindObjects(session, objects, ROOM, &count));
    EXPECT(CKR_OK, p11->C_FindObjectsFinal(session));
    return count;
}

/* What browsers, ssh and others look for and we have not: no match, never an error. */
static void a_search_for_what_is_not_there_finds_nothing(void **state)
{
    CK_OBJECT_CLASS classes[] = {CKO_SECRET_KEY,    CKO_DOMAIN_PARAMETERS, 0xce534353UL,
                                 CKO_HW_FEATURE,    CKO_MECHANISM,         0xce534355UL,
                                 CKO_VENDOR_DEFINED};
    CK_BBOOL yes = CK_TRUE;
    CK_BYTE short_class = CKO_CERTIFICATE;
    CK_OBJECT_CLASS certificate = CKO_CERTIFICATE;
    CK_ATTRIBUTE rows[] = {
        {CKA_TRUSTED, &yes, 1},
        {0x8000ffffUL, &yes, 1},
        {CKA_CLASS, &short_class, 1},
        {CKA_CLASS, &certificate, sizeof(certificate) + 1},
        {CKA_CLASS, NULL, sizeof(certificate)},
        {CKA_CLASS, &certificate, CK_UNAVAILABLE_INFORMATION},
        {CKA_LABEL, NULL, 0},
    };
    (void)state;
    CK_SESSION_HANDLE session = stage_open(FAKE_PHONE);

    for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
        CK_ATTRIBUTE class = {CKA_CLASS, &classes[i], sizeof(classes[i])};
        assert_int_equal(matches(session, &class, 1), 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (matches(session, &rows[i], 1) != 0)
            fail_msg("row %zu", i);
}

static void all_attributes_must_match_exactly(void **state)
{
    CK_OBJECT_CLASS class = CKO_CERTIFICATE;
    CK_BBOOL yes = CK_TRUE;
    CK_BYTE label[] = FAKE_CERTIFICATE;
    CK_BYTE id[] = "id";
    CK_ATTRIBUTE template[] = {
        {CKA_ID, id, 2},
        {CKA_TOKEN, &yes, 1},
        {CKA_CLASS, &class, sizeof(class)},
        {CKA_LABEL, label, sizeof(label) - 1},
    };
    (void)state;
    CK_SESSION_HANDLE session = stage_open(FAKE_PHONE);

    assert_int_equal(matches(session, template, 0), 4);
    assert_int_equal(matches(session, template, 1), 3);
    assert_int_equal(matches(session, template, 2), 3);
    assert_int_equal(matches(session, template, 4), 1);
    template[3].ulValueLen--; /* a prefix */
    assert_int_equal(matches(session, template, 4), 0);
    template[3].ulValueLen += 2; /* with the NUL */
    assert_int_equal(matches(session, template, 4), 0);
    CK_ATTRIBUTE empty = {CKA_START_DATE, NULL, 0};
    assert_int_equal(matches(session, &empty, 1), 2);
}

static void private_objects_hide_before_login_even_when_asked_for(void **state)
{
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE private = {CKA_PRIVATE, &yes, 1};
    (void)state;
    CK_SESSION_HANDLE session = stage_open(FAKE_PIN);

    assert_int_equal(matches(session, &private, 1), 0);
    assert_int_equal(matches(session, NULL, 0), 3);
    EXPECT(CKR_OK, stage_login(session, FAKE_PIN_TEXT));
    assert_int_equal(matches(session, &private, 1), 1);
    assert_int_equal(matches(session, NULL, 0), 4);
}

static void what_is_found_was_fixed_at_the_start(void **state)
{
    CK_OBJECT_HANDLE objects[ROOM];
    CK_ULONG count = 0;
    (void)state;
    CK_SESSION_HANDLE session = stage_open(FAKE_PIN);
    EXPECT(CKR_OK, p11->C_FindObjectsInit(session, NULL, 0));

    EXPECT(CKR_OK, stage_login(session, FAKE_PIN_TEXT));
    EXPECT(CKR_OK, p11->C_FindObjects(session, objects, ROOM, &count));

    assert_int_equal(count, 3);
}

static void objects_are_listed_once(void **state)
{
    (void)state;

    for (int i = 0; i < 5; i++)
        assert_int_equal(matches(stage_open(FAKE_PHONE), NULL, 0), 4);

    assert_int_equal(fake_counted().list, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON(every_stride_finds_the_same),
        ON(the_end_is_told_again_and_again),
        ON(finding_has_an_order_of_calls),
        ON(a_search_for_what_is_not_there_finds_nothing),
        ON(all_attributes_must_match_exactly),
        ON(private_objects_hide_before_login_even_when_asked_for),
        ON(what_is_found_was_fixed_at_the_start),
        ON(objects_are_listed_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
