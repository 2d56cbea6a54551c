/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/sign_slot.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "remote/base/cleanup.h"
#include "remote/cli/sign_choose.h"

enum { CHAIN_MAX = 10 };

#define CLOUD_MODEL "SmartCA"

static bool read_slot(const struct config *config, struct sign_slot *slot, struct trouble *trouble)
{
    char model[sizeof(((CK_TOKEN_INFO *)NULL)->model) + 1];
    CK_TOKEN_INFO info;

    CK_RV rv = slot->module->p11->C_GetTokenInfo(slot->id, &info);
    if (rv != CKR_OK)
        return trouble_module(trouble, _("the slot cannot be read"), rv);
    (void)module_text(info.label, sizeof(info.label), slot->label);
    (void)module_text(info.model, sizeof(info.model), model);
    slot->is_cloud = strncmp(model, CLOUD_MODEL, strlen(CLOUD_MODEL)) == 0;
    slot->needs_login = info.flags & CKF_LOGIN_REQUIRED;
    slot->has_pinpad = info.flags & CKF_PROTECTED_AUTHENTICATION_PATH;
    if (slot->is_cloud && !sign_find_account(config, slot->id, &slot->account, trouble))
        return false;
    return token_open(slot->module, slot->id, false, &slot->token, trouble);
}

/* What the state of the certificate does not tell, and what mends it. */
static bool check_usable(const struct cli *cli, struct sign_slot *slot, struct trouble *trouble)
{
    AUTO(slot_view_fini) struct slot_view view = {0};
    AUTO(freep) char *path = NULL;
    char cure[SLOT_CURE_SIZE];

    if (slot_view_read(slot->module, slot->id, &view) != CKR_OK)
        return true; /* whoever reads it next says why */
    if (view.is_locked && module_find(cli, &path) == SCA_OK) {
        slot_view_cure(&view, slot->account ? slot->account->name : NULL, path, cure);
        return trouble_say(trouble, "pin_locked", cure, _("the PIN of slot %s is locked"),
                           slot->label);
    }
    if (slot_view_lacks_key(&view, cure))
        return trouble_say(trouble, "not_found", cure, _("slot %s has no key yet"), slot->label);
    return !view.is_issuer ||
           trouble_say(trouble, "unsupported", _("name another slot by --slot"),
                       _("slot %s is a local issuer's: it signs certificates, not documents"),
                       slot->label);
}

/* Tokens may hold certificates without a key; private keys may be seen only after a login. */
static bool has_key(struct token *token, CK_OBJECT_HANDLE certificate)
{
    AUTO(buf_fini) struct buf id;

    return token_read(token, certificate, CKA_ID, &id) && id.len > 0 && id.len <= TOKEN_ID_MAX &&
           (token_find_one(token, CKO_PUBLIC_KEY, buf_span(&id)) != CK_INVALID_HANDLE ||
            token_find_one(token, CKO_PRIVATE_KEY, buf_span(&id)) != CK_INVALID_HANDLE);
}

static bool is_wished(struct token *token, P11KitUri *uri, CK_OBJECT_HANDLE certificate)
{
    AUTO(buf_fini) struct buf id;
    AUTO(buf_fini) struct buf label = {0};
    const CK_ATTRIBUTE_TYPE types[] = {CKA_ID, CKA_LABEL};
    struct buf *const values[] = {&id, &label};
    CK_ATTRIBUTE attributes[ARRAY_LEN(types)];

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        (void)token_read(token, certificate, types[i], values[i]); /* empty: none */
        attributes[i] = (CK_ATTRIBUTE){types[i], values[i]->ptr, values[i]->len};
    }
    return p11_kit_uri_match_attributes(uri, attributes, ARRAY_LEN(types)) == 1;
}

/* The certificate in use of those that are wished for and have a key. */
static bool find_signer(const struct sign_wish *wish, struct sign_slot *slot,
                        CK_OBJECT_HANDLE *ret_object, struct trouble *trouble)
{
    const struct holder *all = &slot->holder;
    AUTO(freep) struct holding *some = calloc(all->count + 1, sizeof(*some));
    struct holder fitting = {.items = some};

    if (!some)
        return trouble_no_memory(trouble);
    for (size_t i = 0; i < all->count; i++)
        if (!all->items[i].is_archived && has_key(&slot->token, all->items[i].object) &&
            (!wish->uri || is_wished(&slot->token, wish->uri, all->items[i].object)))
            some[fitting.count++] = all->items[i];
    const struct holding *current = holder_current(&fitting, slot->label);
    if (!current)
        return trouble_say(trouble, "not_found", _("smartca slots shows each slot's state"),
                           _("slot %s has no certificate with a key"), slot->label);
    slot->signer = current->x509;
    *ret_object = current->object;
    return true;
}

static bool check_validity(const struct sign_slot *slot, struct trouble *trouble)
{
    if (X509_cmp_current_time(X509_get0_notBefore(slot->signer)) > 0)
        return trouble_say(trouble, "not_permitted", _("wait for its first day"),
                           _("the certificate in slot %s is not valid yet"), slot->label);
    return X509_cmp_current_time(X509_get0_notAfter(slot->signer)) >= 0 ||
           trouble_say(trouble, "not_permitted", _("renew it, or name another slot by --slot"),
                       _("the certificate in slot %s has expired"), slot->label);
}

static X509 *issuer_of(const struct holder *holder, X509 *x509)
{
    for (size_t i = 0; i < holder->count; i++)
        if (!holder->items[i].is_archived &&
            X509_check_issued(holder->items[i].x509, x509) == X509_V_OK)
            return holder->items[i].x509;
    return NULL;
}

static bool find_chain(struct sign_slot *slot, struct trouble *trouble)
{
    X509 *next = slot->signer;

    slot->chain = sk_X509_new_null();
    if (!slot->chain)
        return trouble_no_memory(trouble);
    for (int i = 0; i < CHAIN_MAX; i++) {
        X509 *issuer = issuer_of(&slot->holder, next);
        if (!issuer || X509_cmp(issuer, next) == 0)
            break;
        if (sk_X509_push(slot->chain, issuer) <= 0)
            return trouble_no_memory(trouble);
        next = issuer;
    }
    return true;
}

static bool can_sign(const struct sign_slot *slot, CK_MECHANISM_TYPE mechanism)
{
    CK_MECHANISM_INFO info;

    return mechanism != CMS_NO_MECHANISM &&
           slot->module->p11->C_GetMechanismInfo(slot->id, mechanism, &info) == CKR_OK &&
           (info.flags & CKF_SIGN);
}

static bool find_scheme(struct sign_slot *slot, struct trouble *trouble)
{
    const struct cms_scheme *scheme = cms_scheme_of(X509_get0_pubkey(slot->signer));

    slot->scheme = scheme;
    if (scheme && can_sign(slot, scheme->mechanism)) {
        slot->mechanism = scheme->mechanism;
        slot->input = scheme->input;
        return true;
    }
    if (scheme && can_sign(slot, scheme->plain_mechanism)) {
        slot->mechanism = scheme->plain_mechanism;
        slot->input = CMS_INPUT_DIGEST_INFO;
        return true;
    }
    return trouble_say(trouble, "unsupported", _("name another slot by --slot"),
                       _("the key in slot %s does not sign documents"), slot->label);
}

static bool read_certificates(const struct sign_wish *wish, struct sign_slot *slot,
                              struct trouble *trouble)
{
    AUTO(buf_fini) struct buf id = {0};
    CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;

    if (!holder_read(&slot->token, &slot->holder, trouble) ||
        !find_signer(wish, slot, &object, trouble) || !check_validity(slot, trouble) ||
        !find_chain(slot, trouble) || !find_scheme(slot, trouble))
        return false;
    if (!token_read(&slot->token, object, CKA_ID, &id) || id.len > sizeof(slot->key_id))
        return trouble_no_memory(trouble); /* it was read before */
    memcpy(slot->key_id, id.ptr, id.len);
    slot->key_id_len = id.len;
    return true;
}

bool sign_slot_open(const struct cli *cli, const struct module *module, const struct config *config,
                    struct sign_slot *ret_slot, struct trouble *trouble)
{
    AUTO(sign_wish_fini) struct sign_wish wish;

    *ret_slot = (struct sign_slot){.module = module};
    return sign_wish_read(cli->slot, &wish, trouble) &&
           sign_choose(module, config, &wish, &ret_slot->id, trouble) &&
           read_slot(config, ret_slot, trouble) && check_usable(cli, ret_slot, trouble) &&
           read_certificates(&wish, ret_slot, trouble);
}

void sign_slot_fini(struct sign_slot *slot)
{
    sk_X509_free(slot->chain);
    holder_fini(&slot->holder);
    token_close(&slot->token);
    secret_free(slot->each_secret);
    *slot = (struct sign_slot){0};
}
