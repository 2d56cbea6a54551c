/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/smartca/client.h"

#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"
#include "remote/base/log.h"
#include "remote/smartca/gather.h"

void client_attach(const struct remote_host *host)
{
    log_attach(host->log);
    crypto_adopt(host->libctx);
}

void client_abandon(void)
{
    http_abandon();
    crypto_abandon();
    journal_abandon();
}

void client_freep(struct smartca_client **client)
{
    client_free(*client);
    *client = NULL;
}

enum sca_status client_new_over(struct transport *transport, const struct account_config *account,
                                const char *state_dir, struct smartca_client **ret_client)
{
    AUTO(client_freep) struct smartca_client *client = calloc(1, sizeof(*client));
    if (!client)
        return SCA_NOMEM;

    client->account = account;
    client->state_dir = state_dir;
    client->transport = transport;
    enum sca_status st = journal_new(state_dir, &client->journal);
    if (st == SCA_OK)
        st = gather_new(&client->gather);
    if (st != SCA_OK)
        return st;
    *ret_client = TAKE(client);
    return SCA_OK;
}

enum sca_status client_new(const struct account_config *account, const char *state_dir,
                           struct smartca_client **ret_client)
{
    const struct http_settings settings = {
        .ca_file = account->service.ca_file,
        .pinned_public_key = account->service.pinned_public_key,
        .proxy = account->service.proxy,
        .connect_timeout_ms = account->service.connect_timeout_ms,
        .request_timeout_ms = account->service.request_timeout_ms,
    };
    struct transport *transport = NULL;

    enum sca_status st = http_transport_new(&settings, crypto_libctx(), &transport);
    if (st != SCA_OK)
        return st;
    st = client_new_over(transport, account, state_dir, ret_client);
    if (st == SCA_OK)
        (*ret_client)->owns_transport = true;
    else
        http_transport_free(transport);
    return st;
}

static void client_key_free(struct client_key *key)
{
    result_key_free(key->verifier);
    free(key);
}

void client_free(struct smartca_client *client)
{
    if (!client)
        return;
    struct client_key *key = atomic_load(&client->keys);
    while (key) {
        struct client_key *next = key->next;
        client_key_free(key);
        key = next;
    }
    if (client->owns_transport)
        http_transport_free(client->transport);
    gather_free(client->gather);
    journal_free(client->journal);
    free(client);
}

static enum sca_status key_new(struct span spki, struct client_key **ret_key)
{
    AUTO(freep) struct client_key *key = malloc(sizeof(*key) + spki.len);
    if (!key)
        return SCA_NOMEM;

    enum sca_status st = result_key_new(crypto_libctx(), spki, &key->verifier);
    if (st != SCA_OK)
        return st;
    key->spki_len = spki.len;
    memcpy(key->spki, spki.ptr, spki.len);
    *ret_key = TAKE(key);
    return SCA_OK;
}

enum sca_status client_verifier(struct smartca_client *client, struct span spki,
                                const struct result_key **ret_verifier)
{
    struct client_key *first = atomic_load(&client->keys);
    for (const struct client_key *key = first; key; key = key->next)
        if (span_equal(span_of(key->spki, key->spki_len), spki)) {
            *ret_verifier = key->verifier;
            return SCA_OK;
        }

    struct client_key *added = NULL;
    enum sca_status st = key_new(spki, &added);
    if (st != SCA_OK)
        return st;
    /* Two threads may add the same key at once: one more in the list does no harm. */
    added->next = first;
    while (!atomic_compare_exchange_weak(&client->keys, &first, added))
        added->next = first;
    *ret_verifier = added->verifier;
    return SCA_OK;
}
