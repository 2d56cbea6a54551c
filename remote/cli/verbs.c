/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/verbs.h"

#include <stdio.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/cli/examples.h"
#include "remote/cli/options.h"

static const struct verb verbs[] = {
    {"slots", "", 0, 0, OPTIONS_MODULE, N_("what applications will see, and each slot's state"),
     slots_run},
    {"account add", "NAME --user-id ID", 1, 1, OPTIONS_ADD,
     N_("fetches the identity's certificates and writes an account"), account_add_run},
    {"account list", "", 0, 0, 0, N_("the accounts of the configuration"), account_list_run},
    {"account refresh", "[NAME]", 0, 1, OPTIONS_VAULT,
     N_("asks the service again, and says what changed"), account_refresh_run},
    {"account remove", "NAME", 1, 1, 0, N_("removes an account that `account add` wrote"),
     account_remove_run},
    {"account rename", "OLD NEW", 2, 2, 0, N_("gives an account another name"), account_rename_run},
    {"account set-default", "NAME", 1, 1, OPTIONS_CHOOSE,
     N_("lists its certificate before all others"), account_set_default_run},
    {"account appearance", "NAME", 1, 1, OPTIONS_CHOOSE | OPTIONS_APPEARANCE,
     N_("shows or sets how a signature is to look"), account_appearance_run},
    {"account pin", "NAME", 1, 1, OPTIONS_PIN,
     N_("changes the PIN of its secrets, or, with --reset, asks for them anew"), account_pin_run},
    {"account otp", "NAME", 1, 1, OPTIONS_VAULT,
     N_("shows the one-time password of now, for comparison"), account_otp_run},
    {"econtract login", "", 0, 0, OPTIONS_ECONTRACT | OPTIONS_COMPANY,
     N_("logs in to eContract for a day"), econtract_login_run},
    {"econtract users", "", 0, 0, OPTIONS_ECONTRACT | OPTIONS_SEARCH,
     N_("the users there; their certificates as far as eContract's list tells"),
     econtract_users_run},
    {"econtract add", "NAME --econtract-user ID --user-id ID", 1, 1,
     OPTIONS_ECONTRACT | OPTIONS_ECONTRACT_USER | OPTIONS_ADD,
     N_("a SmartCA certificate for a user there, and its account here"), econtract_add_run},
    {"econtract update", "--certificate ID --econtract-user ID", 0, 0,
     OPTIONS_ECONTRACT | OPTIONS_ECONTRACT_USER | OPTIONS_CERTIFICATE | OPTIONS_UPDATE,
     N_("names a certificate there, or makes it the default"), econtract_update_run},
    {"econtract delete", "--certificate ID --econtract-user ID", 0, 0,
     OPTIONS_ECONTRACT | OPTIONS_ECONTRACT_USER | OPTIONS_CERTIFICATE,
     N_("takes a certificate from a user there"), econtract_delete_run},
    {"selfsigned create", "--user USER|--csv FILE", 0, 0,
     OPTIONS_MODULE | OPTIONS_USER | OPTIONS_FORM | OPTIONS_CREATE,
     N_("makes tokens with a key and a self-signed certificate"), selfsigned_create_run},
    {"selfsigned reissue", "--user USER|--csv FILE", 0, 0,
     OPTIONS_MODULE | OPTIONS_USER | OPTIONS_FORM | OPTIONS_REISSUE,
     N_("new certificates; the old ones are archived"), selfsigned_reissue_run},
    {"selfsigned list", "", 0, 0, OPTIONS_MODULE | OPTIONS_USER | OPTIONS_LIST,
     N_("the certificates, archived ones too"), selfsigned_list_run},
    {"selfsigned export", "--user USER|--issued-by NAME", 0, 0,
     OPTIONS_MODULE | OPTIONS_USER | OPTIONS_EXPORT,
     N_("a certificate, or a key with its certificate"), selfsigned_export_run},
    {"selfsigned import", "--user USER", 0, 0, OPTIONS_MODULE | OPTIONS_USER | OPTIONS_IMPORT,
     N_("a key and its certificate from PKCS#12 or PEM"), selfsigned_import_run},
    {"status", "[NAME]", 0, 1, OPTIONS_WATCH | OPTIONS_VAULT,
     N_("where an identity stands on the way to a certificate that signs"), status_run},
    {"pending forget", "ID", 1, 1, OPTIONS_FORGET,
     N_("gives a transaction up; a signature that is confirmed later is lost"), pending_forget_run},
    {"pending resume", "ID", 1, 1, 0, N_("asks the service what became of a transaction"),
     pending_resume_run},
    {"pending", "", 0, 0, 0, N_("the transactions that wait for a confirmation"), pending_run},
    {"audit show", "", 0, 0, OPTIONS_AUDIT, N_("what was signed, by whom and when"),
     audit_show_run},
    {"audit verify", "", 0, 0, 0, N_("is the audit log as it was written?"), audit_verify_run},
    {"sign", "FILE...", 1, SIZE_MAX, OPTIONS_MODULE | OPTIONS_SIGN,
     N_("a CMS signature FILE.p7s for each file, one confirmation for all"), sign_run},
    {"verify", "FILE", 1, 1, OPTIONS_VERIFY,
     N_("whether FILE.p7s is a signature of FILE, and whose"), verify_run},
    {"doctor", "", 0, 0, OPTIONS_MODULE, N_("checks everything and names the next step"),
     doctor_run},
};

/* Up to two letters wrong are a slip. */
enum { NAME_SIZE = 40, GUESS_MAX = 3, OPERAND_COLUMNS = 22 };

const struct verb *verbs_all(size_t *ret_count)
{
    *ret_count = ARRAY_LEN(verbs);
    return verbs;
}

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

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/*
 * How many letters are to be added, left out, replaced or exchanged with their neighbour to make
 * one text of the other; GUESS_MAX and more are all the same. Both are shorter than NAME_SIZE.
 */
static size_t distance(const char *a, const char *b)
{
    size_t rows[3][NAME_SIZE];
    size_t width = strlen(b) + 1;
    size_t height = strlen(a) + 1;

    for (size_t j = 0; j < width; j++)
        rows[0][j] = j;
    for (size_t i = 1; i < height; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3];
        row[0] = i;
        for (size_t j = 1; j < width; j++) {
            row[j] = least(above[j] + 1, row[j - 1] + 1);
            row[j] = least(row[j], above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], rows[(i + 1) % 3][j - 2] + 1);
        }
    }
    return rows[(height - 1) % 3][width - 1];
}

struct guess {
    const char *said;
    size_t off; /* of the nearest so far */
    struct span meant;
};

static void weigh(struct guess *guess, struct span compared, struct span meant)
{
    char text[NAME_SIZE];

    (void)snprintf(text, sizeof(text), "%.*s", (int)compared.len, (const char *)compared.ptr);
    size_t off = distance(guess->said, text);
    if (off < guess->off)
        *guess = (struct guess){guess->said, off, meant};
}

struct span verbs_guess(char *const *words, size_t count)
{
    char said[NAME_SIZE];
    struct guess guess = {.said = said, .off = GUESS_MAX};

    int len = snprintf(said, sizeof(said), "%s%s%s", words[0], count > 1 ? " " : "",
                       count > 1 ? words[1] : "");
    if (len < 0 || (size_t)len >= sizeof(said))
        return guess.meant;
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        const char *name = verbs[i].name;
        const char *second = strchr(name, ' ');
        weigh(&guess, span_text(name), span_text(name));
        if (!second || count > 1)
            continue;
        /* One word of two, such as "acount" or "create". */
        struct span family = span_of(name, (size_t)(second - name));
        weigh(&guess, family, family);
        weigh(&guess, span_text(second + 1), span_text(name));
    }
    return guess.meant;
}

static int name_columns(void)
{
    size_t longest = 0;

    for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
        if (strlen(verbs[i].name) > longest)
            longest = strlen(verbs[i].name);
    return (int)longest;
}

/* The summary is in its column, on a line of its own where there are many operands. */
static void print_line(FILE *out, const struct verb *verb)
{
    int name = name_columns();

    (void)fprintf(out, "  smartca %-*s %-*s", name, verb->name, OPERAND_COLUMNS, verb->operands);
    if (strlen(verb->operands) > OPERAND_COLUMNS)
        (void)fprintf(out, "\n%*s", (int)strlen("  smartca ") + name + 1 + OPERAND_COLUMNS, "");
    (void)fprintf(out, " %s\n", _(verb->summary));
}

void verbs_print_family(FILE *out, const char *family)
{
    size_t len = strlen(family);

    for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
        if (strncmp(verbs[i].name, family, len) == 0 && verbs[i].name[len] == ' ')
            print_line(out, &verbs[i]);
}

void verbs_print_help(const char *prefix)
{
    static const struct verb help = {
        .name = "help", .operands = "VERB", .summary = N_("the options of a verb")};

    (void)printf(_("usage: smartca VERB [OPTION]...\n"
                   "Sets up VNPT SmartCA certificates for PKCS#11 applications.\n\n"));
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
        if (strncmp(verbs[i].name, prefix, strlen(prefix)) == 0)
            print_line(stdout, &verbs[i]);
    print_line(stdout, &help);
    (void)putchar('\n');
    options_print(OPTIONS_EVERY);
    if (!*prefix)
        examples_print("");
    (void)printf(_("\nExit status: 0 success, 1 failure, 2 wrong usage.\n"));
}

void verbs_print_verb(const struct verb *verb)
{
    (void)printf(_("usage: smartca %s %s [OPTION]...\n"), verb->name, verb->operands);
    (void)printf("%s\n\n", _(verb->summary));
    options_print(verb->options | OPTIONS_EVERY);
    /* A verb that is the first word of others, too. */
    if (!strchr(verb->name, ' ') && verbs_is_family(verb->name)) {
        (void)printf(_("\nSee also:\n"));
        verbs_print_family(stdout, verb->name);
    }
    examples_print(verb->name);
}
