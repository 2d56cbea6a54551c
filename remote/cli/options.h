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
};

/*
 * Reads all options of argv, wherever they stand; what is left are operands. False after saying on
 * stderr what is wrong. argv is reordered.
 */
bool options_parse(int argc, char **argv, struct cli *ret_cli);

/* An option on the command line that is not of these groups; NULL if there is none. */
const char *options_foreign(const struct cli *cli, unsigned groups);

void options_print(unsigned groups);

#endif
