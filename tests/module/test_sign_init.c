/* SPDX-License-Identifier: Apache-2.0 */
/* C_SignInit: what can be refused is refused here, and nobody is asked anything. */
#include <string.h>

#include "remote/base/cleanup.h"
#include "tests/module/stage.h"

static void key_and_mechanism_decide(void **state)
{
    static const struct {
        CK_SLOT_ID slot;
        CK_OBJECT_CLASS class;
        const char *label;
        CK_MECHANISM_TYPE mechanism;
        CK_RV expected;
    } rows[] = {
        {FAKE_PHONE, CKO_PRIVATE_KEY, FAKE_KEY, CKM_RSA_PKCS, CKR_OK},
        {FAKE_PHONE, CKO_PRIVATE_KEY, FAKE_KEY, CKM_SHA256_RSA_PKCS, CKR_OK},
        {FAKE_PHONE, CKO_PRIVATE_KEY, FAKE_KEY, CKM_SHA512_RSA_PKCS, CKR_MECHANISM_INVALID},
        {FAKE_PHONE, CKO_PRIVATE_KEY, FAKE_KEY, CKM_RSA_X_509, CKR_MECHANISM_INVALID},
        {FAKE_PHONE, CKO_PRIVATE_KEY, FAKE_KEY, CKM_RSA_PKCS_PSS, CKR_MECHANISM_INVALID},
        {FAKE_PHONE, CKO_PRIVATE_KEY, FAKE_KEY, CKM_SHA256_RSA_PKCS_PSS, CKR_MECHANISM_INVALID},
        {FAKE_PHONE, CKO_PRIVATE_KEY, FAKE_KEY, CKM_SHA1_RSA_PKCS, CKR_MECHANISM_INVALID},
        {FAKE_PHONE, CKO_PRIVATE_KEY, FAKE_KEY, CKM_SHA256, CKR_MECHANISM_INVALID},
        {FAKE_PHONE, CKO_PRIVATE_KEY, FAKE_KEY, CKM_ECDSA, CKR_MECHANISM_INVALID},
        {FAKE_PHONE, CKO_PUBLIC_KEY, FAKE_KEY, CKM_RSA_PKCS, CKR_KEY_FUNCTION_NOT_PERMITTED},
        {FAKE_PHONE, CKO_CERTIFICATE, FAKE_CERTIFICATE, CKM_RSA_PKCS, CKR_KEY_HANDLE_INVALID},
        {FAKE_PHONE, CKO_PROFILE, NULL, CKM_RSA_PKCS, CKR_KEY_HANDLE_INVALID},
        {FAKE_PHONE, CKO_SECRET_KEY, NULL, CKM_RSA_PKCS, CKR_KEY_HANDLE_INVALID}, /* handle 0 */
        {FAKE_ODD, CKO_PRIVATE_KEY, FAKE_EC_KEY, CKM_RSA_PKCS, CKR_KEY_TYPE_INCONSISTENT},
        {FAKE_ODD, CKO_PRIVATE_KEY, FAKE_EC_KEY, CKM_SHA256_RSA_PKCS, CKR_KEY_TYPE_INCONSISTENT},
        {FAKE_ODD, CKO_PRIVATE_KEY, FAKE_SILENT_KEY, CKM_RSA_PKCS, CKR_KEY_FUNCTION_NOT_PERMITTED},
        {FAKE_ODD, CKO_DATA, FAKE_FREE_DATA, CKM_RSA_PKCS, CKR_KEY_HANDLE_INVALID},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CK_SESSION_HANDLE session = stage_open(rows[i].slot);
        CK_OBJECT_HANDLE key = stage_find(session, rows[i].class, rows[i].label);
        CK_RV rv = stage_sign_init(session, rows[i].mechanism, key);
        if (rv != rows[i].expected)
            fail_msg("row %zu: %s", i, stage_name(rv));
        assert_int_equal(stage_was_signing(session), rv == CKR_OK);
    }
    assert_int_equal(fake_counted().sign, 0);
}

static void a_key_outside_the_sizes_of_the_mechanism_is_refused(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = stage_open(FAKE_ODD);
    CK_OBJECT_HANDLE key = stage_find(session, CKO_PRIVATE_KEY, FAKE_SMALL_KEY);

    EXPECT(CKR_KEY_SIZE_RANGE, stage_sign_init(session, CKM_RSA_PKCS, key));
}

static void a_parameter_is_refused_where_none_belongs(void **state)
{
    CK_RSA_PKCS_PSS_PARAMS pss = {CKM_SHA256, CKG_MGF1_SHA256, 32};
    CK_MECHANISM mechanisms[] = {
        {CKM_RSA_PKCS, &pss, sizeof(pss)}, {CKM_SHA256_RSA_PKCS, &pss, 1}, {CKM_RSA_PKCS, NULL, 1}};
    (void)state;
    CK_SESSION_HANDLE session = stage_open(FAKE_PHONE);
    CK_OBJECT_HANDLE key = stage_find(session, CKO_PRIVATE_KEY, FAKE_KEY);

    for (size_t i = 0; i < ARRAY_LEN(mechanisms); i++)
        EXPECT(CKR_MECHANISM_PARAM_INVALID, p11->C_SignInit(session, &mechanisms[i], key));
    assert_false(stage_was_signing(session));
}

static void a_key_of_another_slot_is_no_key(void **state)
{
    (void)state;
    CK_OBJECT_HANDLE key = stage_find(stage_open(FAKE_PHONE), CKO_PRIVATE_KEY, FAKE_KEY);

    EXPECT(CKR_KEY_HANDLE_INVALID, stage_sign_init(stage_open(FAKE_ODD), CKM_RSA_PKCS, key));
}

static void a_private_key_needs_the_login(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = stage_open(FAKE_PIN);
    EXPECT(CKR_OK, stage_login(session, FAKE_PIN_TEXT));
    CK_OBJECT_HANDLE key = stage_find(session, CKO_PRIVATE_KEY, FAKE_KEY);
    EXPECT(CKR_OK, p11->C_Logout(session));

    EXPECT(CKR_USER_NOT_LOGGED_IN, stage_sign_init(session, CKM_RSA_PKCS, key));
    assert_false(stage_was_signing(session));
    EXPECT(CKR_OK, stage_login(session, FAKE_PIN_TEXT));
    EXPECT(CKR_OK, stage_sign_init(session, CKM_RSA_PKCS, key));
}

/* 2.40 section 5.6, C_Logout: what the user began, nobody else may finish. */
static void logout_ends_the_signature_of_the_user(void **state)
{
    CK_BYTE signature[SIGNATURE_LEN];
    CK_ULONG len = sizeof(signature);
    (void)state;
    CK_SESSION_HANDLE session = stage_signing(FAKE_PIN, CKM_SHA256_RSA_PKCS);
    EXPECT(CKR_OK, p11->C_Logout(session));

    CK_RV rv = p11->C_Sign(session, MESSAGE, MESSAGE_LEN, signature, &len);

    assert_true(rv == CKR_OPERATION_NOT_INITIALIZED || rv == CKR_USER_NOT_LOGGED_IN);
    assert_int_equal(fake_counted().sign, 0);
}

static void a_certificate_known_to_be_unusable_is_told_at_once(void **state)
{
    (void)state;
    fake_play((struct fake_script){.check_status = SCA_NOT_PERMITTED, .note = "it was revoked"});
    CK_SESSION_HANDLE session = stage_open(FAKE_PHONE);
    CK_OBJECT_HANDLE key = stage_find(session, CKO_PRIVATE_KEY, FAKE_KEY);

    EXPECT(CKR_KEY_FUNCTION_NOT_PERMITTED, stage_sign_init(session, CKM_RSA_PKCS, key));

    assert_false(stage_was_signing(session));
    AUTO(freep) char *log = stage_log();
    assert_non_null(strstr(log, "-> CKR_KEY_FUNCTION_NOT_PERMITTED: it was revoked"));
}

static void no_mechanism_ends_the_signature(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = stage_signing(FAKE_PHONE, CKM_SHA256_RSA_PKCS);

    EXPECT(CKR_OK, p11->C_SignInit(session, NULL, 0));
    assert_false(stage_was_signing(session));
    EXPECT(CKR_OK, p11->C_SignInit(session, NULL, 0)); /* nothing to end is fine too */
    EXPECT(CKR_SESSION_HANDLE_INVALID, p11->C_SignInit(0, NULL, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON(key_and_mechanism_decide),
        ON(a_key_outside_the_sizes_of_the_mechanism_is_refused),
        ON(a_parameter_is_refused_where_none_belongs),
        ON(a_key_of_another_slot_is_no_key),
        ON(a_private_key_needs_the_login),
        ON(logout_ends_the_signature_of_the_user),
        ON(a_certificate_known_to_be_unusable_is_told_at_once),
        ON(no_mechanism_ends_the_signature),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
