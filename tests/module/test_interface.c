/* SPDX-License-Identifier: Apache-2.0 */
/* The three lists against the standard's order of members, and the rules of C_GetInterface. */
#include <string.h>

#include "remote/base/cleanup.h"
#include "tests/module/stage.h"

#define AT(place, name)                                                                            \
    {                                                                                              \
#name, (place), offsetof(struct cryptoki_list_3_2, C_##name)                               \
    }

/* Where each member is, counted in pointers: the version takes the place of one. */
static const struct {
    const char *name;
    size_t place;
    size_t offset;
} members[] = {
    AT(1, Initialize),
    AT(2, Finalize),
    AT(3, GetInfo),
    AT(4, GetFunctionList),
    AT(5, GetSlotList),
    AT(6, GetSlotInfo),
    AT(7, GetTokenInfo),
    AT(8, GetMechanismList),
    AT(9, GetMechanismInfo),
    AT(10, InitToken),
    AT(11, InitPIN),
    AT(12, SetPIN),
    AT(13, OpenSession),
    AT(14, CloseSession),
    AT(15, CloseAllSessions),
    AT(16, GetSessionInfo),
    AT(17, GetOperationState),
    AT(18, SetOperationState),
    AT(19, Login),
    AT(20, Logout),
    AT(21, CreateObject),
    AT(22, CopyObject),
    AT(23, DestroyObject),
    AT(24, GetObjectSize),
    AT(25, GetAttributeValue),
    AT(26, SetAttributeValue),
    AT(27, FindObjectsInit),
    AT(28, FindObjects),
    AT(29, FindObjectsFinal),
    AT(30, EncryptInit),
    AT(31, Encrypt),
    AT(32, EncryptUpdate),
    AT(33, EncryptFinal),
    AT(34, DecryptInit),
    AT(35, Decrypt),
    AT(36, DecryptUpdate),
    AT(37, DecryptFinal),
    AT(38, DigestInit),
    AT(39, Digest),
    AT(40, DigestUpdate),
    AT(41, DigestKey),
    AT(42, DigestFinal),
    AT(43, SignInit),
    AT(44, Sign),
    AT(45, SignUpdate),
    AT(46, SignFinal),
    AT(47, SignRecoverInit),
    AT(48, SignRecover),
    AT(49, VerifyInit),
    AT(50, Verify),
    AT(51, VerifyUpdate),
    AT(52, VerifyFinal),
    AT(53, VerifyRecoverInit),
    AT(54, VerifyRecover),
    AT(55, DigestEncryptUpdate),
    AT(56, DecryptDigestUpdate),
    AT(57, SignEncryptUpdate),
    AT(58, DecryptVerifyUpdate),
    AT(59, GenerateKey),
    AT(60, GenerateKeyPair),
    AT(61, WrapKey),
    AT(62, UnwrapKey),
    AT(63, DeriveKey),
    AT(64, SeedRandom),
    AT(65, GenerateRandom),
    AT(66, GetFunctionStatus),
    AT(67, CancelFunction),
    AT(68, WaitForSlotEvent),
    AT(69, GetInterfaceList),
    AT(70, GetInterface),
    AT(71, LoginUser),
    AT(72, SessionCancel),
    AT(73, MessageEncryptInit),
    AT(74, EncryptMessage),
    AT(75, EncryptMessageBegin),
    AT(76, EncryptMessageNext),
    AT(77, MessageEncryptFinal),
    AT(78, MessageDecryptInit),
    AT(79, DecryptMessage),
    AT(80, DecryptMessageBegin),
    AT(81, DecryptMessageNext),
    AT(82, MessageDecryptFinal),
    AT(83, MessageSignInit),
    AT(84, SignMessage),
    AT(85, SignMessageBegin),
    AT(86, SignMessageNext),
    AT(87, MessageSignFinal),
    AT(88, MessageVerifyInit),
    AT(89, VerifyMessage),
    AT(90, VerifyMessageBegin),
    AT(91, VerifyMessageNext),
    AT(92, MessageVerifyFinal),
    AT(93, EncapsulateKey),
    AT(94, DecapsulateKey),
    AT(95, VerifySignatureInit),
    AT(96, VerifySignature),
    AT(97, VerifySignatureUpdate),
    AT(98, VerifySignatureFinal),
    AT(99, GetSessionValidationFlags),
    AT(100, AsyncComplete),
    AT(101, AsyncGetID),
    AT(102, AsyncJoin),
    AT(103, WrapKeyAuthenticated),
    AT(104, UnwrapKeyAuthenticated),
};

#define SAME_PLACE(name)                                                                           \
    assert_int_equal(offsetof(CK_FUNCTION_LIST, name), offsetof(struct cryptoki_list_3_2, name))

static void members_are_where_the_standard_has_them(void **state)
{
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        if (members[i].offset != members[i].place * sizeof(void *))
            fail_msg("C_%s is at %zu", members[i].name, members[i].offset);

    assert_int_equal(ARRAY_LEN(members), 104);
    assert_int_equal(sizeof(CK_FUNCTION_LIST), (1 + 68) * sizeof(void *));
    assert_int_equal(sizeof(struct cryptoki_list_3_0), (1 + 92) * sizeof(void *));
    assert_int_equal(sizeof(struct cryptoki_list_3_2), (1 + 104) * sizeof(void *));
    SAME_PLACE(C_GetTokenInfo);
    SAME_PLACE(C_FindObjects);
    SAME_PLACE(C_Sign);
    SAME_PLACE(C_WaitForSlotEvent);
}

static void what_the_system_header_lacks_has_the_standards_values(void **state)
{
    static const struct {
        unsigned long ours;
        unsigned long standard;
    } values[] = {
        {CKA_UNIQUE_ID, 0x4},
        {CKA_PROFILE_ID, 0x601},
        {CKO_PROFILE, 0x9},
        {CKP_BASELINE_PROVIDER, 1},
        {CKP_EXTENDED_PROVIDER, 2},
        {CKP_AUTHENTICATION_TOKEN, 3},
        {CKP_PUBLIC_CERTIFICATES_TOKEN, 4},
        {CKF_FIND_OBJECTS, 0x40},
        {CKF_MESSAGE_SIGN, 0x8},
        {CKF_MESSAGE_VERIFY, 0x10},
        {CKF_MULTI_MESSAGE, 0x20},
        {CKF_ASYNC_SESSION, 0x8},
        {CKF_ASYNC_SESSION_SUPPORTED, 0x04000000},
        {CKR_FUNCTION_REJECTED, 0x200},
        {CKR_TOKEN_RESOURCE_EXCEEDED, 0x201},
        {CKR_OPERATION_CANCEL_FAILED, 0x202},
        {CKR_PENDING, 0x204},
        {CKR_SESSION_ASYNC_NOT_SUPPORTED, 0x205},
        {CK_CERTIFICATE_CATEGORY_TOKEN_USER, 1},
        {CK_CERTIFICATE_CATEGORY_AUTHORITY, 2},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        assert_int_equal(values[i].ours, values[i].standard);
    assert_int_equal(offsetof(CK_INTERFACE, pFunctionList), sizeof(void *));
    assert_int_equal(offsetof(CK_INTERFACE, flags), 2 * sizeof(void *));
    assert_int_equal(sizeof(CK_INTERFACE), 3 * sizeof(void *));
    assert_int_equal(offsetof(CK_ASYNC_DATA, pValue), sizeof(CK_ULONG));
    assert_int_equal(offsetof(CK_ASYNC_DATA, ulValue), 2 * sizeof(void *));
    assert_int_equal(offsetof(CK_ASYNC_DATA, hObject), 3 * sizeof(void *));
    assert_int_equal(offsetof(CK_ASYNC_DATA, hAdditionalObject), 4 * sizeof(void *));
    assert_int_equal(sizeof(CK_ASYNC_DATA), 5 * sizeof(void *));
}

static void assert_filled(const void *list, size_t count)
{
    const unsigned char *bytes = list;
    const void *member = NULL;
    for (size_t i = 1; i <= count; i++) {
        memcpy(&member, bytes + i * sizeof(member), sizeof(member));
        if (!member)
            fail_msg("member %zu of %zu is NULL", i, count);
    }
}

static void three_interfaces_are_offered_newest_first(void **state)
{
    CK_INTERFACE offered[5] = {{NULL, NULL, 7}};
    CK_ULONG count = ARRAY_LEN(offered);
    static const struct {
        CK_VERSION version;
        size_t members;
    } expected[] = {{{3, 2}, 104}, {{3, 0}, 92}, {{2, 40}, 68}};
    (void)state;

    EXPECT(CKR_OK, C_GetInterfaceList(offered, &count));

    assert_int_equal(count, ARRAY_LEN(expected));
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        assert_string_equal((const char *)offered[i].pInterfaceName, "PKCS 11");
        assert_int_equal(offered[i].flags, 0);
        assert_memory_equal(offered[i].pFunctionList, &expected[i].version, sizeof(CK_VERSION));
        assert_filled(offered[i].pFunctionList, expected[i].members);
    }
}

static void the_lists_share_their_functions(void **state)
{
    CK_INTERFACE offered[3];
    CK_ULONG count = ARRAY_LEN(offered);
    (void)state;

    EXPECT(CKR_OK, C_GetInterfaceList(offered, &count));

    const unsigned char *newest = offered[0].pFunctionList;
    const unsigned char *middle = offered[1].pFunctionList;
    const unsigned char *legacy = offered[2].pFunctionList;
    assert_memory_equal(newest + sizeof(void *), middle + sizeof(void *), 92 * sizeof(void *));
    assert_memory_equal(newest + sizeof(void *), legacy + sizeof(void *), 68 * sizeof(void *));
}

static void the_list_of_interfaces_follows_the_length_convention(void **state)
{
    CK_INTERFACE offered[3];
    CK_ULONG count = 2;
    (void)state;

    EXPECT(CKR_ARGUMENTS_BAD, C_GetInterfaceList(offered, NULL));
    EXPECT(CKR_ARGUMENTS_BAD, C_GetInterfaceList(NULL, NULL));
    EXPECT(CKR_BUFFER_TOO_SMALL, C_GetInterfaceList(offered, &count));
    assert_int_equal(count, 3);
    count = 0;
    EXPECT(CKR_OK, C_GetInterfaceList(NULL, &count));
    assert_int_equal(count, 3);
    EXPECT(CKR_OK, p11->C_GetInterfaceList(NULL, &count));
}

static void an_interface_is_chosen_by_name_version_and_flags(void **state)
{
    CK_UTF8CHAR name[] = "PKCS 11";
    CK_UTF8CHAR vendor[] = "Vendor NSS Module Interface";
    CK_UTF8CHAR prefix[] = "PKCS";
    CK_VERSION v3_2 = {3, 2};
    CK_VERSION v3_0 = {3, 0};
    CK_VERSION v2_40 = {2, 40};
    CK_VERSION v2_20 = {2, 20};
    CK_VERSION v3_1 = {3, 1};
    CK_INTERFACE *newest = NULL;
    CK_INTERFACE *found = NULL;
    (void)state;

    EXPECT(CKR_ARGUMENTS_BAD, C_GetInterface(NULL, NULL, NULL, 0));
    EXPECT(CKR_OK, C_GetInterface(NULL, NULL, &newest, 0));
    assert_memory_equal(newest->pFunctionList, &v3_2, sizeof(v3_2));
    EXPECT(CKR_OK, C_GetInterface(name, NULL, &found, 0));
    assert_ptr_equal(found->pFunctionList, newest->pFunctionList);
    EXPECT(CKR_OK, C_GetInterface(name, &v3_0, &found, 0));
    assert_memory_equal(found->pFunctionList, &v3_0, sizeof(v3_0));
    EXPECT(CKR_OK, C_GetInterface(NULL, &v2_40, &found, 0));
    assert_memory_equal(found->pFunctionList, &v2_40, sizeof(v2_40));

    found = NULL;
    EXPECT(CKR_ARGUMENTS_BAD, C_GetInterface(name, &v2_20, &found, 0));
    EXPECT(CKR_ARGUMENTS_BAD, C_GetInterface(name, &v3_1, &found, 0));
    EXPECT(CKR_ARGUMENTS_BAD, C_GetInterface(vendor, NULL, &found, 0));
    EXPECT(CKR_ARGUMENTS_BAD, C_GetInterface(prefix, NULL, &found, 0));
    EXPECT(CKR_ARGUMENTS_BAD, C_GetInterface(NULL, NULL, &found, 1)); /* fork safe: we are not */
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_GetInterface(NULL, NULL, &found, 0x80));
    assert_null(found);
}

static void the_function_list_is_the_legacy_one_at_any_time(void **state)
{
    CK_FUNCTION_LIST *before = NULL;
    CK_FUNCTION_LIST *after = NULL;
    CK_INTERFACE *newest = NULL;
    CK_INTERFACE *later = NULL;
    (void)state;

    EXPECT(CKR_ARGUMENTS_BAD, C_GetFunctionList(NULL));
    EXPECT(CKR_OK, C_GetFunctionList(&before));
    EXPECT(CKR_OK, C_GetInterface(NULL, NULL, &newest, 0));
    EXPECT(CKR_OK, p11->C_Initialize(NULL));
    EXPECT(CKR_OK, p11->C_Finalize(NULL));
    EXPECT(CKR_OK, p11->C_GetFunctionList(&after));
    EXPECT(CKR_OK, C_GetInterface(NULL, NULL, &later, 0));

    assert_ptr_equal(before, after);
    assert_ptr_equal(newest->pFunctionList, later->pFunctionList);
    assert_int_equal(before->version.major, 2);
    assert_int_equal(before->version.minor, 40);
}

static void every_list_gives_the_same_answers(void **state)
{
    CK_VERSION v3_0 = {3, 0};
    CK_FUNCTION_LIST *legacy = NULL;
    CK_INTERFACE *found = NULL;
    CK_INFO infos[3];
    (void)state;

    EXPECT(CKR_OK, C_GetFunctionList(&legacy));
    EXPECT(CKR_OK, C_GetInterface(NULL, &v3_0, &found, 0));
    const struct cryptoki_list_3_0 *middle = found->pFunctionList;
    EXPECT(CKR_OK, legacy->C_GetInfo(&infos[0]));
    EXPECT(CKR_OK, middle->C_GetInfo(&infos[1]));
    EXPECT(CKR_OK, p11->C_GetInfo(&infos[2]));

    assert_memory_equal(&infos[0], &infos[1], sizeof(CK_INFO));
    assert_memory_equal(&infos[0], &infos[2], sizeof(CK_INFO));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OFF(members_are_where_the_standard_has_them),
        OFF(what_the_system_header_lacks_has_the_standards_values),
        OFF(three_interfaces_are_offered_newest_first),
        OFF(the_lists_share_their_functions),
        OFF(the_list_of_interfaces_follows_the_length_convention),
        OFF(an_interface_is_chosen_by_name_version_and_flags),
        OFF(the_function_list_is_the_legacy_one_at_any_time),
        ON(every_list_gives_the_same_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
