/* SPDX-License-Identifier: Apache-2.0 */
/* What C_Sign hands to the token and gives back. */
#include <string.h>

#include "remote/base/cleanup.h"
#include "tests/module/stage.h"

/* DER DigestInfo prefixes of RFC 8017 section 9.2, note 1. */
#define SHA256_INFO "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"
#define SHA512_INFO "\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40"
#define SHA1_INFO   "\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14"
#define DIGEST_32   "0123456789abcdef0123456789abcdef"
#define DIGEST_64   DIGEST_32 DIGEST_32

static void the_size_is_answered_without_the_token(void **state)
{
    CK_BYTE signature[SIGNATURE_LEN + 4];
    CK_ULONG len = 0;
    (void)state;
    CK_SESSION_HANDLE session = stage_signing(FAKE_PHONE, CKM_SHA256_RSA_PKCS);
    memset(signature, 0xee, sizeof(signature));

    EXPECT(CKR_OK, p11->C_Sign(session, MESSAGE, MESSAGE_LEN, NULL, &len));
    assert_int_equal(len, SIGNATURE_LEN);
    len = SIGNATURE_LEN - 1;
    EXPECT(CKR_BUFFER_TOO_SMALL, p11->C_Sign(session, MESSAGE, MESSAGE_LEN, signature, &len));
    assert_int_equal(len, SIGNATURE_LEN);
    len = 0;
    EXPECT(CKR_BUFFER_TOO_SMALL, p11->C_Sign(session, MESSAGE, MESSAGE_LEN, signature, &len));
    assert_int_equal(signature[0], 0xee);
    assert_int_equal(fake_counted().sign, 0);

    len = sizeof(signature);
    EXPECT(CKR_OK, p11->C_Sign(session, MESSAGE, MESSAGE_LEN, signature, &len));
    assert_int_equal(len, SIGNATURE_LEN);
    assert_int_equal(signature[SIGNATURE_LEN], 0xee);
    assert_int_equal(fake_counted().sign, 1);
    assert_true(
        fake_verifies(CRYPTO_SHA256, span_of(MESSAGE, MESSAGE_LEN), span_of(signature, len)));
    assert_false(stage_was_signing(session));
}

static void every_hash_is_made_here_and_signed_there(void **state)
{
    static const struct {
        CK_MECHANISM_TYPE mechanism;
        enum crypto_hash hash;
        size_t digest_len;
    } rows[] = {
        {CKM_SHA256_RSA_PKCS, CRYPTO_SHA256, 32},
        {CKM_SHA384_RSA_PKCS, CRYPTO_SHA384, 48},
        {CKM_SHA512_RSA_PKCS, CRYPTO_SHA512, 64},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CK_BYTE signature[SIGNATURE_LEN];
        CK_ULONG len = sizeof(signature);
        CK_SESSION_HANDLE session = stage_signing(FAKE_PIN, rows[i].mechanism);
        EXPECT(CKR_OK, p11->C_Sign(session, MESSAGE, MESSAGE_LEN, signature, &len));
        struct fake_job job = fake_last_job();
        assert_int_equal(job.mechanism, rows[i].mechanism);
        assert_int_equal(job.hash, rows[i].hash);
        assert_int_equal(job.key_number, 1);
        assert_int_equal(job.input_len, rows[i].digest_len);
        assert_true(
            fake_verifies(rows[i].hash, span_of(MESSAGE, MESSAGE_LEN), span_of(signature, len)));
    }
}

static void an_empty_message_is_signed_too(void **state)
{
    CK_BYTE signature[SIGNATURE_LEN];
    CK_ULONG len = sizeof(signature);
    (void)state;
    CK_SESSION_HANDLE session = stage_signing(FAKE_PIN, CKM_SHA256_RSA_PKCS);

    EXPECT(CKR_OK, p11->C_Sign(session, NULL, 0, signature, &len));

    assert_true(fake_verifies(CRYPTO_SHA256, span_text(""), span_of(signature, len)));
}

/* What a key that sees digests only makes of the input of CKM_RSA_PKCS. */
static void a_digest_info_is_taken_apart(void **state)
{
#define INPUT(text) (text), sizeof(text) - 1
    static const struct {
        const char *input;
        size_t len;
        CK_RV expected;
    } rows[] = {
        {INPUT(SHA256_INFO DIGEST_32), CKR_OK},
        {INPUT("\x30\x2f\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x04\x20" DIGEST_32),
         CKR_OK},                                         /* without the NULL */
        {INPUT(SHA512_INFO DIGEST_64), CKR_DATA_INVALID}, /* not asked of the service */
        {INPUT(SHA1_INFO "0123456789abcdef0123"), CKR_DATA_INVALID},
        {INPUT(DIGEST_32), CKR_DATA_INVALID}, /* a bare digest */
        {INPUT(""), CKR_DATA_INVALID},
        {INPUT(SHA256_INFO DIGEST_32 "x"), CKR_DATA_INVALID}, /* something behind */
        {INPUT("\x30\x30\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x1f"
               "0123456789abcdef0123456789abcde"),
         CKR_DATA_LEN_RANGE},                   /* a digest of 31 bytes */
        {INPUT(SHA256_INFO), CKR_DATA_INVALID}, /* cut off */
        {INPUT(DIGEST_64 DIGEST_64 DIGEST_64
               "0123456789abcdef0123456789abcdef0123456789abcdef01234"),
         CKR_DATA_INVALID}, /* 245: the most PKCS#1 takes */
        {INPUT(DIGEST_64 DIGEST_64 DIGEST_64
               "0123456789abcdef0123456789abcdef0123456789abcdef012345"),
         CKR_DATA_LEN_RANGE},
    };
    unsigned signatures = 0;
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CK_BYTE input[SIGNATURE_LEN];
        CK_BYTE signature[SIGNATURE_LEN];
        CK_ULONG len = sizeof(signature);
        memcpy(input, rows[i].input, rows[i].len);
        CK_SESSION_HANDLE session = stage_signing(FAKE_PHONE, CKM_RSA_PKCS);
        CK_RV rv = p11->C_Sign(session, input, rows[i].len, signature, &len);
        if (rv != rows[i].expected)
            fail_msg("row %zu: %s", i, stage_name(rv));
        assert_false(stage_was_signing(session)); /* any other error ends it */
        signatures += rv == CKR_OK;
        assert_int_equal(fake_counted().sign, signatures);
    }
    struct fake_job job = fake_last_job();
    assert_int_equal(job.mechanism, CKM_RSA_PKCS);
    assert_int_equal(job.hash, CRYPTO_SHA256);
    assert_int_equal(job.input_len, 32);
    assert_memory_equal(job.input, DIGEST_32, 32);
}

static void the_signature_of_a_digest_info_is_the_one_that_hashing_gives(void **state)
{
    static const CK_BYTE prefix[] = SHA256_INFO;
    CK_BYTE info[19 + 32];
    CK_BYTE signature[SIGNATURE_LEN];
    CK_ULONG len = 32;
    CK_MECHANISM sha256 = {.mechanism = CKM_SHA256};
    (void)state;
    CK_SESSION_HANDLE session = stage_open(FAKE_PHONE);
    memcpy(info, prefix, 19);
    EXPECT(CKR_OK, p11->C_DigestInit(session, &sha256));
    EXPECT(CKR_OK, p11->C_Digest(session, MESSAGE, MESSAGE_LEN, info + 19, &len));

    CK_SESSION_HANDLE signing = stage_signing(FAKE_PHONE, CKM_RSA_PKCS);
    len = sizeof(signature);
    EXPECT(CKR_OK, p11->C_Sign(signing, info, sizeof(info), signature, &len));

    assert_true(
        fake_verifies(CRYPTO_SHA256, span_of(MESSAGE, MESSAGE_LEN), span_of(signature, len)));
}

static void a_key_that_takes_anything_signs_what_fits(void **state)
{
    static const struct {
        CK_ULONG len;
        CK_RV expected;
    } rows[] = {{0, CKR_OK},
                {1, CKR_OK},
                {245, CKR_OK},
                {246, CKR_DATA_LEN_RANGE},
                {256, CKR_DATA_LEN_RANGE}};
    CK_BYTE input[SIGNATURE_LEN];
    (void)state;
    memset(input, 'x', sizeof(input));

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CK_BYTE signature[SIGNATURE_LEN];
        CK_ULONG len = sizeof(signature);
        CK_SESSION_HANDLE session = stage_signing(FAKE_PIN, CKM_RSA_PKCS);
        EXPECT(rows[i].expected, p11->C_Sign(session, input, rows[i].len, signature, &len));
        if (rows[i].expected == CKR_OK)
            assert_true(fake_recovers(span_of(input, rows[i].len), span_of(signature, len)));
    }
}

static void the_signature_may_overwrite_the_input(void **state)
{
    CK_BYTE both[SIGNATURE_LEN];
    CK_ULONG len = sizeof(both);
    (void)state;
    CK_SESSION_HANDLE session = stage_signing(FAKE_PHONE, CKM_RSA_PKCS);
    memcpy(both, SHA256_INFO DIGEST_32, 19 + 32);

    EXPECT(CKR_OK, p11->C_Sign(session, both, 19 + 32, both, &len));

    assert_true(fake_recovers(span_of(SHA256_INFO DIGEST_32, 19 + 32), span_of(both, len)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON(the_size_is_answered_without_the_token),
        ON(every_hash_is_made_here_and_signed_there),
        ON(an_empty_message_is_signed_too),
        ON(a_digest_info_is_taken_apart),
        ON(the_signature_of_a_digest_info_is_the_one_that_hashing_gives),
        ON(a_key_that_takes_anything_signs_what_fits),
        ON(the_signature_may_overwrite_the_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
