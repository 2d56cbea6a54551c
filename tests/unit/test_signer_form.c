/* SPDX-License-Identifier: Apache-2.0 */
/* ECDSA signatures between DER and r and s of fixed length. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "module/token/ecdsa_form.h"
#include "remote/base/cleanup.h"

/* Halves of two bytes: every case by hand. */
static const struct {
    const char *der;
    const char *raw;
} pairs[] = {
    {"3006020101020102", "00010002"},         {"3006020100020100", "00000000"},
    {"300602017f02017f", "007f007f"},         {"3008020200800202008f", "0080008f"},
    {"300a02030080010203008f02", "80018f02"}, {"30080202123402027abc", "12347abc"},
};

static void der_and_raw_are_the_same_signature(void **state)
{
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        uint8_t der[ECDSA_DER_MAX];
        uint8_t raw[4] = {0xee, 0xee, 0xee, 0xee};
        char hex[2 * ECDSA_DER_MAX + 1];
        size_t len = 0;
        assert_int_equal(hex_decode(pairs[i].der, der, sizeof(der), &len), SCA_OK);

        assert_true(ecdsa_form_from_der(span_of(der, len), 2, raw));
        hex_encode(span_of(raw, 4), hex);
        assert_string_equal(hex, pairs[i].raw);

        len = ecdsa_form_to_der(span_of(raw, 4), der);
        hex_encode(span_of(der, len), hex);
        assert_string_equal(hex, pairs[i].der);
    }
}

static void what_is_no_signature_of_that_size_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "30",
        "3000",
        "3006020101020102ff",     /* something behind */
        "3007020101020102ff",     /* something behind, inside */
        "3005020101020102",       /* the length is too small */
        "3007020101020102",       /* and too large */
        "3106020101020102",       /* no sequence */
        "3006030101020102",       /* no integer */
        "3006020101030102",       /* no second integer */
        "3003020101",             /* one half */
        "30050200020102",         /* an empty half */
        "3009020301000102020002", /* three bytes that count */
        "300a020401000102020002", /* longer than what is there */
        "30060205010201ff",
        "308106020101020102", /* the long form where the short one does */
        "3080020101020102",   /* of unknown length */
        "30810a",
        "3081",
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        uint8_t der[32];
        uint8_t raw[4];
        size_t len = 0;
        assert_int_equal(hex_decode(bad[i], der, sizeof(der), &len), SCA_OK);
        if (ecdsa_form_from_der(span_of(der, len), 2, raw))
            fail_msg("%s was taken", bad[i]);
    }
}

static void the_largest_signature_takes_the_long_form_of_the_length(void **state)
{
    uint8_t raw[2 * ECDSA_HALF_MAX];
    uint8_t back[2 * ECDSA_HALF_MAX] = {0};
    uint8_t der[ECDSA_DER_MAX];
    (void)state;
    memset(raw, 0xff, sizeof(raw));

    size_t len = ecdsa_form_to_der(span_of(raw, sizeof(raw)), der);

    assert_int_equal(len, ECDSA_DER_MAX);
    assert_int_equal(der[1], 0x81);
    assert_int_equal(der[2], ECDSA_DER_MAX - 3);
    assert_true(ecdsa_form_from_der(span_of(der, len), ECDSA_HALF_MAX, back));
    assert_memory_equal(back, raw, sizeof(raw));
}

/* 127 and 128 bytes of contents: where the form of the length changes. */
static void every_length_goes_there_and_back(void **state)
{
    (void)state;

    for (size_t half = 1; half <= ECDSA_HALF_MAX; half++)
        for (size_t zeros = 0; zeros <= half; zeros++) {
            uint8_t raw[2 * ECDSA_HALF_MAX];
            uint8_t back[2 * ECDSA_HALF_MAX] = {0};
            uint8_t der[ECDSA_DER_MAX];
            memset(raw, 0x5a, sizeof(raw));
            memset(raw, 0, zeros);
            raw[half] = 0x80;
            size_t len = ecdsa_form_to_der(span_of(raw, 2 * half), der);
            assert_true(ecdsa_form_from_der(span_of(der, len), half, back));
            assert_memory_equal(back, raw, 2 * half);
            for (size_t cut = 0; cut < len; cut++)
                assert_false(ecdsa_form_from_der(span_of(der, cut), half, back));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(der_and_raw_are_the_same_signature),
        cmocka_unit_test(what_is_no_signature_of_that_size_is_refused),
        cmocka_unit_test(the_largest_signature_takes_the_long_form_of_the_length),
        cmocka_unit_test(every_length_goes_there_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
