/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/day.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { YEAR_FIRST = 1950, YEAR_LAST = 9999, FEBRUARY = 1 };

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in(int year, int month)
{
    static const int days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month] + (month == FEBRUARY && is_leap(year));
}

static bool has_form(const char *text)
{
    static const char form[] = "dddd-dd-dd";

    if (strlen(text) != sizeof(form) - 1)
        return false;
    for (size_t i = 0; form[i]; i++)
        if (form[i] == 'd' ? !isdigit((unsigned char)text[i]) : text[i] != form[i])
            return false;
    return true;
}

bool day_parse(const char *text, int64_t *ret_seconds)
{
    if (!has_form(text))
        return false;
    int year = (int)strtol(text, NULL, 10);
    int month = (int)strtol(text + 5, NULL, 10) - 1;
    int day = (int)strtol(text + 8, NULL, 10);
    if (year < YEAR_FIRST || month < 0 || month > 11 || day < 1 || day > days_in(year, month))
        return false;
    struct tm parts = {.tm_year = year - 1900, .tm_mon = month, .tm_mday = day};
    *ret_seconds = (int64_t)timegm(&parts);
    return true;
}

int64_t day_add_years(int64_t seconds, unsigned years)
{
    struct tm last = {.tm_year = YEAR_LAST - 1900,
                      .tm_mon = 11,
                      .tm_mday = 31,
                      .tm_hour = 23,
                      .tm_min = 59,
                      .tm_sec = 59};
    time_t time = (time_t)seconds;
    struct tm parts;

    if (!gmtime_r(&time, &parts) || parts.tm_year + 1900 + (int)years > YEAR_LAST)
        return (int64_t)timegm(&last);
    parts.tm_year += (int)years;
    if (parts.tm_mday > days_in(parts.tm_year + 1900, parts.tm_mon))
        parts.tm_mday = days_in(parts.tm_year + 1900, parts.tm_mon);
    return (int64_t)timegm(&parts);
}
