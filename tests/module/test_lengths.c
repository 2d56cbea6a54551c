/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lengths that no memory has, behind pointers to the last byte of a page: whoever believes one of
 * them reads or writes where nothing is.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/module/disk_stage.h"

static const CK_ULONG lengths[] = {
    (CK_ULONG)-2, 0x8000000000000000, 0x100000001, 0x100000000, 0xffffffff, 0x7fffffff, 100000,
};

static CK_BYTE *edge; /* one byte, then nothing */

static int begin(void **state)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    CK_BYTE *pages =
        mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert_true(pages != MAP_FAILED);
    assert_int_equal(mprotect(pages + page, page, PROT_NONE), 0);
    edge = pages + page - 1;
    return disk_begin(state);
}

static int end(void **state)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    int result = stage_end(state);

    assert_int_equal(munmap(edge + 1 - page, 2 * page), 0);
    return result;
}

static void pins_are_not_read(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = stage_open_rw(FAKE_DISK);
    CK_UTF8CHAR label[32] = "";

    for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
        EXPECT(CKR_PIN_INCORRECT, p11->C_Login(session, CKU_USER, edge, lengths[i]));
        EXPECT(CKR_PIN_INCORRECT,
               p11->C_LoginUser(session, CKU_USER, edge, lengths[i], edge, lengths[i]));
        EXPECT(CKR_PIN_LEN_RANGE, p11->C_SetPIN(session, disk_text(FAKE_PIN_TEXT),
                                                strlen(FAKE_PIN_TEXT), edge, lengths[i]));
        assert_true(p11->C_InitToken(FAKE_SPARE, edge, lengths[i], label) != CKR_OK);
    }
}

static void values_of_attributes_are_not_read(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();
    CK_OBJECT_HANDLE object = disk_create_data(session, "a", CK_FALSE, CK_FALSE);

    for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
        CK_ATTRIBUTE attribute = {CKA_LABEL, edge, lengths[i]};
        CK_ATTRIBUTE class = {CKA_CLASS, edge, lengths[i]};
        CK_OBJECT_HANDLE made = CK_INVALID_HANDLE;
        CK_ULONG found = 0;
        EXPECT(CKR_OK, p11->C_FindObjectsInit(session, &attribute, 1));
        EXPECT(CKR_OK, p11->C_FindObjects(session, &made, 1, &found));
        EXPECT(CKR_OK, p11->C_FindObjectsFinal(session));
        assert_int_equal(found, 0);
        assert_true(p11->C_CreateObject(session, &class, 1, &made) != CKR_OK);
    }
    EXPECT(CKR_OK, p11->C_DestroyObject(session, object));
}

static void more_attributes_than_a_template_has_are_refused(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();
    CK_OBJECT_HANDLE object = disk_create_data(session, "a", CK_FALSE, CK_FALSE);
    CK_ATTRIBUTE *last = (CK_ATTRIBUTE *)(void *)(edge + 1 - sizeof(CK_ATTRIBUTE));
    *last = (CK_ATTRIBUTE){.type = CKA_LABEL};

    for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
        CK_OBJECT_HANDLE made = CK_INVALID_HANDLE;
        EXPECT(CKR_ARGUMENTS_BAD, p11->C_FindObjectsInit(session, last, lengths[i]));
        EXPECT(CKR_ARGUMENTS_BAD, p11->C_GetAttributeValue(session, object, last, lengths[i]));
        EXPECT(CKR_TEMPLATE_INCONSISTENT, p11->C_CreateObject(session, last, lengths[i], &made));
        EXPECT(CKR_TEMPLATE_INCONSISTENT,
               p11->C_SetAttributeValue(session, object, last, lengths[i]));
        EXPECT(CKR_TEMPLATE_INCONSISTENT,
               p11->C_CopyObject(session, object, last, lengths[i], &made));
    }
}

static void parameters_and_signatures_are_not_read(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();
    struct disk_pair pair = disk_generate(session, "a", CK_FALSE);

    for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
        CK_MECHANISM mechanism = {CKM_ECDSA_SHA256, edge, lengths[i]};
        CK_MECHANISM plain = {CKM_ECDSA_SHA256, NULL, 0};
        EXPECT(CKR_MECHANISM_PARAM_INVALID, p11->C_SignInit(session, &mechanism, pair.private_key));
        EXPECT(CKR_MECHANISM_PARAM_INVALID,
               p11->C_VerifyInit(session, &mechanism, pair.public_key));
        EXPECT(CKR_OK, p11->C_VerifyInit(session, &plain, pair.public_key));
        EXPECT(CKR_SIGNATURE_LEN_RANGE,
               p11->C_Verify(session, MESSAGE, MESSAGE_LEN, edge, lengths[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pins_are_not_read, begin, end),
        cmocka_unit_test_setup_teardown(values_of_attributes_are_not_read, begin, end),
        cmocka_unit_test_setup_teardown(more_attributes_than_a_template_has_are_refused, begin,
                                        end),
        cmocka_unit_test_setup_teardown(parameters_and_signatures_are_not_read, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
