/* SPDX-License-Identifier: Apache-2.0 */
/* The fields of the form: defaults, what they may be, what is said about those that are wrong. */
#include "remote/cli/form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"

#define A16 "aaaaaaaaaaaaaaaa"
#define A64 A16 A16 A16 A16
#define U16 "ễễễễễễễễễễễễễễễễ"
#define U64 U16 U16 U16 U16

enum { NOW = 1790000000 };

static const struct form good = {{[FORM_USER] = "an.nv",
                                  [FORM_NAME] = "Nguyễn Văn Ánh",
                                  [FORM_COUNTRY] = "vn",
                                  [FORM_FROM] = "2026-01-31",
                                  [FORM_YEARS] = "5"}};

static void assert_wrong(enum form_field field, const char *text, const char *expected)
{
    struct form form = good;
    struct order order = {.not_before = -1};
    struct trouble trouble = {0};

    print_message("%s = %s\n", form_field_name(field), text);
    form.text[field] = text;
    assert_false(form_check(&form, NOW, &order, &trouble));

    assert_string_equal(trouble.text, expected);
    assert_string_equal(trouble.code, "invalid");
    assert_string_not_equal(trouble.next_step, "");
    assert_int_equal(order.not_before, -1);
}

static struct order ordered(const struct form *form)
{
    struct order order;
    struct trouble trouble = {0};

    if (!form_check(form, NOW, &order, &trouble))
        fail_msg("%s", trouble.text);
    return order;
}

static void a_form_in_order_becomes_an_order(void **state)
{
    (void)state;

    struct order order = ordered(&good);

    assert_string_equal(order.text[FORM_USER], "an.nv");
    assert_string_equal(order.text[FORM_NAME], "Nguyễn Văn Ánh");
    assert_null(order.text[FORM_ORGANIZATION]);
    assert_string_equal(order.country, "VN");
    assert_string_equal(order.label, "an.nv");
    assert_true(order.is_self_issued);
    assert_int_equal(order.not_before, 1769817600);
    assert_int_equal(order.not_after, 1927584000);
    assert_string_equal(order.key->name, "rsa:2048");
}

static void without_a_day_it_begins_now(void **state)
{
    struct form form = good;
    (void)state;
    form.text[FORM_FROM] = "";

    struct order order = ordered(&form);

    assert_int_equal(order.not_before, NOW);
}

static void it_may_begin_years_from_now_or_before(void **state)
{
    struct form form = good;
    (void)state;

    form.text[FORM_FROM] = "2031-09-21";
    assert_int_equal(ordered(&form).not_before, 1947715200);
    form.text[FORM_FROM] = "1950-01-01";
    assert_int_equal(ordered(&form).not_before, -631152000);
}

static void issued_by_the_same_name_is_self_issued(void **state)
{
    struct form form = good;
    (void)state;

    form.text[FORM_ISSUED_BY] = "Nguyễn Văn Ánh";
    assert_true(ordered(&form).is_self_issued);
    form.text[FORM_ISSUED_BY] = "VNPT eContract Certificate";
    assert_false(ordered(&form).is_self_issued);
    form.text[FORM_ISSUED_BY] = "";
    assert_true(ordered(&form).is_self_issued);
}

static void every_kind_of_key_has_its_name(void **state)
{
    static const char *const names[] = {"rsa:2048", "rsa:3072", "rsa:4096", "ec:p256",
                                        "ec:p384",  "ec:p521",  "ed25519"};
    struct form form = good;
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        form.text[FORM_KEY] = names[i];
        assert_string_equal(ordered(&form).key->name, names[i]);
    }
}

#define MUST_YEARS   "years must be a whole number from 1 to 30"
#define MUST_COUNTRY "country must be two letters, such as VN"
#define MUST_FROM    "from must be a day written YYYY-MM-DD, such as 2026-01-31"
#define MUST_KEY                                                                                   \
    "key must be one of rsa:2048, rsa:3072, rsa:4096, ec:p256, ec:p384, ec:p521, ed25519"

static void a_field_that_is_wrong_is_named_with_its_rule(void **state)
{
    static const struct {
        enum form_field field;
        const char *text;
        const char *expected;
    } rows[] = {
        {FORM_USER, NULL, "user is missing"},
        {FORM_USER, "", "user is missing"},
        {FORM_NAME, "", "name is missing"},
        {FORM_YEARS, "", "years is missing"},
        {FORM_YEARS, "0", MUST_YEARS},
        {FORM_YEARS, "00", MUST_YEARS},
        {FORM_YEARS, "-1", MUST_YEARS},
        {FORM_YEARS, "31", MUST_YEARS},
        {FORM_YEARS, "1.5", MUST_YEARS},
        {FORM_YEARS, "1,", MUST_YEARS},
        {FORM_YEARS, "5x", MUST_YEARS},
        {FORM_YEARS, "+5", MUST_YEARS},
        {FORM_YEARS, "4294967297", MUST_YEARS},
        {FORM_COUNTRY, "V", MUST_COUNTRY},
        {FORM_COUNTRY, "VNM", MUST_COUNTRY},
        {FORM_COUNTRY, "V1", MUST_COUNTRY},
        {FORM_COUNTRY, "Đ", MUST_COUNTRY},
        {FORM_FROM, "2026-02-30", MUST_FROM},
        {FORM_FROM, "tomorrow", MUST_FROM},
        {FORM_FROM, "2031-09-22", "from must be at most 5 years from now"},
        {FORM_FROM, "9999-12-31", "from must be at most 5 years from now"},
        {FORM_KEY, "rsa:1024", MUST_KEY},
        {FORM_KEY, "RSA:2048", MUST_KEY},
        {FORM_PIN, "12345", "pin must have 6 to 64 bytes"},
        {FORM_PIN, A64 "a", "pin must have 6 to 64 bytes"},
        {FORM_NAME, " An", "name must not begin or end with a blank"},
        {FORM_USER, "an ", "user must not begin or end with a blank"},
        {FORM_NAME, "A\nB", "name must not have control or invisible characters"},
        {FORM_NAME, "A\x7F", "name must not have control or invisible characters"},
        {FORM_NAME, "A\xC2\x85", "name must not have control or invisible characters"},
        {FORM_NAME, "A\xE2\x80\xAE", "name must not have control or invisible characters"},
        {FORM_NAME, "A\xC2\xAD", "name must not have control or invisible characters"},
        {FORM_NAME, "A\xE3\x85\xA4", "name must not have control or invisible characters"},
        {FORM_NAME, "A\xE2\x80\x8B", "name must not have control or invisible characters"},
        {FORM_LOCALITY, "Qu\xE1", "locality must be text in UTF-8"},
        {FORM_NAME, U64 "a", "name must have at most 64 characters"},
        {FORM_USER, A64 "a", "user must have at most 64 characters"},
        {FORM_ORGANIZATION, A64 "a", "organization must have at most 64 characters"},
        {FORM_UNIT, A64 "a", "organizational_unit must have at most 64 characters"},
        {FORM_ISSUED_BY, A64 "a", "issued_by must have at most 64 characters"},
        {FORM_LOCALITY, A64 A64 "a", "locality must have at most 128 characters"},
        {FORM_STATE, A64 A64 "a", "state must have at most 128 characters"},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_wrong(rows[i].field, rows[i].text, rows[i].expected);
}

static void what_is_missing_says_where_to_give_it(void **state)
{
    static const struct {
        enum form_field field;
        const char *next_step;
    } rows[] = {
        {FORM_USER, "give --user, or fill the column user"},
        {FORM_NAME, "give --name, or fill the column name"},
        {FORM_YEARS, "give --years, fill its column, or set years in [selfsigned]"},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct form form = good;
        struct order order;
        struct trouble trouble = {0};
        form.text[rows[i].field] = NULL;

        assert_false(form_check(&form, NOW, &order, &trouble));

        assert_string_equal(trouble.next_step, rows[i].next_step);
    }
}

static void the_longest_texts_are_counted_in_characters(void **state)
{
    struct form form = good;
    (void)state;
    form.text[FORM_NAME] = U64;
    form.text[FORM_LOCALITY] = U64 U64;

    struct order order = ordered(&form);

    assert_string_equal(order.text[FORM_NAME], U64);
}

static void a_label_is_the_name_cut_at_a_character(void **state)
{
    char label[FORM_LABEL_SIZE];
    (void)state;

    form_label("an.nv", label);
    assert_string_equal(label, "an.nv");
    form_label(U16, label);
    assert_string_equal(label, "ễễễễễễễễễễ");
    form_label(A16 "aaaaaaaaaaaaaaa bc", label);
    assert_string_equal(label, A16 "aaaaaaaaaaaaaaa");
    form_label(A64, label);
    assert_string_equal(label, A16 A16);
}

static void columns_have_the_names_of_the_fields(void **state)
{
    (void)state;

    for (enum form_field i = FORM_USER; i < FORM_FIELD_COUNT; i++)
        assert_int_equal(form_field_of(form_field_name(i)), i);
    assert_int_equal(form_field_of("organizational-unit"), FORM_UNIT);
    assert_int_equal(form_field_of("issued-by"), FORM_ISSUED_BY);
    assert_int_equal(form_field_of("User"), FORM_USER);
    assert_int_equal(form_field_of("ORGANIZATIONAL-Unit"), FORM_UNIT);
    assert_int_equal(form_field_of("@ser"), FORM_FIELD_COUNT);
    assert_int_equal(form_field_of("Usér"), FORM_FIELD_COUNT);
    assert_int_equal(form_field_of("use"), FORM_FIELD_COUNT);
    assert_int_equal(form_field_of("users"), FORM_FIELD_COUNT);
    assert_int_equal(form_field_of(""), FORM_FIELD_COUNT);
}

static void the_company_says_what_the_form_does_not(void **state)
{
    char organization[] = "VNPT Group";
    char issuer[] = "VNPT eContract Certificate";
    const struct selfsigned_config config = {
        .organization = organization, .issued_by = issuer, .years = 5};
    const struct form said = {{[FORM_USER] = "an", [FORM_YEARS] = "7", [FORM_ISSUED_BY] = ""}};
    char years[FORM_YEARS_SIZE];
    struct form form;
    (void)state;

    form_from_config(&config, years, &form);
    assert_string_equal(form.text[FORM_YEARS], "5");
    form_overlay(&form, &said);

    assert_string_equal(form.text[FORM_USER], "an");
    assert_string_equal(form.text[FORM_ORGANIZATION], "VNPT Group");
    assert_string_equal(form.text[FORM_YEARS], "7");
    assert_string_equal(form.text[FORM_ISSUED_BY], "");
    assert_null(form.text[FORM_NAME]);
}

static void user_and_pin_are_checked_alone_as_well(void **state)
{
    const struct form form = {{[FORM_USER] = "an", [FORM_PIN] = "123456"}};
    const struct form bad = {{[FORM_USER] = "an", [FORM_PIN] = "1"}};
    struct order order;
    struct trouble trouble = {0};
    (void)state;

    assert_true(form_check_user(&form, NOW, &order, &trouble));
    assert_string_equal(order.label, "an");
    assert_string_equal(order.text[FORM_PIN], "123456");
    assert_int_equal(order.not_before, NOW);
    assert_false(form_check_user(&bad, NOW, &order, &trouble));
    assert_string_equal(trouble.text, "pin must have 6 to 64 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_form_in_order_becomes_an_order),
        cmocka_unit_test(without_a_day_it_begins_now),
        cmocka_unit_test(it_may_begin_years_from_now_or_before),
        cmocka_unit_test(issued_by_the_same_name_is_self_issued),
        cmocka_unit_test(every_kind_of_key_has_its_name),
        cmocka_unit_test(a_field_that_is_wrong_is_named_with_its_rule),
        cmocka_unit_test(what_is_missing_says_where_to_give_it),
        cmocka_unit_test(the_longest_texts_are_counted_in_characters),
        cmocka_unit_test(a_label_is_the_name_cut_at_a_character),
        cmocka_unit_test(columns_have_the_names_of_the_fields),
        cmocka_unit_test(the_company_says_what_the_form_does_not),
        cmocka_unit_test(user_and_pin_are_checked_alone_as_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
