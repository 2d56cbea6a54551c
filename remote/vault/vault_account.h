/* SPDX-License-Identifier: Apache-2.0 */
/* What accounts of the configuration have in vaults: the secrets that it gives as "vault:". */
#ifndef REMOTE_VAULT_VAULT_ACCOUNT_H
#define REMOTE_VAULT_VAULT_ACCOUNT_H

#include "remote/config/config.h"
#include "remote/vault/vault.h"

/* Which secrets the account has in its vault, as a set of 1 << enum vault_item. */
unsigned vault_items_of(const struct account_config *account);

/* The same of all accounts of its identity: what a vault that is made anew has to have. */
unsigned vault_items_of_identity(const struct config *config, const struct account_config *account);

/* Does the account's login want a vault? One may be needed without items. */
bool vault_is_needed(const struct account_config *account);

/* Borrows from both. */
struct vault vault_of_account(const struct account_config *account, const char *state_dir);

#endif
