/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/cli/output.h"
#include "remote/cli/verbs.h"

struct option_row {
    const char *name;
    const char *value; /* what help calls it; NULL: a flag */
    unsigned group;
    size_t offset; /* in struct cli: const char * or bool */
    const char *help;
};

#define TO(field) offsetof(struct cli, field)

static const struct option_row rows[] = {
    {"user-id", "ID", OPTIONS_ADD, TO(user_id), N_("CCCD, passport or tax number of the signer")},
    {"serial", "HEX", OPTIONS_ADD | OPTIONS_EXPORT | OPTIONS_CHOOSE, TO(serial),
     N_("only the certificate with this serial number")},
    {"confirm", "HOW", OPTIONS_ADD, TO(confirm),
     N_("app (default), otp: digits typed for each signature, totp: no phone")},
    {"business", NULL, OPTIONS_ADD, TO(is_business), N_("an account without a phone (SmartCA TH)")},
    {"url", "URL", OPTIONS_ADD, TO(url), N_("the service; default: [smartca], production")},
    {"sp-id", "ID", OPTIONS_ADD, TO(sp_id), N_("service provider; default: [smartca]")},
    {"sp-password-file", "FILE", OPTIONS_ADD | OPTIONS_PIN, TO(sp_password_file),
     N_("file with its password; - reads a line and keeps it beside the configuration")},
    {"sp-password-in-vault", NULL, OPTIONS_ADD, TO(keeps_sp_password),
     N_("keeps that password under the account's PIN")},
    {"secret-key-file", "FILE", OPTIONS_ADD | OPTIONS_PIN, TO(secret_key_file),
     N_("totp: the secret key as VNPT shows it; - reads a line")},
    {"unattended", NULL, OPTIONS_ADD, TO(is_unattended),
     N_("totp: without PIN, the secrets stay in their files, such as\n"
        "                           /run/credentials/UNIT/NAME of systemd's LoadCredential=")},
    {"pending", NULL, OPTIONS_ADD, TO(is_pending),
     N_("also when there is no certificate yet; smartca status goes on")},
    {"reset", NULL, OPTIONS_ADD | OPTIONS_PIN, TO(is_reset),
     N_("forgets the PIN and the secrets that there were")},
    {"text", "TEXT", OPTIONS_APPEARANCE, TO(text),
     N_("signature content; may have {{SubjectDN.CN}}; '' removes it")},
    {"mode", "MODE", OPTIONS_APPEARANCE, TO(mode), N_("text-image, text or image")},
    {"image", "FILE", OPTIONS_APPEARANCE, TO(image),
     N_("signature image, PNG or JPEG of at most 128 KiB; '' removes it")},
    {"ca-file", "FILE", OPTIONS_ADD | OPTIONS_VERIFY, TO(ca_file),
     N_("CA certificates to trust instead")},
    {"user", "USER", OPTIONS_USER, TO(form[FORM_USER]), N_("whose certificate; cannot be changed")},
    {"name", "NAME", OPTIONS_FORM | OPTIONS_UPDATE, TO(form[FORM_NAME]),
     N_("issued to: the person's full name")},
    {"organization", "O", OPTIONS_FORM, TO(form[FORM_ORGANIZATION]),
     N_("default, as of the next ones: [selfsigned]")},
    {"organizational-unit", "OU", OPTIONS_FORM, TO(form[FORM_UNIT]), N_("department")},
    {"issued-by", "NAME", OPTIONS_FORM | OPTIONS_EXPORT, TO(form[FORM_ISSUED_BY]),
     N_("another name than the person's: a local issuer of that name")},
    {"locality", "L", OPTIONS_FORM, TO(form[FORM_LOCALITY]), N_("city or district")},
    {"state", "ST", OPTIONS_FORM, TO(form[FORM_STATE]), N_("state or province")},
    {"country", "CC", OPTIONS_FORM, TO(form[FORM_COUNTRY]), N_("two letters, such as VN")},
    {"from", "DAY", OPTIONS_FORM | OPTIONS_IMPORT, TO(form[FORM_FROM]),
     N_("first day, YYYY-MM-DD (UTC; default: now)")},
    {"years", "N", OPTIONS_FORM, TO(form[FORM_YEARS]), N_("validity in whole years, 1 to 30")},
    {"key", "KIND", OPTIONS_FORM, TO(form[FORM_KEY]),
     N_("rsa:2048 (default), rsa:3072, rsa:4096, ec:p256, ec:p384, ec:p521, ed25519")},
    {"csv", "FILE", OPTIONS_FORM, TO(csv), N_("many users; a column for each of these options")},
    {"pins-out", "FILE", OPTIONS_CREATE, TO(pins_out),
     N_("with --csv: file for the random PINs of new users; a second run\n"
        "                           appends to it")},
    {"pin-file", "FILE",
     OPTIONS_FORM | OPTIONS_EXPORT | OPTIONS_IMPORT | OPTIONS_ADD | OPTIONS_VAULT | OPTIONS_PIN |
         OPTIONS_SIGN,
     TO(pin_file), N_("the user's PIN; - reads a line")},
    {"so-pin-file", "FILE", OPTIONS_CREATE | OPTIONS_IMPORT, TO(so_pin_file),
     N_("the tokens' security officer PIN; - reads a line")},
    {"issuer-pin-file", "FILE", OPTIONS_FORM, TO(issuer_pin_file),
     N_("the PIN of the local issuer; - reads a line")},
    {"exportable", NULL, OPTIONS_CREATE | OPTIONS_REISSUE | OPTIONS_IMPORT, TO(is_exportable),
     N_("the private key may leave the token, with its PIN")},
    {"new-key", NULL, OPTIONS_REISSUE, TO(wants_new_key), N_("a new key pair too")},
    {"destroy-old-key", NULL, OPTIONS_REISSUE, TO(destroys_old_key),
     N_("with --new-key: the old one is destroyed; default: kept")},
    {"expiring", "DAYS", OPTIONS_LIST, TO(expiring), N_("only those that end within that time")},
    {"format", "FORMAT", OPTIONS_EXPORT, TO(format),
     N_("pem (default), der: certificate; p12, pkcs8: with the private key")},
    {"out", "FILE", OPTIONS_EXPORT, TO(out), N_("default for certificates: standard output")},
    {"out-password-file", "FILE", OPTIONS_EXPORT, TO(out_password_file),
     N_("the password of the new file; - reads a line")},
    {"password-file", "FILE", OPTIONS_IMPORT | OPTIONS_ADD | OPTIONS_PIN | OPTIONS_ECONTRACT,
     TO(password_file),
     N_("the password of the SmartCA account, or for eContract; - reads a line")},
    {"company", "ID", OPTIONS_COMPANY, TO(company), N_("which, where the user has several")},
    {"search", "TEXT", OPTIONS_SEARCH, TO(search), N_("only users that match")},
    {"page", "N", OPTIONS_SEARCH, TO(page), N_("from 1")},
    {"econtract-user", "ID", OPTIONS_ECONTRACT_USER, TO(econtract_user),
     N_("the user's number, as econtract users shows it")},
    {"certificate", "ID", OPTIONS_CERTIFICATE, TO(certificate),
     N_("the certificate's number, as econtract users shows it")},
    {"default", NULL, OPTIONS_UPDATE, TO(is_default), N_("the user signs with it from now on")},
    {"slot", "SLOT", OPTIONS_SIGN | OPTIONS_AUDIT, TO(slot),
     N_("label, number or certificate's serial as slots shows it or, to sign, PKCS#11 URI;\n"
        "                           default: the only one, or all")},
    {"out-dir", "DIR", OPTIONS_SIGN, TO(out_dir), N_("where signatures go; default: beside FILE")},
    {"pem", NULL, OPTIONS_SIGN, TO(is_pem), N_("text (PEM) instead of DER")},
    {"keep-going", NULL, OPTIONS_SIGN, TO(keeps_going),
     N_("writes the good signatures when some could not be had")},
    {"verbose", NULL, OPTIONS_SIGN, TO(is_verbose), N_("each file's control code")},
    {"signature", "FILE", OPTIONS_VERIFY, TO(signature), N_("default: FILE.p7s")},
    {"force", NULL,
     OPTIONS_EXPORT | OPTIONS_CREATE | OPTIONS_REISSUE | OPTIONS_IMPORT | OPTIONS_SIGN,
     TO(is_forced), N_("a new local issuer in the place of one whose key is lost")},
    {"since", "DATE", OPTIONS_AUDIT, TO(since),
     N_("only what was signed since, YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ (UTC)")},
    {"account", "NAME", OPTIONS_AUDIT, TO(account), N_("only of that account")},
    {"yes", NULL, OPTIONS_FORGET, TO(is_sure), N_("without asking")},
    {"watch", NULL, OPTIONS_WATCH, TO(watches), N_("waits until the certificate is active")},
    {"module", "PATH", OPTIONS_MODULE, TO(module), N_("the PKCS#11 module to look through")},
    {"json", NULL, OPTIONS_EVERY, TO(is_json), N_("JSON instead of text")},
    {"help", NULL, OPTIONS_EVERY, TO(wants_help), N_("this text")},
    {"version", NULL, OPTIONS_EVERY, TO(wants_version), N_("the version")},
};

/* What an option is to one verb, where that is not what it is to the others. */
static const struct {
    const char *name;
    unsigned group; /* the verb's */
    const char *value;
    const char *help;
} meanings[] = {
    {"from", OPTIONS_IMPORT, "FILE", N_("the file to read: PKCS#12, or PEM with the private key")},
    {"pin-file", OPTIONS_PIN, "FILE",
     N_("the old and the new PIN, a line each; with --reset one line, the\n"
        "                           new PIN; - reads them")},
    {"sp-password-file", OPTIONS_PIN, "FILE",
     N_("with --reset: the service provider's password, where the vault\n"
        "                           keeps it; - reads a line")},
    {"secret-key-file", OPTIONS_PIN, "FILE", N_("with --reset: the secret key; - reads a line")},
    {"password-file", OPTIONS_PIN, "FILE",
     N_("with --reset: the password of the SmartCA account; - reads a line")},
    {"name", OPTIONS_UPDATE, "NAME", N_("the name to show")},
    {"password-file", OPTIONS_IMPORT, "FILE", N_("the password of the file; - reads a line")},
    {"ca-file", OPTIONS_VERIFY, "FILE",
     N_("CA certificates to trust instead of the system's; repeatable")},
    {"force", OPTIONS_EXPORT, NULL, N_("replaces the file of --out")},
    {"force", OPTIONS_SIGN, NULL, N_("replaces signatures that are there")},
    {"force", OPTIONS_IMPORT, NULL, N_("also when the user's certificate is of another person")},
};

enum { ROW_COUNT = ARRAY_LEN(rows), FIRST_ROW = 256 };

static bool *flag_at(struct cli *cli, const struct option_row *row)
{
    return (bool *)((char *)cli + row->offset);
}

static const char **text_at(struct cli *cli, const struct option_row *row)
{
    return (const char **)(void *)((char *)cli + row->offset);
}

static void list_for_getopt(struct option out[static ROW_COUNT + 1])
{
    for (int i = 0; i < ROW_COUNT; i++)
        out[i] = (struct option){.name = rows[i].name,
                                 .has_arg = rows[i].value ? required_argument : no_argument,
                                 .val = FIRST_ROW + i};
    out[ROW_COUNT] = (struct option){0};
}

/* Before getopt says anything: its messages have to be in JSON as well. */
static bool asks_for_json(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--json") == 0)
            return true;
    return false;
}

/* The one option that a verb may take several times; the first is in its ordinary place. */
static bool take_ca_file(struct cli *cli, const char *value)
{
    if (cli->ca_file_count == CLI_CA_FILES_MAX) {
        (void)output_usage(cli, _("--%s is given too often"), "ca-file");
        return false;
    }
    cli->ca_files[cli->ca_file_count++] = value;
    return true;
}

/* Programs show serial numbers as 54:01:..., the service and the configuration as 5401... */
static void drop_colons(char *text)
{
    char *to = text;

    for (const char *from = text; *from; from++)
        if (*from != ':')
            *to++ = *from;
    *to = 0;
}

static bool take(struct cli *cli, const struct option_row *row, char *value)
{
    if (!row->value) {
        *flag_at(cli, row) = true;
        return true;
    }
    if (row->offset == TO(ca_file)) {
        if (!take_ca_file(cli, value))
            return false;
        if (cli->ca_file_count > 1)
            return true;
    }
    if (*text_at(cli, row)) {
        (void)output_usage(cli, _("--%s is given twice"), row->name);
        return false;
    }
    if (row->offset == TO(serial))
        drop_colons(value);
    *text_at(cli, row) = value;
    if (strcmp(value, "-") == 0 && cli->piped_count < CLI_PIPED_MAX)
        cli->piped[cli->piped_count++] = row->name;
    return true;
}

/* Before the options are read, so that what is wrong with one says whose help to read. */
static const char *verb_of(int argc, char **argv)
{
    size_t used = 0;
    int first = 1;

    while (first < argc && argv[first][0] == '-')
        first++;
    const struct verb *verb = verbs_find(argv + first, (size_t)(argc - first), &used);
    return verb ? verb->name : NULL;
}

bool options_parse(int argc, char **argv, struct cli *ret_cli)
{
    struct option list[ROW_COUNT + 1];
    struct cli cli = {.is_json = asks_for_json(argc, argv), .verb = verb_of(argc, argv)};

    list_for_getopt(list);
    opterr = 0;
    for (;;) {
        int at = optind;
        int found = getopt_long(argc, argv, ":", list, NULL);
        if (found == -1)
            break;
        if (found == ':' || found == '?') {
            (void)output_usage(&cli, found == ':' ? _("%s wants a value") : _("unknown option %s"),
                               argv[optind > at ? optind - 1 : at]);
            return false;
        }
        if (!take(&cli, &rows[found - FIRST_ROW], optarg))
            return false;
    }
    cli.operands = argv + optind;
    cli.operand_count = (size_t)(argc - optind);
    *ret_cli = cli;
    return true;
}

const char *options_foreign(const struct cli *cli, unsigned groups)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        struct cli copy = *cli;
        bool is_given =
            rows[i].value ? *text_at(&copy, &rows[i]) != NULL : *flag_at(&copy, &rows[i]);
        if (is_given && !(rows[i].group & (groups | OPTIONS_EVERY)))
            return rows[i].name;
    }
    return NULL;
}

const char *options_repeated(const struct cli *cli, unsigned groups)
{
    return cli->ca_file_count > 1 && !(groups & OPTIONS_VERIFY) ? "ca-file" : NULL;
}

void options_each(unsigned groups,
                  void (*visit)(void *arg, const char *name, const char *value, const char *help),
                  void *arg)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        const char *value = rows[i].value;
        const char *help = rows[i].help;
        if (!(rows[i].group & groups))
            continue;
        for (size_t j = 0; j < ARRAY_LEN(meanings); j++) {
            if (!(meanings[j].group & groups) || strcmp(meanings[j].name, rows[i].name) != 0)
                continue;
            value = meanings[j].value;
            help = meanings[j].help;
        }
        visit(arg, rows[i].name, value, help);
    }
}

static void print_row(void *arg, const char *name, const char *value, const char *help)
{
    char left[40];

    (void)arg;
    (void)snprintf(left, sizeof(left), "--%s%s%s", name, value ? " " : "", value ? value : "");
    (void)printf("  %-24s %s\n", left, _(help));
}

void options_print(unsigned groups)
{
    options_each(groups, print_row, NULL);
}
