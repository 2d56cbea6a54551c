/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/verbs.h"

#include <stdio.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/cli/options.h"

static const struct verb verbs[] = {
    {"slots", "", 0, 0, OPTIONS_MODULE, N_("what applications will see, and each slot's state"),
     slots_run},
    {"account add", "NAME --user-id ID", 1, 1, OPTIONS_ADD,
     N_("fetches the identity's certificates and writes an account"), account_add_run},
    {"account list", "", 0, 0, 0, N_("the accounts of the configuration"), account_list_run},
    {"account refresh", "[NAME]", 0, 1, 0, N_("asks the service again, and says what changed"),
     account_refresh_run},
    {"account remove", "NAME", 1, 1, 0, N_("removes an account that `account add` wrote"),
     account_remove_run},
    {"selfsigned create", "--user USER|--csv FILE", 0, 0,
     OPTIONS_MODULE | OPTIONS_USER | OPTIONS_FORM | OPTIONS_CREATE,
     N_("makes tokens with a key and a self-signed certificate"), selfsigned_create_run},
    {"selfsigned reissue", "--user USER|--csv FILE", 0, 0,
     OPTIONS_MODULE | OPTIONS_USER | OPTIONS_FORM | OPTIONS_REISSUE,
     N_("new certificates; the old ones are archived"), selfsigned_reissue_run},
    {"selfsigned list", "", 0, 0, OPTIONS_MODULE | OPTIONS_USER | OPTIONS_LIST,
     N_("the certificates, archived ones too"), selfsigned_list_run},
    {"selfsigned export", "--user USER", 0, 0, OPTIONS_MODULE | OPTIONS_USER | OPTIONS_EXPORT,
     N_("a certificate, or a key with its certificate"), selfsigned_export_run},
    {"selfsigned import", "--user USER", 0, 0, OPTIONS_MODULE | OPTIONS_USER | OPTIONS_IMPORT,
     N_("a key and its certificate from PKCS#12 or PEM"), selfsigned_import_run},
    {"status", "[NAME]", 0, 1, OPTIONS_WATCH,
     N_("where an identity stands on the way to a certificate that signs"), status_run},
    {"doctor", "", 0, 0, OPTIONS_MODULE, N_("checks everything and names the next step"),
     doctor_run},
};

/* "account" alone is no verb; "account add" is two words. */
static size_t words_of(const char *name, char *const *words, size_t count)
{
    size_t used = 0;

    while (*name && used < count) {
        size_t len = strcspn(name, " ");
        if (strlen(words[used]) != len || memcmp(words[used], name, len) != 0)
            return 0;
        used++;
        name += len + (name[len] == ' ');
    }
    return *name ? 0 : used;
}

const struct verb *verbs_find(char *const *words, size_t count, size_t *ret_words)
{
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        size_t used = words_of(verbs[i].name, words, count);
        if (used > 0) {
            *ret_words = used;
            return &verbs[i];
        }
    }
    return NULL;
}

bool verbs_is_family(const char *word)
{
    size_t len = strlen(word);

    for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
        if (len > 0 && strncmp(verbs[i].name, word, len) == 0 && verbs[i].name[len] == ' ')
            return true;
    return false;
}

void verbs_print_help(const char *prefix)
{
    (void)printf(_("usage: smartca VERB [OPTION]...\n"
                   "Sets up VNPT SmartCA certificates for PKCS#11 applications.\n\n"));
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
        if (strncmp(verbs[i].name, prefix, strlen(prefix)) == 0)
            (void)printf("  smartca %-18s %-22s %s\n", verbs[i].name, verbs[i].operands,
                         _(verbs[i].summary));
    (void)printf("  smartca %-18s %-22s %s\n\n", "help", "VERB", _("the options of a verb"));
    options_print(OPTIONS_EVERY);
    (void)printf(_("\nExit status: 0 success, 1 failure, 2 wrong usage.\n"));
}

void verbs_print_verb(const struct verb *verb)
{
    (void)printf(_("usage: smartca %s %s [OPTION]...\n"), verb->name, verb->operands);
    (void)printf("%s\n\n", _(verb->summary));
    options_print(verb->options | OPTIONS_EVERY);
}
