/* SPDX-License-Identifier: Apache-2.0 */
#include "module/backend/smartca.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "module/backend/remote_load.h"
#include "module/backend/smartca_view.h"
#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"
#include "remote/base/log.h"

/* SHA-256 is what the service is known to take; the rest is opt-in (extra_hashes). */
static const CK_MECHANISM_TYPE sha256_mechanisms[] = {CKM_RSA_PKCS, CKM_SHA256_RSA_PKCS};
static const CK_MECHANISM_TYPE all_mechanisms[] = {CKM_RSA_PKCS, CKM_SHA256_RSA_PKCS,
                                                   CKM_SHA384_RSA_PKCS, CKM_SHA512_RSA_PKCS};
static const enum crypto_hash all_hashes[] = {CRYPTO_SHA256, CRYPTO_SHA384, CRYPTO_SHA512,
                                              CRYPTO_SHA1};

static enum sca_status token_list_objects(struct token *base, struct object_sink *sink)
{
    const struct smartca_token *token = (const struct smartca_token *)base;
    return smartca_objects_list(base, &token->entry, sink);
}

void smartca_token_heard(struct token *base, enum certificate_state state)
{
    struct smartca_token *token = (struct smartca_token *)base;
    atomic_store(&token->state, state);
}

/* What its key usage says: reading the certificate costs 100 us, so it is done once; without memory
 * for that it remains to be done. */
enum certificate_usage { USAGE_UNREAD, USAGE_SIGNS, USAGE_OTHER };

static enum sca_status read_usage(struct smartca_token *token, int *ret_usage)
{
    bool signs = false;

    *ret_usage = atomic_load(&token->usage);
    if (*ret_usage != USAGE_UNREAD)
        return SCA_OK;
    enum sca_status st = certificate_may_sign(crypto_libctx(), token->entry.leaf.der, &signs);
    if (st != SCA_OK)
        return st;
    *ret_usage = signs ? USAGE_SIGNS : USAGE_OTHER;
    atomic_store(&token->usage, *ret_usage);
    return SCA_OK;
}

static enum sca_status token_check(struct token *base, struct call *call)
{
    static const char *const unusable[] = {
        [CERTIFICATE_ACTIVE] = NULL,
        [CERTIFICATE_REVOKED] = "is revoked",
        [CERTIFICATE_NOT_ACTIVATED] = "is not activated yet; activate it in the SmartCA app",
        [CERTIFICATE_UNUSABLE] = "is not usable, says the service",
    };
    struct smartca_token *token = (struct smartca_token *)base;
    int64_t now = call->clock->wall_s(call->clock);
    const char *why = unusable[atomic_load(&token->state)];
    int usage = USAGE_UNREAD;

    if (now > token->entry.leaf.not_after)
        why = "has expired";
    else if (now < token->entry.leaf.not_before)
        why = "is not valid yet; check the computer's clock";
    else if (!why && read_usage(token, &usage) != SCA_OK)
        return call_fail(call, SCA_NOMEM, "no memory to read the certificate");
    else if (!why && usage == USAGE_OTHER)
        why = "is not for signatures, says its key usage";
    if (!why)
        return SCA_OK;
    return call_fail(call, SCA_NOT_PERMITTED,
                     "the certificate %s; smartca account refresh %s asks the service again", why,
                     token->account->config->name);
}

struct remote_key smartca_key(const struct smartca_token *token)
{
    return (struct remote_key){
        .service_serial = token->entry.service_serial,
        .spki = token->entry.leaf.spki,
        .signature_len = token->entry.leaf.modulus.len,
    };
}

static enum sca_status token_sign(struct token *base, struct call *call, const struct sign_job *job,
                                  uint8_t *sig)
{
    struct smartca_token *token = (struct smartca_token *)base;
    AUTO(smartca_opened_fini) struct smartca_opened opened = {.vault = NULL};
    const struct remote_key key = smartca_key(token);
    struct remote_document document = {.digest = job->input, .signature = sig};
    const struct remote_ops *ops = NULL;
    struct smartca_client *client = NULL;

    const struct remote_credentials credentials = smartca_borrow_opened(token, job->otp, &opened);
    enum sca_status st = smartca_account_client(token->account, call, &ops, &client);
    if (st == SCA_OK)
        st = ops->sign(client, call, &credentials, &key, &document);
    smartca_opened_spend(&opened);
    return st;
}

static uint64_t token_patience_ms(const struct token *base)
{
    const struct smartca_token *token = (const struct smartca_token *)base;
    return token->account->config->service.confirm_timeout_ms;
}

static void token_free(struct token *base)
{
    struct smartca_token *token = (struct smartca_token *)base;
    smartca_login_fini(token);
    free(token->label);
    free(token->description);
    free(token);
}

/* The phone is the guard: no PIN. */
static const struct token_ops phone_ops = {
    .list = token_list_objects,
    .check = token_check,
    .sign = token_sign,
    .patience_ms = token_patience_ms,
    .async = &smartca_async,
    .free = token_free,
};

/* A one-time password with every signature, and nothing else. */
static const struct token_ops otp_ops = {
    .list = token_list_objects,
    .check = token_check,
    .sign = token_sign,
    .login = smartca_login,
    .logout = smartca_logout,
    .patience_ms = token_patience_ms,
    .async = &smartca_async,
    .free = token_free,
};

static const struct token_ops vault_ops = {
    .list = token_list_objects,
    .check = token_check,
    .sign = token_sign,
    .login = smartca_login,
    .logout = smartca_logout,
    .state = smartca_state,
    .set_pin = smartca_set_pin,
    .patience_ms = token_patience_ms,
    .async = &smartca_async,
    .free = token_free,
};

static const struct token_ops *choose_ops(const struct account_config *config)
{
    if (vault_is_needed(config))
        return &vault_ops;
    return config->confirm == CONFIRM_OTP ? &otp_ops : &phone_ops;
}

/* Label and description; false without memory. */
static bool describe(struct smartca_token *token)
{
    token->label = smartca_view_label(&token->entry);
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
    atomic_init(&token->state, entry->state);

    struct token *base = &token->base;
    *base = (struct token){
        .ops = choose_ops(config),
        .slot_id = entry->slot_id,
        .is_present = entry->has_certificate,
        .is_default = entry->view.is_default,
        .needs_login = vault_is_needed(config) || config->confirm == CONFIRM_OTP,
        .has_protected_path = config->protected_path,
        .shows_async = config->shows_async,
        .signs_digests = true,
        .hashes = all_hashes,
        .hash_count = config->extra_hashes ? ARRAY_LEN(all_hashes) : 1,
        .mechanisms = config->extra_hashes ? all_mechanisms : sha256_mechanisms,
        .mechanism_count =
            config->extra_hashes ? ARRAY_LEN(all_mechanisms) : ARRAY_LEN(sha256_mechanisms),
    };
    smartca_login_init(token);
    if (!describe(token)) {
        token_free(base);
        return SCA_NOMEM;
    }
    base->identity = (struct token_identity){
        .slot_description = token->description,
        .manufacturer = "VNPT SmartCA",
        .label = token->label,
        .model = config->confirm == CONFIRM_APP ? "SmartCA" : "SmartCA TH",
        .user = config->user_id,
        .account = config->name,
    };
    if (entry->has_certificate)
        certificate_serial_text(entry->leaf.serial, base->identity.serial);
    *ret_token = base;
    return SCA_OK;
}
