/* SPDX-License-Identifier: Apache-2.0 */
/* Which keys a certificate may have, and what its key may do. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"
#include "tests/unit/certificate_stage.h"

static EVP_PKEY *rsa_key(unsigned bits, unsigned long exponent)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(crypto_libctx(), "RSA", NULL);
    BIGNUM *number = BN_new();
    EVP_PKEY *key = NULL;

    assert_int_equal(BN_set_word(number, exponent), 1);
    assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, (int)bits), 1);
    assert_int_equal(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, number), 1);
    assert_int_equal(EVP_PKEY_keygen(ctx, &key), 1);
    BN_free(number);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

/* A public key whose other half nobody has: all bits of the modulus are set. */
static EVP_PKEY *public_rsa(int bits, struct span exponent)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(crypto_libctx(), "RSA", NULL);
    OSSL_PARAM_BLD *parts = OSSL_PARAM_BLD_new();
    BIGNUM *n = BN_new();
    BIGNUM *e = BN_bin2bn(exponent.ptr, (int)exponent.len, NULL);
    EVP_PKEY *key = NULL;

    assert_int_equal(BN_set_bit(n, bits), 1);
    assert_int_equal(BN_sub_word(n, 1), 1);
    assert_int_equal(OSSL_PARAM_BLD_push_BN(parts, OSSL_PKEY_PARAM_RSA_N, n), 1);
    assert_int_equal(OSSL_PARAM_BLD_push_BN(parts, OSSL_PKEY_PARAM_RSA_E, e), 1);
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(parts);
    assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
    assert_int_equal(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params), 1);
    OSSL_PARAM_free(params);
    BN_free(e);
    BN_free(n);
    OSSL_PARAM_BLD_free(parts);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static void sizes_and_exponents_of_rsa_have_limits(void **state)
{
    static const struct {
        int bits;
        const char *exponent;
        size_t len;
        const char *reason; /* NULL: taken */
    } rows[] = {
        {2048, "\x01\x00\x01", 3, NULL},
        {8192, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, NULL},
        {2047, "\x01\x00\x01", 3, "its RSA key has not 2048 to 8192 bits"},
        {8193, "\x01\x00\x01", 3, "its RSA key has not 2048 to 8192 bits"},
        {2048, "\xff\xff", 2, "its RSA exponent is not an odd number from 65537 on"},
        {2048, "\x01\x00\x02", 3, "its RSA exponent is not an odd number from 65537 on"},
        {2048, "\x01\x00\x00\x00\x00\x00\x00\x00\x01", 9,
         "its RSA exponent is not an odd number from 65537 on"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        EVP_PKEY *key = public_rsa(rows[i].bits, span_of(rows[i].exponent, rows[i].len));
        struct buf der = certificate_finish(certificate_draft(key), certificate_rsa);
        if (rows[i].reason)
            certificate_stage_refused(buf_span(&der), rows[i].reason);
        else
            parsed_certificate_free(certificate_stage_parse(buf_span(&der)));
        buf_fini(&der);
        EVP_PKEY_free(key);
    }
}

static void weak_and_foreign_keys_are_refused(void **state)
{
    const struct {
        EVP_PKEY *key;
        const char *reason;
    } rows[] = {
        {rsa_key(1024, 65537), "its RSA key has not 2048 to 8192 bits"},
        {rsa_key(2048, 3), "its RSA exponent is not an odd number from 65537 on"},
        {EVP_PKEY_Q_keygen(crypto_libctx(), NULL, "EC", "secp256k1"),
         "its curve is not P-256, P-384 or P-521"},
        {EVP_PKEY_Q_keygen(crypto_libctx(), NULL, "EC", "P-224"),
         "its curve is not P-256, P-384 or P-521"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_non_null(rows[i].key);
        struct buf der = certificate_plain(rows[i].key);
        certificate_stage_refused(buf_span(&der), rows[i].reason);
        buf_fini(&der);
        EVP_PKEY_free(rows[i].key);
    }
}

static void another_kind_of_key_is_refused(void **state)
{
    /* rsaEncryption, and id-RSASSA-PSS in its place */
    static const uint8_t rsa_oid[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1};
    static const uint8_t pss_oid[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10};
    static const uint8_t no_oid[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 99};
    struct buf der = certificate_plain(certificate_rsa);

    (void)state;
    certificate_overwrite(&der, span_of(rsa_oid, sizeof(rsa_oid)), span_of(no_oid, sizeof(no_oid)));
    certificate_stage_refused(buf_span(&der), "its key cannot be read");
    buf_fini(&der);

    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(crypto_libctx(), "RSA-PSS", NULL);
    EVP_PKEY *key = NULL;
    assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
    assert_int_equal(EVP_PKEY_keygen(ctx, &key), 1);
    EVP_PKEY_CTX_free(ctx);
    der = certificate_plain(key);
    assert_true(certificate_stage_has(buf_span(&der), span_of(pss_oid, sizeof(pss_oid))));
    certificate_stage_refused(buf_span(&der), "its key is neither RSA nor EC");
    buf_fini(&der);
    EVP_PKEY_free(key);
}

/* A certificate with that key usage, in DER; twice: the extension is there two times. */
static struct buf with_usage(struct span usage, bool is_twice)
{
    X509 *x509 = certificate_draft(certificate_rsa);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();

    assert_int_equal(ASN1_OCTET_STRING_set(value, usage.ptr, (int)usage.len), 1);
    X509_EXTENSION *extension = X509_EXTENSION_create_by_NID(NULL, NID_key_usage, 1, value);
    assert_non_null(extension);
    for (int i = 0; i < (is_twice ? 2 : 1); i++)
        assert_int_equal(X509_add_ext(x509, extension, -1), 1);
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(value);
    return certificate_finish(x509, certificate_rsa);
}

static bool may_sign(struct span der)
{
    bool signs = false;
    assert_int_equal(certificate_may_sign(crypto_libctx(), der, &signs), SCA_OK);
    return signs;
}

static void the_key_usage_says_whether_its_key_may_sign(void **state)
{
    static const struct {
        const char *der; /* BIT STRING: unused bits, then digitalSignature first */
        size_t len;
        bool is_twice;
        bool may_sign;
    } rows[] = {
        {"\x03\x02\x06\xc0", 4, false, true},  /* both */
        {"\x03\x02\x07\x80", 4, false, true},  /* digitalSignature */
        {"\x03\x02\x06\x40", 4, false, true},  /* nonRepudiation */
        {"\x03\x02\x05\x20", 4, false, false}, /* keyEncipherment */
        {"\x03\x02\x01\x06", 4, false, false}, /* keyCertSign, cRLSign */
        {"\x03\x01\x00", 3, false, false},     /* nothing */
        {"\x04\x01\xc0", 3, false, false},     /* no BIT STRING */
        {"\x03\x02\x06\xc0", 4, true, false},  /* which of the two? */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf der = with_usage(span_of(rows[i].der, rows[i].len), rows[i].is_twice);
        if (may_sign(buf_span(&der)) != rows[i].may_sign)
            fail_msg("row %zu", i);
        parsed_certificate_free(certificate_stage_parse(buf_span(&der)));
        buf_fini(&der);
    }
    struct buf without = certificate_plain(certificate_rsa);
    assert_true(may_sign(buf_span(&without)));
    buf_fini(&without);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_and_exponents_of_rsa_have_limits),
        cmocka_unit_test(weak_and_foreign_keys_are_refused),
        cmocka_unit_test(another_kind_of_key_is_refused),
        cmocka_unit_test(the_key_usage_says_whether_its_key_may_sign),
    };
    return cmocka_run_group_tests(tests, certificate_stage_begin, certificate_stage_end);
}
