/* SPDX-License-Identifier: Apache-2.0 */
#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "remote/cli/cli.h"
#include "remote/cli/describe.h"
#include "remote/cli/module.h"
#include "remote/cli/options.h"
#include "remote/cli/output.h"
#include "remote/cli/verbs.h"

/* Texts beside the tool come first, so that a build tree speaks the user's language, too. */
static void bind_texts(void)
{
    char folder[PATH_MAX];
    char beside[PATH_MAX + sizeof("/../../locale")];

    if (module_own_folder(folder, sizeof(folder))) {
        (void)snprintf(beside, sizeof(beside), "%s/../../locale", folder);
        if (access(beside, R_OK | X_OK) == 0 && bindtextdomain("smartca-pkcs11", beside))
            return;
    }
    (void)bindtextdomain("smartca-pkcs11", SMARTCA_LOCALE_DIR);
}

/* For the reasons that come from below (wording.h). */
static const char *translate(const char *text)
{
    return gettext(text);
}

/* A language can be wanted on a system that has not made its locale; its texts are here all the
 * same. */
static void choose_messages(void)
{
    static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    const char *wanted = NULL;

    if (setlocale(LC_MESSAGES, ""))
        return;
    for (size_t i = 0; i < ARRAY_LEN(names) && !(wanted && *wanted); i++)
        wanted = getenv(names[i]);
    if (wanted && *wanted && setlocale(LC_MESSAGES, "C.UTF-8"))
        (void)setenv("LANGUAGE", wanted, 0);
}

/* Names on certificates are UTF-8: without a locale that says so, tables would show escapes. */
static void choose_language(void)
{
    (void)setlocale(LC_CTYPE, "");
    choose_messages();
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        (void)setlocale(LC_CTYPE, "C.UTF-8");
    bind_texts();
    (void)textdomain("smartca-pkcs11");
    wording_use(translate);
}

/* A slip of the finger costs no look at the whole list; half a name no look elsewhere. */
static enum cli_exit unknown_verb(const struct cli *cli, char *const *words, size_t count)
{
    struct span guess = verbs_guess(words, count);
    const char *second = count > 1 ? words[1] : "";
    const char *gap = *second ? " " : "";

    if (count == 1 && verbs_is_family(words[0])) {
        enum cli_exit result = output_usage(cli, _("%s is the first of two words"), words[0]);
        if (!cli->is_json)
            verbs_print_family(stderr, words[0]);
        return result;
    }
    if (guess.len > 0)
        return output_usage(cli, _("there is no verb %s%s%s; did you mean %.*s?"), words[0], gap,
                            second, (int)guess.len, (const char *)guess.ptr);
    return output_usage(cli, _("there is no verb %s%s%s"), words[0], gap, second);
}

static enum cli_exit help(const struct cli *cli, char *const *words, size_t count)
{
    size_t used = 0;
    const struct verb *verb = verbs_find(words, count, &used);

    /* "smartca sign contract.pdf --help" asks about sign. */
    bool is_verb = verb && (used == count || cli->wants_help);
    bool is_family = count == 0 || (count == 1 && verbs_is_family(words[0]));
    const char *prefix = count ? words[0] : "";

    if (!is_verb && !is_family)
        return unknown_verb(cli, words, count);
    if (cli->is_json)
        return is_verb ? describe_verb(cli, verb) : describe_all(cli, prefix);
    if (is_verb)
        verbs_print_verb(verb);
    else
        verbs_print_help(prefix);
    return CLI_OK;
}

static enum cli_exit run(struct cli *cli)
{
    size_t used = 0;

    if (cli->wants_version) {
        (void)printf("smartca %s\n", SMARTCA_VERSION);
        return CLI_OK;
    }
    if (cli->operand_count > 0 && strcmp(cli->operands[0], "help") == 0)
        return help(cli, cli->operands + 1, cli->operand_count - 1);
    if (cli->wants_help)
        return help(cli, cli->operands, cli->operand_count);
    if (cli->operand_count == 0)
        return output_usage(cli, _("a verb is missing"));

    const struct verb *verb = verbs_find(cli->operands, cli->operand_count, &used);
    if (!verb)
        return unknown_verb(cli, cli->operands, cli->operand_count);
    cli->verb = verb->name;
    cli->operands += used;
    cli->operand_count -= used;
    if (cli->operand_count < verb->operands_min || cli->operand_count > verb->operands_max)
        return output_usage(cli, _("usage: smartca %s %s"), verb->name, verb->operands);
    const char *foreign = options_foreign(cli, verb->options);
    if (foreign)
        return output_usage(cli, _("%s has no option --%s"), verb->name, foreign);
    const char *repeated = options_repeated(cli, verb->options);
    if (repeated)
        return output_usage(cli, _("--%s is given twice"), repeated);
    return verb->run(cli);
}

int main(int argc, char **argv)
{
    struct cli cli;

    choose_language();
    if (!options_parse(argc, argv, &cli))
        return CLI_USAGE;
    enum cli_exit result = run(&cli);
    if (!output_is_whole() && result == CLI_OK)
        result = output_fail(&cli, output_code(SCA_NOMEM), "", _("the result cannot be shown"));
    /* A full disk behind a redirection is a failure too. */
    if ((fflush(stdout) != 0 || ferror(stdout)) && result == CLI_OK)
        result = output_fail(&cli, "io", _("make room where standard output goes"),
                             _("the output cannot be written"));
    return (int)result;
}
