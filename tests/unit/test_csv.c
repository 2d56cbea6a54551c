/* SPDX-License-Identifier: Apache-2.0 */
/* Comma-separated values: what spreadsheets write, and what is refused. */
#include "remote/cli/csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"

enum { SHOWN_SIZE = 512 };

/* All of it in one text: "LINE:field|field " for each row. */
static void assert_rows(const char *text, const char *expected)
{
    AUTO(csv_freep) struct csv *csv = NULL;
    char shown[SHOWN_SIZE] = "";
    unsigned line = 0;
    const char *why = NULL;
    size_t len = 0;

    print_message("%s\n", text);
    assert_int_equal(csv_parse(span_text(text), &csv, &line, &why), SCA_OK);

    for (size_t i = 0; i < csv->count; i++) {
        len += (size_t)snprintf(shown + len, sizeof(shown) - len, "%u:", csv->rows[i].line);
        for (size_t j = 0; j < csv->rows[i].field_count; j++)
            len += (size_t)snprintf(shown + len, sizeof(shown) - len, "%s%s", j ? "|" : "",
                                    csv->rows[i].fields[j]);
        len += (size_t)snprintf(shown + len, sizeof(shown) - len, " ");
    }
    assert_string_equal(shown, expected);
}

static void assert_refused(struct span text, unsigned expected_line, const char *expected_why)
{
    struct csv *csv = NULL;
    unsigned line = 0;
    const char *why = NULL;

    assert_int_equal(csv_parse(text, &csv, &line, &why), SCA_INVALID);

    assert_null(csv);
    assert_int_equal(line, expected_line);
    assert_string_equal(why, expected_why);
}

static void rows_and_fields_are_told_apart(void **state)
{
    (void)state;

    assert_rows("user,name\nan,Nguyễn Văn Ánh\n", "1:user|name 2:an|Nguyễn Văn Ánh ");
    assert_rows("a,b", "1:a|b ");
    assert_rows("a,\r\n,b\r\n", "1:a| 2:|b ");
    assert_rows("a\n\n\nb\n", "1:a 4:b ");
    assert_rows("a,b\n,\n", "1:a|b 2:| ");
}

static void quoted_fields_hold_anything(void **state)
{
    (void)state;

    assert_rows("\"a,b\",\"c\"\"d\"\n", "1:a,b|c\"d ");
    assert_rows("\"a\nb\",c\r\nd,\"\"\n", "1:a\nb|c 3:d| ");
    assert_rows("\"\"\"\"", "1:\" ");
}

static void a_byte_order_mark_is_passed_over(void **state)
{
    (void)state;

    assert_rows("\xEF\xBB\xBFuser\nan\n", "1:user 2:an ");
    assert_rows("\xEF\xBB\xBF\"user\"\nan\n", "1:user 2:an ");
}

static void semicolons_divide_where_the_first_line_has_no_comma(void **state)
{
    (void)state;

    assert_rows("user;name\nan;A, B\n", "1:user|name 2:an|A, B ");
    assert_rows("user,a;b\nan,c;d\n", "1:user|a;b 2:an|c;d ");
}

static void a_quotation_mark_without_its_partner_names_the_line_where_it_is(void **state)
{
    (void)state;

    assert_refused(span_text("a,b\nc,\"d\ne\nf\n"), 2, "a quotation mark has no partner");
}

static void text_around_quotation_marks_is_refused(void **state)
{
    (void)state;

    assert_refused(span_text("a\nb\"c\n"), 2,
                   "a quotation mark stands inside a field; quote all of it");
    assert_refused(span_text("a\n\"b\"c\n"), 2, "there is text behind a quotation mark");
    assert_refused(span_text("a\n\"b\"\rc\n"), 2, "there is text behind a quotation mark");
}

static void what_is_no_text_is_refused(void **state)
{
    (void)state;

    assert_refused(span_of("a\0b", 3), 1, "there is a NUL byte: this is no text in UTF-8");
    assert_refused(span_text(""), 1, "the file is empty");
    assert_refused(span_text("\xEF\xBB\xBF"), 1, "the file is empty");
}

static void more_fields_than_there_can_be_are_refused(void **state)
{
    char text[CSV_FIELDS_MAX + 3];
    (void)state;
    memset(text, ',', sizeof(text));

    memcpy(text, "a\n", 2);

    assert_refused(span_of(text, 2 + CSV_FIELDS_MAX), 2, "there are too many fields");
    text[2 + CSV_FIELDS_MAX - 1] = '\n';
    struct csv *csv = NULL;
    unsigned line = 0;
    const char *why = NULL;
    assert_int_equal(csv_parse(span_of(text, 2 + CSV_FIELDS_MAX), &csv, &line, &why), SCA_OK);
    assert_int_equal(csv->rows[1].field_count, CSV_FIELDS_MAX);
    csv_free(csv);
}

static void many_rows_are_all_there(void **state)
{
    AUTO(csv_freep) struct csv *csv = NULL;
    struct buf text;
    unsigned line = 0;
    const char *why = NULL;
    (void)state;
    buf_init(&text, CSV_SIZE_MAX, false);
    for (unsigned i = 0; i < 1000; i++) {
        char row[32];
        (void)snprintf(row, sizeof(row), "u%u,n%u\n", i, i);
        assert_int_equal(buf_append(&text, span_text(row)), SCA_OK);
    }

    enum sca_status st = csv_parse(buf_span(&text), &csv, &line, &why);

    buf_fini(&text);
    assert_int_equal(st, SCA_OK);
    assert_int_equal(csv->count, 1000);
    assert_int_equal(csv->rows[999].line, 1000);
    assert_string_equal(csv->rows[999].fields[1], "n999");
}

static void a_written_field_is_read_as_it_was(void **state)
{
    static const char *const texts[] = {"plain", "a,b", "a\"b", "a\nb", "Nguyễn; Văn", "\"", ""};
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        AUTO(csv_freep) struct csv *csv = NULL;
        struct buf line;
        unsigned number = 0;
        const char *why = NULL;
        buf_init(&line, 100, false);
        assert_int_equal(csv_write_field(&line, texts[i]), SCA_OK);
        assert_int_equal(buf_append(&line, span_text(",end\n")), SCA_OK);

        enum sca_status st = csv_parse(buf_span(&line), &csv, &number, &why);

        buf_fini(&line);
        assert_int_equal(st, SCA_OK);
        assert_int_equal(csv->rows[0].field_count, 2);
        assert_string_equal(csv->rows[0].fields[0], texts[i]);
    }
}

static void a_field_over_the_limit_is_not_written(void **state)
{
    struct buf line;
    (void)state;
    buf_init(&line, 4, false);

    enum sca_status st = csv_write_field(&line, "a,bc");

    buf_fini(&line);
    assert_int_equal(st, SCA_PROTOCOL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_and_fields_are_told_apart),
        cmocka_unit_test(quoted_fields_hold_anything),
        cmocka_unit_test(a_byte_order_mark_is_passed_over),
        cmocka_unit_test(semicolons_divide_where_the_first_line_has_no_comma),
        cmocka_unit_test(a_quotation_mark_without_its_partner_names_the_line_where_it_is),
        cmocka_unit_test(text_around_quotation_marks_is_refused),
        cmocka_unit_test(what_is_no_text_is_refused),
        cmocka_unit_test(more_fields_than_there_can_be_are_refused),
        cmocka_unit_test(many_rows_are_all_there),
        cmocka_unit_test(a_written_field_is_read_as_it_was),
        cmocka_unit_test(a_field_over_the_limit_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
