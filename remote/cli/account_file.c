/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/account_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/config/build.h"
#include "remote/config/document.h"
#include "remote/config/locate.h"

enum sca_status account_place_of(const char *main_file, const char *name,
                                 struct account_place *ret_place)
{
    const char *slash = strrchr(main_file, '/');
    struct account_place *place = ret_place;

    *place = (struct account_place){0};
    place->config_dir = strndup(main_file, slash ? (size_t)(slash - main_file) : 0);
    if (asprintf(&place->file_name, "account-%s.conf", name) < 0)
        place->file_name = NULL;
    if (asprintf(&place->password_name, "sp-password-%s", name) < 0)
        place->password_name = NULL;
    if (place->config_dir && place->file_name && place->password_name) {
        place->conf_d = path_join(place->config_dir, "conf.d");
        place->password_file = path_join(place->config_dir, place->password_name);
    }
    if (place->conf_d)
        place->file = path_join(place->conf_d, place->file_name);
    return place->file && place->password_file ? SCA_OK : SCA_NOMEM;
}

void account_place_fini(struct account_place *place)
{
    free(place->config_dir);
    free(place->conf_d);
    free(place->file_name);
    free(place->file);
    free(place->password_name);
    free(place->password_file);
}

bool account_text_is_safe(const char *value)
{
    size_t len = strlen(value);

    if (len == 0 || value[0] == ' ' || value[len - 1] == ' ' || strstr(value, " ;"))
        return false;
    for (const char *at = value; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f || *at == '"')
            return false;
    return utf8_is_valid(span_text(value));
}

static enum sca_status append_key(struct buf *buf, const char *key, const char *before,
                                  const char *value)
{
    /* Whatever it is and wherever it comes from: a line of its own would be a key of its own. */
    if (value && !account_text_is_safe(value))
        return SCA_INVALID;
    const char *const parts[] = {key, " = ", before, value, "\n"};
    enum sca_status st = SCA_OK;

    for (size_t i = 0; value && st == SCA_OK && i < ARRAY_LEN(parts); i++)
        st = buf_append(buf, span_text(parts[i]));
    return st;
}

static enum sca_status append_heading(struct buf *buf, const char *name)
{
    const char *const parts[] = {
        ACCOUNT_REMARK, name, ACCOUNT_REMARK_END, "\n", "[account ", name, "]", "\n",
    };
    enum sca_status st = SCA_OK;

    for (size_t i = 0; st == SCA_OK && i < ARRAY_LEN(parts); i++)
        st = buf_append(buf, span_text(parts[i]));
    return st;
}

static const char *kind_of(const char *secret)
{
    return secret && secret[0] == '/' ? "file:" : "";
}

enum sca_status account_text_make(const struct account_text *keys, struct buf *ret_text)
{
    const struct {
        const char *key;
        const char *before;
        const char *value;
    } lines[] = {
        {"user_id", "", keys->user_id},
        {"serial", "", keys->serial},
        {"confirm", "", keys->confirm},
        {"password", kind_of(keys->password), keys->password},
        {"totp_secret", kind_of(keys->totp_secret), keys->totp_secret},
        {"url", "", keys->url},
        {"sp_id", "", keys->sp_id},
        {"sp_password", kind_of(keys->sp_password), keys->sp_password},
        {"ca_file", "", keys->ca_file},
    };
    struct buf text;

    buf_init(&text, ACCOUNT_TEXT_MAX, false);
    enum sca_status st =
        account_text_is_safe(keys->name) ? append_heading(&text, keys->name) : SCA_INVALID;
    for (size_t i = 0; st == SCA_OK && i < ARRAY_LEN(lines); i++)
        st = append_key(&text, lines[i].key, lines[i].before, lines[i].value);
    if (st == SCA_OK && keys->notifies)
        st = buf_append(&text, span_text(ACCOUNT_NOTIFIES));
    if (st != SCA_OK) {
        buf_fini(&text);
        return st;
    }
    *ret_text = text;
    return SCA_OK;
}

static enum sca_status read_files(struct config *config, struct problems *problems,
                                  struct document *document)
{
    char **paths = NULL;
    size_t count = 0;

    enum sca_status st = locate_main_file(problems, &config->main_file);
    if (st == SCA_OK)
        st = locate_conf_d(config->main_file, problems, &paths, &count);
    if (st != SCA_OK)
        return st;
    (void)document_read(document, config->main_file);
    for (size_t i = 0; i < count; i++) {
        (void)document_read(document, paths[i]);
        free(paths[i]);
    }
    free(paths);
    return SCA_OK;
}

enum sca_status account_draft(const struct account_place *place, struct span text,
                              struct config **ret_config)
{
    AUTO(config_freep) struct config *config = calloc(1, sizeof(*config));
    AUTO(problems_fini) struct problems problems = {0};
    AUTO(document_fini) struct document document = {.problems = &problems};

    if (!config)
        return SCA_NOMEM;
    enum sca_status st = read_files(config, &problems, &document);
    if (st == SCA_OK) {
        document_parse(&document, place->file, text, false);
        st = build_config(&document, config);
    }
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
