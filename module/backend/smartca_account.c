/* SPDX-License-Identifier: Apache-2.0 */
/* One identity: whose certificates are its own, and the connection to its service. */
#include <string.h>
#include <strings.h>

#include "module/backend/remote_load.h"
#include "module/backend/smartca.h"
#include "remote/base/log.h"

void smartca_account_init(struct smartca_account *account, const struct account_config *config,
                          const char *state_dir)
{
    *account = (struct smartca_account){.config = config, .state_dir = state_dir};
    lock_init(&account->lock, LOCK_BACKEND);
    wrong_pins_init(&account->own_wrong, &account->lock);
    account->wrong = &account->own_wrong;
}

void smartca_account_share_pins(struct smartca_account *account,
                                const struct smartca_account *other)
{
    account->wrong = other->wrong;
}

void smartca_account_fini(struct smartca_account *account)
{
    if (account->client)
        account->remote->client_free(account->client);
    wrong_pins_fini(&account->own_wrong);
    lock_fini(&account->lock);
}

bool smartca_account_is_of(const struct smartca_account *account,
                           const struct catalogue_entry *entry)
{
    return identity_equal(catalogue_identity(entry), config_identity(account->config));
}

bool smartca_account_has(const struct smartca_account *account, const struct catalogue_entry *entry)
{
    const char *serial = account->config->serial;
    char own[CERTIFICATE_SERIAL_HEX];

    if (!smartca_account_is_of(account, entry))
        return false;
    return !serial || !entry->has_certificate || strcasecmp(entry->service_serial, serial) == 0 ||
           strcasecmp(certificate_serial_hex(entry->leaf.serial, own), serial) == 0;
}

/* Two threads may both make one; the slower gives its own back. */
enum sca_status smartca_account_client(struct smartca_account *account, struct call *call,
                                       const struct remote_ops **ret_ops,
                                       struct smartca_client **ret_client)
{
    enum sca_status st = remote_load(call, ret_ops);
    if (st != SCA_OK)
        return st;
    lock_take(&account->lock);
    struct smartca_client *client = account->client;
    lock_drop(&account->lock);

    if (!client) {
        st = (*ret_ops)->client_new(account->config, account->state_dir, &client);
        if (st != SCA_OK)
            return call_fail(call, st, "account %s cannot be used: %s", account->config->name,
                             sca_status_name(st));
        struct smartca_client *spare = client;
        lock_take(&account->lock);
        if (!account->client) {
            account->client = client;
            account->remote = *ret_ops;
            spare = NULL;
        }
        client = account->client;
        lock_drop(&account->lock);
        (*ret_ops)->client_free(spare);
    }
    *ret_client = client;
    return SCA_OK;
}

enum sca_status smartca_account_fetch(struct smartca_account *account, struct call *call)
{
    const struct account_config *config = account->config;
    const struct remote_ops *ops = NULL;
    struct smartca_client *client = NULL;
    size_t count = 0;

    enum sca_status st = smartca_account_client(account, call, &ops, &client);
    if (st == SCA_OK)
        st = ops->fetch(client, call, &(struct remote_credentials){.otp = NULL}, &count);
    if (st == SCA_OK && count == 0 && config->serial)
        log_line(
            LOG_LEVEL_WARNING,
            "account %s: the identity has no certificate %s; correct serial, or leave it empty "
            "for all",
            config->name, config->serial);
    return st;
}
