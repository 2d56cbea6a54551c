/* SPDX-License-Identifier: Apache-2.0 */
/* C_GetSlotList, C_GetSlotInfo, C_GetTokenInfo. */
#include <string.h>

#include "remote/base/cleanup.h"
#include "tests/module/stage.h"

static const CK_SLOT_ID all_slots[] = {FAKE_PHONE, FAKE_PIN, FAKE_EMPTY, FAKE_NO_PIN, FAKE_ODD};
static const CK_SLOT_ID present_slots[] = {FAKE_PHONE, FAKE_PIN, FAKE_NO_PIN, FAKE_ODD};

static void slots_are_listed_in_the_order_of_their_ids(void **state)
{
    CK_SLOT_ID ids[8];
    CK_ULONG count = ARRAY_LEN(ids);
    (void)state;

    EXPECT(CKR_OK, p11->C_GetSlotList(CK_FALSE, ids, &count));
    assert_int_equal(count, ARRAY_LEN(all_slots));
    assert_memory_equal(ids, all_slots, sizeof(all_slots));

    count = ARRAY_LEN(ids);
    EXPECT(CKR_OK, p11->C_GetSlotList(CK_TRUE, ids, &count));
    assert_int_equal(count, ARRAY_LEN(present_slots));
    assert_memory_equal(ids, present_slots, sizeof(present_slots));
}

static void a_default_is_listed_first_and_the_empty_slot_last(void **state)
{
    static const CK_SLOT_ID expected[] = {FAKE_PIN, FAKE_PHONE, FAKE_EMPTY, FAKE_NO_PIN,
                                          FAKE_ODD, FAKE_DISK,  FAKE_SPARE};
    CK_SLOT_ID ids[ARRAY_LEN(expected)];
    CK_ULONG count = ARRAY_LEN(ids);
    (void)state;
    fake_play((struct fake_script){.preferred = FAKE_PIN, .has_disk = true});
    EXPECT(CKR_OK, p11->C_Initialize(NULL));

    EXPECT(CKR_OK, p11->C_GetSlotList(CK_FALSE, ids, &count));

    assert_int_equal(count, ARRAY_LEN(expected));
    assert_memory_equal(ids, expected, sizeof(expected));
}

static void the_slot_list_follows_the_length_convention(void **state)
{
    CK_SLOT_ID ids[5] = {7, 7, 7, 7, 7};
    CK_ULONG count = 0;
    (void)state;

    EXPECT(CKR_ARGUMENTS_BAD, p11->C_GetSlotList(CK_FALSE, ids, NULL));
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_GetSlotList(CK_FALSE, NULL, NULL));
    EXPECT(CKR_OK, p11->C_GetSlotList(CK_FALSE, NULL, &count));
    assert_int_equal(count, 5);
    EXPECT(CKR_OK, p11->C_GetSlotList(CK_TRUE, NULL, &count));
    assert_int_equal(count, 4);
    count = 4;
    EXPECT(CKR_BUFFER_TOO_SMALL, p11->C_GetSlotList(CK_FALSE, ids, &count));
    assert_int_equal(count, 5);
    assert_int_equal(ids[0], 7);
    count = 0;
    EXPECT(CKR_BUFFER_TOO_SMALL, p11->C_GetSlotList(CK_TRUE, ids, &count));
    assert_int_equal(count, 4);
}

static void a_slot_or_token_that_is_not_there_is_told_first(void **state)
{
    static const CK_SLOT_ID nowhere[] = {0, 1, FAKE_PHONE - 1, FAKE_LATE, (CK_SLOT_ID)-1};
    CK_SLOT_INFO slot;
    CK_TOKEN_INFO token;
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(nowhere); i++) {
        EXPECT(CKR_SLOT_ID_INVALID, p11->C_GetSlotInfo(nowhere[i], &slot));
        EXPECT(CKR_SLOT_ID_INVALID, p11->C_GetSlotInfo(nowhere[i], NULL));
        EXPECT(CKR_SLOT_ID_INVALID, p11->C_GetTokenInfo(nowhere[i], &token));
        EXPECT(CKR_SLOT_ID_INVALID, p11->C_GetTokenInfo(nowhere[i], NULL));
    }
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_GetSlotInfo(FAKE_EMPTY, NULL));
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_GetTokenInfo(FAKE_PHONE, NULL));
    EXPECT(CKR_TOKEN_NOT_PRESENT, p11->C_GetTokenInfo(FAKE_EMPTY, &token));
}

static void slot_info_shows_the_slot(void **state)
{
    static const struct {
        CK_SLOT_ID id;
        CK_FLAGS flags;
    } rows[] = {
        {FAKE_PHONE, CKF_TOKEN_PRESENT | CKF_REMOVABLE_DEVICE},
        {FAKE_PIN, CKF_TOKEN_PRESENT | CKF_REMOVABLE_DEVICE},
        {FAKE_EMPTY, CKF_REMOVABLE_DEVICE}, /* else NSS gives the slot up for good */
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CK_SLOT_INFO info;
        memset(&info, 0xee, sizeof(info));
        EXPECT(CKR_OK, p11->C_GetSlotInfo(rows[i].id, &info));
        assert_memory_equal(info.slotDescription,
                            "A slot of the tests                                             ", 64);
        assert_memory_equal(info.manufacturerID, "VNPT SmartCA                    ", 32);
        assert_int_equal(info.flags, rows[i].flags);
    }
}

static void token_info_shows_the_token(void **state)
{
    CK_TOKEN_INFO info;
    (void)state;
    memset(&info, 0xee, sizeof(info));
    CK_SESSION_HANDLE session = stage_open(FAKE_PIN);
    (void)stage_open_rw(FAKE_PIN);

    EXPECT(CKR_OK, p11->C_GetTokenInfo(FAKE_PIN, &info));

    assert_memory_equal(info.label, "with PIN                        ", 32);
    assert_memory_equal(info.manufacturerID, "VNPT SmartCA                    ", 32);
    assert_memory_equal(info.model, "SmartCA         ", 16);
    assert_memory_equal(info.serialNumber, "0000000000001002", 16);
    assert_memory_equal(info.utcTime, "                ", 16);
    assert_int_equal(info.ulMinPinLen, 6);
    assert_int_equal(info.ulMaxPinLen, 64);
    assert_int_equal(info.ulMaxSessionCount, CK_EFFECTIVELY_INFINITE);
    assert_int_equal(info.ulMaxRwSessionCount, CK_EFFECTIVELY_INFINITE);
    assert_int_equal(info.ulSessionCount, 2);
    assert_int_equal(info.ulRwSessionCount, 1);
    assert_int_equal(info.ulTotalPublicMemory, CK_UNAVAILABLE_INFORMATION);
    assert_int_equal(info.ulFreePrivateMemory, CK_UNAVAILABLE_INFORMATION);

    EXPECT(CKR_OK, p11->C_CloseSession(session));
    EXPECT(CKR_OK, p11->C_GetTokenInfo(FAKE_PIN, &info));
    assert_int_equal(info.ulSessionCount, 1);
    assert_int_equal(info.ulRwSessionCount, 1);
}

static void a_label_is_cut_at_a_character(void **state)
{
    CK_TOKEN_INFO info;
    (void)state;

    EXPECT(CKR_OK, p11->C_GetTokenInfo(FAKE_PHONE, &info));

    assert_memory_equal(info.label, "Nguyễn Thị Minh Khai và Tr ", 32);
}

static void token_flags_say_what_a_login_needs(void **state)
{
    static const struct {
        CK_SLOT_ID id;
        CK_FLAGS flags;
    } rows[] = {
        {FAKE_PHONE, CKF_TOKEN_INITIALIZED | CKF_WRITE_PROTECTED},
        {FAKE_PIN, CKF_TOKEN_INITIALIZED | CKF_WRITE_PROTECTED | CKF_LOGIN_REQUIRED |
                       CKF_USER_PIN_INITIALIZED | CKF_RNG},
        {FAKE_NO_PIN, CKF_TOKEN_INITIALIZED | CKF_WRITE_PROTECTED | CKF_LOGIN_REQUIRED},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CK_TOKEN_INFO info;
        EXPECT(CKR_OK, p11->C_GetTokenInfo(rows[i].id, &info));
        assert_int_equal(info.flags, rows[i].flags);
    }
}

static void a_slot_found_by_discovery_is_in_the_first_list(void **state)
{
    CK_SLOT_ID ids[6];
    CK_ULONG count = 0;
    CK_TOKEN_INFO info;
    (void)state;
    fake_play((struct fake_script){.has_late_slot = true});
    EXPECT(CKR_SLOT_ID_INVALID, p11->C_CloseAllSessions(FAKE_LATE));
    CK_SESSION_HANDLE session = stage_open(FAKE_PHONE);

    EXPECT(CKR_OK, p11->C_GetSlotList(CK_FALSE, NULL, &count));
    assert_int_equal(count, 6);
    EXPECT(CKR_OK, p11->C_GetSlotList(CK_FALSE, ids, &count));

    assert_int_equal(count, 6);
    assert_int_equal(ids[5], FAKE_LATE);
    EXPECT(CKR_OK, p11->C_GetTokenInfo(FAKE_LATE, &info));
    EXPECT(CKR_OK, p11->C_CloseSession(session));
    assert_int_equal(fake_counted().live, 6);
}

static void a_list_without_memory_for_all_is_none(void **state)
{
    CK_SLOT_ID ids[6];
    CK_ULONG count = ARRAY_LEN(ids);
    (void)state;
    fake_play((struct fake_script){.has_late_slot = true, .tokens_status = SCA_NOMEM});

    EXPECT(CKR_HOST_MEMORY, p11->C_GetSlotList(CK_FALSE, ids, &count));
    EXPECT(CKR_HOST_MEMORY, p11->C_GetSlotList(CK_FALSE, NULL, &count));

    fake_play((struct fake_script){.has_late_slot = true});
    EXPECT(CKR_OK, p11->C_GetSlotList(CK_FALSE, ids, &count));
    assert_int_equal(count, 6);
    assert_int_equal(ids[5], FAKE_LATE);
    fake_play((struct fake_script){.has_late_slot = true, .tokens_status = SCA_NOMEM});
    EXPECT(CKR_HOST_MEMORY, p11->C_GetSlotList(CK_FALSE, NULL, &count));
}

static void discovery_is_done_once_and_by_no_other_call(void **state)
{
    CK_ULONG count = 0;
    CK_SLOT_INFO slot;
    CK_TOKEN_INFO token;
    (void)state;

    EXPECT(CKR_OK, p11->C_GetSlotInfo(FAKE_PHONE, &slot));
    EXPECT(CKR_OK, p11->C_GetTokenInfo(FAKE_PHONE, &token));
    (void)stage_find(stage_open(FAKE_PHONE), CKO_CERTIFICATE, NULL);
    assert_int_equal(fake_counted().discover, 0);

    for (int i = 0; i < 3; i++)
        EXPECT(CKR_OK, p11->C_GetSlotList(CK_FALSE, NULL, &count));
    assert_int_equal(fake_counted().discover, 1);

    EXPECT(CKR_OK, p11->C_Finalize(NULL));
    EXPECT(CKR_OK, p11->C_Initialize(NULL));
    EXPECT(CKR_OK, p11->C_GetSlotList(CK_FALSE, NULL, &count));
    assert_int_equal(fake_counted().discover, 2);
}

/* The first test of all: afterwards the process has had a list, and ids of it are looked for. */
static void a_wrong_id_before_any_list_asks_nobody(void **state)
{
    CK_TOKEN_INFO info;
    (void)state;
    fake_play((struct fake_script){.has_late_slot = true});

    EXPECT(CKR_SLOT_ID_INVALID, p11->C_GetTokenInfo(FAKE_LATE, &info));
    assert_int_equal(fake_counted().discover, 0);
}

static void an_id_of_an_earlier_list_is_looked_for_once(void **state)
{
    CK_ULONG count = 0;
    CK_TOKEN_INFO info;
    (void)state;
    fake_play((struct fake_script){.has_late_slot = true});
    EXPECT(CKR_OK, p11->C_GetSlotList(CK_FALSE, NULL, &count));
    EXPECT(CKR_OK, p11->C_Finalize(NULL));
    EXPECT(CKR_OK, p11->C_Initialize(NULL));
    unsigned before = fake_counted().discover;

    EXPECT(CKR_OK, p11->C_GetTokenInfo(FAKE_LATE, &info));
    EXPECT(CKR_SLOT_ID_INVALID, p11->C_GetTokenInfo(FAKE_LATE + 1000, &info));

    assert_int_equal(fake_counted().discover, before + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON(a_wrong_id_before_any_list_asks_nobody),
        ON(slots_are_listed_in_the_order_of_their_ids),
        OFF(a_default_is_listed_first_and_the_empty_slot_last),
        ON(the_slot_list_follows_the_length_convention),
        ON(a_slot_or_token_that_is_not_there_is_told_first),
        ON(slot_info_shows_the_slot),
        ON(token_info_shows_the_token),
        ON(a_label_is_cut_at_a_character),
        ON(token_flags_say_what_a_login_needs),
        ON(a_slot_found_by_discovery_is_in_the_first_list),
        ON(a_list_without_memory_for_all_is_none),
        ON(discovery_is_done_once_and_by_no_other_call),
        ON(an_id_of_an_earlier_list_is_looked_for_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
