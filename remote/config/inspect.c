/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/config/inspect.h"

#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"

enum { KEY_SHOWN_MAX = 40 };

bool entry_is_good(const struct entry *entry)
{
    return entry->rule && !entry->is_bad && entry->text[0];
}

static void report_unknown(struct document *document, struct section *section,
                           const struct entry *entry)
{
    const char *kind = schema_section(section->kind)->name;
    const char *near = schema_nearest_key(section->kind, entry->key);
    int shown = (int)utf8_cut(entry->key, KEY_SHOWN_MAX);

    section->is_bad = true;
    if (near)
        problems_add(document->problems, section->file, entry->line,
                     "unknown key %.*s in [%s]; did you mean %s?", shown, entry->key, kind, near);
    else
        problems_add(document->problems, section->file, entry->line,
                     "unknown key %.*s in [%s]; remove it, or see smartca-pkcs11.conf(5)", shown,
                     entry->key, kind);
}

/* Marks both, if the section says the same key further up. */
static void check_repetition(struct document *document, struct section *section, size_t index)
{
    struct entry *entry = &section->entries[index];

    for (size_t i = 0; i < index; i++) {
        struct entry *earlier = &section->entries[i];
        if (earlier->rule != entry->rule)
            continue;
        problems_add(document->problems, section->file, entry->line,
                     "%s is already in line %u of this section; remove one of them", entry->key,
                     earlier->line);
        earlier->is_bad = true;
        entry->is_bad = true;
        return;
    }
}

static enum sca_status check_value(struct document *document, struct section *section,
                                   struct entry *entry)
{
    char why[VALUE_WHY_SIZE] = "";

    if (!entry->text[0])
        return SCA_OK;
    enum sca_status st = value_parse(entry->rule, entry->text, &entry->value, why);
    if (st == SCA_NOMEM)
        return st;
    if (st != SCA_OK) {
        problems_add(document->problems, section->file, entry->line, "%s %s", entry->key, why);
        entry->is_bad = true;
    } else if (section->is_open && value_is_confidential(entry->rule, &entry->value)) {
        problems_add(document->problems, section->file, entry->line,
                     "%s is a secret in a file that others may read; run chmod 600 on the file, "
                     "or put the secret in a file of its own and write file:PATH",
                     entry->key);
        entry->is_bad = true;
    }
    return SCA_OK;
}

static enum sca_status inspect_section(struct document *document, struct section *section)
{
    enum sca_status st = SCA_OK;

    for (size_t i = 0; st == SCA_OK && i < section->count; i++) {
        struct entry *entry = &section->entries[i];
        entry->rule = schema_find_key(section->kind, entry->key);
        if (!entry->rule) {
            report_unknown(document, section, entry);
            continue;
        }
        check_repetition(document, section, i);
        st = check_value(document, section, entry);
    }
    return st;
}

struct sorted {
    struct section *section;
};

/* By kind and name, then in the order of the files. */
static int compare_sections(const void *left, const void *right)
{
    const struct section *a = ((const struct sorted *)left)->section;
    const struct section *b = ((const struct sorted *)right)->section;

    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    int order = strcmp(a->name, b->name);
    return order ? order : a < b ? -1 : a > b;
}

/* Which of two was meant cannot be known, so neither is used. */
static void check_twins(struct document *document, struct section *first, struct section *second)
{
    const struct section_rule *rule = schema_section(second->kind);
    bool is_same_file = first->file == second->file;

    if (second->kind == SECTION_UNKNOWN || first->kind != second->kind ||
        strcmp(first->name, second->name) != 0 || (!is_same_file && !rule->is_named))
        return;
    if (is_same_file)
        problems_add(document->problems, second->file, second->line,
                     "[%s%s%s] is already in line %u; put its keys together in one section",
                     rule->name, rule->is_named ? " " : "", second->name, first->line);
    else
        problems_add(document->problems, second->file, second->line,
                     "[%s %s] is already in %s:%u; rename or remove one of them, neither is used",
                     rule->name, second->name, first->file, first->line);
    first->is_bad = true;
    second->is_bad = true;
}

/* Sorted, so that ten thousand accounts are no trouble. */
static enum sca_status check_names(struct document *document)
{
    AUTO(freep) struct sorted *sorted = calloc(document->count + 1, sizeof(*sorted));
    if (!sorted)
        return SCA_NOMEM;

    for (size_t i = 0; i < document->count; i++)
        sorted[i].section = &document->sections[i];
    if (document->count > 1)
        qsort(sorted, document->count, sizeof(*sorted), compare_sections);
    for (size_t i = 1; i < document->count; i++)
        check_twins(document, sorted[i - 1].section, sorted[i].section);
    return SCA_OK;
}

enum sca_status inspect_document(struct document *document)
{
    enum sca_status st = check_names(document);

    for (size_t i = 0; st == SCA_OK && i < document->count; i++)
        if (document->sections[i].kind != SECTION_UNKNOWN)
            st = inspect_section(document, &document->sections[i]);
    return st;
}
