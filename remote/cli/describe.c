/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/describe.h"

#include <stdio.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/cli/examples.h"
#include "remote/cli/options.h"
#include "remote/cli/output.h"
#include "remote/config/schema.h"

static void json_freep(cJSON **item)
{
    cJSON_Delete(*item);
}

static cJSON *append_object(cJSON *list)
{
    cJSON *item = cJSON_CreateObject();

    if (cJSON_AddItemToArray(list, item))
        return item;
    cJSON_Delete(item);
    return NULL;
}

static bool append_text(cJSON *list, const char *text)
{
    cJSON *item = cJSON_CreateString(text);

    if (cJSON_AddItemToArray(list, item))
        return true;
    cJSON_Delete(item);
    return false;
}

static bool add_text(cJSON *object, const char *key, const char *text)
{
    return text ? cJSON_AddStringToObject(object, key, text) != NULL
                : cJSON_AddNullToObject(object, key) != NULL;
}

/* The help has its long lines broken and indented. */
static bool add_summary(cJSON *object, const char *help)
{
    AUTO(freep) char *text = strdup(help);
    char *to = text;

    for (const char *from = text; text && *from; from++) {
        bool is_blank = *from == ' ' || *from == '\n';
        if (!is_blank || (to > text && to[-1] != ' '))
            *to++ = is_blank ? ' ' : *from;
    }
    if (text)
        *to = 0;
    return text && add_text(object, "summary", text);
}

/* Options as they are visited. */
struct list {
    cJSON *items;
    bool is_whole;
};

static void add_option(void *arg, const char *name, const char *value, const char *help)
{
    struct list *list = arg;
    cJSON *option = append_object(list->items);

    list->is_whole = list->is_whole && add_text(option, "name", name) &&
                     add_text(option, "value", value) && add_summary(option, _(help));
}

static bool add_options(cJSON *object, unsigned groups)
{
    struct list list = {.items = cJSON_AddArrayToObject(object, "options"), .is_whole = true};

    options_each(groups, add_option, &list);
    return list.items && list.is_whole;
}

static bool add_verb(cJSON *object, const struct verb *verb)
{
    bool is_whole = add_text(object, "name", verb->name) &&
                    add_text(object, "operands", verb->operands) &&
                    add_summary(object, _(verb->summary)) && add_options(object, verb->options);
    cJSON *list = cJSON_AddArrayToObject(object, "examples");
    const char *line = NULL;

    for (size_t i = 0; is_whole && (line = example_get(verb->name, i)); i++)
        is_whole = append_text(list, line);
    return is_whole && list;
}

static bool add_verbs(cJSON *object, const char *prefix)
{
    cJSON *list = cJSON_AddArrayToObject(object, "verbs");
    size_t count = 0;
    const struct verb *verbs = verbs_all(&count);
    bool is_whole = list;

    for (size_t i = 0; is_whole && i < count; i++)
        if (strncmp(verbs[i].name, prefix, strlen(prefix)) == 0)
            is_whole = add_verb(append_object(list), &verbs[i]);
    return is_whole;
}

/* A bound as the file has it, such as 0.01 for 10 ms. */
static bool add_bound(cJSON *object, const char *key, const struct key_rule *rule, unsigned bound)
{
    return cJSON_AddNumberToObject(object, key, (double)bound / rule->scale);
}

static bool add_sections(cJSON *object, const char *key, unsigned set)
{
    cJSON *list = cJSON_AddArrayToObject(object, key);
    bool is_whole = list;

    for (unsigned kind = SECTION_MODULE; is_whole && kind <= SECTION_TOKEN; kind <<= 1)
        if (set & kind)
            is_whole = append_text(list, schema_section((enum section_kind)kind)->name);
    return is_whole;
}

static bool add_key(cJSON *object, const struct key_rule *rule)
{
    static const char *const kinds[] = {
        [VALUE_TEXT] = "text",   [VALUE_NUMBER] = "number", [VALUE_CHOICE] = "choice",
        [VALUE_FLAG] = "choice", [VALUE_SECRET] = "secret",
    };
    bool is_number = rule->kind == VALUE_NUMBER;
    /* Nobody having chosen is the first choice. */
    const char *fallback = rule->fallback || !rule->choices ? rule->fallback : rule->choices[0];
    bool is_whole =
        add_sections(object, "sections", rule->in) && add_text(object, "name", rule->name) &&
        add_text(object, "kind", kinds[rule->kind]) && add_text(object, "default", fallback) &&
        add_sections(object, "required_in", rule->required_in);

    if (is_whole && is_number)
        is_whole = add_bound(object, "minimum", rule, rule->min) &&
                   add_bound(object, "maximum", rule, rule->max);
    cJSON *list = is_whole && rule->choices ? cJSON_AddArrayToObject(object, "choices") : NULL;
    for (size_t i = 0; is_whole && rule->choices && rule->choices[i]; i++)
        is_whole = append_text(list, rule->choices[i]);
    return is_whole;
}

static bool add_configuration(cJSON *object)
{
    cJSON *list = cJSON_AddArrayToObject(object, "configuration");
    size_t count = 0;
    const struct key_rule *rules = schema_keys(&count);
    bool is_whole = list;

    for (size_t i = 0; is_whole && i < count; i++)
        is_whole = add_key(append_object(list), &rules[i]);
    return is_whole;
}

static enum cli_exit print(const struct cli *cli, const cJSON *object, bool is_whole)
{
    AUTO(freep) char *text = is_whole ? cJSON_Print(object) : NULL;

    if (!text)
        return output_fail(cli, output_code(SCA_NOMEM), "", "%s", _("out of memory"));
    (void)puts(text);
    return CLI_OK;
}

enum cli_exit describe_verb(const struct cli *cli, const struct verb *verb)
{
    AUTO(json_freep) cJSON *object = cJSON_CreateObject();

    return print(cli, object, add_verb(object, verb));
}

enum cli_exit describe_all(const struct cli *cli, const char *prefix)
{
    AUTO(json_freep) cJSON *object = cJSON_CreateObject();
    bool is_whole = add_verbs(object, prefix);

    if (is_whole && !*prefix)
        is_whole = add_options(object, OPTIONS_EVERY) && add_configuration(object);
    return print(cli, object, is_whole);
}
