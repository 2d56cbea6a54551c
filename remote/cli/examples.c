/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/examples.h"

#include <stdio.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/cli/cli.h"

/* Lines that can be typed as they are, but for names and numbers. A test reads the options. */
static const struct {
    const char *verb;
    const char *line;
} examples[] = {
    {"", "account add work --user-id 012345678901"},
    {"", "slots"},
    {"", "sign contract.pdf"},
    {"", "doctor"},
    {"slots", "slots"},
    {"slots", "slots --json"},
    {"account add",
     "account add work --user-id 012345678901 --sp-id 4184-...apps.signserviceapi.com "
     "--sp-password-file ~/sp-password"},
    {"account add", "account add invoices --user-id 0312345678 --business --serial 5401..."},
    {"account list", "account list"},
    {"account refresh", "account refresh"},
    {"account refresh", "account refresh work"},
    {"account remove", "account remove work"},
    {"account rename", "account rename work office"},
    {"account set-default", "account set-default work"},
    {"account set-default", "account set-default work --serial 5401..."},
    {"account appearance", "account appearance work"},
    {"account appearance",
     "account appearance work --text 'Signed by {{SubjectDN.CN}}' --mode text-image --image "
     "signature.png"},
    {"account pin", "account pin invoices"},
    {"account pin", "account pin invoices --reset"},
    {"account otp", "account otp invoices"},
    {"econtract login", "econtract login --company 1"},
    {"econtract users", "econtract users --search anh.nv"},
    {"econtract add", "econtract add work --econtract-user 17 --user-id 012345678901"},
    {"econtract update",
     "econtract update --certificate 5 --econtract-user 17 --default --name 'Contracts'"},
    {"econtract delete", "econtract delete --certificate 5 --econtract-user 17"},
    {"selfsigned create", "selfsigned create --user anh.nv --name 'Nguyễn Văn Ánh' --years 5"},
    {"selfsigned create", "selfsigned create --csv users.csv --pins-out pins.csv"},
    {"selfsigned reissue", "selfsigned reissue --user anh.nv --years 5"},
    {"selfsigned list", "selfsigned list --expiring 30"},
    {"selfsigned export", "selfsigned export --user anh.nv --out anh.pem"},
    {"selfsigned export",
     "selfsigned export --issued-by 'VNPT eContract Certificate' --out ca.pem"},
    {"selfsigned export", "selfsigned export --user anh.nv --format p12 --out anh.p12"},
    {"selfsigned import", "selfsigned import --user anh.nv --from anh.p12"},
    {"status", "status work"},
    {"status", "status work --watch"},
    {"pending", "pending"},
    {"pending forget", "pending forget 3f2a --yes"},
    {"pending resume", "pending resume 3f2a"},
    {"audit show", "audit show --since 2026-05-01 --account work"},
    {"audit verify", "audit verify"},
    {"sign", "sign contracts/*.pdf"},
    {"sign", "sign --slot anh.nv --out-dir signatures report.odt photo.jpg"},
    {"verify", "verify contract.pdf --ca-file root.pem"},
    {"doctor", "doctor"},
};

const char *example_get(const char *verb, size_t number)
{
    for (size_t i = 0; i < ARRAY_LEN(examples); i++)
        if (strcmp(examples[i].verb, verb) == 0 && number-- == 0)
            return examples[i].line;
    return NULL;
}

void examples_print(const char *verb)
{
    const char *line = NULL;

    for (size_t i = 0; (line = example_get(verb, i)); i++)
        (void)printf("%s  smartca %s\n", i == 0 ? _("\nExamples:\n") : "", line);
}
