/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/base/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"

static void spans_are_equal_by_content(void **state)
{
    (void)state;

    assert_true(span_equal(span_text("abc"), span_of("abcd", 3)));
    assert_true(span_equal(span_of(NULL, 0), span_text("")));
    assert_true(span_equal(span_text(NULL), span_of("x", 0)));
    assert_false(span_equal(span_text("abc"), span_text("abd")));
    assert_false(span_equal(span_text("abc"), span_text("ab")));
}

static void a_buffer_grows_to_its_limit_and_not_beyond(void **state)
{
    struct buf buf;
    (void)state;
    buf_init(&buf, 1000, false);
    assert_null(buf.ptr);

    for (int i = 0; i < 100; i++)
        assert_int_equal(buf_append(&buf, span_text("0123456789")), SCA_OK);
    assert_int_equal(buf_append(&buf, span_of(NULL, 0)), SCA_OK);
    assert_int_equal(buf_append(&buf, span_text("x")), SCA_PROTOCOL);
    assert_int_equal(buf_append(&buf, span_of("x", SIZE_MAX)), SCA_PROTOCOL);

    assert_int_equal(buf.len, 1000);
    assert_int_equal(buf.ptr[999], '9');
    assert_int_equal(buf.ptr[1000], 0);
    buf_fini(&buf);
    assert_null(buf.ptr);
    assert_int_equal(buf.limit, 1000);
}

static void a_sensitive_buffer_leaves_zeros(void **state)
{
    struct buf buf;
    static const uint8_t zeros[6];
    (void)state;
    buf_init(&buf, 100, true);
    assert_int_equal(buf_append(&buf, span_text("secret")), SCA_OK);

    buf_clear(&buf);

    assert_int_equal(buf_span(&buf).len, 0);
    assert_memory_equal(buf.ptr, zeros, sizeof(zeros));
    assert_int_equal(buf_append(&buf, span_text("new")), SCA_OK);
    assert_true(span_equal(buf_span(&buf), span_text("new")));
    buf_fini(&buf);
}

static void hex_is_lower_case_and_read_in_either(void **state)
{
    static const uint8_t bytes[] = {0x00, 0x7f, 0xab, 0xff};
    char text[9];
    uint8_t out[4];
    size_t len = 0;
    (void)state;

    hex_encode(span_of(bytes, sizeof(bytes)), text);
    assert_string_equal(text, "007fabff");
    assert_int_equal(hex_decode("007FaBff", out, sizeof(out), &len), SCA_OK);
    assert_int_equal(len, 4);
    assert_memory_equal(out, bytes, sizeof(bytes));
    assert_int_equal(hex_decode("", out, 0, &len), SCA_OK);
    assert_int_equal(len, 0);
    hex_encode(span_of(NULL, 0), text);
    assert_string_equal(text, "");
}

static void broken_hex_is_refused(void **state)
{
    static const char *const broken[] = {"0",   "0g",         "g0", "0x", " 0",
                                         "00 ", "0011223344", "-1", "+1"};
    uint8_t out[4];
    size_t len = 99;
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(broken); i++)
        assert_int_equal(hex_decode(broken[i], out, sizeof(out), &len), SCA_INVALID);
    assert_int_equal(len, 99);
}

static void base64_of_the_rfc_is_decoded(void **state)
{
    static const struct {
        const char *text;
        const char *bytes;
    } rows[] = {
        {"", ""},
        {"Zg==", "f"},
        {"Zm8=", "fo"},
        {"Zm9v", "foo"},
        {"Zm9vYg==", "foob"},
        {"Zm9vYmE=", "fooba"},
        {"Zm9vYmFy", "foobar"},
        {"Zm9v\r\nYmFy\r\n", "foobar"},
        {" Z g\t= = ", "f"},
        {" \r\n", ""},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf out;
        assert_int_equal(base64_decode(span_text(rows[i].text), 6, &out), SCA_OK);
        assert_true(span_equal(buf_span(&out), span_text(rows[i].bytes)));
        buf_fini(&out);
    }
}

static void broken_base64_is_refused(void **state)
{
    static const char *const broken[] = {
        "Z",
        "Zg",
        "Zg=",
        "Zm9",
        "=",
        "====",
        "Zg===",
        "Z===",
        "Zg==Zg==",
        "Zm9v-_==",
        "Zm9v*",
        "Zm 9v\v",
        "Zm9vYmFyeA==" /* 7 bytes */,
        "\xc3\xa9==",
        "=Zg=",
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        struct buf out;
        enum sca_status st = base64_decode(span_text(broken[i]), 6, &out);
        if (st != SCA_PROTOCOL || out.len != 0)
            fail_msg("%s: %s", broken[i], sca_status_name(st));
        buf_fini(&out);
    }
    struct buf out;
    assert_int_equal(base64_decode(span_of("Zm\0v", 4), 6, &out), SCA_PROTOCOL);
    buf_fini(&out);
}

static void text_is_cut_at_a_character(void **state)
{
    static const struct {
        const char *text;
        size_t max;
        size_t expected;
    } rows[] = {
        {"abc", 5, 3}, {"abc", 3, 3}, {"abc", 2, 2}, {"abc", 0, 0}, {"", 4, 0},
        {"aễb", 4, 4}, {"aễb", 3, 1}, {"aễb", 2, 1}, {"ễ", 2, 0},   {"a\xf0\x9f\x98\x80", 4, 1},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(utf8_cut(rows[i].text, rows[i].max), rows[i].expected);
}

static void utf8_is_judged_by_rfc_3629(void **state)
{
    static const char *const valid[] = {"",
                                        "a",
                                        "Nguyễn",
                                        "\xc2\x80",
                                        "\xed\x9f\xbf",
                                        "\xee\x80\x80",
                                        "\xf0\x90\x80\x80",
                                        "\xf4\x8f\xbf\xbf"};
    static const char *const broken[] = {
        "\x80",         "\xc0\x80",         "\xc1\xbf",         "\xc2",
        "\xc2z",        "\xe0\x9f\xbf",     "\xe1\x80",         "\xff",
        "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
        "a\xf0\x9f",
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(valid); i++)
        assert_true(utf8_is_valid(span_text(valid[i])));
    for (size_t i = 0; i < ARRAY_LEN(broken); i++)
        if (utf8_is_valid(span_text(broken[i])))
            fail_msg("row %zu", i);
    assert_true(utf8_is_valid(span_of("\0", 1)));
}

static void what_is_no_utf8_is_replaced_byte_by_byte(void **state)
{
    static const char *const rows[][2] = {
        {"", ""},
        {"Nguyễn\x1b", "Nguyễn\x1b"},
        {"\xff\xfe.bin", "\xef\xbf\xbd\xef\xbf\xbd.bin"},
        {"a\xe1\xbb", "a\xef\xbf\xbd\xef\xbf\xbd"},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(freep) char *text = utf8_repair(rows[i][0]);
        assert_string_equal(text, rows[i][1]);
    }
}

static void what_steers_a_terminal_is_not_printable(void **state)
{
    static const char *const rows[][2] = {
        {"", ""},
        {"Nguyễn Văn A, 100 %", "Nguyễn Văn A, 100 %"},
        {"\x1b]0;x\a\x1b[31m", "?]0;x??[31m"},
        {"a\nb\r\tc\x7f", "a?b??c?"},
        {"\xc2\x9b"
         "31m\xc2\x80\xc2\xa0",
         "??31m??\xc2\xa0"},
        {"\x9b"
         "31m\xff\xc3",
         "?31m??"},
        {"a\xf0\x9f", "a??"},
        {"\xe2\x80\x8b\xe2\x80\x8c\xe2\x80\x8d\xe2\x80\x8e\xe2\x80\x8f", "???????????????"},
        {"a\xe2\x80\xaa.\xe2\x80\xae\xe2\x80\xa8\xe2\x80\xa9", "a???.?????????"},
        {"\xe2\x81\xa6\xe2\x81\xa9\xe2\x81\xa0\xef\xbb\xbf\xd8\x9c", "??????????????"},
        {"\xe2\x80\x8a\xe2\x80\x90\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\x9f\xe2\x81\xb0",
         "\xe2\x80\x8a\xe2\x80\x90\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\x9f\xe2\x81\xb0"},
        {"\xf0\x9f\x96\x8a", "\xf0\x9f\x96\x8a"},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[64];
        (void)strcpy(text, rows[i][0]);
        text_make_printable(text);
        assert_string_equal(text, rows[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_are_equal_by_content),
        cmocka_unit_test(a_buffer_grows_to_its_limit_and_not_beyond),
        cmocka_unit_test(a_sensitive_buffer_leaves_zeros),
        cmocka_unit_test(hex_is_lower_case_and_read_in_either),
        cmocka_unit_test(broken_hex_is_refused),
        cmocka_unit_test(base64_of_the_rfc_is_decoded),
        cmocka_unit_test(broken_base64_is_refused),
        cmocka_unit_test(text_is_cut_at_a_character),
        cmocka_unit_test(utf8_is_judged_by_rfc_3629),
        cmocka_unit_test(what_is_no_utf8_is_replaced_byte_by_byte),
        cmocka_unit_test(what_steers_a_terminal_is_not_printable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
