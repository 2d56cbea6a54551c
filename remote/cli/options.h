/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REMOTE_CLI_OPTIONS_H
#define REMOTE_CLI_OPTIONS_H

#include "remote/cli/cli.h"

/* Which verbs take an option. */
enum option_group {
    OPTIONS_EVERY = 1,
    OPTIONS_MODULE = 2,
    OPTIONS_ADD = 4,
    OPTIONS_USER = 8,    /* whose self-signed certificate */
    OPTIONS_FORM = 16,   /* what it says */
    OPTIONS_CREATE = 32, /* tokens are made */
    OPTIONS_REISSUE = 64,
    OPTIONS_LIST = 128,
    OPTIONS_EXPORT = 256,
    OPTIONS_IMPORT = 512,
    OPTIONS_WATCH = 1024,
    OPTIONS_VAULT = 2048, /* a vault is opened */
    OPTIONS_PIN = 4096,
    OPTIONS_CHOOSE = 8192, /* one certificate of several */
    OPTIONS_APPEARANCE = 16384,
    OPTIONS_ECONTRACT = 1 << 15, /* eContract is asked */
    OPTIONS_COMPANY = 1 << 16,
    OPTIONS_SEARCH = 1 << 17,
    OPTIONS_ECONTRACT_USER = 1 << 18, /* one user there */
    OPTIONS_CERTIFICATE = 1 << 19,    /* one certificate of the user */
    OPTIONS_UPDATE = 1 << 20,
    OPTIONS_SIGN = 1 << 21,
    OPTIONS_VERIFY = 1 << 22,
    OPTIONS_AUDIT = 1 << 23,  /* lines of the audit log are chosen */
    OPTIONS_FORGET = 1 << 24, /* something is given up */
};

/*
 * Reads all options of argv, wherever they stand; what is left are operands. False after saying on
 * stderr what is wrong. argv is reordered.
 */
bool options_parse(int argc, char **argv, struct cli *ret_cli);

/* An option on the command line that is not of these groups; NULL if there is none. */
const char *options_foreign(const struct cli *cli, unsigned groups);

/* An option given more often than these groups allow; NULL if there is none. */
const char *options_repeated(const struct cli *cli, unsigned groups);

/* Hands each option of these groups to visit, with what it is to that verb; value is NULL for a
 * flag, help is not translated. */
void options_each(unsigned groups,
                  void (*visit)(void *arg, const char *name, const char *value, const char *help),
                  void *arg);

void options_print(unsigned groups);

#endif
