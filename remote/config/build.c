/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/config/build.h"

#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/base/wording.h"
#include "remote/config/fields.h"
#include "remote/config/inspect.h"

/* What all [smartca] sections together say. */
struct defaults {
    struct service_config service;
    uint64_t given; /* keys with a good value */
    uint64_t bad;   /* keys whose last value is not acceptable: each account has to say them */
    bool is_bad;    /* wrong in a way that no account can make good */
};

static void defaults_fini(struct defaults *defaults)
{
    fields_fini(TARGET_SERVICE, &defaults->service);
}

static void *target_of(const struct key_rule *rule, struct config *config,
                       struct service_config *service, struct account_config *account)
{
    switch (rule->target) {
    case TARGET_MODULE:
        return config;
    case TARGET_SERVICE:
        return service;
    case TARGET_ACCOUNT:
        return account;
    case TARGET_SELFSIGNED:
        return &config->selfsigned;
    case TARGET_ECONTRACT:
        return &config->econtract;
    case TARGET_TOKEN:
    case TARGET_NONE:
        break;
    }
    return NULL;
}

/* [module], [selfsigned], [econtract]: each good key counts, whatever is wrong beside it. */
static void apply_once(struct section *section, struct config *config)
{
    for (size_t i = 0; i < section->count; i++) {
        struct entry *entry = &section->entries[i];
        if (entry_is_good(entry))
            fields_set(entry->rule, &entry->value, target_of(entry->rule, config, NULL, NULL));
    }
}

static void apply_smartca(struct section *section, struct defaults *defaults)
{
    defaults->is_bad |= section->is_bad;
    for (size_t i = 0; i < section->count; i++) {
        struct entry *entry = &section->entries[i];
        if (!entry->rule)
            continue;
        uint64_t bit = schema_bit(entry->rule);
        if (entry->is_bad) {
            defaults->bad |= bit;
        } else if (entry_is_good(entry)) {
            defaults->bad &= ~bit;
            defaults->given |= bit;
            fields_set(entry->rule, &entry->value, &defaults->service);
        }
    }
}

static uint64_t said_in(const struct section *section)
{
    uint64_t said = 0;
    for (size_t i = 0; i < section->count; i++)
        if (entry_is_good(&section->entries[i]))
            said |= schema_bit(section->entries[i].rule);
    return said;
}

static bool has_bad_entry(const struct section *section)
{
    for (size_t i = 0; i < section->count; i++)
        if (section->entries[i].is_bad)
            return true;
    return false;
}

/* Reports every required key that is neither in said nor, for accounts, inherited. */
static bool has_required(const struct section *section, uint64_t said, uint64_t inherited,
                         struct problems *problems)
{
    size_t count = 0;
    const struct key_rule *rules = schema_keys(&count);
    bool is_complete = true;

    for (size_t i = 0; i < count; i++) {
        if (!(rules[i].required_in & section->kind) || ((said | inherited) & schema_bit(&rules[i])))
            continue;
        problems_add(problems, section->file, section->line, "[%s%s%s] lacks %s; add it%s",
                     schema_section(section->kind)->name, section->name[0] ? " " : "",
                     section->name, rules[i].name,
                     rules[i].in & SECTION_SMARTCA ? wording(" here or to [smartca]") : "");
        is_complete = false;
    }
    return is_complete;
}

void account_fini(struct account_config *account)
{
    fields_fini(TARGET_SERVICE, &account->service);
    fields_fini(TARGET_ACCOUNT, account);
    free(account->name);
    free(account->file);
}

static enum sca_status add_account(struct section *section, const struct defaults *defaults,
                                   struct config *config)
{
    struct account_config *account = &config->accounts[config->account_count++];

    *account = (struct account_config){
        .name = strdup(section->name),
        .file = strdup(section->file),
        .line = section->line,
    };
    enum sca_status st = account->name && account->file ? SCA_OK : SCA_NOMEM;
    if (st == SCA_OK)
        st = fields_copy(TARGET_SERVICE, &defaults->service, &account->service);
    if (st != SCA_OK)
        return st;
    for (size_t i = 0; i < section->count; i++) {
        struct entry *entry = &section->entries[i];
        if (entry_is_good(entry))
            fields_set(entry->rule, &entry->value,
                       target_of(entry->rule, NULL, &account->service, account));
    }
    return SCA_OK;
}

/* Without the phone, what else is needed depends on what is said to be used. */
static bool has_secrets(const struct account_config *account, const struct section *section,
                        struct document *document)
{
    bool needs_password = account->confirm != CONFIRM_APP && account->password.kind == SECRET_NONE;
    bool needs_key = account->confirm == CONFIRM_TOTP && account->totp_secret.kind == SECRET_NONE;

    if (needs_password || needs_key)
        problems_add(
            document->problems, section->file, section->line,
            "[account %s] lacks %s%s%s, which confirm = %s needs; add vault:, file:PATH or "
            "env:NAME",
            section->name, needs_password ? "password" : "",
            needs_password && needs_key ? wording(" and ") : "", needs_key ? "totp_secret" : "",
            confirm_names[account->confirm]);
    return !needs_password && !needs_key;
}

static enum sca_status build_account(struct section *section, const struct defaults *defaults,
                                     struct document *document, struct config *config)
{
    if (section->is_bad || has_bad_entry(section))
        return SCA_OK;

    /* A key that is wrong in [smartca] was reported there, not as missing here. */
    uint64_t said = said_in(section);
    uint64_t inherited = defaults->given | defaults->bad;
    if (!has_required(section, said, inherited, document->problems))
        return SCA_OK;
    if (defaults->is_bad || (defaults->bad & ~said))
        return SCA_OK;
    enum sca_status st = add_account(section, defaults, config);
    if (st != SCA_OK ||
        has_secrets(&config->accounts[config->account_count - 1], section, document))
        return st;
    account_fini(&config->accounts[--config->account_count]);
    return SCA_OK;
}

/* What all [econtract] sections together say: all of it holds, or nothing. */
static void build_econtract(struct document *document, struct config *config)
{
    const struct section *first = NULL;
    uint64_t said = 0;
    bool is_bad = false;

    for (size_t i = 0; i < document->count; i++) {
        struct section *section = &document->sections[i];
        if (section->kind != SECTION_ECONTRACT)
            continue;
        first = first ? first : section;
        is_bad |= section->is_bad || has_bad_entry(section);
        said |= said_in(section);
        apply_once(section, config);
    }
    if (first && !is_bad) /* what is wrong was reported, and is not missing as well */
        is_bad = !has_required(first, said, 0, document->problems);
    if (!first || is_bad)
        fields_fini(TARGET_ECONTRACT, &config->econtract);
}

void token_config_fini(struct token_config *token)
{
    fields_fini(TARGET_TOKEN, token);
    free(token->name);
    free(token->file);
}

static enum sca_status build_token(struct section *section, struct document *document,
                                   struct config *config)
{
    if (section->is_bad || has_bad_entry(section) ||
        !has_required(section, said_in(section), 0, document->problems))
        return SCA_OK;
    struct token_config *token = &config->tokens[config->token_count++];
    *token = (struct token_config){
        .name = strdup(section->name),
        .file = strdup(section->file),
        .line = section->line,
    };
    enum sca_status st = fields_set_fallbacks(TARGET_TOKEN, token);
    for (size_t i = 0; st == SCA_OK && i < section->count; i++)
        if (entry_is_good(&section->entries[i]))
            fields_set(section->entries[i].rule, &section->entries[i].value, token);
    return token->name && token->file ? st : SCA_NOMEM;
}

static size_t count_kind(const struct document *document, enum section_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < document->count; i++)
        count += document->sections[i].kind == kind;
    return count;
}

static enum sca_status set_fallbacks(struct config *config, struct defaults *defaults)
{
    enum sca_status st = fields_set_fallbacks(TARGET_MODULE, config);
    if (st == SCA_OK)
        st = fields_set_fallbacks(TARGET_SERVICE, &defaults->service);
    return st == SCA_OK ? fields_set_fallbacks(TARGET_ECONTRACT, &config->econtract) : st;
}

enum sca_status build_config(struct document *document, struct config *config)
{
    AUTO(defaults_fini) struct defaults defaults = {0};

    enum sca_status st = inspect_document(document);
    if (st == SCA_OK)
        st = set_fallbacks(config, &defaults);
    config->accounts = calloc(count_kind(document, SECTION_ACCOUNT) + 1, sizeof(*config->accounts));
    config->tokens = calloc(count_kind(document, SECTION_TOKEN) + 1, sizeof(*config->tokens));
    if (st != SCA_OK || !config->accounts || !config->tokens)
        return SCA_NOMEM;

    for (size_t i = 0; i < document->count; i++) {
        if (document->sections[i].kind & (SECTION_MODULE | SECTION_SELFSIGNED))
            apply_once(&document->sections[i], config);
        if (document->sections[i].kind == SECTION_SMARTCA)
            apply_smartca(&document->sections[i], &defaults);
    }
    build_econtract(document, config);
    for (size_t i = 0; st == SCA_OK && i < document->count; i++) {
        struct section *section = &document->sections[i];
        if (section->kind == SECTION_ACCOUNT)
            st = build_account(section, &defaults, document, config);
        else if (section->kind == SECTION_TOKEN)
            st = build_token(section, document, config);
    }
    return st;
}
