/* SPDX-License-Identifier: Apache-2.0 */
/* Signing and verifying with elliptic curves: ECDSA and Ed25519. */
#include <string.h>

#include <openssl/evp.h>

#include "remote/base/cleanup.h"
#include "tests/unit/signer_stage.h"

static const struct {
    enum stage_key key;
    size_t length;
} curves[] = {{KEY_P256, 64}, {KEY_P384, 96}, {KEY_P521, 132}};

static const enum crypto_hash hashes[] = {CRYPTO_SHA256, CRYPTO_SHA384, CRYPTO_SHA512};

static struct span message(void)
{
    return span_text("what is signed");
}

static void every_curve_signs_with_every_hash(void **state)
{
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(curves) * ARRAY_LEN(hashes); i++) {
        enum stage_key key = curves[i / 3].key;
        const struct mechanism *mechanism = stage_mechanism(SCHEME_ECDSA, hashes[i % 3]);
        uint8_t out[64];
        uint8_t signature[SIGNATURE_MAX] = {0};
        struct span digest = stage_digest(hashes[i % 3], message(), out);
        struct signer *signer = stage_signer(key, mechanism, CKF_SIGN);
        struct signer *verifier = stage_signer(key, mechanism, CKF_VERIFY);
        struct span made = span_of(signature, signer_length(signer));

        assert_int_equal(signer_sign(signer, digest, signature), CKR_OK);

        assert_int_equal(made.len, curves[i / 3].length);
        assert_true(stage_verifies(key, hashes[i % 3], -1, message(), made));
        assert_int_equal(signer_verify(verifier, digest, made), CKR_OK);
        assert_int_equal(signer_sign(signer, span_of(out, 20), signature), CKR_DATA_LEN_RANGE);
        signer_free(signer);
        signer_free(verifier);
    }
}

/* CKM_ECDSA takes a digest of any length: the leftmost bits count, as many as the order has. */
static void a_raw_digest_has_any_length_up_to_1024_bits(void **state)
{
    static const struct {
        size_t len;
        CK_RV expected;
    } rows[] = {{0, CKR_DATA_LEN_RANGE},
                {1, CKR_OK},
                {20, CKR_OK},
                {31, CKR_OK},
                {32, CKR_OK},
                {64, CKR_OK},
                {67, CKR_OK},
                {128, CKR_OK},
                {129, CKR_DATA_LEN_RANGE}};
    const struct mechanism *mechanism = stage_mechanism(SCHEME_ECDSA, CRYPTO_NO_HASH);
    uint8_t input[129];
    (void)state;
    memset(input, 0xa5, sizeof(input));

    for (size_t i = 0; i < ARRAY_LEN(curves) * ARRAY_LEN(rows); i++) {
        size_t row = i % ARRAY_LEN(rows);
        enum stage_key key = curves[i / ARRAY_LEN(rows)].key;
        uint8_t signature[SIGNATURE_MAX] = {0};
        struct signer *signer = stage_signer(key, mechanism, CKF_SIGN);
        struct signer *verifier = stage_signer(key, mechanism, CKF_VERIFY);
        struct span data = span_of(input, rows[row].len);
        struct span made = span_of(signature, signer_length(signer));

        assert_int_equal(signer_sign(signer, data, signature), rows[row].expected);
        assert_int_equal(signer_verify(verifier, data, made), rows[row].expected);

        signer_free(signer);
        signer_free(verifier);
    }
}

static void what_is_right_of_the_order_does_not_count(void **state)
{
    const struct mechanism *mechanism = stage_mechanism(SCHEME_ECDSA, CRYPTO_NO_HASH);
    uint8_t input[128];
    uint8_t signature[SIGNATURE_MAX] = {0};
    struct span made = span_of(signature, 64);
    (void)state;
    memset(input, 0xa5, sizeof(input));
    struct signer *signer = stage_signer(KEY_P256, mechanism, CKF_SIGN);
    struct signer *verifier = stage_signer(KEY_P256, mechanism, CKF_VERIFY);
    assert_int_equal(signer_sign(signer, span_of(input, 128), signature), CKR_OK);

    input[32] ^= 1;
    assert_int_equal(signer_verify(verifier, span_of(input, 128), made), CKR_OK);
    assert_int_equal(signer_verify(verifier, span_of(input, 32), made), CKR_OK);
    assert_int_equal(signer_verify(verifier, span_of(input, 31), made), CKR_SIGNATURE_INVALID);
    input[31] ^= 1;
    assert_int_equal(signer_verify(verifier, span_of(input, 128), made), CKR_SIGNATURE_INVALID);

    signer_free(signer);
    signer_free(verifier);
}

/* r or s with zeros in front comes once in 256; then each half still has its full length. */
static void halves_with_leading_zeros_keep_their_length(void **state)
{
    const struct mechanism *mechanism = stage_mechanism(SCHEME_ECDSA, CRYPTO_SHA256);
    uint8_t out[64];
    struct span digest = stage_digest(CRYPTO_SHA256, message(), out);
    struct signer *signer = stage_signer(KEY_P256, mechanism, CKF_SIGN);
    struct signer *verifier = stage_signer(KEY_P256, mechanism, CKF_VERIFY);
    unsigned seen = 0;
    (void)state;

    for (int i = 0; i < 20000 && seen < 3; i++) {
        uint8_t signature[64] = {0};
        memset(signature, 0xee, sizeof(signature));
        assert_int_equal(signer_sign(signer, digest, signature), CKR_OK);
        if (signature[0] && signature[32])
            continue;
        seen++;
        assert_int_equal(signer_verify(verifier, digest, span_of(signature, 64)), CKR_OK);
        assert_true(stage_verifies(KEY_P256, CRYPTO_SHA256, -1, message(), span_of(signature, 64)));
    }

    assert_int_equal(seen, 3);
    signer_free(signer);
    signer_free(verifier);
}

static void a_wrong_ecdsa_signature_is_told_apart(void **state)
{
    const struct mechanism *mechanism = stage_mechanism(SCHEME_ECDSA, CRYPTO_SHA256);
    uint8_t out[64];
    uint8_t good[65] = {0};
    uint8_t bad[64];
    struct span digest = stage_digest(CRYPTO_SHA256, message(), out);
    (void)state;
    struct signer *signer = stage_signer(KEY_P256, mechanism, CKF_SIGN);
    struct signer *verifier = stage_signer(KEY_P256, mechanism, CKF_VERIFY);
    assert_int_equal(signer_sign(signer, digest, good), CKR_OK);

    static const size_t lengths[] = {0, 63, 65};
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++)
        assert_int_equal(signer_verify(verifier, digest, span_of(good, lengths[i])),
                         CKR_SIGNATURE_LEN_RANGE);
    static const size_t broken[] = {0, 31, 32, 63};
    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        memcpy(bad, good, sizeof(bad));
        bad[broken[i]] ^= 1;
        assert_int_equal(signer_verify(verifier, digest, span_of(bad, 64)), CKR_SIGNATURE_INVALID);
    }
    memset(bad, 0, sizeof(bad));
    assert_int_equal(signer_verify(verifier, digest, span_of(bad, 64)), CKR_SIGNATURE_INVALID);
    memset(bad, 0xff, sizeof(bad));
    assert_int_equal(signer_verify(verifier, digest, span_of(bad, 64)), CKR_SIGNATURE_INVALID);
    assert_int_equal(signer_verify(verifier, digest, span_of(good, 64)), CKR_OK);

    signer_free(signer);
    signer_free(verifier);
}

static void the_ecdsa_signature_may_overwrite_the_digest(void **state)
{
    const struct mechanism *mechanism = stage_mechanism(SCHEME_ECDSA, CRYPTO_SHA256);
    uint8_t both[64];
    (void)state;
    (void)stage_digest(CRYPTO_SHA256, message(), both);
    struct signer *signer = stage_signer(KEY_P256, mechanism, CKF_SIGN);

    assert_int_equal(signer_sign(signer, span_of(both, 32), both), CKR_OK);

    assert_true(stage_verifies(KEY_P256, CRYPTO_SHA256, -1, message(), span_of(both, 64)));
    signer_free(signer);
}

static void ed25519_signs_messages_of_any_length_again_and_again(void **state)
{
    static const size_t lengths[] = {0, 1, 63, 64, 65, 5000};
    const struct mechanism *mechanism = stage_mechanism(SCHEME_EDDSA, CRYPTO_NO_HASH);
    uint8_t data[5000];
    (void)state;
    memset(data, 'd', sizeof(data));
    struct signer *signer = stage_signer(KEY_ED25519, mechanism, CKF_SIGN);
    struct signer *verifier = stage_signer(KEY_ED25519, mechanism, CKF_VERIFY);
    assert_int_equal(signer_length(signer), 64);

    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        uint8_t signature[64] = {0};
        uint8_t again[64];
        struct span made = span_of(signature, 64);
        struct span text = span_of(data, lengths[i]);
        assert_int_equal(signer_sign(signer, text, signature), CKR_OK);
        assert_int_equal(signer_sign(signer, text, again), CKR_OK);
        assert_memory_equal(signature, again, 64);
        assert_true(stage_verifies(KEY_ED25519, CRYPTO_NO_HASH, -1, text, made));
        assert_int_equal(signer_verify(verifier, text, made), CKR_OK);
        assert_int_equal(signer_verify(verifier, text, made), CKR_OK);
    }

    signer_free(signer);
    signer_free(verifier);
}

static void the_ed25519_signature_may_overwrite_the_message(void **state)
{
    const struct mechanism *mechanism = stage_mechanism(SCHEME_EDDSA, CRYPTO_NO_HASH);
    uint8_t apart[64];
    uint8_t both[100];
    uint8_t text[100];
    (void)state;
    memset(text, 'd', sizeof(text));
    memset(both, 'd', sizeof(both));
    struct signer *signer = stage_signer(KEY_ED25519, mechanism, CKF_SIGN);

    assert_int_equal(signer_sign(signer, span_of(text, 100), apart), CKR_OK);
    assert_int_equal(signer_sign(signer, span_of(both, 100), both + 10), CKR_OK);

    assert_memory_equal(both + 10, apart, 64);
    signer_free(signer);
}

static void a_wrong_ed25519_signature_is_told_apart(void **state)
{
    const struct mechanism *mechanism = stage_mechanism(SCHEME_EDDSA, CRYPTO_NO_HASH);
    uint8_t signature[65] = {0};
    (void)state;
    struct signer *signer = stage_signer(KEY_ED25519, mechanism, CKF_SIGN);
    struct signer *verifier = stage_signer(KEY_ED25519, mechanism, CKF_VERIFY);
    assert_int_equal(signer_sign(signer, message(), signature), CKR_OK);

    assert_int_equal(signer_verify(verifier, message(), span_of(signature, 63)),
                     CKR_SIGNATURE_LEN_RANGE);
    assert_int_equal(signer_verify(verifier, message(), span_of(signature, 65)),
                     CKR_SIGNATURE_LEN_RANGE);
    assert_int_equal(signer_verify(verifier, span_text("something else"), span_of(signature, 64)),
                     CKR_SIGNATURE_INVALID);
    signature[40] ^= 1;
    assert_int_equal(signer_verify(verifier, message(), span_of(signature, 64)),
                     CKR_SIGNATURE_INVALID);
    signature[40] ^= 1;
    assert_int_equal(signer_verify(verifier, message(), span_of(signature, 64)), CKR_OK);

    signer_free(signer);
    signer_free(verifier);
}

/* RFC 8032 section 7.1, test 2. */
static void ed25519_gives_the_signature_of_the_standard(void **state)
{
    static const char seed_hex[] =
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
    static const char expected[] =
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
    const struct mechanism *mechanism = stage_mechanism(SCHEME_EDDSA, CRYPTO_NO_HASH);
    struct mechanism_parameter none = {.hash = CRYPTO_NO_HASH};
    struct signer *signer = NULL;
    uint8_t seed[32];
    uint8_t signature[64] = {0};
    uint8_t text[] = {0x72};
    char hex[129];
    size_t len = 0;
    (void)state;
    assert_int_equal(hex_decode(seed_hex, seed, sizeof(seed), &len), SCA_OK);
    EVP_PKEY *key =
        EVP_PKEY_new_raw_private_key_ex(crypto_libctx(), "ED25519", NULL, seed, sizeof(seed));
    assert_int_equal(signer_new(key, mechanism, &none, CKF_SIGN, &signer), CKR_OK);

    assert_int_equal(signer_sign(signer, span_of(text, 1), signature), CKR_OK);

    hex_encode(span_of(signature, 64), hex);
    assert_string_equal(hex, expected);
    signer_free(signer);
    EVP_PKEY_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_curve_signs_with_every_hash),
        cmocka_unit_test(a_raw_digest_has_any_length_up_to_1024_bits),
        cmocka_unit_test(what_is_right_of_the_order_does_not_count),
        cmocka_unit_test(halves_with_leading_zeros_keep_their_length),
        cmocka_unit_test(a_wrong_ecdsa_signature_is_told_apart),
        cmocka_unit_test(the_ecdsa_signature_may_overwrite_the_digest),
        cmocka_unit_test(ed25519_signs_messages_of_any_length_again_and_again),
        cmocka_unit_test(the_ed25519_signature_may_overwrite_the_message),
        cmocka_unit_test(a_wrong_ed25519_signature_is_told_apart),
        cmocka_unit_test(ed25519_gives_the_signature_of_the_standard),
    };
    return cmocka_run_group_tests(tests, NULL, stage_keys_free);
}
