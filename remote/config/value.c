/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/config/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/base/wording.h"
#include "remote/config/checks.h"

void value_free_text(char *text)
{
    if (text)
        secret_wipe(text, strlen(text));
    free(text);
}

void value_fini(struct value *value)
{
    value_free_text(value->text);
    value_free_text(value->secret.text);
    *value = (struct value){0};
}

static enum sca_status refuse(char why[static VALUE_WHY_SIZE], const char *reason)
{
    (void)snprintf(why, VALUE_WHY_SIZE, "%s", reason);
    return SCA_INVALID;
}

static enum sca_status parse_text(const struct key_rule *rule, const char *text,
                                  struct value *ret_value, char why[static VALUE_WHY_SIZE])
{
    const char *reason = rule->check(text);
    if (reason)
        return refuse(why, reason);

    size_t len = strlen(text);
    while (rule->drops_slashes && len > 0 && text[len - 1] == '/')
        len--;
    ret_value->text = strndup(text, len);
    return ret_value->text ? SCA_OK : SCA_NOMEM;
}

/* Digits with decimals down to 1/scale, rounded down. Not strtod: the host's locale decides there.
 */
static bool parse_decimal(const char *text, unsigned scale, uint64_t *ret_number)
{
    uint64_t number = 0;
    unsigned unit = scale;
    size_t digits = strspn(text, "0123456789");

    if (digits == 0 || digits > 9)
        return false;
    for (size_t i = 0; i < digits; i++)
        number = number * 10 + (uint64_t)(text[i] - '0');
    number *= scale;

    const char *rest = text + digits;
    if (*rest == '.' && scale > 1) {
        size_t decimals = strspn(++rest, "0123456789");
        if (decimals == 0)
            return false;
        for (; *rest >= '0' && *rest <= '9'; rest++) {
            unit /= 10;
            number += (uint64_t)(*rest - '0') * unit;
        }
    }
    *ret_number = number;
    return *rest == 0;
}

static enum sca_status parse_number(const struct key_rule *rule, const char *text,
                                    struct value *ret_value, char why[static VALUE_WHY_SIZE])
{
    uint64_t number = 0;

    if (parse_decimal(text, rule->scale, &number) && number >= rule->min && number <= rule->max) {
        ret_value->number = (unsigned)number;
        return SCA_OK;
    }
    if (rule->scale <= 1)
        (void)snprintf(why, VALUE_WHY_SIZE, wording("must be a whole number from %u to %u"),
                       rule->min, rule->max);
    else
        (void)snprintf(why, VALUE_WHY_SIZE,
                       wording("must be seconds, from %u.%03u to %u, such as 2 or 2.5"),
                       rule->min / rule->scale, rule->min % rule->scale, rule->max / rule->scale);
    return SCA_INVALID;
}

/* "app, otp or totp" */
static void list_choices(const struct key_rule *rule, char *out, size_t size)
{
    size_t len = 0;

    for (size_t i = 0; rule->choices[i] && len < size; i++) {
        const char *divider = i == 0 ? "" : rule->choices[i + 1] ? ", " : wording(" or ");
        int put = snprintf(out + len, size - len, "%s%s", divider, rule->choices[i]);
        len += put > 0 ? (size_t)put : 0;
    }
}

static enum sca_status parse_choice(const struct key_rule *rule, const char *text,
                                    struct value *ret_value, char why[static VALUE_WHY_SIZE])
{
    char choices[100] = "";
    unsigned number = 0;

    while (rule->choices[number] && strcmp(rule->choices[number], text) != 0)
        number++;
    if (!rule->choices[number]) {
        list_choices(rule, choices, sizeof(choices));
        (void)snprintf(why, VALUE_WHY_SIZE, wording("must be %s"), choices);
        return SCA_INVALID;
    }
    ret_value->number = number;
    return SCA_OK;
}

static const char *check_variable(const char *text)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
    bool is_name = text[0] && !(text[0] >= '0' && text[0] <= '9') && !text[strspn(text, allowed)];
    return is_name ? NULL : wording("must name an environment variable after env:");
}

static const char *check_secret_path(const char *text)
{
    return check_path(text) ? wording("must have an absolute path after file:") : NULL;
}

static const char *check_vault(const char *text)
{
    return *text ? wording("must have nothing after vault:") : NULL;
}

static const struct {
    const char *prefix;
    enum secret_kind kind;
    const char *(*check)(const char *text);
} places[] = {
    {"file:", SECRET_FILE, check_secret_path},
    {"env:", SECRET_ENV, check_variable},
    {"vault:", SECRET_VAULT, check_vault},
    {"", SECRET_LITERAL, check_text},
};

static enum sca_status parse_secret(const struct key_rule *rule, const char *text,
                                    struct value *ret_value, char why[static VALUE_WHY_SIZE])
{
    size_t i = 0;
    while (strncmp(text, places[i].prefix, strlen(places[i].prefix)) != 0)
        i++;
    const char *rest = text + strlen(places[i].prefix);
    const char *reason = places[i].check(rest);
    if (reason)
        return refuse(why, reason);
    if (places[i].kind == SECRET_VAULT && rule->is_vault_unavailable)
        return refuse(why, wording("= vault: is not for this key: no PIN opens it; use file:PATH"));

    ret_value->secret.kind = places[i].kind;
    if (places[i].kind == SECRET_VAULT)
        return SCA_OK;
    ret_value->secret.text = strdup(rest);
    return ret_value->secret.text ? SCA_OK : SCA_NOMEM;
}

enum sca_status value_parse(const struct key_rule *rule, const char *text, struct value *ret_value,
                            char why[static VALUE_WHY_SIZE])
{
    static enum sca_status (*const parsers[])(const struct key_rule *, const char *, struct value *,
                                              char[static VALUE_WHY_SIZE]) = {
        [VALUE_TEXT] = parse_text,   [VALUE_NUMBER] = parse_number, [VALUE_CHOICE] = parse_choice,
        [VALUE_FLAG] = parse_choice, [VALUE_SECRET] = parse_secret,
    };
    struct value value = {0};

    enum sca_status st = parsers[rule->kind](rule, text, &value, why);
    if (st == SCA_OK)
        *ret_value = value;
    return st;
}

bool value_is_confidential(const struct key_rule *rule, const struct value *value)
{
    bool is_proxy_login = rule->check == check_proxy && strchr(value->text, '@');
    return value->secret.kind == SECRET_LITERAL || is_proxy_login;
}
