/* SPDX-License-Identifier: Apache-2.0 */
/* Days and years of certificates. */
#include "remote/cli/day.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "remote/cli/output.h"

static void assert_later(const char *day, unsigned years, const char *expected)
{
    char text[OUTPUT_TIME_SIZE];
    int64_t seconds = 0;

    assert_true(day_parse(day, &seconds));
    assert_string_equal(output_time(day_add_years(seconds, years), text), expected);
}

static void a_day_begins_at_midnight_utc(void **state)
{
    int64_t seconds = -1;
    (void)state;

    assert_true(day_parse("1970-01-01", &seconds));
    assert_int_equal(seconds, 0);
    assert_true(day_parse("2026-03-01", &seconds));
    assert_int_equal(seconds, 1772323200);
    assert_true(day_parse("2024-02-29", &seconds));
    assert_true(day_parse("9999-12-31", &seconds));
}

static void what_is_no_day_is_refused(void **state)
{
    static const char *const texts[] = {
        "",           "2026",        "2026-1-1",   "2026-01-32",   "2026-13-01", "2026-00-10",
        "2026-01-00", "2026/01/01",  "01-01-2026", "2026-02-29",   "2100-02-29", "2026-04-31",
        "1949-12-31", "2026-01-01 ", "-026-01-01", "2026-01-0\x1", "20260-01-1",
    };
    int64_t seconds = 7;
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        print_message("%s\n", texts[i]);
        assert_false(day_parse(texts[i], &seconds));
        assert_int_equal(seconds, 7);
    }
}

static void years_later_is_the_same_day(void **state)
{
    (void)state;

    assert_later("2026-01-31", 1, "2027-01-31T00:00:00Z");
    assert_later("2026-12-31", 30, "2056-12-31T00:00:00Z");
    assert_later("2023-02-28", 1, "2024-02-28T00:00:00Z");
}

static void the_29th_of_february_becomes_the_28th_where_there_is_none(void **state)
{
    (void)state;

    assert_later("2024-02-29", 1, "2025-02-28T00:00:00Z");
    assert_later("2024-02-29", 4, "2028-02-29T00:00:00Z");
    assert_later("2096-02-29", 4, "2100-02-28T00:00:00Z");
}

static void nothing_ends_after_the_year_9999(void **state)
{
    (void)state;

    assert_later("9990-06-01", 30, "9999-12-31T23:59:59Z");
    assert_later("9998-06-01", 1, "9999-06-01T00:00:00Z");
}

static void the_time_of_day_stays(void **state)
{
    char text[OUTPUT_TIME_SIZE];
    (void)state;

    int64_t later = day_add_years(86399, 2);

    assert_string_equal(output_time(later, text), "1972-01-01T23:59:59Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_day_begins_at_midnight_utc),
        cmocka_unit_test(what_is_no_day_is_refused),
        cmocka_unit_test(years_later_is_the_same_day),
        cmocka_unit_test(the_29th_of_february_becomes_the_28th_where_there_is_none),
        cmocka_unit_test(nothing_ends_after_the_year_9999),
        cmocka_unit_test(the_time_of_day_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
