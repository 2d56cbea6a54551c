/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/catalogue/certificate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/x509.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"
#include "tests/unit/certificate_stage.h"

static void assert_text(struct span found, const char *expected)
{
    assert_int_equal(found.len, strlen(expected));
    assert_memory_equal(found.ptr, expected, found.len);
}

static void an_rsa_certificate_is_taken_apart(void **state)
{
    struct buf der = certificate_plain(certificate_rsa);
    AUTO(parsed_certificate_freep)
    struct parsed_certificate *parsed = certificate_stage_parse(buf_span(&der));
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
    assert_true(certificate_stage_has(view->der, view->subject));
    assert_true(certificate_stage_has(view->subject, span_text("VN")));
    assert_true(certificate_stage_has(view->der, view->issuer));
    assert_true(certificate_stage_has(view->issuer, span_text("VNPT-CA")));
    assert_true(certificate_stage_has(view->der, view->spki));
    assert_true(certificate_stage_has(view->spki, view->modulus));
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
        struct buf der = certificate_plain(key);
        AUTO(parsed_certificate_freep)
        struct parsed_certificate *parsed = certificate_stage_parse(buf_span(&der));

        assert_int_equal(parsed_certificate_get(parsed)->modulus.len, 0);
        assert_int_equal(parsed_certificate_get(parsed)->exponent.len, 0);
        assert_int_equal(parsed_certificate_get(parsed)->id.len, CERTIFICATE_ID_SIZE);
        buf_fini(&der);
        EVP_PKEY_free(key);
    }
}

static void the_last_common_name_counts(void **state)
{
    X509 *x509 = certificate_draft(certificate_rsa);

    (void)state;
    certificate_add_name(X509_get_subject_name(x509), "CN", MBSTRING_UTF8, "first");
    certificate_add_name(X509_get_subject_name(x509), "CN", MBSTRING_UTF8, "replaced");
    X509_NAME_ENTRY *entry = X509_NAME_get_entry(X509_get_subject_name(x509), 1);
    assert_int_equal(
        X509_NAME_ENTRY_set_data(entry, V_ASN1_BMPSTRING, (const unsigned char *)"\0l\0a\0s\0t", 8),
        1);
    struct buf der = certificate_finish(x509, certificate_rsa);
    AUTO(parsed_certificate_freep)
    struct parsed_certificate *parsed = certificate_stage_parse(buf_span(&der));

    assert_text(parsed_certificate_get(parsed)->common_name, "last");
    buf_fini(&der);
}

static void without_a_common_name_the_whole_subject_counts(void **state)
{
    X509 *x509 = certificate_draft(certificate_rsa);

    (void)state;
    certificate_add_name(X509_get_subject_name(x509), "C", MBSTRING_UTF8, "VN");
    certificate_add_name(X509_get_subject_name(x509), "O", MBSTRING_UTF8, CN);
    struct buf der = certificate_finish(x509, certificate_rsa);
    AUTO(parsed_certificate_freep)
    struct parsed_certificate *parsed = certificate_stage_parse(buf_span(&der));

    assert_text(parsed_certificate_get(parsed)->common_name, "O=" CN ",C=VN");
    buf_fini(&der);
}

static void control_characters_are_not_shown(void **state)
{
    static const unsigned char name[] = "a\0b\033[2Jc\x7f"
                                        "d\xc2\x9bm\xc2\xa9\xe2\x80\xae";
    X509 *x509 = certificate_draft(certificate_rsa);

    (void)state;
    assert_int_equal(X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN",
                                                V_ASN1_UTF8STRING, name, sizeof(name) - 1, -1, 0),
                     1);
    struct buf der = certificate_finish(x509, certificate_rsa);
    AUTO(parsed_certificate_freep)
    struct parsed_certificate *parsed = certificate_stage_parse(buf_span(&der));

    assert_text(parsed_certificate_get(parsed)->common_name, "a?b?[2Jc?d?m\xc2\xa9?");
    buf_fini(&der);
}

static void what_is_no_certificate_is_refused(void **state)
{
    static const uint8_t sequence[] = {0x30, 0x03, 0x02, 0x01, 0x05};

    (void)state;
    certificate_stage_refused(span_of("", 0), "it is empty or larger than 16 KiB");
    certificate_stage_refused(span_text("rubbish"), "it is not an X.509 certificate in DER");
    certificate_stage_refused(span_of(sequence, sizeof(sequence)),
                              "it is not an X.509 certificate in DER");
}

static void bytes_behind_a_certificate_are_refused(void **state)
{
    struct buf der = certificate_plain(certificate_rsa);

    (void)state;
    certificate_stage_refused(span_of(der.ptr, der.len + 1),
                              "it is not exactly one certificate in DER");
    buf_fini(&der);
}

static void a_truncated_certificate_is_refused(void **state)
{
    struct buf der = certificate_plain(certificate_rsa);

    (void)state;
    for (size_t len = 1; len < der.len; len++) {
        /* Of its own size, so that reading on is found out. */
        uint8_t *part = malloc(len);
        assert_non_null(part);
        (void)memcpy(part, der.ptr, len);
        certificate_stage_refused(span_of(part, len), "it is not an X.509 certificate in DER");
        free(part);
    }
    buf_fini(&der);
}

static void a_length_in_too_many_bytes_is_refused(void **state)
{
    struct buf der = certificate_plain(certificate_rsa);
    struct buf ber;
    static const uint8_t header[] = {0x30, 0x83, 0};

    (void)state;
    buf_init(&ber, CERTIFICATE_MAX, false);
    assert_int_equal(der.ptr[1], 0x82);
    assert_int_equal(buf_append(&ber, span_of(header, sizeof(header))), SCA_OK);
    assert_int_equal(buf_append(&ber, span_of(der.ptr + 2, der.len - 2)), SCA_OK);

    certificate_stage_refused(buf_span(&ber), "it is not exactly one certificate in DER");
    buf_fini(&ber);
    buf_fini(&der);
}

static void more_than_16_kib_are_refused(void **state)
{
    X509 *x509 = certificate_draft(certificate_rsa);

    (void)state;
    for (size_t i = 0; i < 300; i++)
        certificate_add_name(X509_get_subject_name(x509), "O", MBSTRING_UTF8,
                             "0123456789012345678901234567890123456789012345678901234567890123");
    struct buf der = certificate_finish(x509, certificate_rsa);

    assert_true(der.len > CERTIFICATE_MAX);
    certificate_stage_refused(buf_span(&der), "it is empty or larger than 16 KiB");
    buf_fini(&der);
}

static void a_date_that_is_none_is_refused(void **state)
{
    struct buf der = certificate_plain(certificate_rsa);

    (void)state;
    certificate_overwrite(&der, span_text("20500101000000Z"), span_text("20501301000000Z"));
    certificate_stage_refused(buf_span(&der), "its validity cannot be read");
    buf_fini(&der);
}

static void a_common_name_that_is_no_text_is_refused(void **state)
{
    struct buf der = certificate_plain(certificate_rsa);

    (void)state;
    certificate_overwrite(&der, span_text(CN), span_text("Nguy\xe1\xbb\x85n V\xc4\x83n \xff"));
    certificate_stage_refused(buf_span(&der), "it is not an X.509 certificate in DER");
    buf_fini(&der);
}

static void the_hosts_errors_stay_in_the_queue(void **state)
{
    struct parsed_certificate *parsed = NULL;
    const char *why = NULL;
    bool signs = false;

    (void)state;
    ERR_clear_error();
    ERR_raise(ERR_LIB_USER, 42);
    assert_int_equal(certificate_parse(crypto_libctx(), span_text("rubbish"), &parsed, &why),
                     SCA_PROTOCOL);
    assert_int_equal(certificate_may_sign(crypto_libctx(), span_text("rubbish"), &signs), SCA_OK);
    assert_true(signs);

    assert_int_equal(ERR_GET_REASON(ERR_get_error()), 42);
    assert_int_equal(ERR_get_error(), 0);
}

/* As it is for good where there was no memory when OpenSSL looked for them. */
static void a_context_without_algorithms_calls_no_certificate_unreadable(void **state)
{
    OSSL_LIB_CTX *poor = OSSL_LIB_CTX_new();
    struct parsed_certificate *parsed = NULL;
    const char *why = "";

    (void)state;
    OSSL_PROVIDER *nothing = OSSL_PROVIDER_load(poor, "null");
    assert_non_null(nothing);
    AUTO(crypto_pkey_freep) EVP_PKEY *key = EVP_PKEY_Q_keygen(crypto_libctx(), NULL, "EC", "P-256");
    struct buf der = certificate_plain(key);
    assert_int_equal(certificate_parse(poor, buf_span(&der), &parsed, &why), SCA_OK);
    assert_null(why);

    parsed_certificate_free(parsed);
    buf_fini(&der);
    (void)OSSL_PROVIDER_unload(nothing);
    OSSL_LIB_CTX_free(poor);
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
        cmocka_unit_test(a_context_without_algorithms_calls_no_certificate_unreadable),
        cmocka_unit_test(the_last_common_name_counts),
        cmocka_unit_test(without_a_common_name_the_whole_subject_counts),
        cmocka_unit_test(control_characters_are_not_shown),
        cmocka_unit_test(what_is_no_certificate_is_refused),
        cmocka_unit_test(bytes_behind_a_certificate_are_refused),
        cmocka_unit_test(a_truncated_certificate_is_refused),
        cmocka_unit_test(a_length_in_too_many_bytes_is_refused),
        cmocka_unit_test(more_than_16_kib_are_refused),
        cmocka_unit_test(a_date_that_is_none_is_refused),
        cmocka_unit_test(a_common_name_that_is_no_text_is_refused),
        cmocka_unit_test(the_hosts_errors_stay_in_the_queue),
        cmocka_unit_test(a_serial_number_is_shown_by_its_last_16_digits),
    };
    return cmocka_run_group_tests(tests, certificate_stage_begin, certificate_stage_end);
}
