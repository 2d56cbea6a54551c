/* SPDX-License-Identifier: Apache-2.0 */
/* Which key may be used for what, when it is loaded, and when the one used last is used again. */
#include <string.h>

#include "remote/base/cleanup.h"
#include "tests/module/local_stage.h"

static CK_BBOOL no = CK_FALSE;

static CK_RV verify_init(CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE key)
{
    CK_MECHANISM mechanism = {.mechanism = type};
    return p11->C_VerifyInit(session, &mechanism, key);
}

static void key_and_mechanism_decide(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();
    struct disk_pair rsa = local_generate(session, LOCAL_RSA, CK_TRUE, NULL);
    struct disk_pair ec = local_generate(session, LOCAL_P256, CK_TRUE, NULL);
    struct disk_pair ed = local_generate(session, LOCAL_ED25519, CK_FALSE, NULL);
    CK_OBJECT_HANDLE data = disk_create_data(session, "note", CK_TRUE, CK_FALSE);
    const struct {
        CK_MECHANISM_TYPE type;
        CK_OBJECT_HANDLE key;
        CK_RV to_sign;
        CK_RV to_verify;
    } rows[] = {
        {CKM_RSA_PKCS, rsa.private_key, CKR_OK, CKR_KEY_FUNCTION_NOT_PERMITTED},
        {CKM_RSA_PKCS, rsa.public_key, CKR_KEY_FUNCTION_NOT_PERMITTED, CKR_OK},
        {CKM_ECDSA, ec.public_key, CKR_KEY_FUNCTION_NOT_PERMITTED, CKR_OK},
        {CKM_RSA_PKCS, ec.private_key, CKR_KEY_TYPE_INCONSISTENT, CKR_KEY_TYPE_INCONSISTENT},
        {CKM_ECDSA, rsa.private_key, CKR_KEY_TYPE_INCONSISTENT, CKR_KEY_TYPE_INCONSISTENT},
        {CKM_EDDSA, ec.private_key, CKR_KEY_TYPE_INCONSISTENT, CKR_KEY_TYPE_INCONSISTENT},
        {CKM_ECDSA_SHA256, ed.private_key, CKR_KEY_TYPE_INCONSISTENT, CKR_KEY_TYPE_INCONSISTENT},
        {CKM_EDDSA, ed.private_key, CKR_OK, CKR_KEY_FUNCTION_NOT_PERMITTED},
        {CKM_ECDSA_SHA1, ec.private_key, CKR_OK, CKR_KEY_FUNCTION_NOT_PERMITTED},
        {CKM_SHA1_RSA_PKCS, rsa.private_key, CKR_MECHANISM_INVALID, CKR_MECHANISM_INVALID},
        {CKM_RSA_X_509, rsa.private_key, CKR_MECHANISM_INVALID, CKR_MECHANISM_INVALID},
        {CKM_SHA256, rsa.private_key, CKR_MECHANISM_INVALID, CKR_MECHANISM_INVALID},
        {CKM_RSA_PKCS_KEY_PAIR_GEN, rsa.private_key, CKR_MECHANISM_INVALID, CKR_MECHANISM_INVALID},
        {CKM_RSA_PKCS_PSS, rsa.private_key, CKR_MECHANISM_PARAM_INVALID,
         CKR_MECHANISM_PARAM_INVALID},
        {CKM_RSA_PKCS, data, CKR_KEY_HANDLE_INVALID, CKR_KEY_HANDLE_INVALID},
        {CKM_RSA_X_509, data, CKR_KEY_HANDLE_INVALID, CKR_KEY_HANDLE_INVALID},
        {CKM_RSA_PKCS, 0, CKR_KEY_HANDLE_INVALID, CKR_KEY_HANDLE_INVALID},
        {CKM_RSA_PKCS, (CK_OBJECT_HANDLE)-1, CKR_KEY_HANDLE_INVALID, CKR_KEY_HANDLE_INVALID},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CK_RV signing = stage_sign_init(session, rows[i].type, rows[i].key);
        assert_int_equal(local_is_busy(session), signing == CKR_OK);
        EXPECT(CKR_OK, p11->C_SignInit(session, NULL, 0));
        CK_RV verifying = verify_init(session, rows[i].type, rows[i].key);
        assert_int_equal(local_is_busy(session), verifying == CKR_OK);
        EXPECT(CKR_OK, p11->C_VerifyInit(session, NULL, 0));
        if (signing != rows[i].to_sign || verifying != rows[i].to_verify)
            fail_msg("row %zu: %s, %s", i, stage_name(signing), stage_name(verifying));
    }
}

static void what_the_key_forbids_is_refused(void **state)
{
    CK_MECHANISM_TYPE allowed[] = {CKM_ECDSA_SHA256, CKM_ECDSA_SHA384};
    CK_ATTRIBUTE silent = {CKA_SIGN, &no, sizeof(no)};
    CK_ATTRIBUTE some = {CKA_ALLOWED_MECHANISMS, allowed, sizeof(allowed)};
    CK_ATTRIBUTE none = {CKA_ALLOWED_MECHANISMS, NULL, 0};
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();

    struct disk_pair pair = local_generate(session, LOCAL_P256, CK_TRUE, &silent);
    EXPECT(CKR_KEY_FUNCTION_NOT_PERMITTED, local_sign(session, CKM_ECDSA, pair.private_key));
    pair = local_generate(session, LOCAL_P256, CK_TRUE, &some);
    EXPECT(CKR_MECHANISM_INVALID, local_sign(session, CKM_ECDSA, pair.private_key));
    EXPECT(CKR_MECHANISM_INVALID, local_sign(session, CKM_ECDSA_SHA512, pair.private_key));
    EXPECT(CKR_OK, local_sign(session, CKM_ECDSA_SHA256, pair.private_key));
    EXPECT(CKR_OK, local_sign(session, CKM_ECDSA_SHA384, pair.private_key));
    pair = local_generate(session, LOCAL_P256, CK_TRUE, &none);
    EXPECT(CKR_OK, local_sign(session, CKM_ECDSA, pair.private_key));
    assert_false(local_is_busy(session));
}

static void a_salt_that_does_not_fit_the_key_is_refused(void **state)
{
    struct local_mechanism room;
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();
    struct disk_pair pair = local_generate(session, LOCAL_RSA, CK_FALSE, NULL);
    CK_MECHANISM *mechanism = local_mechanism(&room, CKM_RSA_PKCS_PSS, CKM_SHA256);

    static const CK_ULONG bad[] = {223, 256, 0x7fffffff, 0xffffffff, (CK_ULONG)-1, (CK_ULONG)-2};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        room.pss.sLen = bad[i];
        EXPECT(CKR_MECHANISM_PARAM_INVALID, p11->C_SignInit(session, mechanism, pair.private_key));
        EXPECT(CKR_MECHANISM_PARAM_INVALID, p11->C_VerifyInit(session, mechanism, pair.public_key));
    }
    room.pss.sLen = 222;
    EXPECT(CKR_OK, p11->C_SignInit(session, mechanism, pair.private_key));
}

static void the_key_is_loaded_once_and_stays_with_the_session(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();
    struct disk_pair pair = local_generate(session, LOCAL_P256, CK_TRUE, NULL);

    for (int i = 0; i < 10; i++)
        EXPECT(CKR_OK, local_sign(session, CKM_ECDSA, pair.private_key));
    assert_int_equal(fake_disk_loads(), 1);
    for (int i = 0; i < 3; i++)
        EXPECT(CKR_OK, local_sign(session, CKM_ECDSA_SHA256, pair.private_key));
    assert_int_equal(fake_disk_loads(), 2);
    CK_SESSION_HANDLE other = stage_open(FAKE_DISK);
    EXPECT(CKR_OK, local_sign(other, CKM_ECDSA_SHA256, pair.private_key));
    assert_int_equal(fake_disk_loads(), 3);
}

/* The same mechanism with other parameters, another key, verifying: none gets the wrong signer. */
static void only_what_fits_is_used_again(void **state)
{
    CK_BYTE signature[LOCAL_SIGNATURE_MAX];
    struct local_mechanism salted;
    struct local_mechanism unsalted;
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();
    struct disk_pair a = local_generate(session, LOCAL_RSA, CK_TRUE, NULL);
    struct disk_pair b = local_generate(session, LOCAL_RSA, CK_TRUE, NULL);
    CK_MECHANISM *mechanisms[] = {
        local_mechanism(&salted, CKM_RSA_PKCS_PSS, CKM_SHA256),
        local_mechanism(&unsalted, CKM_RSA_PKCS_PSS, CKM_SHA256),
    };
    unsalted.pss.sLen = 0;

    for (int i = 0; i < 4; i++) {
        struct disk_pair pair = i % 2 ? a : b;
        CK_MECHANISM *mechanism = mechanisms[i / 2];
        CK_ULONG len = sizeof(signature);
        EXPECT(CKR_OK, p11->C_SignInit(session, mechanism, pair.private_key));
        EXPECT(CKR_OK, p11->C_Sign(session, DIGEST, DIGEST_LEN, signature, &len));
        EXPECT(CKR_OK, p11->C_VerifyInit(session, mechanism, pair.public_key));
        EXPECT(CKR_OK, p11->C_Verify(session, DIGEST, DIGEST_LEN, signature, len));
        EXPECT(CKR_OK, p11->C_VerifyInit(session, mechanisms[1 - i / 2], pair.public_key));
        EXPECT(CKR_SIGNATURE_INVALID, p11->C_Verify(session, DIGEST, DIGEST_LEN, signature, len));
        EXPECT(CKR_OK, p11->C_VerifyInit(session, mechanism, i % 2 ? b.public_key : a.public_key));
        EXPECT(CKR_SIGNATURE_INVALID, p11->C_Verify(session, DIGEST, DIGEST_LEN, signature, len));
    }
}

static void a_changed_or_destroyed_key_is_not_used_any_more(void **state)
{
    CK_ATTRIBUTE silent = {CKA_SIGN, &no, sizeof(no)};
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();

    for (int on_token = 0; on_token <= 1; on_token++) {
        struct disk_pair pair =
            local_generate(session, LOCAL_P256, on_token ? CK_TRUE : CK_FALSE, NULL);
        EXPECT(CKR_OK, local_sign(session, CKM_ECDSA, pair.private_key));
        EXPECT(CKR_OK, p11->C_SetAttributeValue(session, pair.private_key, &silent, 1));
        EXPECT(CKR_KEY_FUNCTION_NOT_PERMITTED, local_sign(session, CKM_ECDSA, pair.private_key));
        pair = local_generate(session, LOCAL_P256, on_token ? CK_TRUE : CK_FALSE, NULL);
        EXPECT(CKR_OK, local_sign(session, CKM_ECDSA, pair.private_key));
        EXPECT(CKR_OK, p11->C_DestroyObject(session, pair.private_key));
        EXPECT(CKR_KEY_HANDLE_INVALID, local_sign(session, CKM_ECDSA, pair.private_key));
    }
}

static void a_key_of_a_session_is_there_for_all_and_dies_with_it(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();
    CK_SESSION_HANDLE other = stage_open(FAKE_DISK);
    struct disk_pair pair = local_generate(session, LOCAL_P256, CK_FALSE, NULL);

    EXPECT(CKR_OK, local_sign(session, CKM_ECDSA, pair.private_key));
    EXPECT(CKR_OK, local_sign(other, CKM_ECDSA, pair.private_key));
    EXPECT(CKR_OK, p11->C_CloseSession(session));
    EXPECT(CKR_KEY_HANDLE_INVALID, local_sign(other, CKM_ECDSA, pair.private_key));
    assert_int_equal(fake_disk_loads(), 0);
}

static void logout_takes_the_keys_away(void **state)
{
    CK_BYTE signature[LOCAL_SIGNATURE_MAX];
    CK_ULONG len = sizeof(signature);
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();
    struct disk_pair pair = local_generate(session, LOCAL_P256, CK_TRUE, NULL);
    EXPECT(CKR_OK, local_sign(session, CKM_ECDSA, pair.private_key));
    EXPECT(CKR_OK, stage_sign_init(session, CKM_ECDSA, pair.private_key));

    EXPECT(CKR_OK, p11->C_Logout(session));

    EXPECT(CKR_OPERATION_NOT_INITIALIZED,
           p11->C_Sign(session, DIGEST, DIGEST_LEN, signature, &len));
    EXPECT(CKR_KEY_HANDLE_INVALID, local_sign(session, CKM_ECDSA, pair.private_key));
    EXPECT(CKR_OK, verify_init(session, CKM_ECDSA, pair.public_key));
    EXPECT(CKR_OK, p11->C_VerifyInit(session, NULL, 0));
    assert_int_equal(fake_disk_loads(), 1);
    EXPECT(CKR_OK, stage_login(session, FAKE_PIN_TEXT));
    EXPECT(CKR_OK, local_sign(session, CKM_ECDSA, pair.private_key));
    assert_int_equal(fake_disk_loads(), 2);
}

static void the_officer_signs_nothing(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();
    struct disk_pair pair = local_generate(session, LOCAL_P256, CK_TRUE, NULL);
    EXPECT(CKR_OK, p11->C_Logout(session));
    EXPECT(CKR_OK, disk_login_so(session, FAKE_SO_PIN_TEXT));

    EXPECT(CKR_KEY_HANDLE_INVALID, local_sign(session, CKM_ECDSA, pair.private_key));
}

static void a_key_that_cannot_be_loaded_begins_nothing(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();
    struct disk_pair pair = local_generate(session, LOCAL_P256, CK_TRUE, NULL);

    fake_disk_fail(SCA_IO);
    EXPECT(CKR_DEVICE_ERROR, stage_sign_init(session, CKM_ECDSA, pair.private_key));
    assert_false(local_is_busy(session));
    fake_disk_fail(SCA_NOMEM);
    EXPECT(CKR_HOST_MEMORY, stage_sign_init(session, CKM_ECDSA, pair.private_key));
    assert_false(local_is_busy(session));
    fake_disk_fail(SCA_OK);
    EXPECT(CKR_OK, local_sign(session, CKM_ECDSA, pair.private_key));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        disk_test(key_and_mechanism_decide),
        disk_test(what_the_key_forbids_is_refused),
        disk_test(a_salt_that_does_not_fit_the_key_is_refused),
        disk_test(the_key_is_loaded_once_and_stays_with_the_session),
        disk_test(only_what_fits_is_used_again),
        disk_test(a_changed_or_destroyed_key_is_not_used_any_more),
        disk_test(a_key_of_a_session_is_there_for_all_and_dies_with_it),
        disk_test(logout_takes_the_keys_away),
        disk_test(the_officer_signs_nothing),
        disk_test(a_key_that_cannot_be_loaded_begins_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
