/* SPDX-License-Identifier: Apache-2.0 */
#include "module/backend/smartca.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "module/backend/remote_load.h"
#include "remote/base/cleanup.h"
#include "remote/base/log.h"

struct smartca_token {
    struct token base;
    struct smartca_account *account;
    struct catalogue_entry entry;
    char *label;
    char *description;
};

/* smartca-api.md section 4: SHA-256 is what the service is known to take; the rest is opt-in. */
static const CK_MECHANISM_TYPE sha256_mechanisms[] = {CKM_RSA_PKCS, CKM_SHA256_RSA_PKCS};
static const CK_MECHANISM_TYPE all_mechanisms[] = {CKM_RSA_PKCS, CKM_SHA256_RSA_PKCS,
                                                   CKM_SHA384_RSA_PKCS, CKM_SHA512_RSA_PKCS};
static const enum crypto_hash all_hashes[] = {CRYPTO_SHA256, CRYPTO_SHA384, CRYPTO_SHA512,
                                              CRYPTO_SHA1};

/* The vault PIN, design.md section 8. */
enum { VAULT_PIN_MIN = 6, VAULT_PIN_MAX = 64 };

void smartca_account_init(struct smartca_account *account, const struct account_config *config,
                          const char *state_dir)
{
    *account = (struct smartca_account){.config = config, .state_dir = state_dir};
    lock_init(&account->lock, LOCK_BACKEND);
}

void smartca_account_fini(struct smartca_account *account)
{
    if (account->client)
        account->remote->client_free(account->client);
    lock_fini(&account->lock);
}

bool smartca_account_is_of(const struct smartca_account *account,
                           const struct catalogue_entry *entry)
{
    return strcmp(entry->user_id, account->config->user_id) == 0 &&
           strcmp(entry->url, account->config->service.url) == 0;
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

/* The account's client, made once. Two threads may both make one; the slower gives its own back. */
static enum sca_status account_client(struct smartca_account *account, struct call *call,
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

    enum sca_status st = account_client(account, call, &ops, &client);
    if (st == SCA_OK)
        st = ops->fetch(client, call, &count);
    if (st == SCA_OK && count == 0 && config->serial)
        log_line(
            LOG_LEVEL_WARNING,
            "account %s: the identity has no certificate %s; correct serial, or leave it empty "
            "for all",
            config->name, config->serial);
    return st;
}

static enum sca_status token_list_objects(struct token *base, struct object_sink *sink)
{
    const struct smartca_token *token = (const struct smartca_token *)base;
    return smartca_objects_list(base, &token->entry, sink);
}

static enum sca_status token_check(struct token *base, struct call *call)
{
    static const char *const unusable[] = {
        [CERTIFICATE_ACTIVE] = NULL,
        [CERTIFICATE_REVOKED] = "is revoked",
        [CERTIFICATE_NOT_ACTIVATED] = "is not activated yet; activate it in the SmartCA app",
        [CERTIFICATE_UNUSABLE] = "is not usable, says the service",
    };
    const struct smartca_token *token = (const struct smartca_token *)base;
    int64_t now = call->clock->wall_s(call->clock);
    const char *why = unusable[token->entry.state];

    if (now > token->entry.leaf.not_after)
        why = "has expired";
    else if (now < token->entry.leaf.not_before)
        why = "is not valid yet; check the computer's clock";
    if (!why)
        return SCA_OK;
    return call_fail(call, SCA_NOT_PERMITTED,
                     "the certificate %s; smartca account refresh %s asks the service again", why,
                     token->account->config->name);
}

static enum sca_status token_sign(struct token *base, struct call *call, const struct sign_job *job,
                                  uint8_t *sig)
{
    struct smartca_token *token = (struct smartca_token *)base;
    const struct remote_key key = {
        .service_serial = token->entry.service_serial,
        .spki = token->entry.leaf.spki,
        .signature_len = token->entry.leaf.modulus.len,
    };
    struct remote_document document = {.digest = job->input, .signature = sig};
    const struct remote_ops *ops = NULL;
    struct smartca_client *client = NULL;

    enum sca_status st = account_client(token->account, call, &ops, &client);
    return st == SCA_OK ? ops->sign(client, call, &key, &document, 1) : st;
}

static uint64_t token_patience_ms(const struct token *base)
{
    const struct smartca_token *token = (const struct smartca_token *)base;
    return token->account->config->service.confirm_timeout_ms;
}

static void token_free(struct token *base)
{
    struct smartca_token *token = (struct smartca_token *)base;
    free(token->label);
    free(token->description);
    free(token);
}

static const struct token_ops smartca_ops = {
    .list = token_list_objects,
    .check = token_check,
    .sign = token_sign,
    .patience_ms = token_patience_ms,
    .free = token_free,
};

/* Label and description; false without memory. */
static bool describe(struct smartca_token *token)
{
    const struct span name = token->entry.leaf.common_name;
    if (token->entry.has_certificate)
        token->label = strndup((const char *)name.ptr, name.len);
    else
        token->label = strdup("");
    size_t size = sizeof("VNPT SmartCA account ") + strlen(token->account->config->name);
    token->description = malloc(size);
    if (!token->label || !token->description)
        return false;
    (void)snprintf(token->description, size, "VNPT SmartCA account %s",
                   token->account->config->name);
    return true;
}

enum sca_status smartca_token_new(struct smartca_account *account,
                                  const struct catalogue_entry *entry, struct token **ret_token)
{
    const struct account_config *config = account->config;
    struct smartca_token *token = calloc(1, sizeof(*token));
    if (!token)
        return SCA_NOMEM;
    token->account = account;
    token->entry = *entry;

    struct token *base = &token->base;
    *base = (struct token){
        .ops = &smartca_ops,
        .slot_id = entry->slot_id,
        .is_present = entry->has_certificate,
        .needs_login = config->pin_required,
        .has_protected_path = config->protected_path,
        .signs_digests = true,
        .hashes = all_hashes,
        .hash_count = config->extra_hashes ? ARRAY_LEN(all_hashes) : 1,
        .mechanisms = config->extra_hashes ? all_mechanisms : sha256_mechanisms,
        .mechanism_count =
            config->extra_hashes ? ARRAY_LEN(all_mechanisms) : ARRAY_LEN(sha256_mechanisms),
    };
    if (config->pin_required) {
        base->pin_min = VAULT_PIN_MIN;
        base->pin_max = VAULT_PIN_MAX;
    }
    if (!describe(token)) {
        token_free(base);
        return SCA_NOMEM;
    }
    base->identity = (struct token_identity){
        .slot_description = token->description,
        .manufacturer = "VNPT SmartCA",
        .label = token->label,
        .model = "SmartCA",
    };
    if (entry->has_certificate)
        certificate_serial_text(entry->leaf.serial, base->identity.serial);
    *ret_token = base;
    return SCA_OK;
}
