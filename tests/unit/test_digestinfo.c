/* SPDX-License-Identifier: Apache-2.0 */
#include "module/token/digestinfo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"

#define DIGEST_64   "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define BYTES(text) (text), sizeof(text) - 1

/* RFC 8017 section 9.2 note 1, and the same with the parameters left out (appendix A.2.4). */
static const struct {
    enum crypto_hash hash;
    const char *prefix;
    size_t len;
} prefixes[] = {
    {CRYPTO_SHA1, BYTES("\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14")},
    {CRYPTO_SHA1, BYTES("\x30\x1f\x30\x07\x06\x05\x2b\x0e\x03\x02\x1a\x04\x14")},
    {CRYPTO_SHA256,
     BYTES("\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20")},
    {CRYPTO_SHA256, BYTES("\x30\x2f\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x04\x20")},
    {CRYPTO_SHA384,
     BYTES("\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30")},
    {CRYPTO_SHA384, BYTES("\x30\x3f\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x04\x30")},
    {CRYPTO_SHA512,
     BYTES("\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40")},
    {CRYPTO_SHA512, BYTES("\x30\x4f\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x04\x40")},
};

static size_t build(size_t row, uint8_t out[static 128])
{
    size_t digest_len = crypto_hash_len(prefixes[row].hash);
    memcpy(out, prefixes[row].prefix, prefixes[row].len);
    memcpy(out + prefixes[row].len, DIGEST_64, digest_len);
    return prefixes[row].len + digest_len;
}

static void every_known_form_is_taken_apart(void **state)
{
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        uint8_t der[128];
        struct span digest = {0};
        bool is_length = true;
        size_t len = build(i, der);
        assert_int_equal(digestinfo_parse(span_of(der, len), &digest, &is_length),
                         prefixes[i].hash);
        assert_false(is_length);
        assert_ptr_equal(digest.ptr, der + prefixes[i].len);
        assert_int_equal(digest.len, crypto_hash_len(prefixes[i].hash));
    }
}

static void every_changed_byte_before_the_digest_counts(void **state)
{
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
        for (size_t at = 0; at < prefixes[i].len; at++) {
            uint8_t der[128];
            struct span digest = {0};
            bool is_length = false;
            size_t len = build(i, der);
            der[at] ^= 0x40;
            assert_int_equal(digestinfo_parse(span_of(der, len), &digest, &is_length),
                             CRYPTO_NO_HASH);
            assert_null(digest.ptr);
        }
}

static void cut_or_lengthened_it_is_refused(void **state)
{
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        uint8_t der[128] = {0};
        struct span digest = {0};
        bool is_length = false;
        size_t len = build(i, der);
        for (size_t cut = 0; cut < len; cut++)
            assert_int_equal(digestinfo_parse(span_of(der, cut), &digest, &is_length),
                             CRYPTO_NO_HASH);
        assert_int_equal(digestinfo_parse(span_of(der, len + 1), &digest, &is_length),
                         CRYPTO_NO_HASH);
    }
}

static void a_digest_of_the_wrong_length_is_told_apart(void **state)
{
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
        for (int by = -1; by <= 1; by += 2) {
            uint8_t der[128] = {0};
            struct span digest = {0};
            bool is_length = false;
            size_t len = by > 0 ? build(i, der) + 1 : build(i, der) - 1;
            der[1] = (uint8_t)(der[1] + by);
            der[prefixes[i].len - 1] = (uint8_t)(der[prefixes[i].len - 1] + by);
            assert_int_equal(digestinfo_parse(span_of(der, len), &digest, &is_length),
                             CRYPTO_NO_HASH);
            assert_true(is_length);
            assert_null(digest.ptr);
        }
}

static void other_things_are_no_digest_info(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } rows[] = {
        {BYTES("")},
        {BYTES("\x30\x00")},
        {BYTES(DIGEST_64)},
        {BYTES("\x30\x81\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"
               "0123456789abcdef0123456789abcdef")}, /* a length in two bytes: BER */
        {BYTES("\x30\x20\x30\x0c\x06\x08\x2a\x86\x48\x86\xf7\x0d\x02\x05\x05\x00\x04\x10"
               "0123456789abcdef")}, /* MD5 */
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct span digest = {0};
        bool is_length = true;
        assert_int_equal(digestinfo_parse(span_of(rows[i].bytes, rows[i].len), &digest, &is_length),
                         CRYPTO_NO_HASH);
        assert_false(is_length);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_known_form_is_taken_apart),
        cmocka_unit_test(every_changed_byte_before_the_digest_counts),
        cmocka_unit_test(cut_or_lengthened_it_is_refused),
        cmocka_unit_test(a_digest_of_the_wrong_length_is_told_apart),
        cmocka_unit_test(other_things_are_no_digest_info),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
