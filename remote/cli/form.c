/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/form.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "remote/base/bytes.h"
#include "remote/base/cleanup.h"
#include "remote/cli/day.h"

enum { YEARS_MIN = 1, YEARS_MAX = 30, AHEAD_MAX = 5 /* years */, PIN_TEXT_MAX = 4 * FORM_PIN_MAX };

/*
 * Upper bounds in characters: X.520 through RFC 5280 appendix A.1; user names have none there.
 * Where a field is said is the next step whatever is wrong with it.
 */
static const struct {
    const char *name;
    size_t characters_max;
    bool is_required;
    const char *place;
} fields[FORM_FIELD_COUNT] = {
    [FORM_USER] = {"user", 64, true, N_("give --user, or fill the column user")},
    [FORM_NAME] = {"name", 64, true, N_("give --name, or fill the column name")},
    [FORM_ORGANIZATION] = {"organization", 64, false,
                           N_("see --organization, its column, and [selfsigned]")},
    [FORM_UNIT] = {"organizational_unit", 64, false,
                   N_("see --organizational-unit, its column, and [selfsigned]")},
    [FORM_ISSUED_BY] = {"issued_by", 64, false,
                        N_("see --issued-by, its column, and [selfsigned]")},
    [FORM_LOCALITY] = {"locality", 128, false, N_("see --locality, its column, and [selfsigned]")},
    [FORM_STATE] = {"state", 128, false, N_("see --state, its column, and [selfsigned]")},
    [FORM_COUNTRY] = {"country", 64, false, N_("see --country, its column, and [selfsigned]")},
    [FORM_FROM] = {"from", 64, false, N_("see --from, or its column; left out, it begins now")},
    [FORM_YEARS] = {"years", 64, true,
                    N_("give --years, fill its column, or set years in [selfsigned]")},
    [FORM_KEY] = {"key", 64, false, N_("see --key, or its column; left out, it is rsa:2048")},
    [FORM_PIN] = {"pin", PIN_TEXT_MAX, false,
                  N_("correct the column pin, or give --pins-out without it")},
};

#define WRONG(trouble, field, ...)                                                                 \
    trouble_say(trouble, "invalid", _(fields[field].place), __VA_ARGS__)

const char *form_field_name(enum form_field field)
{
    return fields[field].name;
}

/* People and spreadsheets write User and Organizational-Unit. Names of fields are ASCII. */
static bool is_same_name(const char *said, const char *name)
{
    for (; *said && *name; said++, name++)
        if ((*said >= 'A' && *said <= 'Z' ? *said - 'A' + 'a' : *said) != *name &&
            !(*said == '-' && *name == '_'))
            return false;
    return *said == *name;
}

enum form_field form_field_of(const char *name)
{
    enum form_field field = FORM_USER;

    while (field < FORM_FIELD_COUNT && !is_same_name(name, fields[field].name))
        field++;
    return field;
}

void form_from_config(const struct selfsigned_config *config, char years[static FORM_YEARS_SIZE],
                      struct form *ret_form)
{
    years[0] = 0;
    if (config->years)
        (void)snprintf(years, FORM_YEARS_SIZE, "%u", config->years);
    *ret_form = (struct form){{[FORM_ORGANIZATION] = config->organization,
                               [FORM_UNIT] = config->organizational_unit,
                               [FORM_ISSUED_BY] = config->issued_by,
                               [FORM_LOCALITY] = config->locality,
                               [FORM_STATE] = config->state,
                               [FORM_COUNTRY] = config->country,
                               [FORM_YEARS] = years}};
}

void form_overlay(struct form *form, const struct form *over)
{
    for (size_t i = 0; i < FORM_FIELD_COUNT; i++)
        if (over->text[i])
            form->text[i] = over->text[i];
}

void form_label(const char *name, char out[static FORM_LABEL_SIZE])
{
    size_t len = utf8_cut(name, FORM_LABEL_SIZE - 1);

    /* Labels are padded with blanks: one at the end could not be found again. */
    while (len > 0 && name[len - 1] == ' ')
        len--;
    memcpy(out, name, len);
    out[len] = 0;
}

static size_t count_characters(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xC0u) != 0x80u;
    return count;
}

/* A name that turns the direction of what stands beside it is read as another one. */
static bool is_shown_as_it_is(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (utf8_unprintable(span_of(text.ptr + i, text.len - i)) > 0)
            return false;
    return true;
}

static bool check_text(enum form_field field, const char *text, struct trouble *trouble)
{
    const char *name = fields[field].name;
    size_t len = strlen(text);

    if (!utf8_is_valid(span_text(text)))
        return WRONG(trouble, field, _("%s must be text in UTF-8"), name);
    if (!is_shown_as_it_is(span_text(text)))
        return WRONG(trouble, field, _("%s must not have control or invisible characters"), name);
    if (text[0] == ' ' || text[len - 1] == ' ')
        return WRONG(trouble, field, _("%s must not begin or end with a blank"), name);
    if (count_characters(text) > fields[field].characters_max)
        return WRONG(trouble, field, _("%s must have at most %zu characters"), name,
                     fields[field].characters_max);
    return true;
}

static bool check_country(struct order *order, struct trouble *trouble)
{
    const char *text = order->text[FORM_COUNTRY];

    if (!text)
        return true;
    if (strlen(text) != 2 || !isascii(text[0]) || !isalpha((unsigned char)text[0]) ||
        !isascii(text[1]) || !isalpha((unsigned char)text[1]))
        return WRONG(trouble, FORM_COUNTRY, _("country must be two letters, such as VN"));
    order->country[0] = (char)toupper((unsigned char)text[0]);
    order->country[1] = (char)toupper((unsigned char)text[1]);
    return true;
}

static bool check_time(struct order *order, int64_t now, struct trouble *trouble)
{
    const char *text = order->text[FORM_YEARS];
    const char *from = order->text[FORM_FROM];
    size_t len = strlen(text);
    unsigned years = 0;

    for (size_t i = 0; len <= 2 && i < len; i++)
        years = isdigit((unsigned char)text[i]) ? years * 10 + (unsigned)(text[i] - '0') : 100;
    if (years < YEARS_MIN || years > YEARS_MAX)
        return WRONG(trouble, FORM_YEARS, _("years must be a whole number from %d to %d"),
                     YEARS_MIN, YEARS_MAX);
    order->not_before = now;
    if (from && !day_parse(from, &order->not_before))
        return WRONG(trouble, FORM_FROM,
                     _("from must be a day written YYYY-MM-DD, such as 2026-01-31"));
    /* A slip of the pen in one line would have its local issuer renewed for as long. */
    if (order->not_before > day_add_years(now, AHEAD_MAX))
        return WRONG(trouble, FORM_FROM, _("from must be at most %d years from now"), AHEAD_MAX);
    order->not_after = day_add_years(order->not_before, years);
    return true;
}

static bool check_key(struct order *order, struct trouble *trouble)
{
    const char *text = order->text[FORM_KEY];

    order->key = key_spec_find(text ? text : KEY_SPEC_DEFAULT);
    return order->key || WRONG(trouble, FORM_KEY, _("key must be one of %s"), key_spec_names);
}

static bool check_pin(const struct order *order, struct trouble *trouble)
{
    const char *text = order->text[FORM_PIN];
    size_t len = text ? strlen(text) : FORM_PIN_MIN;

    return (len >= FORM_PIN_MIN && len <= FORM_PIN_MAX) ||
           WRONG(trouble, FORM_PIN, _("pin must have %d to %d bytes"), FORM_PIN_MIN, FORM_PIN_MAX);
}

static bool take_text(const struct form *form, enum form_field field, struct order *order,
                      struct trouble *trouble)
{
    const char *text = form->text[field];

    if (text && *text) {
        order->text[field] = text;
        return check_text(field, text, trouble);
    }
    return !fields[field].is_required ||
           WRONG(trouble, field, _("%s is missing"), fields[field].name);
}

bool form_check_user(const struct form *form, int64_t now, struct order *ret_order,
                     struct trouble *trouble)
{
    struct order order = {.not_before = now};

    if (!take_text(form, FORM_USER, &order, trouble) ||
        !take_text(form, FORM_PIN, &order, trouble) || !check_pin(&order, trouble))
        return false;
    if (order.text[FORM_USER])
        form_label(order.text[FORM_USER], order.label);
    *ret_order = order;
    return true;
}

bool form_check(const struct form *form, int64_t now, struct order *ret_order,
                struct trouble *trouble)
{
    struct order order;

    if (!form_check_user(form, now, &order, trouble))
        return false;
    for (enum form_field i = FORM_NAME; i < FORM_PIN; i++)
        if (!take_text(form, i, &order, trouble))
            return false;
    if (!check_country(&order, trouble) || !check_time(&order, now, trouble) ||
        !check_key(&order, trouble))
        return false;
    order.is_self_issued = !order.text[FORM_ISSUED_BY] ||
                           strcmp(order.text[FORM_ISSUED_BY], order.text[FORM_NAME]) == 0;
    *ret_order = order;
    return true;
}
