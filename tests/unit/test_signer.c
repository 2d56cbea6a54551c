/* SPDX-License-Identifier: Apache-2.0 */
/* Signing and verifying with an RSA key, and what every signer has in common. */
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "remote/base/cleanup.h"
#include "tests/unit/signer_stage.h"

static const enum crypto_hash hashes[] = {CRYPTO_SHA256, CRYPTO_SHA384, CRYPTO_SHA512};

static struct span message(void)
{
    return span_text("what is signed");
}

/* signer is used up. */
static CK_RV sign_once(struct signer *signer, struct span input, uint8_t *signature)
{
    CK_RV rv = signer_sign(signer, input, signature);
    signer_free(signer);
    return rv;
}

static CK_RV verify_once(struct signer *signer, struct span input, struct span signature)
{
    CK_RV rv = signer_verify(signer, input, signature);
    signer_free(signer);
    return rv;
}

static void pkcs1_signs_a_digest_of_every_hash(void **state)
{
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(hashes); i++) {
        uint8_t out[64];
        uint8_t signature[SIGNATURE_MAX] = {0};
        struct span digest = stage_digest(hashes[i], message(), out);
        const struct mechanism *mechanism = stage_mechanism(SCHEME_PKCS1, hashes[i]);
        struct span made = span_of(signature, 256);

        assert_int_equal(sign_once(stage_signer(KEY_RSA, mechanism, CKF_SIGN), digest, signature),
                         CKR_OK);

        assert_true(stage_verifies(KEY_RSA, hashes[i], -1, message(), made));
        assert_int_equal(verify_once(stage_signer(KEY_RSA, mechanism, CKF_VERIFY), digest, made),
                         CKR_OK);
    }
}

static void a_digest_of_another_length_is_refused(void **state)
{
    uint8_t digest[64] = {0};
    uint8_t signature[SIGNATURE_MAX] = {0};
    static const size_t lengths[] = {0, 20, 31, 33, 64};
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        struct span input = span_of(digest, lengths[i]);
        struct span made = span_of(signature, 256);
        const struct mechanism *pkcs1 = stage_mechanism(SCHEME_PKCS1, CRYPTO_SHA256);
        assert_int_equal(sign_once(stage_signer(KEY_RSA, pkcs1, CKF_SIGN), input, signature),
                         CKR_DATA_LEN_RANGE);
        assert_int_equal(sign_once(stage_pss(CRYPTO_SHA256, true, 32, CKF_SIGN), input, signature),
                         CKR_DATA_LEN_RANGE);
        assert_int_equal(verify_once(stage_pss(CRYPTO_SHA256, true, 32, CKF_VERIFY), input, made),
                         CKR_DATA_LEN_RANGE);
    }
    assert_int_equal(signature[0], 0);
}

static void raw_pkcs1_pads_what_fits_as_it_is(void **state)
{
    static const struct {
        size_t len;
        CK_RV expected;
    } rows[] = {{0, CKR_OK},
                {1, CKR_OK},
                {51, CKR_OK},
                {245, CKR_OK},
                {246, CKR_DATA_LEN_RANGE},
                {256, CKR_DATA_LEN_RANGE}};
    const struct mechanism *mechanism = stage_mechanism(SCHEME_PKCS1, CRYPTO_NO_HASH);
    uint8_t input[256];
    (void)state;
    memset(input, 'x', sizeof(input));

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t signature[SIGNATURE_MAX] = {0};
        uint8_t recovered[SIGNATURE_MAX] = {0};
        CK_ULONG len = 77;
        struct span data = span_of(input, rows[i].len);
        struct span made = span_of(signature, 256);
        struct signer *opener = stage_signer(KEY_RSA, mechanism, CKF_VERIFY_RECOVER);

        assert_int_equal(
            sign_once(stage_signer(KEY_RSA, mechanism, CKF_SIGN_RECOVER), data, signature),
            rows[i].expected);

        CK_RV opened = signer_recover(opener, made, recovered, &len);
        assert_int_equal(opened, rows[i].expected == CKR_OK ? CKR_OK : CKR_SIGNATURE_INVALID);
        assert_int_equal(len, rows[i].expected == CKR_OK ? rows[i].len : 77);
        assert_memory_equal(recovered, input, rows[i].expected == CKR_OK ? rows[i].len : 0);
        assert_int_equal(verify_once(stage_signer(KEY_RSA, mechanism, CKF_VERIFY), data, made),
                         rows[i].expected);
        signer_free(opener);
    }
}

static void what_is_no_signature_recovers_nothing(void **state)
{
    const struct mechanism *raw = stage_mechanism(SCHEME_PKCS1, CRYPTO_NO_HASH);
    uint8_t signature[SIGNATURE_MAX] = {0};
    uint8_t out[SIGNATURE_MAX] = {0};
    CK_ULONG len = 77;
    (void)state;
    assert_int_equal(sign_once(stage_signer(KEY_RSA, raw, CKF_SIGN), message(), signature), CKR_OK);
    struct signer *opener = stage_signer(KEY_RSA, raw, CKF_VERIFY_RECOVER);

    assert_int_equal(signer_recover(opener, span_of(signature, 255), out, &len),
                     CKR_SIGNATURE_LEN_RANGE);
    signature[9] ^= 1;
    assert_int_equal(signer_recover(opener, span_of(signature, 256), out, &len),
                     CKR_SIGNATURE_INVALID);
    signature[9] ^= 1;
    assert_int_equal(len, 77);
    assert_int_equal(signer_recover(opener, span_of(signature, 256), out, &len), CKR_OK);
    assert_int_equal(len, message().len);
    signer_free(opener);
}

static void pss_takes_every_hash_and_salt(void **state)
{
    static const CK_ULONG salts[] = {0, 20, 32, 64, 190};
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(hashes) * ARRAY_LEN(salts) * 2; i++) {
        enum crypto_hash hash = hashes[i % ARRAY_LEN(hashes)];
        CK_ULONG salt = salts[i / ARRAY_LEN(hashes) % ARRAY_LEN(salts)];
        bool is_raw = i % 2;
        uint8_t out[64];
        uint8_t signature[SIGNATURE_MAX] = {0};
        struct span made = span_of(signature, 256);
        struct span digest = stage_digest(hash, message(), out);

        assert_int_equal(sign_once(stage_pss(hash, is_raw, salt, CKF_SIGN), digest, signature),
                         CKR_OK);

        assert_true(stage_verifies(KEY_RSA, hash, (int)salt, message(), made));
        assert_int_equal(verify_once(stage_pss(hash, is_raw, salt, CKF_VERIFY), digest, made),
                         CKR_OK);
    }
}

static void pss_of_another_salt_or_hash_does_not_verify(void **state)
{
    uint8_t out[64];
    uint8_t signature[SIGNATURE_MAX] = {0};
    struct span made = span_of(signature, 256);
    struct span digest = stage_digest(CRYPTO_SHA256, message(), out);
    (void)state;
    assert_int_equal(sign_once(stage_pss(CRYPTO_SHA256, true, 32, CKF_SIGN), digest, signature),
                     CKR_OK);

    assert_int_equal(verify_once(stage_pss(CRYPTO_SHA256, true, 31, CKF_VERIFY), digest, made),
                     CKR_SIGNATURE_INVALID);
    assert_int_equal(
        verify_once(stage_signer(KEY_RSA, stage_mechanism(SCHEME_PKCS1, CRYPTO_SHA256), CKF_VERIFY),
                    digest, made),
        CKR_SIGNATURE_INVALID);
    out[0] ^= 1;
    assert_int_equal(verify_once(stage_pss(CRYPTO_SHA256, true, 32, CKF_VERIFY), digest, made),
                     CKR_SIGNATURE_INVALID);
}

static void a_signature_of_the_wrong_length_or_content_is_told_apart(void **state)
{
    const struct mechanism *mechanism = stage_mechanism(SCHEME_PKCS1, CRYPTO_SHA256);
    uint8_t out[64];
    uint8_t signature[SIGNATURE_MAX + 1] = {0};
    struct span digest = stage_digest(CRYPTO_SHA256, message(), out);
    (void)state;
    assert_int_equal(sign_once(stage_signer(KEY_RSA, mechanism, CKF_SIGN), digest, signature),
                     CKR_OK);
    struct signer *verifier = stage_signer(KEY_RSA, mechanism, CKF_VERIFY);

    assert_int_equal(signer_verify(verifier, digest, span_of(signature, 255)),
                     CKR_SIGNATURE_LEN_RANGE);
    assert_int_equal(signer_verify(verifier, digest, span_of(signature, 257)),
                     CKR_SIGNATURE_LEN_RANGE);
    assert_int_equal(signer_verify(verifier, digest, span_of(signature, 0)),
                     CKR_SIGNATURE_LEN_RANGE);
    signature[100] ^= 1;
    assert_int_equal(signer_verify(verifier, digest, span_of(signature, 256)),
                     CKR_SIGNATURE_INVALID);
    memset(signature, 0xff, sizeof(signature)); /* more than the modulus */
    assert_int_equal(signer_verify(verifier, digest, span_of(signature, 256)),
                     CKR_SIGNATURE_INVALID);
    signer_free(verifier);
}

static void one_signer_is_good_for_many_signatures_and_after_failures(void **state)
{
    const struct mechanism *mechanism = stage_mechanism(SCHEME_PKCS1, CRYPTO_SHA256);
    uint8_t out[64];
    uint8_t first[SIGNATURE_MAX];
    uint8_t again[SIGNATURE_MAX];
    struct span digest = stage_digest(CRYPTO_SHA256, message(), out);
    (void)state;
    struct signer *signer = stage_signer(KEY_RSA, mechanism, CKF_SIGN);
    struct signer *verifier = stage_signer(KEY_RSA, mechanism, CKF_VERIFY);

    assert_int_equal(signer_sign(signer, digest, first), CKR_OK);
    assert_int_equal(signer_sign(signer, span_of(out, 5), again), CKR_DATA_LEN_RANGE);
    assert_int_equal(signer_sign(signer, digest, again), CKR_OK);
    assert_memory_equal(first, again, SIGNATURE_MAX);
    first[7] ^= 1;
    assert_int_equal(signer_verify(verifier, digest, span_of(first, 256)), CKR_SIGNATURE_INVALID);
    assert_int_equal(signer_verify(verifier, digest, span_of(again, 256)), CKR_OK);

    signer_free(signer);
    signer_free(verifier);
}

static void the_signature_may_overwrite_the_input(void **state)
{
    const struct mechanism *mechanism = stage_mechanism(SCHEME_PKCS1, CRYPTO_SHA256);
    uint8_t apart[SIGNATURE_MAX];
    uint8_t both[SIGNATURE_MAX] = {0};
    uint8_t pss[SIGNATURE_MAX] = {0};
    uint8_t out[64];
    struct span digest = stage_digest(CRYPTO_SHA256, message(), out);
    (void)state;
    memcpy(both + 3, digest.ptr, digest.len);
    memcpy(pss, digest.ptr, digest.len);

    assert_int_equal(sign_once(stage_signer(KEY_RSA, mechanism, CKF_SIGN), digest, apart), CKR_OK);
    assert_int_equal(
        sign_once(stage_signer(KEY_RSA, mechanism, CKF_SIGN), span_of(both + 3, 32), both), CKR_OK);
    assert_int_equal(sign_once(stage_pss(CRYPTO_SHA256, true, 32, CKF_SIGN), span_of(pss, 32), pss),
                     CKR_OK);

    assert_memory_equal(apart, both, SIGNATURE_MAX);
    assert_true(stage_verifies(KEY_RSA, CRYPTO_SHA256, 32, message(), span_of(pss, 256)));
}

static void a_key_of_another_kind_makes_no_signer(void **state)
{
    static const struct {
        enum stage_key key;
        enum scheme scheme;
    } rows[] = {
        {KEY_P256, SCHEME_PKCS1},    {KEY_ED25519, SCHEME_PKCS1}, {KEY_RSA, SCHEME_EDDSA},
        {KEY_ED25519, SCHEME_ECDSA}, {KEY_P256, SCHEME_EDDSA},    {KEY_P256, SCHEME_PSS},
        {KEY_RSA, SCHEME_ECDSA},
    };
    struct mechanism_parameter parameter = {.hash = CRYPTO_SHA256, .salt_len = 32};
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct signer *signer = NULL;
        CK_RV rv =
            signer_new(stage_key(rows[i].key), stage_mechanism(rows[i].scheme, CRYPTO_NO_HASH),
                       &parameter, CKF_SIGN, &signer);
        if (rv != CKR_FUNCTION_FAILED || signer)
            fail_msg("row %zu: 0x%lx", i, rv);
    }
}

static void the_callers_errors_in_openssl_stay_as_they_are(void **state)
{
    const struct mechanism *mechanism = stage_mechanism(SCHEME_PKCS1, CRYPTO_SHA256);
    struct mechanism_parameter none = {.hash = CRYPTO_NO_HASH};
    struct signer *none_made = NULL;
    uint8_t bad[SIGNATURE_MAX] = {1};
    uint8_t digest[32] = {0};
    (void)state;
    ERR_clear_error();
    ERR_raise(ERR_LIB_USER, 42);

    struct signer *verifier = stage_signer(KEY_RSA, mechanism, CKF_VERIFY);
    assert_int_equal(signer_verify(verifier, span_of(digest, 32), span_of(bad, 256)),
                     CKR_SIGNATURE_INVALID);
    assert_int_equal(signer_new(stage_key(KEY_P256), mechanism, &none, CKF_SIGN, &none_made),
                     CKR_FUNCTION_FAILED);
    signer_free(verifier);

    assert_int_equal(ERR_GET_REASON(ERR_get_error()), 42);
    assert_int_equal(ERR_get_error(), 0);
}

static void the_key_lives_as_long_as_its_signer(void **state)
{
    const struct mechanism *mechanism = stage_mechanism(SCHEME_PKCS1, CRYPTO_SHA256);
    struct mechanism_parameter none = {.hash = CRYPTO_NO_HASH};
    struct signer *signer = NULL;
    uint8_t signature[SIGNATURE_MAX] = {0};
    uint8_t digest[32] = {0};
    (void)state;
    EVP_PKEY *key = EVP_PKEY_dup(stage_key(KEY_RSA));
    assert_int_equal(signer_new(key, mechanism, &none, CKF_SIGN, &signer), CKR_OK);

    EVP_PKEY_free(key);

    assert_int_equal(signer_sign(signer, span_of(digest, 32), signature), CKR_OK);
    signer_free(signer);
    signer_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pkcs1_signs_a_digest_of_every_hash),
        cmocka_unit_test(a_digest_of_another_length_is_refused),
        cmocka_unit_test(raw_pkcs1_pads_what_fits_as_it_is),
        cmocka_unit_test(what_is_no_signature_recovers_nothing),
        cmocka_unit_test(pss_takes_every_hash_and_salt),
        cmocka_unit_test(pss_of_another_salt_or_hash_does_not_verify),
        cmocka_unit_test(a_signature_of_the_wrong_length_or_content_is_told_apart),
        cmocka_unit_test(one_signer_is_good_for_many_signatures_and_after_failures),
        cmocka_unit_test(the_signature_may_overwrite_the_input),
        cmocka_unit_test(a_key_of_another_kind_makes_no_signer),
        cmocka_unit_test(the_callers_errors_in_openssl_stay_as_they_are),
        cmocka_unit_test(the_key_lives_as_long_as_its_signer),
    };
    return cmocka_run_group_tests(tests, NULL, stage_keys_free);
}
