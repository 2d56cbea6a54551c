/* SPDX-License-Identifier: Apache-2.0 */
/* What `smartca help --json` says: verbs, options and keys of the configuration, for programs. */
#ifndef REMOTE_CLI_DESCRIBE_H
#define REMOTE_CLI_DESCRIBE_H

#include "remote/cli/verbs.h"

/* One verb. */
enum cli_exit describe_verb(const struct cli *cli, const struct verb *verb);

/* The verbs whose name begins with prefix; with "", the options that all have and the keys of the
 * configuration, too. */
enum cli_exit describe_all(const struct cli *cli, const char *prefix);

#endif
