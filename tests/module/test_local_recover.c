/* SPDX-License-Identifier: Apache-2.0 */
/* C_SignRecover and C_VerifyRecover. */
#include <string.h>

#include "remote/base/cleanup.h"
#include "tests/module/local_stage.h"

static CK_MECHANISM rsa_pkcs = {.mechanism = CKM_RSA_PKCS};

enum { LENGTH = 256 };

/* A signature of MESSAGE that can be opened. */
static void sign(CK_SESSION_HANDLE session, struct disk_pair pair, CK_BYTE *signature)
{
    CK_ULONG len = LENGTH;
    EXPECT(CKR_OK, p11->C_SignRecoverInit(session, &rsa_pkcs, pair.private_key));
    EXPECT(CKR_OK, p11->C_SignRecover(session, MESSAGE, MESSAGE_LEN, signature, &len));
    assert_int_equal(len, LENGTH);
    assert_false(local_is_busy(session));
}

static void what_was_signed_comes_back(void **state)
{
    static const CK_ULONG lengths[] = {0, 1, 51, 245};
    CK_BYTE data[245];
    (void)state;
    memset(data, 'd', sizeof(data));
    CK_SESSION_HANDLE session = disk_logged_in();
    struct disk_pair pair = local_generate(session, LOCAL_RSA, CK_TRUE, NULL);

    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        CK_BYTE signature[LENGTH];
        CK_BYTE back[LENGTH];
        CK_ULONG len = 0;
        EXPECT(CKR_OK, p11->C_SignRecoverInit(session, &rsa_pkcs, pair.private_key));
        EXPECT(CKR_OK, p11->C_SignRecover(session, data, lengths[i], NULL, &len));
        assert_int_equal(len, LENGTH);
        len--;
        EXPECT(CKR_BUFFER_TOO_SMALL,
               p11->C_SignRecover(session, data, lengths[i], signature, &len));
        assert_int_equal(len, LENGTH);
        EXPECT(CKR_OK, p11->C_SignRecover(session, data, lengths[i], signature, &len));

        EXPECT(CKR_OK, p11->C_VerifyRecoverInit(session, &rsa_pkcs, pair.public_key));
        EXPECT(CKR_OK, p11->C_VerifyRecover(session, signature, LENGTH, NULL, &len));
        assert_int_equal(len, lengths[i]);
        if (lengths[i]) {
            len--;
            EXPECT(CKR_BUFFER_TOO_SMALL,
                   p11->C_VerifyRecover(session, signature, LENGTH, back, &len));
            assert_int_equal(len, lengths[i]);
        }
        EXPECT(CKR_OK, p11->C_VerifyRecover(session, signature, LENGTH, back, &len));
        assert_int_equal(len, lengths[i]);
        assert_memory_equal(back, data, len);
        assert_false(local_is_busy(session));
    }
}

static void it_is_the_signature_that_c_sign_makes(void **state)
{
    CK_BYTE signature[LENGTH];
    CK_BYTE other[LENGTH];
    CK_ULONG len = LENGTH;
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();
    struct disk_pair pair = local_generate(session, LOCAL_RSA, CK_TRUE, NULL);
    sign(session, pair, signature);

    EXPECT(CKR_OK, p11->C_SignInit(session, &rsa_pkcs, pair.private_key));
    EXPECT(CKR_OK, p11->C_Sign(session, MESSAGE, MESSAGE_LEN, other, &len));

    assert_memory_equal(signature, other, LENGTH);
    EXPECT(CKR_OK, p11->C_VerifyInit(session, &rsa_pkcs, pair.public_key));
    EXPECT(CKR_OK, p11->C_Verify(session, MESSAGE, MESSAGE_LEN, signature, LENGTH));
}

static void what_is_no_signature_gives_nothing(void **state)
{
    CK_BYTE signature[LENGTH + 1] = {0};
    CK_BYTE back[LENGTH];
    CK_ULONG len = LENGTH;
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();
    struct disk_pair pair = local_generate(session, LOCAL_RSA, CK_TRUE, NULL);
    sign(session, pair, signature);
    memset(back, 0xee, sizeof(back));

    EXPECT(CKR_OK, p11->C_VerifyRecoverInit(session, &rsa_pkcs, pair.public_key));
    EXPECT(CKR_SIGNATURE_LEN_RANGE,
           p11->C_VerifyRecover(session, signature, LENGTH - 1, back, &len));
    assert_false(local_is_busy(session));
    EXPECT(CKR_OK, p11->C_VerifyRecoverInit(session, &rsa_pkcs, pair.public_key));
    EXPECT(CKR_SIGNATURE_LEN_RANGE,
           p11->C_VerifyRecover(session, signature, LENGTH + 1, back, &len));
    signature[3] ^= 1;
    EXPECT(CKR_OK, p11->C_VerifyRecoverInit(session, &rsa_pkcs, pair.public_key));
    EXPECT(CKR_SIGNATURE_INVALID, p11->C_VerifyRecover(session, signature, LENGTH, back, &len));
    assert_false(local_is_busy(session));
    assert_int_equal(len, LENGTH);
    assert_int_equal(back[0], 0xee);
}

static void wrong_arguments_end_it(void **state)
{
    CK_BYTE bytes[LENGTH] = {0};
    CK_BYTE data[246] = {0};
    CK_ULONG len = LENGTH;
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();
    struct disk_pair pair = local_generate(session, LOCAL_RSA, CK_TRUE, NULL);

    EXPECT(CKR_OK, p11->C_SignRecoverInit(session, &rsa_pkcs, pair.private_key));
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_SignRecover(session, data, 1, bytes, NULL));
    assert_false(local_is_busy(session));
    EXPECT(CKR_OK, p11->C_SignRecoverInit(session, &rsa_pkcs, pair.private_key));
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_SignRecover(session, NULL, 1, bytes, &len));
    assert_false(local_is_busy(session));
    EXPECT(CKR_OK, p11->C_SignRecoverInit(session, &rsa_pkcs, pair.private_key));
    EXPECT(CKR_DATA_LEN_RANGE, p11->C_SignRecover(session, data, sizeof(data), bytes, &len));
    assert_false(local_is_busy(session));
    EXPECT(CKR_OK, p11->C_VerifyRecoverInit(session, &rsa_pkcs, pair.public_key));
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_VerifyRecover(session, NULL, LENGTH, bytes, &len));
    assert_false(local_is_busy(session));
    EXPECT(CKR_OK, p11->C_VerifyRecoverInit(session, &rsa_pkcs, pair.public_key));
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_VerifyRecover(session, bytes, LENGTH, data, NULL));
    assert_false(local_is_busy(session));
}

static void key_and_mechanism_decide(void **state)
{
    CK_MECHANISM others[] = {{.mechanism = CKM_SHA256_RSA_PKCS},
                             {.mechanism = CKM_RSA_PKCS_PSS},
                             {.mechanism = CKM_ECDSA},
                             {.mechanism = CKM_RSA_X_509}};
    CK_BBOOL no = CK_FALSE;
    CK_ATTRIBUTE silent = {CKA_SIGN_RECOVER, &no, sizeof(no)};
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();
    struct disk_pair pair = local_generate(session, LOCAL_RSA, CK_TRUE, NULL);
    struct disk_pair ec = local_generate(session, LOCAL_P256, CK_TRUE, NULL);

    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        EXPECT(CKR_MECHANISM_INVALID,
               p11->C_SignRecoverInit(session, &others[i], pair.private_key));
        EXPECT(CKR_MECHANISM_INVALID,
               p11->C_VerifyRecoverInit(session, &others[i], pair.public_key));
    }
    EXPECT(CKR_KEY_FUNCTION_NOT_PERMITTED,
           p11->C_SignRecoverInit(session, &rsa_pkcs, pair.public_key));
    EXPECT(CKR_KEY_FUNCTION_NOT_PERMITTED,
           p11->C_VerifyRecoverInit(session, &rsa_pkcs, pair.private_key));
    EXPECT(CKR_KEY_TYPE_INCONSISTENT, p11->C_SignRecoverInit(session, &rsa_pkcs, ec.private_key));
    EXPECT(CKR_KEY_HANDLE_INVALID, p11->C_SignRecoverInit(session, &rsa_pkcs, 0));
    EXPECT(CKR_KEY_HANDLE_INVALID, p11->C_VerifyRecoverInit(session, &rsa_pkcs, 0));
    EXPECT(CKR_OK, p11->C_SetAttributeValue(session, pair.private_key, &silent, 1));
    /* Having just signed with it, the session has a signer of the same key and mechanism. */
    EXPECT(CKR_OK, local_sign(session, CKM_RSA_PKCS, pair.private_key));
    EXPECT(CKR_KEY_FUNCTION_NOT_PERMITTED,
           p11->C_SignRecoverInit(session, &rsa_pkcs, pair.private_key));
    assert_false(local_is_busy(session));
}

static void beginning_and_ending_follow_the_rules(void **state)
{
    CK_BYTE bytes[LENGTH] = {0};
    CK_ULONG len = LENGTH;
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();
    struct disk_pair pair = local_generate(session, LOCAL_RSA, CK_TRUE, NULL);

    EXPECT(CKR_OPERATION_NOT_INITIALIZED, p11->C_SignRecover(session, bytes, 1, bytes, &len));
    EXPECT(CKR_OPERATION_NOT_INITIALIZED,
           p11->C_VerifyRecover(session, bytes, LENGTH, bytes, &len));
    EXPECT(CKR_OK, p11->C_SignRecoverInit(session, &rsa_pkcs, pair.private_key));
    EXPECT(CKR_OPERATION_ACTIVE, p11->C_SignRecoverInit(session, &rsa_pkcs, pair.private_key));
    EXPECT(CKR_OPERATION_ACTIVE, p11->C_SignInit(session, &rsa_pkcs, pair.private_key));
    EXPECT(CKR_OPERATION_ACTIVE, p11->C_VerifyRecoverInit(session, &rsa_pkcs, pair.public_key));
    EXPECT(CKR_OPERATION_NOT_INITIALIZED, p11->C_Sign(session, bytes, 1, bytes, &len));
    EXPECT(CKR_OPERATION_NOT_INITIALIZED,
           p11->C_VerifyRecover(session, bytes, LENGTH, bytes, &len));
    EXPECT(CKR_OK, p11->C_SignRecoverInit(session, NULL, 0));
    assert_false(local_is_busy(session));
    EXPECT(CKR_OK, p11->C_VerifyRecoverInit(session, &rsa_pkcs, pair.public_key));
    EXPECT(CKR_OPERATION_ACTIVE, p11->C_SignRecoverInit(session, &rsa_pkcs, pair.private_key));
    EXPECT(CKR_OK, p11->C_VerifyRecoverInit(session, NULL, 0));
    assert_false(local_is_busy(session));
    EXPECT(CKR_OK, p11->C_SignRecoverInit(session, &rsa_pkcs, pair.private_key));
    EXPECT(CKR_OK, p11->C_Logout(session));
    EXPECT(CKR_OPERATION_NOT_INITIALIZED, p11->C_SignRecover(session, bytes, 1, bytes, &len));
}

static void a_token_whose_keys_are_elsewhere_has_no_such_function(void **state)
{
    CK_BYTE bytes[LENGTH] = {0};
    CK_ULONG len = LENGTH;
    CK_MECHANISM_INFO info = {0, 0, 0};
    (void)state;
    CK_SESSION_HANDLE session = stage_open(FAKE_PHONE);
    CK_OBJECT_HANDLE key = stage_find(session, CKO_PRIVATE_KEY, FAKE_KEY);

    EXPECT(CKR_FUNCTION_NOT_SUPPORTED, p11->C_SignRecoverInit(session, &rsa_pkcs, key));
    EXPECT(CKR_FUNCTION_NOT_SUPPORTED, p11->C_SignRecover(session, bytes, 1, bytes, &len));
    EXPECT(CKR_FUNCTION_NOT_SUPPORTED, p11->C_VerifyRecoverInit(session, &rsa_pkcs, key));
    EXPECT(CKR_FUNCTION_NOT_SUPPORTED, p11->C_VerifyRecover(session, bytes, LENGTH, bytes, &len));
    EXPECT(CKR_OK, p11->C_GetMechanismInfo(FAKE_PHONE, CKM_RSA_PKCS, &info));
    assert_int_equal(info.flags, CKF_SIGN | CKF_VERIFY | CKF_MESSAGE_SIGN | CKF_MESSAGE_VERIFY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        disk_test(what_was_signed_comes_back),
        disk_test(it_is_the_signature_that_c_sign_makes),
        disk_test(what_is_no_signature_gives_nothing),
        disk_test(wrong_arguments_end_it),
        disk_test(key_and_mechanism_decide),
        disk_test(beginning_and_ending_follow_the_rules),
        disk_test(a_token_whose_keys_are_elsewhere_has_no_such_function),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
