/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of smartca account add; each says on stderr why it fails. */
#ifndef REMOTE_CLI_ACCOUNT_ADD_H
#define REMOTE_CLI_ACCOUNT_ADD_H

#include "remote/base/secret.h"
#include "remote/cli/account_file.h"
#include "remote/cli/output.h"
#include "remote/cli/workspace.h"

/* One run. Owns everything but cli. */
struct addition {
    const struct cli *cli;
    struct workspace workspace;
    struct account_place place;
    char *password_path; /* absolute; NULL: the one of [smartca] */
    char *ca_path;
    struct secret *password; /* from standard input, not yet on disk */
    struct config *draft;
    struct account_config *account; /* in draft */
    char *serial;                   /* as the service spells it */
    struct rows rows;
    bool was_known; /* the catalogue had the identity before */
};

/* What can be said of the command line alone. */
enum cli_exit addition_check_usage(const struct cli *cli);

/* Finds the place of a name that is not in use; makes paths absolute, reads the password. */
enum cli_exit addition_prepare(struct addition *addition);

/* Asks the service; addition->rows has the certificates the account will have. */
enum cli_exit addition_fetch(struct addition *addition);

/* What addition_fetch put into the catalogue is of no use when the account is not written. */
void addition_take_back(const struct addition *addition);

#endif
