/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/config/config.h"

#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/config/build.h"
#include "remote/config/document.h"
#include "remote/config/fields.h"
#include "remote/config/locate.h"

void config_free(struct config *config)
{
    if (!config)
        return;
    for (size_t i = 0; i < config->account_count; i++)
        account_fini(&config->accounts[i]);
    for (size_t i = 0; i < config->token_count; i++)
        token_config_fini(&config->tokens[i]);
    struct problems problems = {.items = config->problems, .count = config->problem_count};
    problems_fini(&problems);
    fields_fini(TARGET_MODULE, config);
    fields_fini(TARGET_SELFSIGNED, &config->selfsigned);
    fields_fini(TARGET_ECONTRACT, &config->econtract);
    free(config->accounts);
    free(config->tokens);
    free(config->main_file);
    free(config);
}

void config_freep(struct config **config)
{
    config_free(*config);
    *config = NULL;
}

/* The main file, already named in config, and conf.d beside it. */
static enum sca_status read_files(struct config *config, struct problems *problems,
                                  struct document *document)
{
    char **paths = NULL;
    size_t count = 0;

    enum sca_status st = locate_conf_d(config->main_file, problems, &paths, &count);
    if (st != SCA_OK)
        return st;
    (void)document_read(document, config->main_file); /* conf.d alone will do */
    for (size_t i = 0; i < count; i++)
        (void)document_read(document, paths[i]);
    locate_free_paths(paths, count);
    return SCA_OK;
}

/* SMARTCA_PKCS11_LOG=LEVEL[:FILE] is about this run and stands above every file. */
static enum sca_status apply_environment(struct config *config, struct problems *problems)
{
    const char *text = secure_getenv("SMARTCA_PKCS11_LOG");
    const char *colon = text ? strchr(text, ':') : NULL;
    char why[VALUE_WHY_SIZE];

    if (!text || !*text)
        return SCA_OK;
    AUTO(freep) char *level = strndup(text, colon ? (size_t)(colon - text) : strlen(text));
    if (!level)
        return SCA_NOMEM;
    const struct {
        const char *key;
        const char *text;
    } parts[] = {{"log_level", level}, {"log", colon ? colon + 1 : ""}};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        const struct key_rule *rule = schema_find_key(SECTION_MODULE, parts[i].key);
        struct value value = {0};
        if (!*parts[i].text)
            continue;
        enum sca_status st = value_parse(rule, parts[i].text, &value, why);
        if (st == SCA_NOMEM)
            return st;
        if (st == SCA_OK)
            fields_set(rule, &value, config);
        else
            problems_add(problems, "SMARTCA_PKCS11_LOG", 0, "%s %s", parts[i].key, why);
    }
    return SCA_OK;
}

/* Where the files are and what the environment adds; from known, or looked up where it is NULL. */
static enum sca_status find_files(const struct config *known, struct config *config,
                                  struct problems *problems)
{
    if (!known)
        return locate_main_file(problems, &config->main_file);
    config->main_file = strdup(known->main_file);
    return config->main_file ? SCA_OK : SCA_NOMEM;
}

static enum sca_status find_state(const struct config *known, struct config *config,
                                  struct problems *problems)
{
    if (!known) {
        enum sca_status st = apply_environment(config, problems);
        return st == SCA_OK && !config->state_dir ? locate_state_dir(&config->state_dir) : st;
    }
    free(config->state_dir);
    config->state_dir = strdup(known->state_dir);
    return config->state_dir ? SCA_OK : SCA_NOMEM;
}

static enum sca_status load(const struct config *known, struct config **ret_config)
{
    AUTO(config_freep) struct config *config = calloc(1, sizeof(*config));
    AUTO(problems_fini) struct problems problems = {0};
    AUTO(document_fini) struct document document = {.problems = &problems};

    if (!config)
        return SCA_NOMEM;
    enum sca_status st = find_files(known, config, &problems);
    if (st == SCA_OK)
        st = read_files(config, &problems, &document);
    if (st == SCA_OK)
        st = build_config(&document, config);
    if (st == SCA_OK)
        st = find_state(known, config, &problems);
    if (st == SCA_OK && problems.is_out_of_memory)
        st = SCA_NOMEM;
    if (st != SCA_OK)
        return st;

    config->problem_count = problems.count;
    config->problems = TAKE(problems.items);
    problems.count = 0;
    *ret_config = TAKE(config);
    return SCA_OK;
}

enum sca_status config_load(struct config **ret_config)
{
    return load(NULL, ret_config);
}

enum sca_status config_load_again(const struct config *known, struct config **ret_config)
{
    return load(known, ret_config);
}

const char *const confirm_names[] = {
    [CONFIRM_APP] = "app",
    [CONFIRM_OTP] = "otp",
    [CONFIRM_TOTP] = "totp",
    NULL,
};

struct identity config_identity(const struct account_config *account)
{
    return (struct identity){.url = account->service.url, .user_id = account->user_id};
}

const struct account_config *config_find_account(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->account_count; i++)
        if (strcmp(config->accounts[i].name, name) == 0)
            return &config->accounts[i];
    return NULL;
}
