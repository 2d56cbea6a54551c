/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/cli/output.h"

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
    {"serial", "HEX", OPTIONS_ADD, TO(serial), N_("only this certificate; default: all")},
    {"confirm", "app", OPTIONS_ADD, TO(confirm), N_("how signatures are confirmed")},
    {"business", NULL, OPTIONS_ADD, TO(is_business), N_("an account without a phone (SmartCA TH)")},
    {"url", "URL", OPTIONS_ADD, TO(url), N_("the service; default: [smartca], production")},
    {"sp-id", "ID", OPTIONS_ADD, TO(sp_id), N_("service provider; default: [smartca]")},
    {"sp-password-file", "FILE", OPTIONS_ADD, TO(sp_password_file),
     N_("file with its password; - reads a line and keeps it beside the configuration")},
    {"ca-file", "FILE", OPTIONS_ADD, TO(ca_file), N_("CA certificates to trust instead")},
    {"module", "PATH", OPTIONS_MODULE, TO(module), N_("the PKCS#11 module to look through")},
    {"json", NULL, OPTIONS_EVERY, TO(is_json), N_("JSON instead of text")},
    {"help", NULL, OPTIONS_EVERY, TO(wants_help), N_("this text")},
    {"version", NULL, OPTIONS_EVERY, TO(wants_version), N_("the version")},
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

static bool take(struct cli *cli, const struct option_row *row, const char *value)
{
    if (!row->value) {
        *flag_at(cli, row) = true;
        return true;
    }
    if (*text_at(cli, row)) {
        (void)output_usage(cli, _("--%s is given twice"), row->name);
        return false;
    }
    *text_at(cli, row) = value;
    return true;
}

bool options_parse(int argc, char **argv, struct cli *ret_cli)
{
    struct option list[ROW_COUNT + 1];
    struct cli cli = {.is_json = asks_for_json(argc, argv)};

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

void options_print(unsigned groups)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        char left[40];
        if (!(rows[i].group & groups))
            continue;
        (void)snprintf(left, sizeof(left), "--%s%s%s", rows[i].name, rows[i].value ? " " : "",
                       rows[i].value ? rows[i].value : "");
        (void)printf("  %-24s %s\n", left, _(rows[i].help));
    }
}
