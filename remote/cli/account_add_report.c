/* SPDX-License-Identifier: Apache-2.0 */
/* Why an account cannot be added, in the words of the command line. */
#include <stdio.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/cli/account_add.h"

/* Where the keys of a draft come from. */
static const struct source {
    const char *key;
    const char *option;
    size_t offset; /* of the option's const char * in struct cli */
} sources[] = {
    {"sp_id", "--sp-id", offsetof(struct cli, sp_id)},
    {"sp_password", "--sp-password-file", offsetof(struct cli, sp_password_file)},
    {"url", "--url", offsetof(struct cli, url)},
    {"ca_file", "--ca-file", offsetof(struct cli, ca_file)},
    {"user_id", "--user-id", offsetof(struct cli, user_id)},
    {"serial", "--serial", offsetof(struct cli, serial)},
};

/* The key that text begins with; NULL: none of these. */
static const struct source *find_source(const char *text)
{
    for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
        size_t len = strlen(sources[i].key);
        if (strncmp(text, sources[i].key, len) == 0 && (text[len] == ' ' || text[len] == ';'))
            return &sources[i];
    }
    return NULL;
}

/* The key that "[account NAME] lacks KEY; ..." names, in any language; NULL: it says something
 * else. */
static const struct source *find_missing(const char *reason)
{
    const struct source *found = NULL;

    for (const char *at = *reason == '[' ? strchr(reason, ']') : NULL; at && !found;
         at = strchr(at + 1, ' '))
        found = find_source(at + 1);
    return found;
}

static bool is_given(const struct cli *cli, const struct source *source)
{
    return *(const char *const *)(const void *)((const char *)cli + source->offset);
}

/* "give --sp-id --sp-password-file, ..." for everything the draft lacks; "" for nothing. The caller
 * frees it, NULL without memory. */
static char *advise(const struct addition *addition)
{
    const struct config *draft = addition->draft;
    AUTO(buf_fini) struct buf options;
    char *advice = NULL;

    buf_init(&options, ACCOUNT_TEXT_MAX, false);
    for (size_t i = 0; i < draft->problem_count; i++) {
        const struct source *missing = find_missing(draft->problems[i].reason);
        if (!missing || strcmp(draft->problems[i].file, addition->place.file) != 0)
            continue;
        (void)buf_append(&options, span_text(" "));
        (void)buf_append(&options, span_text(missing->option));
    }
    if (options.len == 0)
        return strdup("");
    return asprintf(&advice, _("give%s, or write it into [smartca] of %s"),
                    (const char *)options.ptr, draft->main_file) < 0
               ? NULL
               : advice;
}

/* A value that was given wrongly is wrong usage; what was not given may be in [smartca], too. */
enum cli_exit addition_report_draft(const struct addition *addition)
{
    const struct config *draft = addition->draft;
    const struct cli *cli = addition->cli;
    AUTO(freep) char *advice = advise(addition);

    for (size_t i = 0; i < draft->problem_count; i++) {
        const char *reason = draft->problems[i].reason;
        const struct source *wrong = find_source(reason);
        if (strcmp(draft->problems[i].file, addition->place.file) != 0)
            continue;
        if (wrong && is_given(cli, wrong))
            return output_usage(cli, "%s%s", wrong->option, reason + strlen(wrong->key));
        return output_fail(cli, output_code(SCA_INVALID), advice ? advice : "", "%s", reason);
    }
    return output_fail(cli, output_code(SCA_INVALID), _("smartca doctor shows what is wrong"),
                       _("the account cannot be added while [smartca] has a mistake"));
}

enum cli_exit addition_report_held(const struct addition *addition,
                                   const struct account_config *holder, const char *serial)
{
    const char *next_step = holder->serial
                                ? _("use that account, or remove it first")
                                : _("use that account, remove it first, or name in its section the "
                                    "one serial it is to keep");

    if (serial)
        return output_fail(addition->cli, "exists", next_step,
                           _("certificate %s is account %s's slot already: %s:%u"), serial,
                           holder->name, holder->file, holder->line);
    return output_fail(addition->cli, "exists", next_step,
                       _("the certificates of %s are account %s's slots already: %s:%u"),
                       holder->user_id, holder->name, holder->file, holder->line);
}
