/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/catalogue/certificate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/asn1.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"

#define CN "Nguy\xe1\xbb\x85n V\xc4\x83n A"

enum { DER_MAX = 65536 };

/* One key for most tests: making them is what takes the time. */
static EVP_PKEY *rsa;

static int make_key(void **state)
{
    (void)state;
    rsa = EVP_PKEY_Q_keygen(crypto_libctx(), NULL, "RSA", (size_t)2048);
    return rsa ? 0 : -1;
}

static int drop_key(void **state)
{
    (void)state;
    EVP_PKEY_free(rsa);
    return 0;
}

/* A certificate in the making, signed by its own key at the end. */
static X509 *draft(EVP_PKEY *key)
{
    X509 *x509 = X509_new();

    assert_non_null(x509);
    assert_int_equal(X509_set_version(x509, 2), 1);
    assert_int_equal(ASN1_INTEGER_set_uint64(X509_get_serialNumber(x509), 0x8123456789abcdefu), 1);
    assert_int_equal(ASN1_TIME_set_string(X509_getm_notBefore(x509), "20240229120000Z"), 1);
    assert_int_equal(ASN1_TIME_set_string(X509_getm_notAfter(x509), "20500101000000Z"), 1);
    assert_int_equal(X509_set_pubkey(x509, key), 1);
    return x509;
}

static void add_name(X509_NAME *name, const char *field, int type, const char *text)
{
    assert_int_equal(
        X509_NAME_add_entry_by_txt(name, field, type, (const unsigned char *)text, -1, -1, 0), 1);
}

/* Signs, encodes and releases it. */
static struct buf finish(X509 *take_x509, EVP_PKEY *key)
{
    struct buf der;
    uint8_t *bytes = NULL;

    assert_true(X509_sign(take_x509, key, EVP_sha256()) > 0);
    int len = i2d_X509(take_x509, &bytes);
    assert_true(len > 0);
    buf_init(&der, DER_MAX, false);
    assert_int_equal(buf_append(&der, span_of(bytes, (size_t)len)), SCA_OK);
    OPENSSL_free(bytes);
    X509_free(take_x509);
    return der;
}

static struct buf plain(EVP_PKEY *key)
{
    X509 *x509 = draft(key);
    add_name(X509_get_subject_name(x509), "C", MBSTRING_UTF8, "VN");
    add_name(X509_get_subject_name(x509), "CN", MBSTRING_UTF8, CN);
    add_name(X509_get_issuer_name(x509), "CN", MBSTRING_UTF8, "VNPT-CA");
    return finish(x509, key);
}

static struct parsed_certificate *parse(struct span der)
{
    struct parsed_certificate *parsed = NULL;
    const char *why = "";

    assert_int_equal(certificate_parse(crypto_libctx(), der, &parsed, &why), SCA_OK);
    assert_null(why);
    return parsed;
}

static void assert_refused(struct span der, const char *reason)
{
    struct parsed_certificate *parsed = NULL;
    const char *why = NULL;

    assert_int_equal(certificate_parse(crypto_libctx(), der, &parsed, &why), SCA_PROTOCOL);
    assert_null(parsed);
    assert_string_equal(why, reason);
    assert_int_equal(ERR_peek_error(), 0);
}

static void assert_text(struct span found, const char *expected)
{
    assert_int_equal(found.len, strlen(expected));
    assert_memory_equal(found.ptr, expected, found.len);
}

static bool is_part(struct span whole, struct span part)
{
    return part.len > 0 && memmem(whole.ptr, whole.len, part.ptr, part.len);
}

static void an_rsa_certificate_is_taken_apart(void **state)
{
    struct buf der = plain(rsa);
    AUTO(parsed_certificate_freep) struct parsed_certificate *parsed = parse(buf_span(&der));
    const struct certificate *view = parsed_certificate_get(parsed);
    static const uint8_t serial[] = {2, 9, 0, 0x81, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
    static const uint8_t exponent[] = {1, 0, 1};
    uint8_t id[CERTIFICATE_ID_SIZE];
    size_t id_len = 0;
    char text[CERTIFICATE_SERIAL_TEXT];

    (void)state;
    assert_true(span_equal(view->der, buf_span(&der)));
    assert_ptr_not_equal(view->der.ptr, der.ptr);
    assert_true(span_equal(view->serial, span_of(serial, sizeof(serial))));
    assert_true(span_equal(view->exponent, span_of(exponent, sizeof(exponent))));
    assert_int_equal(view->modulus.len, 256);
    assert_true(view->modulus.ptr[0] & 0x80);
    assert_text(view->common_name, CN);
    assert_true(view->not_before == 1709208000);
    assert_true(view->not_after == 2524608000);
    assert_true(is_part(view->der, view->subject));
    assert_true(is_part(view->subject, span_text("VN")));
    assert_true(is_part(view->der, view->issuer));
    assert_true(is_part(view->issuer, span_text("VNPT-CA")));
    assert_true(is_part(view->der, view->spki));
    assert_true(is_part(view->spki, view->modulus));
    /* The bits of the key are an RSAPublicKey: the last 270 bytes of this SubjectPublicKeyInfo. */
    assert_int_equal(EVP_Q_digest(crypto_libctx(), "SHA1", NULL,
                                  view->spki.ptr + view->spki.len - 270, 270, id, &id_len),
                     1);
    assert_true(span_equal(view->id, span_of(id, sizeof(id))));
    certificate_serial_text(view->serial, text);
    assert_string_equal(text, "8123456789abcdef");
    buf_fini(&der);
}

static void the_three_curves_are_accepted(void **state)
{
    static const char *const curves[] = {"P-256", "P-384", "P-521"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(curves); i++) {
        EVP_PKEY *key = EVP_PKEY_Q_keygen(crypto_libctx(), NULL, "EC", curves[i]);
        struct buf der = plain(key);
        AUTO(parsed_certificate_freep) struct parsed_certificate *parsed = parse(buf_span(&der));

        assert_int_equal(parsed_certificate_get(parsed)->modulus.len, 0);
        assert_int_equal(parsed_certificate_get(parsed)->exponent.len, 0);
        assert_int_equal(parsed_certificate_get(parsed)->id.len, CERTIFICATE_ID_SIZE);
        buf_fini(&der);
        EVP_PKEY_free(key);
    }
}

static void the_last_common_name_counts(void **state)
{
    X509 *x509 = draft(rsa);

    (void)state;
    add_name(X509_get_subject_name(x509), "CN", MBSTRING_UTF8, "first");
    add_name(X509_get_subject_name(x509), "CN", MBSTRING_UTF8, "replaced");
    X509_NAME_ENTRY *entry = X509_NAME_get_entry(X509_get_subject_name(x509), 1);
    assert_int_equal(
        X509_NAME_ENTRY_set_data(entry, V_ASN1_BMPSTRING, (const unsigned char *)"\0l\0a\0s\0t", 8),
        1);
    struct buf der = finish(x509, rsa);
    AUTO(parsed_certificate_freep) struct parsed_certificate *parsed = parse(buf_span(&der));

    assert_text(parsed_certificate_get(parsed)->common_name, "last");
    buf_fini(&der);
}

static void without_a_common_name_the_whole_subject_counts(void **state)
{
    X509 *x509 = draft(rsa);

    (void)state;
    add_name(X509_get_subject_name(x509), "C", MBSTRING_UTF8, "VN");
    add_name(X509_get_subject_name(x509), "O", MBSTRING_UTF8, CN);
    struct buf der = finish(x509, rsa);
    AUTO(parsed_certificate_freep) struct parsed_certificate *parsed = parse(buf_span(&der));

    assert_text(parsed_certificate_get(parsed)->common_name, "O=" CN ",C=VN");
    buf_fini(&der);
}

static void control_characters_are_not_shown(void **state)
{
    static const unsigned char name[] = "a\0b\033[2Jc\x7f"
                                        "d\xc2\x9bm\xc2\xa9";
    X509 *x509 = draft(rsa);

    (void)state;
    assert_int_equal(X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN",
                                                V_ASN1_UTF8STRING, name, sizeof(name) - 1, -1, 0),
                     1);
    struct buf der = finish(x509, rsa);
    AUTO(parsed_certificate_freep) struct parsed_certificate *parsed = parse(buf_span(&der));

    assert_text(parsed_certificate_get(parsed)->common_name, "a?b?[2Jc?d?m\xc2\xa9");
    buf_fini(&der);
}

static void what_is_no_certificate_is_refused(void **state)
{
    static const uint8_t sequence[] = {0x30, 0x03, 0x02, 0x01, 0x05};

    (void)state;
    assert_refused(span_of("", 0), "it is empty or larger than 16 KiB");
    assert_refused(span_text("rubbish"), "it is not an X.509 certificate in DER");
    assert_refused(span_of(sequence, sizeof(sequence)), "it is not an X.509 certificate in DER");
}

static void bytes_behind_a_certificate_are_refused(void **state)
{
    struct buf der = plain(rsa);

    (void)state;
    assert_refused(span_of(der.ptr, der.len + 1), "it is not exactly one certificate in DER");
    buf_fini(&der);
}

static void a_truncated_certificate_is_refused(void **state)
{
    struct buf der = plain(rsa);

    (void)state;
    for (size_t len = 1; len < der.len; len++) {
        /* Of its own size, so that reading on is found out. */
        uint8_t *part = malloc(len);
        assert_non_null(part);
        (void)memcpy(part, der.ptr, len);
        assert_refused(span_of(part, len), "it is not an X.509 certificate in DER");
        free(part);
    }
    buf_fini(&der);
}

static void a_length_in_too_many_bytes_is_refused(void **state)
{
    struct buf der = plain(rsa);
    struct buf ber;
    static const uint8_t header[] = {0x30, 0x83, 0};

    (void)state;
    buf_init(&ber, CERTIFICATE_MAX, false);
    assert_int_equal(der.ptr[1], 0x82);
    assert_int_equal(buf_append(&ber, span_of(header, sizeof(header))), SCA_OK);
    assert_int_equal(buf_append(&ber, span_of(der.ptr + 2, der.len - 2)), SCA_OK);

    assert_refused(buf_span(&ber), "it is not exactly one certificate in DER");
    buf_fini(&ber);
    buf_fini(&der);
}

static void more_than_16_kib_are_refused(void **state)
{
    X509 *x509 = draft(rsa);

    (void)state;
    for (size_t i = 0; i < 300; i++)
        add_name(X509_get_subject_name(x509), "O", MBSTRING_UTF8,
                 "0123456789012345678901234567890123456789012345678901234567890123");
    struct buf der = finish(x509, rsa);

    assert_true(der.len > CERTIFICATE_MAX);
    assert_refused(buf_span(&der), "it is empty or larger than 16 KiB");
    buf_fini(&der);
}

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
        struct buf der = finish(draft(key), rsa);
        if (rows[i].reason)
            assert_refused(buf_span(&der), rows[i].reason);
        else
            parsed_certificate_free(parse(buf_span(&der)));
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
        struct buf der = plain(rows[i].key);
        assert_refused(buf_span(&der), rows[i].reason);
        buf_fini(&der);
        EVP_PKEY_free(rows[i].key);
    }
}

/* Where in it an algorithm's identifier is, written over. */
static void overwrite(struct buf *der, struct span old, struct span new)
{
    uint8_t *at = memmem(der->ptr, der->len, old.ptr, old.len);
    assert_non_null(at);
    assert_int_equal(old.len, new.len);
    (void)memcpy(at, new.ptr, new.len);
}

static void another_kind_of_key_is_refused(void **state)
{
    /* rsaEncryption, and id-RSASSA-PSS in its place */
    static const uint8_t rsa_oid[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1};
    static const uint8_t pss_oid[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10};
    static const uint8_t no_oid[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 99};
    struct buf der = plain(rsa);

    (void)state;
    overwrite(&der, span_of(rsa_oid, sizeof(rsa_oid)), span_of(no_oid, sizeof(no_oid)));
    assert_refused(buf_span(&der), "its key cannot be read");
    buf_fini(&der);

    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(crypto_libctx(), "RSA-PSS", NULL);
    EVP_PKEY *key = NULL;
    assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
    assert_int_equal(EVP_PKEY_keygen(ctx, &key), 1);
    EVP_PKEY_CTX_free(ctx);
    der = plain(key);
    assert_true(is_part(buf_span(&der), span_of(pss_oid, sizeof(pss_oid))));
    assert_refused(buf_span(&der), "its key is neither RSA nor EC");
    buf_fini(&der);
    EVP_PKEY_free(key);
}

static void a_date_that_is_none_is_refused(void **state)
{
    struct buf der = plain(rsa);

    (void)state;
    overwrite(&der, span_text("20500101000000Z"), span_text("20501301000000Z"));
    assert_refused(buf_span(&der), "its validity cannot be read");
    buf_fini(&der);
}

static void a_common_name_that_is_no_text_is_refused(void **state)
{
    struct buf der = plain(rsa);

    (void)state;
    overwrite(&der, span_text(CN), span_text("Nguy\xe1\xbb\x85n V\xc4\x83n \xff"));
    assert_refused(buf_span(&der), "it is not an X.509 certificate in DER");
    buf_fini(&der);
}

/* A certificate with that key usage, in DER; twice: the extension is there two times. */
static struct buf with_usage(struct span usage, bool is_twice)
{
    X509 *x509 = draft(rsa);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();

    assert_int_equal(ASN1_OCTET_STRING_set(value, usage.ptr, (int)usage.len), 1);
    X509_EXTENSION *extension = X509_EXTENSION_create_by_NID(NULL, NID_key_usage, 1, value);
    assert_non_null(extension);
    for (int i = 0; i < (is_twice ? 2 : 1); i++)
        assert_int_equal(X509_add_ext(x509, extension, -1), 1);
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(value);
    return finish(x509, rsa);
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
        if (certificate_may_sign(crypto_libctx(), buf_span(&der)) != rows[i].may_sign)
            fail_msg("row %zu", i);
        AUTO(parsed_certificate_freep) struct parsed_certificate *parsed = parse(buf_span(&der));
        buf_fini(&der);
    }
    struct buf without = plain(rsa);
    assert_true(certificate_may_sign(crypto_libctx(), buf_span(&without)));
    buf_fini(&without);
}

static void the_hosts_errors_stay_in_the_queue(void **state)
{
    struct parsed_certificate *parsed = NULL;
    const char *why = NULL;

    (void)state;
    ERR_clear_error();
    ERR_raise(ERR_LIB_USER, 42);
    assert_int_equal(certificate_parse(crypto_libctx(), span_text("rubbish"), &parsed, &why),
                     SCA_PROTOCOL);
    assert_true(certificate_may_sign(crypto_libctx(), span_text("rubbish")));

    assert_int_equal(ERR_GET_REASON(ERR_get_error()), 42);
    assert_int_equal(ERR_get_error(), 0);
}

static void a_serial_number_is_shown_by_its_last_16_digits(void **state)
{
    static const struct {
        uint8_t der[24];
        size_t len;
        const char *text;
    } rows[] = {
        {{2, 1, 5}, 3, "0000000000000005"},
        {{2, 8, 1, 2, 3, 4, 5, 6, 7, 8}, 10, "0102030405060708"},
        {{2, 9, 0, 0xff, 2, 3, 4, 5, 6, 7, 8}, 11, "ff02030405060708"},
        {{2, 12, 9, 9, 9, 9, 1, 2, 3, 4, 5, 6, 7, 0xaf}, 14, "01020304050607af"},
        {{2, 0x81, 1, 5}, 4, "0000000000000005"},
        {{2}, 1, "0000000000000002"},
        {{2, 0x84, 1}, 3, "0000000000028401"},
    };
    char text[CERTIFICATE_SERIAL_TEXT];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        certificate_serial_text(span_of(rows[i].der, rows[i].len), text);
        assert_string_equal(text, rows[i].text);
    }
    certificate_serial_text(span_of(NULL, 0), text);
    assert_string_equal(text, "0000000000000000");
}

static void the_whole_serial_number_is_hex_without_its_sign_byte(void **state)
{
    static const struct {
        uint8_t der[24];
        size_t len;
        const char *text;
    } rows[] = {
        {{2, 1, 5}, 3, "05"},
        {{2, 3, 0, 0xff, 1}, 5, "ff01"},
        {{2, 1, 0}, 3, "00"},
        {{2, 12, 0x54, 1, 1, 1, 1, 2, 3, 4, 5, 6, 7, 0xaf}, 14, "5401010101020304050607af"},
    };
    char text[CERTIFICATE_SERIAL_HEX];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_string_equal(certificate_serial_hex(span_of(rows[i].der, rows[i].len), text),
                            rows[i].text);
    assert_string_equal(certificate_serial_hex(span_of(NULL, 0), text), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_whole_serial_number_is_hex_without_its_sign_byte),
        cmocka_unit_test(an_rsa_certificate_is_taken_apart),
        cmocka_unit_test(the_three_curves_are_accepted),
        cmocka_unit_test(the_last_common_name_counts),
        cmocka_unit_test(without_a_common_name_the_whole_subject_counts),
        cmocka_unit_test(control_characters_are_not_shown),
        cmocka_unit_test(what_is_no_certificate_is_refused),
        cmocka_unit_test(bytes_behind_a_certificate_are_refused),
        cmocka_unit_test(a_truncated_certificate_is_refused),
        cmocka_unit_test(a_length_in_too_many_bytes_is_refused),
        cmocka_unit_test(more_than_16_kib_are_refused),
        cmocka_unit_test(weak_and_foreign_keys_are_refused),
        cmocka_unit_test(sizes_and_exponents_of_rsa_have_limits),
        cmocka_unit_test(another_kind_of_key_is_refused),
        cmocka_unit_test(a_date_that_is_none_is_refused),
        cmocka_unit_test(a_common_name_that_is_no_text_is_refused),
        cmocka_unit_test(the_key_usage_says_whether_its_key_may_sign),
        cmocka_unit_test(the_hosts_errors_stay_in_the_queue),
        cmocka_unit_test(a_serial_number_is_shown_by_its_last_16_digits),
    };
    return cmocka_run_group_tests(tests, make_key, drop_key);
}
