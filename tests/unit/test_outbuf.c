/* SPDX-License-Identifier: Apache-2.0 */
#include "module/token/outbuf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "module/token/text.h"
#include "remote/base/cleanup.h"

static void the_convention_in_every_case(void **state)
{
    static const struct {
        bool has_buffer;
        CK_ULONG room;
        CK_RV expected;
        bool is_answered;
    } rows[] = {
        {false, 0, CKR_OK, true},
        {false, 1000, CKR_OK, true},
        {true, 0, CKR_BUFFER_TOO_SMALL, true},
        {true, 31, CKR_BUFFER_TOO_SMALL, true},
        {true, 32, CKR_OK, false},
        {true, (CK_ULONG)-1, CKR_OK, false},
    };
    unsigned char buffer[1];
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CK_ULONG len = rows[i].room;
        bool is_answered = !rows[i].is_answered;
        assert_int_equal(outbuf_reserve(rows[i].has_buffer ? buffer : NULL, &len, 32, &is_answered),
                         rows[i].expected);
        assert_int_equal(is_answered, rows[i].is_answered);
        assert_int_equal(len, 32);
    }
}

static void a_list_is_copied_when_there_is_room(void **state)
{
    static const CK_ULONG items[] = {5, 6, 7};
    CK_ULONG out[4] = {0, 0, 0, 9};
    CK_ULONG count = 2;
    (void)state;

    assert_int_equal(outbuf_list(out, &count, items, 3), CKR_BUFFER_TOO_SMALL);
    assert_int_equal(count, 3);
    assert_int_equal(out[0], 0);
    count = 4;
    assert_int_equal(outbuf_list(out, &count, items, 3), CKR_OK);
    assert_int_equal(count, 3);
    assert_memory_equal(out, items, sizeof(items));
    assert_int_equal(out[3], 9);
    assert_int_equal(outbuf_list(out, &count, NULL, 0), CKR_OK);
    assert_int_equal(count, 0);
}

static void text_fills_its_field_without_a_nul(void **state)
{
    static const struct {
        const char *text;
        const char *field;
    } rows[] = {
        {"", "        "},          {"abc", "abc     "},     {"12345678", "12345678"},
        {"123456789", "12345678"}, {"123456ễ", "123456  "}, {"12345ễ", "12345ễ"},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        unsigned char field[9] = {0};
        text_pad(field, 8, rows[i].text);
        assert_string_equal((const char *)field, rows[i].field);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_convention_in_every_case),
        cmocka_unit_test(a_list_is_copied_when_there_is_room),
        cmocka_unit_test(text_fills_its_field_without_a_nul),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
