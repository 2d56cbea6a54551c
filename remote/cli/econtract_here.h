/* SPDX-License-Identifier: Apache-2.0 */
/* eContract's certificates that this computer's catalogue knows as well. */
#ifndef REMOTE_CLI_ECONTRACT_HERE_H
#define REMOTE_CLI_ECONTRACT_HERE_H

#include "remote/cli/econtract_desk.h"

/* The account that shows the certificate with this serial number, lent; NULL if there is none. */
const struct account_config *here_find_account(const struct desk *desk, const char *serial);

/* Gives the certificate with this serial number parts of view, wherever the catalogue has it.
 * SCA_NOT_FOUND: nowhere. */
enum sca_status here_set_view(const struct desk *desk, const char *serial, unsigned parts,
                              const struct catalogue_view *view);

/*
 * Makes text the signature content of the account; display mode and image stay. state_dir and
 * account are those of the configuration as it is now.
 */
enum sca_status here_take_text(const char *state_dir, const struct account_config *account,
                               const char *text);

#endif
