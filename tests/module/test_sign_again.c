/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session keeps the key of its last signature ready. Whatever may not be signed without that may
 * not be signed with it, and nothing of the former use gets into the next signature.
 */
#include <string.h>

#include "remote/base/cleanup.h"
#include "tests/module/local_stage.h"

/* C_Sign of the digest: a signature is made, so the key is ready for the next one. */
static void sign(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key,
                 CK_BYTE signature[static LOCAL_SIGNATURE_MAX])
{
    CK_ULONG len = LOCAL_SIGNATURE_MAX;
    EXPECT(CKR_OK, p11->C_SignInit(session, mechanism, key));
    EXPECT(CKR_OK, p11->C_Sign(session, DIGEST, DIGEST_LEN, signature, &len));
    assert_int_equal(len, LOCAL_SIGNATURE_MAX);
}

static CK_RV verify(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key,
                    CK_BYTE signature[static LOCAL_SIGNATURE_MAX])
{
    EXPECT(CKR_OK, p11->C_VerifyInit(session, mechanism, key));
    return p11->C_Verify(session, DIGEST, DIGEST_LEN, signature, LOCAL_SIGNATURE_MAX);
}

static void each_signature_has_the_mechanism_and_the_parameters_it_was_asked_with(void **state)
{
    CK_RSA_PKCS_PSS_PARAMS full = {CKM_SHA256, CKG_MGF1_SHA256, 32};
    CK_RSA_PKCS_PSS_PARAMS none = {CKM_SHA256, CKG_MGF1_SHA256, 0};
    CK_MECHANISM uses[] = {{CKM_RSA_PKCS_PSS, &full, sizeof(full)},
                           {CKM_RSA_PKCS_PSS, &none, sizeof(none)},
                           {CKM_SHA256_RSA_PKCS_PSS, &none, sizeof(none)},
                           {CKM_SHA256_RSA_PKCS, NULL, 0},
                           {CKM_SHA512_RSA_PKCS, NULL, 0},
                           {CKM_RSA_PKCS, NULL, 0}};
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();
    struct disk_pair pair = local_generate(session, LOCAL_RSA, CK_FALSE, NULL);

    for (size_t i = 0; i < ARRAY_LEN(uses) * ARRAY_LEN(uses); i++) {
        CK_MECHANISM *before = &uses[i / ARRAY_LEN(uses)];
        CK_MECHANISM *use = &uses[i % ARRAY_LEN(uses)];
        CK_BYTE signature[LOCAL_SIGNATURE_MAX];
        sign(session, before, pair.private_key, signature);

        sign(session, use, pair.private_key, signature);

        EXPECT(CKR_OK, verify(session, use, pair.public_key, signature));
        if (before != use)
            EXPECT(CKR_SIGNATURE_INVALID, verify(session, before, pair.public_key, signature));
    }
}

static void what_is_refused_at_first_is_refused_after_a_signature(void **state)
{
    static const struct {
        CK_OBJECT_CLASS class;
        const char *label;
        CK_MECHANISM_TYPE mechanism;
        CK_RV expected;
    } rows[] = {
        {CKO_PRIVATE_KEY, FAKE_KEY, CKM_SHA512_RSA_PKCS, CKR_MECHANISM_INVALID},
        {CKO_PRIVATE_KEY, FAKE_KEY, CKM_RSA_PKCS_PSS, CKR_MECHANISM_INVALID},
        {CKO_PRIVATE_KEY, FAKE_KEY, CKM_ECDSA, CKR_MECHANISM_INVALID},
        {CKO_PUBLIC_KEY, FAKE_KEY, CKM_SHA256_RSA_PKCS, CKR_KEY_FUNCTION_NOT_PERMITTED},
        {CKO_CERTIFICATE, FAKE_CERTIFICATE, CKM_SHA256_RSA_PKCS, CKR_KEY_HANDLE_INVALID},
        {CKO_SECRET_KEY, NULL, CKM_SHA256_RSA_PKCS, CKR_KEY_HANDLE_INVALID}, /* handle 0 */
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CK_BYTE signature[SIGNATURE_LEN];
        CK_ULONG len = sizeof(signature);
        CK_SESSION_HANDLE session = stage_signing(FAKE_PHONE, CKM_SHA256_RSA_PKCS);
        EXPECT(CKR_OK, p11->C_Sign(session, MESSAGE, MESSAGE_LEN, signature, &len));
        CK_OBJECT_HANDLE key = stage_find(session, rows[i].class, rows[i].label);

        CK_RV rv = stage_sign_init(session, rows[i].mechanism, key);

        if (rv != rows[i].expected)
            fail_msg("row %zu: %s", i, stage_name(rv));
        assert_false(stage_was_signing(session));
    }
}

static void a_key_elsewhere_signs_again_with_another_mechanism(void **state)
{
    CK_BYTE first[SIGNATURE_LEN];
    CK_BYTE second[SIGNATURE_LEN];
    CK_ULONG len = SIGNATURE_LEN;
    (void)state;
    CK_SESSION_HANDLE session = stage_signing(FAKE_PHONE, CKM_SHA256_RSA_PKCS);
    EXPECT(CKR_OK, p11->C_Sign(session, MESSAGE, MESSAGE_LEN, first, &len));
    CK_OBJECT_HANDLE key = stage_find(session, CKO_PRIVATE_KEY, FAKE_KEY);

    /* The message is no DigestInfo: hashed as before it would be signed. */
    EXPECT(CKR_OK, stage_sign_init(session, CKM_RSA_PKCS, key));
    EXPECT(CKR_DATA_INVALID, p11->C_Sign(session, MESSAGE, MESSAGE_LEN, second, &len));
    EXPECT(CKR_OK, stage_sign_init(session, CKM_SHA256_RSA_PKCS, key));
    EXPECT(CKR_OK, p11->C_Sign(session, MESSAGE, MESSAGE_LEN, second, &len));

    assert_int_equal(len, SIGNATURE_LEN);
    assert_memory_equal(first, second, sizeof(first));
    assert_int_equal(fake_counted().sign, 2);
}

static void a_certificate_that_has_become_unusable_is_told(void **state)
{
    CK_BYTE signature[SIGNATURE_LEN];
    CK_ULONG len = sizeof(signature);
    (void)state;
    CK_SESSION_HANDLE session = stage_signing(FAKE_PHONE, CKM_SHA256_RSA_PKCS);
    EXPECT(CKR_OK, p11->C_Sign(session, MESSAGE, MESSAGE_LEN, signature, &len));
    CK_OBJECT_HANDLE key = stage_find(session, CKO_PRIVATE_KEY, FAKE_KEY);
    fake_play((struct fake_script){.check_status = SCA_NOT_PERMITTED});

    EXPECT(CKR_KEY_FUNCTION_NOT_PERMITTED, stage_sign_init(session, CKM_SHA256_RSA_PKCS, key));
}

static void a_private_key_needs_the_login_each_time(void **state)
{
    CK_BYTE signature[SIGNATURE_LEN];
    CK_ULONG len = sizeof(signature);
    (void)state;
    CK_SESSION_HANDLE session = stage_signing(FAKE_PIN, CKM_SHA256_RSA_PKCS);
    EXPECT(CKR_OK, p11->C_Sign(session, MESSAGE, MESSAGE_LEN, signature, &len));
    CK_OBJECT_HANDLE key = stage_find(session, CKO_PRIVATE_KEY, FAKE_KEY);
    EXPECT(CKR_OK, p11->C_Logout(session));

    EXPECT(CKR_USER_NOT_LOGGED_IN, stage_sign_init(session, CKM_SHA256_RSA_PKCS, key));
}

static void a_key_that_may_no_longer_sign_does_not(void **state)
{
    CK_BBOOL no = CK_FALSE;
    CK_ATTRIBUTE silent = {CKA_SIGN, &no, sizeof(no)};
    CK_MECHANISM mechanism = {CKM_RSA_PKCS, NULL, 0};
    CK_BYTE signature[LOCAL_SIGNATURE_MAX];
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();
    struct disk_pair pair = local_generate(session, LOCAL_RSA, CK_FALSE, NULL);
    sign(session, &mechanism, pair.private_key, signature);
    EXPECT(CKR_OK, p11->C_SetAttributeValue(session, pair.private_key, &silent, 1));

    EXPECT(CKR_KEY_FUNCTION_NOT_PERMITTED, p11->C_SignInit(session, &mechanism, pair.private_key));
}

static void a_key_that_was_destroyed_is_no_key(void **state)
{
    CK_MECHANISM mechanism = {CKM_RSA_PKCS, NULL, 0};
    CK_BYTE signature[LOCAL_SIGNATURE_MAX];
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();
    struct disk_pair pair = local_generate(session, LOCAL_RSA, CK_FALSE, NULL);
    sign(session, &mechanism, pair.private_key, signature);
    EXPECT(CKR_OK, p11->C_DestroyObject(session, pair.private_key));

    EXPECT(CKR_KEY_HANDLE_INVALID, p11->C_SignInit(session, &mechanism, pair.private_key));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        disk_test(each_signature_has_the_mechanism_and_the_parameters_it_was_asked_with),
        ON(what_is_refused_at_first_is_refused_after_a_signature),
        ON(a_key_elsewhere_signs_again_with_another_mechanism),
        ON(a_certificate_that_has_become_unusable_is_told),
        ON(a_private_key_needs_the_login_each_time),
        disk_test(a_key_that_may_no_longer_sign_does_not),
        disk_test(a_key_that_was_destroyed_is_no_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
