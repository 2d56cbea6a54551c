/* SPDX-License-Identifier: Apache-2.0 */
/* Signing in parts: the same signature however the message is cut. */
#include <string.h>

#include "remote/base/cleanup.h"
#include "tests/module/stage.h"

enum { MESSAGE_MAX = 300 };

static void any_cutting_gives_the_signature_of_the_whole(void **state)
{
    static const CK_ULONG chunks[] = {1, 3, 63, 64, 65, 128, 299, MESSAGE_MAX};
    CK_BYTE message[MESSAGE_MAX];
    CK_BYTE whole[SIGNATURE_LEN];
    CK_ULONG whole_len = sizeof(whole);
    (void)state;
    for (size_t i = 0; i < sizeof(message); i++)
        message[i] = (CK_BYTE)i;
    CK_SESSION_HANDLE session = stage_signing(FAKE_PIN, CKM_SHA256_RSA_PKCS);
    EXPECT(CKR_OK, p11->C_Sign(session, message, sizeof(message), whole, &whole_len));

    for (size_t i = 0; i < ARRAY_LEN(chunks); i++) {
        CK_BYTE signature[SIGNATURE_LEN];
        CK_ULONG len = sizeof(signature);
        session = stage_signing(FAKE_PIN, CKM_SHA256_RSA_PKCS);
        for (CK_ULONG at = 0; at < sizeof(message); at += chunks[i]) {
            CK_ULONG left = sizeof(message) - at;
            CK_ULONG part = left < chunks[i] ? left : chunks[i];
            EXPECT(CKR_OK, p11->C_SignUpdate(session, message + at, part));
            EXPECT(CKR_OK, p11->C_SignUpdate(session, NULL, 0));
        }
        EXPECT(CKR_OK, p11->C_SignFinal(session, signature, &len));
        assert_int_equal(len, SIGNATURE_LEN);
        assert_memory_equal(signature, whole, SIGNATURE_LEN);
    }
    assert_int_equal(fake_counted().sign, 1 + ARRAY_LEN(chunks));
}

static void final_right_after_init_signs_the_empty_message(void **state)
{
    CK_BYTE signature[SIGNATURE_LEN];
    CK_ULONG len = sizeof(signature);
    (void)state;
    CK_SESSION_HANDLE session = stage_signing(FAKE_PHONE, CKM_SHA256_RSA_PKCS);

    EXPECT(CKR_OK, p11->C_SignFinal(session, signature, &len));

    assert_true(fake_verifies(CRYPTO_SHA256, span_text(""), span_of(signature, len)));
}

static void final_answers_for_the_size_without_the_token(void **state)
{
    CK_BYTE signature[SIGNATURE_LEN];
    CK_ULONG len = 0;
    (void)state;
    CK_SESSION_HANDLE session = stage_signing(FAKE_PHONE, CKM_SHA256_RSA_PKCS);
    EXPECT(CKR_OK, p11->C_SignUpdate(session, MESSAGE, MESSAGE_LEN));

    EXPECT(CKR_OK, p11->C_SignFinal(session, NULL, &len));
    assert_int_equal(len, SIGNATURE_LEN);
    len = 255;
    EXPECT(CKR_BUFFER_TOO_SMALL, p11->C_SignFinal(session, signature, &len));
    assert_int_equal(len, SIGNATURE_LEN);
    assert_int_equal(fake_counted().sign, 0);

    EXPECT(CKR_OK, p11->C_SignFinal(session, signature, &len));
    assert_int_equal(fake_counted().sign, 1);
    assert_true(
        fake_verifies(CRYPTO_SHA256, span_of(MESSAGE, MESSAGE_LEN), span_of(signature, len)));
}

static void a_mechanism_that_does_not_hash_has_no_parts(void **state)
{
    CK_BYTE signature[SIGNATURE_LEN];
    CK_ULONG len = sizeof(signature);
    (void)state;

    CK_SESSION_HANDLE session = stage_signing(FAKE_PIN, CKM_RSA_PKCS);
    EXPECT(CKR_FUNCTION_NOT_SUPPORTED, p11->C_SignUpdate(session, MESSAGE, MESSAGE_LEN));
    assert_false(stage_was_signing(session));
    session = stage_signing(FAKE_PIN, CKM_RSA_PKCS);
    EXPECT(CKR_FUNCTION_NOT_SUPPORTED, p11->C_SignFinal(session, signature, &len));
    assert_false(stage_was_signing(session));
    assert_int_equal(fake_counted().sign, 0);
}

static void sessions_sign_without_knowing_of_each_other(void **state)
{
    enum { SESSIONS = 4 };
    CK_SESSION_HANDLE sessions[SESSIONS];
    CK_BYTE part[] = "0123456789";
    (void)state;
    for (size_t i = 0; i < SESSIONS; i++)
        sessions[i] = stage_signing(FAKE_PHONE, CKM_SHA256_RSA_PKCS);

    for (CK_ULONG at = 0; at < 10; at++)
        for (size_t i = 0; i < SESSIONS; i++)
            EXPECT(CKR_OK, p11->C_SignUpdate(sessions[i], part + at, 1));

    for (size_t i = 0; i < SESSIONS; i++) {
        CK_BYTE signature[SIGNATURE_LEN];
        CK_ULONG len = sizeof(signature);
        EXPECT(CKR_OK, p11->C_SignFinal(sessions[i], signature, &len));
        assert_true(fake_verifies(CRYPTO_SHA256, span_of(part, 10), span_of(signature, len)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON(any_cutting_gives_the_signature_of_the_whole),
        ON(final_right_after_init_signs_the_empty_message),
        ON(final_answers_for_the_size_without_the_token),
        ON(a_mechanism_that_does_not_hash_has_no_parts),
        ON(sessions_sign_without_knowing_of_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
