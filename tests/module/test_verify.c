/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "remote/base/cleanup.h"
#include "tests/module/stage.h"

static CK_BYTE good[SIGNATURE_LEN];

/* A signature of MESSAGE, and a session with a verification of it begun. */
static CK_SESSION_HANDLE verifying(CK_MECHANISM_TYPE type)
{
    CK_ULONG len = sizeof(good);
    CK_MECHANISM mechanism = {.mechanism = type};
    CK_SESSION_HANDLE session = stage_signing(FAKE_PIN, type);
    EXPECT(CKR_OK, p11->C_Sign(session, MESSAGE, MESSAGE_LEN, good, &len));
    EXPECT(CKR_OK,
           p11->C_VerifyInit(session, &mechanism, stage_find(session, CKO_PUBLIC_KEY, FAKE_KEY)));
    return session;
}

static bool was_verifying(CK_SESSION_HANDLE session)
{
    return p11->C_Verify(session, MESSAGE, MESSAGE_LEN, NULL, 0) == CKR_ARGUMENTS_BAD;
}

static void a_signature_verifies_with_every_mechanism(void **state)
{
    static const CK_MECHANISM_TYPE types[] = {CKM_RSA_PKCS, CKM_SHA256_RSA_PKCS,
                                              CKM_SHA384_RSA_PKCS, CKM_SHA512_RSA_PKCS};
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        CK_SESSION_HANDLE session = verifying(types[i]);
        EXPECT(CKR_OK, p11->C_Verify(session, MESSAGE, MESSAGE_LEN, good, sizeof(good)));
        assert_false(was_verifying(session));
    }
}

static void what_does_not_fit_is_told_apart(void **state)
{
    CK_BYTE bad[SIGNATURE_LEN + 1];
    (void)state;

    CK_SESSION_HANDLE session = verifying(CKM_SHA256_RSA_PKCS);
    memcpy(bad, good, SIGNATURE_LEN);
    bad[100] ^= 1;
    EXPECT(CKR_SIGNATURE_INVALID, p11->C_Verify(session, MESSAGE, MESSAGE_LEN, bad, SIGNATURE_LEN));
    assert_false(was_verifying(session));
    session = verifying(CKM_SHA256_RSA_PKCS);
    EXPECT(CKR_SIGNATURE_INVALID, p11->C_Verify(session, MESSAGE, 3, good, SIGNATURE_LEN));
    session = verifying(CKM_RSA_PKCS);
    EXPECT(CKR_SIGNATURE_INVALID, p11->C_Verify(session, NULL, 0, good, SIGNATURE_LEN));
    session = verifying(CKM_SHA256_RSA_PKCS);
    EXPECT(CKR_SIGNATURE_LEN_RANGE, p11->C_Verify(session, MESSAGE, MESSAGE_LEN, good, 255));
    session = verifying(CKM_SHA256_RSA_PKCS);
    EXPECT(CKR_SIGNATURE_LEN_RANGE, p11->C_Verify(session, MESSAGE, MESSAGE_LEN, bad, 257));
    session = verifying(CKM_SHA256_RSA_PKCS);
    EXPECT(CKR_SIGNATURE_LEN_RANGE, p11->C_Verify(session, MESSAGE, MESSAGE_LEN, good, 0));
    assert_false(was_verifying(session));
}

static void pointers_are_checked_and_end_it(void **state)
{
    (void)state;

    CK_SESSION_HANDLE session = verifying(CKM_SHA256_RSA_PKCS);
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_Verify(session, NULL, 5, good, SIGNATURE_LEN));
    assert_false(was_verifying(session));
    session = verifying(CKM_SHA256_RSA_PKCS);
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_VerifyUpdate(session, NULL, 5));
    assert_false(was_verifying(session));
    session = verifying(CKM_SHA256_RSA_PKCS);
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_VerifyFinal(session, NULL, SIGNATURE_LEN));
    assert_false(was_verifying(session));
}

static void parts_verify_as_the_whole_does(void **state)
{
    (void)state;

    for (CK_ULONG cut = 0; cut <= MESSAGE_LEN; cut++) {
        CK_SESSION_HANDLE session = verifying(CKM_SHA256_RSA_PKCS);
        EXPECT(CKR_OK, p11->C_VerifyUpdate(session, MESSAGE, cut));
        EXPECT(CKR_OK, p11->C_VerifyUpdate(session, MESSAGE + cut, MESSAGE_LEN - cut));
        EXPECT(CKR_OK, p11->C_VerifyFinal(session, good, SIGNATURE_LEN));
    }
    CK_SESSION_HANDLE session = verifying(CKM_SHA256_RSA_PKCS);
    EXPECT(CKR_OK, p11->C_VerifyUpdate(session, MESSAGE, 1));
    EXPECT(CKR_SIGNATURE_INVALID, p11->C_VerifyFinal(session, good, SIGNATURE_LEN));
    assert_false(was_verifying(session));
}

static void parts_and_the_whole_do_not_mix(void **state)
{
    (void)state;

    CK_SESSION_HANDLE session = verifying(CKM_SHA256_RSA_PKCS);
    EXPECT(CKR_OK, p11->C_VerifyUpdate(session, MESSAGE, MESSAGE_LEN));
    EXPECT(CKR_OPERATION_ACTIVE, p11->C_Verify(session, NULL, 0, good, SIGNATURE_LEN));
    assert_false(was_verifying(session));
    session = verifying(CKM_RSA_PKCS);
    EXPECT(CKR_FUNCTION_NOT_SUPPORTED, p11->C_VerifyUpdate(session, MESSAGE, MESSAGE_LEN));
    assert_false(was_verifying(session));
    session = verifying(CKM_RSA_PKCS);
    EXPECT(CKR_FUNCTION_NOT_SUPPORTED, p11->C_VerifyFinal(session, good, SIGNATURE_LEN));
    assert_false(was_verifying(session));
}

static void key_and_mechanism_decide(void **state)
{
    static const struct {
        CK_SLOT_ID slot;
        CK_OBJECT_CLASS class;
        const char *label;
        CK_MECHANISM_TYPE mechanism;
        CK_RV expected;
    } rows[] = {
        {FAKE_PHONE, CKO_PUBLIC_KEY, FAKE_KEY, CKM_RSA_PKCS, CKR_OK},
        {FAKE_PHONE, CKO_PUBLIC_KEY, FAKE_KEY, CKM_SHA512_RSA_PKCS, CKR_MECHANISM_INVALID},
        {FAKE_PHONE, CKO_PUBLIC_KEY, FAKE_KEY, CKM_RSA_PKCS_PSS, CKR_MECHANISM_INVALID},
        {FAKE_PHONE, CKO_PUBLIC_KEY, FAKE_KEY, CKM_SHA256, CKR_MECHANISM_INVALID},
        {FAKE_PHONE, CKO_PRIVATE_KEY, FAKE_KEY, CKM_RSA_PKCS, CKR_KEY_FUNCTION_NOT_PERMITTED},
        {FAKE_PHONE, CKO_CERTIFICATE, FAKE_CERTIFICATE, CKM_RSA_PKCS, CKR_KEY_HANDLE_INVALID},
        {FAKE_PHONE, CKO_SECRET_KEY, NULL, CKM_RSA_PKCS, CKR_KEY_HANDLE_INVALID},
        {FAKE_ODD, CKO_PRIVATE_KEY, FAKE_EC_KEY, CKM_RSA_PKCS, CKR_KEY_TYPE_INCONSISTENT},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CK_MECHANISM mechanism = {.mechanism = rows[i].mechanism};
        CK_SESSION_HANDLE session = stage_open(rows[i].slot);
        CK_OBJECT_HANDLE key = stage_find(session, rows[i].class, rows[i].label);
        CK_RV rv = p11->C_VerifyInit(session, &mechanism, key);
        if (rv != rows[i].expected)
            fail_msg("row %zu: %s", i, stage_name(rv));
        assert_int_equal(was_verifying(session), rv == CKR_OK);
    }
}

static void beginning_and_ending_follow_the_rules(void **state)
{
    CK_MECHANISM mechanism = {.mechanism = CKM_RSA_PKCS};
    CK_MECHANISM with_parameter = {CKM_RSA_PKCS, good, 4};
    (void)state;
    CK_SESSION_HANDLE session = stage_open(FAKE_PHONE);
    CK_OBJECT_HANDLE key = stage_find(session, CKO_PUBLIC_KEY, FAKE_KEY);

    EXPECT(CKR_OPERATION_NOT_INITIALIZED, p11->C_Verify(session, MESSAGE, 1, good, SIGNATURE_LEN));
    EXPECT(CKR_OPERATION_NOT_INITIALIZED, p11->C_VerifyUpdate(session, MESSAGE, 1));
    EXPECT(CKR_OPERATION_NOT_INITIALIZED, p11->C_VerifyFinal(session, good, SIGNATURE_LEN));
    EXPECT(CKR_MECHANISM_PARAM_INVALID, p11->C_VerifyInit(session, &with_parameter, key));
    EXPECT(CKR_OK, p11->C_VerifyInit(session, &mechanism, key));
    EXPECT(CKR_OPERATION_ACTIVE, p11->C_VerifyInit(session, &mechanism, key));
    EXPECT(CKR_OPERATION_ACTIVE, stage_sign_init(session, CKM_RSA_PKCS, key));
    EXPECT(CKR_OK, p11->C_VerifyInit(session, NULL, 0));
    assert_false(was_verifying(session));
    EXPECT(CKR_OK, p11->C_VerifyInit(session, &mechanism, key));
    EXPECT(CKR_OK, p11->C_SessionCancel(session, CKF_VERIFY));
    assert_false(was_verifying(session));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON(a_signature_verifies_with_every_mechanism),
        ON(what_does_not_fit_is_told_apart),
        ON(pointers_are_checked_and_end_it),
        ON(parts_verify_as_the_whole_does),
        ON(parts_and_the_whole_do_not_mix),
        ON(key_and_mechanism_decide),
        ON(beginning_and_ending_follow_the_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
