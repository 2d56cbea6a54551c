/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/config/fields.h"

#include <string.h>

#include "remote/base/cleanup.h"

static void *field_of(const struct key_rule *rule, void *target)
{
    return (char *)target + rule->offset;
}

static const void *field_in(const struct key_rule *rule, const void *target)
{
    return (const char *)target + rule->offset;
}

void fields_set(const struct key_rule *rule, struct value *take_value, void *target)
{
    void *field = field_of(rule, target);
    struct secret_ref *secret = field;
    char **text = field;

    switch (rule->kind) {
    case VALUE_TEXT:
        value_free_text(*text);
        *text = TAKE(take_value->text);
        break;
    case VALUE_NUMBER:
    case VALUE_CHOICE:
        memcpy(field, &take_value->number, sizeof(take_value->number));
        break;
    case VALUE_FLAG:
        *(bool *)field = take_value->number != 0;
        break;
    case VALUE_SECRET:
        value_free_text(secret->text);
        secret->kind = take_value->secret.kind;
        secret->text = TAKE(take_value->secret.text);
        break;
    }
    value_fini(take_value);
}

/* The value of a field, its texts copied. */
static enum sca_status field_dup(const struct key_rule *rule, const void *from,
                                 struct value *ret_value)
{
    const void *field = field_in(rule, from);
    const struct secret_ref *secret = field;
    const char *text = rule->kind == VALUE_TEXT     ? *(char *const *)field
                       : rule->kind == VALUE_SECRET ? secret->text
                                                    : NULL;
    char *copy = text ? strdup(text) : NULL;

    if (text && !copy)
        return SCA_NOMEM;
    *ret_value = (struct value){0};
    if (rule->kind == VALUE_TEXT)
        ret_value->text = copy;
    else if (rule->kind == VALUE_SECRET)
        ret_value->secret = (struct secret_ref){.kind = secret->kind, .text = copy};
    else if (rule->kind == VALUE_FLAG)
        ret_value->number = *(const bool *)field;
    else
        memcpy(&ret_value->number, field, sizeof(ret_value->number));
    return SCA_OK;
}

enum sca_status fields_set_fallbacks(enum key_target target, void *to)
{
    char why[VALUE_WHY_SIZE];
    size_t count = 0;
    const struct key_rule *rules = schema_keys(&count);

    for (size_t i = 0; i < count; i++) {
        struct value value;
        if (rules[i].target != target || !rules[i].fallback)
            continue;
        enum sca_status st = value_parse(&rules[i], rules[i].fallback, &value, why);
        if (st != SCA_OK)
            return st;
        fields_set(&rules[i], &value, to);
    }
    return SCA_OK;
}

enum sca_status fields_copy(enum key_target target, const void *from, void *to)
{
    size_t count = 0;
    const struct key_rule *rules = schema_keys(&count);

    for (size_t i = 0; i < count; i++) {
        struct value value;
        if (rules[i].target != target)
            continue;
        enum sca_status st = field_dup(&rules[i], from, &value);
        if (st != SCA_OK)
            return st;
        fields_set(&rules[i], &value, to);
    }
    return SCA_OK;
}

void fields_fini(enum key_target target, void *at)
{
    size_t count = 0;
    const struct key_rule *rules = schema_keys(&count);

    for (size_t i = 0; i < count; i++) {
        struct value nothing = {0};
        if (rules[i].target == target)
            fields_set(&rules[i], &nothing, at);
    }
}
