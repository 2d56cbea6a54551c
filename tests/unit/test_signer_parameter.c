/* SPDX-License-Identifier: Apache-2.0 */
/* What may come with a mechanism. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "module/token/mechanism.h"
#include "remote/base/cleanup.h"

static const struct mechanism raw_pss = {.scheme = SCHEME_PSS, .hash = CRYPTO_NO_HASH};
static const struct mechanism sha384_pss = {.scheme = SCHEME_PSS, .hash = CRYPTO_SHA384};
static const struct mechanism pkcs1 = {.scheme = SCHEME_PKCS1, .hash = CRYPTO_NO_HASH};
static const struct mechanism ecdsa = {.scheme = SCHEME_ECDSA, .hash = CRYPTO_NO_HASH};
static const struct mechanism eddsa = {.scheme = SCHEME_EDDSA, .hash = CRYPTO_NO_HASH};
static const struct mechanism generating = {.scheme = SCHEME_NONE, .hash = CRYPTO_NO_HASH};

static CK_RV parse(const struct mechanism *mechanism, void *parameter, CK_ULONG len,
                   struct mechanism_parameter *ret_parameter)
{
    CK_MECHANISM wanted = {0, parameter, len};
    return mechanism_parameter_read(mechanism, &wanted, ret_parameter);
}

static void pss_wants_a_hash_we_have_for_data_and_mask(void **state)
{
    static const struct {
        CK_RSA_PKCS_PSS_PARAMS given;
        CK_RV raw;
        CK_RV sha384;
        enum crypto_hash hash;
    } rows[] = {
        {{CKM_SHA256, CKG_MGF1_SHA256, 32}, CKR_OK, CKR_MECHANISM_PARAM_INVALID, CRYPTO_SHA256},
        {{CKM_SHA384, CKG_MGF1_SHA384, 0}, CKR_OK, CKR_OK, CRYPTO_SHA384},
        {{CKM_SHA512, CKG_MGF1_SHA512, 64}, CKR_OK, CKR_MECHANISM_PARAM_INVALID, CRYPTO_SHA512},
        {{CKM_SHA256, CKG_MGF1_SHA384, 32},
         CKR_MECHANISM_PARAM_INVALID,
         CKR_MECHANISM_PARAM_INVALID,
         CRYPTO_NO_HASH},
        {{CKM_SHA384, CKG_MGF1_SHA256, 32},
         CKR_MECHANISM_PARAM_INVALID,
         CKR_MECHANISM_PARAM_INVALID,
         CRYPTO_NO_HASH},
        {{CKM_SHA_1, CKG_MGF1_SHA1, 20},
         CKR_MECHANISM_PARAM_INVALID,
         CKR_MECHANISM_PARAM_INVALID,
         CRYPTO_NO_HASH},
        {{CKM_SHA256_RSA_PKCS, CKG_MGF1_SHA256, 32},
         CKR_MECHANISM_PARAM_INVALID,
         CKR_MECHANISM_PARAM_INVALID,
         CRYPTO_NO_HASH},
        {{0, 0, 0}, CKR_MECHANISM_PARAM_INVALID, CKR_MECHANISM_PARAM_INVALID, CRYPTO_NO_HASH},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CK_RSA_PKCS_PSS_PARAMS given = rows[i].given;
        struct mechanism_parameter read = {.hash = CRYPTO_NO_HASH, .salt_len = 99};
        assert_int_equal(parse(&raw_pss, &given, sizeof(given), &read), rows[i].raw);
        assert_int_equal(read.hash, rows[i].hash);
        assert_int_equal(read.salt_len, rows[i].raw == CKR_OK ? given.sLen : 99);
        assert_int_equal(parse(&sha384_pss, &given, sizeof(given), &read), rows[i].sha384);
    }
}

static void pss_wants_the_whole_parameter(void **state)
{
    CK_RSA_PKCS_PSS_PARAMS given = {CKM_SHA256, CKG_MGF1_SHA256, 32};
    struct mechanism_parameter read = {.hash = CRYPTO_SHA1, .salt_len = 99};
    (void)state;

    assert_int_equal(parse(&raw_pss, NULL, 0, &read), CKR_MECHANISM_PARAM_INVALID);
    assert_int_equal(parse(&raw_pss, NULL, sizeof(given), &read), CKR_MECHANISM_PARAM_INVALID);
    assert_int_equal(parse(&raw_pss, &given, 0, &read), CKR_MECHANISM_PARAM_INVALID);
    assert_int_equal(parse(&raw_pss, &given, sizeof(given) - 1, &read),
                     CKR_MECHANISM_PARAM_INVALID);
    assert_int_equal(parse(&raw_pss, &given, sizeof(given) + 1, &read),
                     CKR_MECHANISM_PARAM_INVALID);
    assert_int_equal(read.hash, CRYPTO_SHA1);
    assert_int_equal(read.salt_len, 99);
}

static void eddsa_is_the_plain_one(void **state)
{
    CK_BYTE context[] = "context";
    struct cryptoki_eddsa_params plain = {CK_FALSE, 0, NULL};
    struct cryptoki_eddsa_params hashed = {CK_TRUE, 0, NULL};
    struct cryptoki_eddsa_params named = {CK_FALSE, 7, context};
    struct mechanism_parameter read = {.hash = CRYPTO_SHA1, .salt_len = 99};
    (void)state;

    assert_int_equal(parse(&eddsa, &hashed, sizeof(hashed), &read), CKR_MECHANISM_PARAM_INVALID);
    assert_int_equal(parse(&eddsa, &named, sizeof(named), &read), CKR_MECHANISM_PARAM_INVALID);
    assert_int_equal(parse(&eddsa, &plain, 1, &read), CKR_MECHANISM_PARAM_INVALID);
    assert_int_equal(parse(&eddsa, &plain, 0, &read), CKR_MECHANISM_PARAM_INVALID);
    assert_int_equal(parse(&eddsa, NULL, sizeof(plain), &read), CKR_MECHANISM_PARAM_INVALID);
    assert_int_equal(read.hash, CRYPTO_SHA1);
    assert_int_equal(parse(&eddsa, &plain, sizeof(plain), &read), CKR_OK);
    assert_int_equal(parse(&eddsa, NULL, 0, &read), CKR_OK);
    assert_int_equal(read.hash, CRYPTO_NO_HASH);
    assert_int_equal(read.salt_len, 0);
}

static void the_others_take_none(void **state)
{
    const struct mechanism *const others[] = {&pkcs1, &ecdsa, &generating};
    CK_RSA_PKCS_PSS_PARAMS given = {CKM_SHA256, CKG_MGF1_SHA256, 32};
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        struct mechanism_parameter read = {.hash = CRYPTO_SHA1, .salt_len = 99};
        assert_int_equal(parse(others[i], &given, sizeof(given), &read),
                         CKR_MECHANISM_PARAM_INVALID);
        assert_int_equal(parse(others[i], NULL, 1, &read), CKR_MECHANISM_PARAM_INVALID);
        assert_int_equal(read.salt_len, 99);
        assert_int_equal(parse(others[i], NULL, 0, &read), CKR_OK);
        assert_int_equal(read.hash, CRYPTO_NO_HASH);
        assert_int_equal(read.salt_len, 0);
    }
}

/* RFC 8017 section 9.1.1: emLen >= hLen + sLen + 2, emLen for one bit less than the modulus. */
static void the_salt_has_to_fit_beside_the_hash(void **state)
{
    static const struct {
        CK_ULONG modulus_bits;
        CK_ULONG salt_len;
        bool fits;
    } rows[] = {
        {2048, 0, true},    {2048, 222, true}, {2048, 223, false},          {2049, 222, true},
        {2049, 223, false}, {2050, 223, true}, {2048, (CK_ULONG)-1, false}, {272, 0, true},
        {265, 0, false},    {0, 0, false},     {0, (CK_ULONG)-1, false},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct mechanism_parameter parameter = {.hash = CRYPTO_SHA256,
                                                .salt_len = rows[i].salt_len};
        if (mechanism_parameter_fits(&raw_pss, &parameter, rows[i].modulus_bits) != rows[i].fits)
            fail_msg("row %zu", i);
        assert_true(mechanism_parameter_fits(&pkcs1, &parameter, rows[i].modulus_bits));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pss_wants_a_hash_we_have_for_data_and_mask),
        cmocka_unit_test(pss_wants_the_whole_parameter),
        cmocka_unit_test(eddsa_is_the_plain_one),
        cmocka_unit_test(the_others_take_none),
        cmocka_unit_test(the_salt_has_to_fit_beside_the_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
