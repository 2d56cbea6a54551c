/* SPDX-License-Identifier: Apache-2.0 */
/* The account that a verb is about; each says on stderr why it is not to be had. */
#ifndef REMOTE_CLI_ACCOUNT_LOOKUP_H
#define REMOTE_CLI_ACCOUNT_LOOKUP_H

#include "remote/cli/account_file.h"
#include "remote/cli/cli.h"
#include "remote/config/config.h"

/* Is it good for a section and a file? CLI_USAGE. */
enum cli_exit account_check_name(const struct cli *cli, const char *name);

/* The first operand's account. Lends it. */
enum cli_exit account_find(const struct cli *cli, const struct config *config,
                           const struct account_config **ret_account);

/* Has place the account of that name, and nothing else, as account add writes it? */
enum cli_exit account_check_ours(const struct cli *cli, const struct config *config,
                                 const char *name, const struct account_place *place);

/* May an account of that name be written to place? */
enum cli_exit account_check_is_new(const struct cli *cli, const struct config *config,
                                   const char *name, const struct account_place *place);

/* Does this account, and none but it, read its sp_password where account add puts it? */
bool account_has_password_file(const struct config *config, const struct account_config *account,
                               const struct account_place *place);

#endif
