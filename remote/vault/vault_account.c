/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/vault/vault_account.h"

unsigned vault_items_of(const struct account_config *account)
{
    unsigned items = 0;

    if (account->confirm != CONFIRM_APP && account->password.kind == SECRET_VAULT)
        items |= 1U << VAULT_PASSWORD;
    if (account->confirm == CONFIRM_TOTP && account->totp_secret.kind == SECRET_VAULT)
        items |= 1U << VAULT_TOTP_SECRET;
    if (account->service.sp_password.kind == SECRET_VAULT)
        items |= 1U << VAULT_SP_PASSWORD;
    return items;
}

unsigned vault_items_of_identity(const struct config *config, const struct account_config *account)
{
    unsigned items = 0;

    for (size_t i = 0; i < config->account_count; i++)
        if (identity_equal(config_identity(&config->accounts[i]), config_identity(account)))
            items |= vault_items_of(&config->accounts[i]);
    return items;
}

bool vault_is_needed(const struct account_config *account)
{
    return account->pin_required || vault_items_of(account) != 0;
}

struct vault vault_of_account(const struct account_config *account, const char *state_dir)
{
    return (struct vault){.state_dir = state_dir, .identity = config_identity(account)};
}
