/* SPDX-License-Identifier: Apache-2.0 */
/* C_GetMechanismList and C_GetMechanismInfo. */
#include "remote/base/cleanup.h"
#include "tests/module/stage.h"

enum { SIGNING = CKF_SIGN | CKF_VERIFY | CKF_MESSAGE_SIGN | CKF_MESSAGE_VERIFY };
enum { HASHING = SIGNING | CKF_MULTI_MESSAGE };

static const struct {
    CK_MECHANISM_TYPE type;
    CK_MECHANISM_INFO info;
} mechanisms[] = {
    {CKM_RSA_PKCS, {2048, 8192, SIGNING}},
    {CKM_SHA256_RSA_PKCS, {2048, 8192, HASHING}},
    {CKM_SHA384_RSA_PKCS, {2048, 8192, HASHING}},
    {CKM_SHA512_RSA_PKCS, {2048, 8192, HASHING}},
    {CKM_SHA_1, {0, 0, CKF_DIGEST}},
    {CKM_SHA256, {0, 0, CKF_DIGEST}},
    {CKM_SHA384, {0, 0, CKF_DIGEST}},
    {CKM_SHA512, {0, 0, CKF_DIGEST}},
};

static bool has(const CK_MECHANISM_TYPE *list, CK_ULONG count, CK_MECHANISM_TYPE type)
{
    for (CK_ULONG i = 0; i < count; i++)
        if (list[i] == type)
            return true;
    return false;
}

static void a_token_lists_what_it_signs_with_and_the_digests(void **state)
{
    CK_MECHANISM_TYPE list[16];
    CK_ULONG count = ARRAY_LEN(list);
    (void)state;

    EXPECT(CKR_OK, p11->C_GetMechanismList(FAKE_PIN, list, &count));
    assert_int_equal(count, ARRAY_LEN(mechanisms));
    for (size_t i = 0; i < ARRAY_LEN(mechanisms); i++)
        assert_true(has(list, count, mechanisms[i].type));

    count = ARRAY_LEN(list);
    EXPECT(CKR_OK, p11->C_GetMechanismList(FAKE_PHONE, list, &count));
    assert_int_equal(count, ARRAY_LEN(mechanisms) - 2);
    assert_false(has(list, count, CKM_SHA384_RSA_PKCS));
    assert_false(has(list, count, CKM_SHA512_RSA_PKCS));
}

static void the_mechanism_list_follows_the_length_convention(void **state)
{
    CK_MECHANISM_TYPE list[8];
    CK_ULONG count = 0;
    (void)state;

    EXPECT(CKR_ARGUMENTS_BAD, p11->C_GetMechanismList(FAKE_PIN, NULL, NULL));
    EXPECT(CKR_OK, p11->C_GetMechanismList(FAKE_PIN, NULL, &count));
    assert_int_equal(count, 8);
    count = 7;
    EXPECT(CKR_BUFFER_TOO_SMALL, p11->C_GetMechanismList(FAKE_PIN, list, &count));
    assert_int_equal(count, 8);
    EXPECT(CKR_OK, p11->C_GetMechanismList(FAKE_PIN, list, &count));
    EXPECT(CKR_SLOT_ID_INVALID, p11->C_GetMechanismList(0, list, &count));
    EXPECT(CKR_TOKEN_NOT_PRESENT, p11->C_GetMechanismList(FAKE_EMPTY, list, &count));
}

static void mechanism_info_tells_sizes_and_uses(void **state)
{
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(mechanisms); i++) {
        CK_MECHANISM_INFO info = {1, 1, 1};
        EXPECT(CKR_OK, p11->C_GetMechanismInfo(FAKE_PIN, mechanisms[i].type, &info));
        assert_memory_equal(&info, &mechanisms[i].info, sizeof(info));
    }
}

static void a_mechanism_not_in_the_list_has_no_info(void **state)
{
    static const CK_MECHANISM_TYPE unknown[] = {
        CKM_RSA_X_509, CKM_RSA_PKCS_PSS, CKM_SHA256_RSA_PKCS_PSS, CKM_SHA1_RSA_PKCS,
        CKM_ECDSA,     CKM_AES_GCM,      CKM_RSA_PKCS_OAEP,       (CK_MECHANISM_TYPE)-1};
    CK_MECHANISM_INFO info;
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(unknown); i++)
        EXPECT(CKR_MECHANISM_INVALID, p11->C_GetMechanismInfo(FAKE_PIN, unknown[i], &info));
    EXPECT(CKR_MECHANISM_INVALID, p11->C_GetMechanismInfo(FAKE_PHONE, CKM_SHA512_RSA_PKCS, &info));
    EXPECT(CKR_SLOT_ID_INVALID, p11->C_GetMechanismInfo(0, CKM_RSA_PKCS, &info));
    EXPECT(CKR_TOKEN_NOT_PRESENT, p11->C_GetMechanismInfo(FAKE_EMPTY, CKM_RSA_PKCS, &info));
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_GetMechanismInfo(FAKE_PIN, CKM_RSA_PKCS, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON(a_token_lists_what_it_signs_with_and_the_digests),
        ON(the_mechanism_list_follows_the_length_convention),
        ON(mechanism_info_tells_sizes_and_uses),
        ON(a_mechanism_not_in_the_list_has_no_info),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
