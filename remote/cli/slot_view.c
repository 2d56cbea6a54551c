/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/slot_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"
#include "remote/cli/holder.h"
#include "remote/cli/output.h"
#include "remote/cli/x509_read.h"

enum { QUOTED_LABEL_SIZE = 4 * SLOT_LABEL_SIZE };

/* Which backend a slot comes from is told by its manufacturer: a USB token has its vendor's. */
static const struct {
    const char *manufacturer;
    const char *kind;
} kinds[] = {{"VNPT SmartCA", "smartca"}, {"VNPT eContract", "selfsigned"}};

static const char *kind_of(const char *manufacturer)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (strcmp(manufacturer, kinds[i].manufacturer) == 0)
            return kinds[i].kind;
    return "token";
}

/* What is true of a user's PIN; the first row that applies is the answer. */
static const struct {
    CK_FLAGS mask;
    CK_FLAGS value;
    const char *name;
} pins[] = {
    {CKF_USER_PIN_LOCKED, CKF_USER_PIN_LOCKED, "locked"},
    {CKF_LOGIN_REQUIRED, 0, NULL},
    {CKF_USER_PIN_INITIALIZED, 0, "not_set"},
    {CKF_USER_PIN_FINAL_TRY, CKF_USER_PIN_FINAL_TRY, "final_try"},
    {CKF_USER_PIN_COUNT_LOW, CKF_USER_PIN_COUNT_LOW, "wrong_pins"},
    {0, 0, "ok"},
};

static const char *pin_of(CK_FLAGS flags)
{
    size_t i = 0;

    while ((flags & pins[i].mask) != pins[i].value)
        i++;
    return pins[i].name;
}

static bool read_x509(struct token *token, CK_OBJECT_HANDLE object, struct span der,
                      struct slot_view *view)
{
    ERR_clear_error();
    AUTO(x509_freep) X509 *x509 = x509_parse(der);

    if (!x509) {
        token->lacked_memory = token->lacked_memory || crypto_lacked_memory(0);
        return false;
    }
    free(view->subject); /* of an issuer's, read before */
    view->subject = x509_name_text(X509_get_subject_name(x509));
    view->not_before = x509_time(X509_get0_notBefore(x509));
    view->not_after = x509_time(X509_get0_notAfter(x509));
    (void)x509_serial(x509, view->serial);
    x509_key_type(X509_get0_pubkey(x509), view->key_type);
    view->is_issuer = holder_is_authority(token, object, x509);
    return true;
}

/* The certificate of one key; false if it has none. */
static bool read_certificate_of(struct token *token, CK_OBJECT_HANDLE key, struct slot_view *view)
{
    AUTO(buf_fini) struct buf id;
    AUTO(buf_fini) struct buf der = {0};

    if (!token_read(token, key, CKA_ID, &id) || id.len == 0)
        return false;
    CK_OBJECT_HANDLE certificate = token_find_one(token, CKO_CERTIFICATE, buf_span(&id));
    return certificate != CK_INVALID_HANDLE && token_read(token, certificate, CKA_VALUE, &der) &&
           read_x509(token, certificate, buf_span(&der), view);
}

/*
 * The signer's certificate is the one with the id of a public key; issuers are shown too, and a
 * token may hold keys whose certificate was replaced. A local issuer's own is the last resort. A
 * slot without any is one for which a key is to be made: not to be said for lack of memory.
 */
static CK_RV read_objects(const struct module *module, CK_SESSION_HANDLE session,
                          struct slot_view *view)
{
    AUTO(freep) CK_OBJECT_HANDLE *keys = NULL;
    struct token token = {.p11 = module->p11, .session = session};
    CK_OBJECT_CLASS class = CKO_PUBLIC_KEY;
    const CK_ATTRIBUTE match = {CKA_CLASS, &class, sizeof(class)};
    struct trouble ignored;
    size_t count = 0;

    (void)token_find(&token, &match, 1, &keys, &count, &ignored);
    for (size_t i = 0; i < count; i++)
        if (read_certificate_of(&token, keys[i], view) && !view->is_issuer)
            break;
    return token.lacked_memory ? CKR_HOST_MEMORY : CKR_OK;
}

static CK_RV read_token(const struct module *module, struct slot_view *view)
{
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    CK_TOKEN_INFO info;

    CK_RV rv = module->p11->C_GetTokenInfo(view->id, &info);
    if (rv == CKR_TOKEN_NOT_PRESENT) {
        view->is_present = false;
        return CKR_OK;
    }
    if (rv != CKR_OK)
        return rv;
    view->is_initialized = info.flags & CKF_TOKEN_INITIALIZED;
    view->needs_login = info.flags & CKF_LOGIN_REQUIRED;
    view->is_locked = info.flags & CKF_USER_PIN_LOCKED;
    view->pin = pin_of(info.flags);
    view->is_so_locked = info.flags & CKF_SO_PIN_LOCKED;
    (void)module_text(info.label, sizeof(info.label), view->label);
    (void)module_text(info.serialNumber, sizeof(info.serialNumber), view->serial);
    if (!view->is_initialized)
        return CKR_OK;
    rv = module->p11->C_OpenSession(view->id, CKF_SERIAL_SESSION, NULL, NULL, &session);
    if (rv != CKR_OK)
        return rv;
    rv = read_objects(module, session, view);
    CK_RV end = module->p11->C_CloseSession(session);
    return rv != CKR_OK ? rv : end;
}

CK_RV slot_view_read(const struct module *module, CK_SLOT_ID id, struct slot_view *ret_view)
{
    char manufacturer[SLOT_LABEL_SIZE];
    CK_SLOT_INFO info;

    *ret_view = (struct slot_view){.id = id, .kind = "token"};
    CK_RV rv = module->p11->C_GetSlotInfo(id, &info);
    if (rv != CKR_OK)
        return rv;
    ret_view->kind =
        kind_of(module_text(info.manufacturerID, sizeof(info.manufacturerID), manufacturer));
    ret_view->is_present = info.flags & CKF_TOKEN_PRESENT;
    return ret_view->is_present ? read_token(module, ret_view) : CKR_OK;
}

void slot_view_cure(const struct slot_view *view, const char *account, const char *module,
                    char out[static SLOT_CURE_SIZE])
{
    char label[QUOTED_LABEL_SIZE];

    (void)output_quote(view->label, label, sizeof(label)); /* printed as well as it can be */
    if (strcmp(view->kind, "smartca") == 0)
        (void)snprintf(out, SLOT_CURE_SIZE,
                       _("smartca account pin %s --reset asks for its secrets and a new PIN"),
                       account ? account : "NAME");
    else if (strcmp(view->kind, "token") == 0)
        (void)snprintf(out, SLOT_CURE_SIZE, "%s",
                       _("the token's vendor has a program that unlocks it"));
    else if (view->is_so_locked)
        (void)snprintf(out, SLOT_CURE_SIZE, "%s",
                       _("the SO PIN is locked as well: restore the token from a backup"));
    else
        (void)snprintf(out, SLOT_CURE_SIZE,
                       _("its SO PIN unlocks it: pkcs11-tool --module %s --token-label %s "
                         "--login --login-type so --init-pin"),
                       module, label);
}

bool slot_view_lacks_key(const struct slot_view *view, char out[static SLOT_CURE_SIZE])
{
    char label[QUOTED_LABEL_SIZE];

    if (strcmp(view->kind, "selfsigned") != 0 || !view->is_initialized || view->key_type[0])
        return false;
    (void)output_quote(view->label, label, sizeof(label));
    (void)snprintf(out, SLOT_CURE_SIZE,
                   _("smartca selfsigned create --user %s --name NAME makes a key and its "
                     "certificate"),
                   label);
    return true;
}

void slot_view_fini(struct slot_view *view)
{
    free(view->subject);
    view->subject = NULL;
}
