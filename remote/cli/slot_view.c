/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/slot_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"

/* Which backend a slot comes from is told by its manufacturer (design.md section 4). */
static const struct {
    const char *manufacturer;
    const char *kind;
} kinds[] = {{"VNPT SmartCA", "smartca"}, {"VNPT eContract", "selfsigned"}};

static const struct {
    const char *group;
    const char *name;
} curves[] = {{"prime256v1", "ec:p256"}, {"secp384r1", "ec:p384"}, {"secp521r1", "ec:p521"}};

static void x509_freep(X509 **x509)
{
    X509_free(*x509);
}

static const char *kind_of(const char *manufacturer)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (strcmp(manufacturer, kinds[i].manufacturer) == 0)
            return kinds[i].kind;
    return "token";
}

/* As `selfsigned create --key` spells it. */
static void name_key(EVP_PKEY *key, char out[static SLOT_KEY_TYPE_SIZE])
{
    char group[32] = "";

    if (!key)
        return;
    if (EVP_PKEY_is_a(key, "RSA")) {
        (void)snprintf(out, SLOT_KEY_TYPE_SIZE, "rsa:%d", EVP_PKEY_get_bits(key));
    } else if (EVP_PKEY_is_a(key, "ED25519")) {
        (void)snprintf(out, SLOT_KEY_TYPE_SIZE, "ed25519");
    } else if (EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1) {
        (void)snprintf(out, SLOT_KEY_TYPE_SIZE, "ec:%.28s", group);
        for (size_t i = 0; i < ARRAY_LEN(curves); i++)
            if (strcmp(group, curves[i].group) == 0)
                (void)snprintf(out, SLOT_KEY_TYPE_SIZE, "%s", curves[i].name);
    }
}

/* NULL without memory. */
static char *name_text(const X509_NAME *name)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *bytes = NULL;
    char *text = NULL;

    if (bio && X509_NAME_print_ex(bio, name, 0,
                                  XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) >= 0) {
        long len = BIO_get_mem_data(bio, &bytes);
        text = strndup(bytes ? bytes : "", len > 0 ? (size_t)len : 0);
    }
    BIO_free(bio);
    return text;
}

static int64_t time_of(const ASN1_TIME *time)
{
    struct tm parts;
    return ASN1_TIME_to_tm(time, &parts) == 1 ? (int64_t)timegm(&parts) : 0;
}

static void read_x509(struct span der, struct slot_view *view)
{
    AUTO(x509_freep) X509 *x509 = X509_new_ex(crypto_libctx(), NULL);
    const unsigned char *at = der.ptr;
    unsigned char *serial = NULL;

    if (!x509 || der.len > CERTIFICATE_MAX || !d2i_X509(&x509, &at, (long)der.len))
        return;
    view->subject = name_text(X509_get_subject_name(x509));
    view->not_before = time_of(X509_get0_notBefore(x509));
    view->not_after = time_of(X509_get0_notAfter(x509));
    int serial_len = i2d_ASN1_INTEGER(X509_get0_serialNumber(x509), &serial);
    if (serial_len > 0)
        (void)certificate_serial_hex(span_of(serial, (size_t)serial_len), view->serial);
    OPENSSL_free(serial);
    name_key(X509_get0_pubkey(x509), view->key_type);
}

/* The signer's certificate is the one with the id of the public key; issuers are shown too. */
static void read_objects(const struct module *module, CK_SESSION_HANDLE session,
                         struct slot_view *view)
{
    CK_BYTE id_bytes[64];
    CK_ATTRIBUTE id = {CKA_ID, id_bytes, sizeof(id_bytes)};
    CK_ATTRIBUTE value = {CKA_VALUE, NULL, 0};

    CK_OBJECT_HANDLE key = module_find_object(module, session, CKO_PUBLIC_KEY, NULL);
    if (key == CK_INVALID_HANDLE ||
        module->p11->C_GetAttributeValue(session, key, &id, 1) != CKR_OK)
        return;
    CK_OBJECT_HANDLE certificate = module_find_object(module, session, CKO_CERTIFICATE, &id);
    if (certificate == CK_INVALID_HANDLE ||
        module->p11->C_GetAttributeValue(session, certificate, &value, 1) != CKR_OK ||
        value.ulValueLen == 0 || value.ulValueLen > CERTIFICATE_MAX)
        return;
    AUTO(freep) uint8_t *der = malloc(value.ulValueLen);
    value.pValue = der;
    if (der && module->p11->C_GetAttributeValue(session, certificate, &value, 1) == CKR_OK)
        read_x509(span_of(der, value.ulValueLen), view);
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
    (void)module_text(info.label, sizeof(info.label), view->label);
    (void)module_text(info.serialNumber, sizeof(info.serialNumber), view->serial);
    if (!view->is_initialized)
        return CKR_OK;
    rv = module->p11->C_OpenSession(view->id, CKF_SERIAL_SESSION, NULL, NULL, &session);
    if (rv != CKR_OK)
        return rv;
    read_objects(module, session, view);
    return module->p11->C_CloseSession(session);
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

void slot_view_fini(struct slot_view *view)
{
    free(view->subject);
    view->subject = NULL;
}
