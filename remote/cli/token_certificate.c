/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates as objects of a token. */
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/x509.h>

#include "remote/base/cleanup.h"
#include "remote/cli/token.h"

/* The parts of a certificate that are attributes of their own, in DER. */
struct parts {
    unsigned char *value;
    unsigned char *subject;
    unsigned char *issuer;
    unsigned char *serial;
};

static void parts_fini(struct parts *parts)
{
    OPENSSL_free(parts->value);
    OPENSSL_free(parts->subject);
    OPENSSL_free(parts->issuer);
    OPENSSL_free(parts->serial);
}

static CK_ULONG length_of(int len)
{
    return len > 0 ? (CK_ULONG)len : 0;
}

bool token_store_certificate(struct token *token, X509 *x509, struct span id, const char *label,
                             bool is_authority, struct trouble *trouble)
{
    AUTO(parts_fini) struct parts parts = {0};
    CK_OBJECT_CLASS class = CKO_CERTIFICATE;
    CK_CERTIFICATE_TYPE type = CKC_X_509;
    CK_ULONG category =
        is_authority ? CK_CERTIFICATE_CATEGORY_AUTHORITY : CK_CERTIFICATE_CATEGORY_TOKEN_USER;
    CK_BBOOL yes = CK_TRUE;
    CK_BBOOL no = CK_FALSE;
    uint8_t id_bytes[TOKEN_ID_MAX];
    char text[4 * 64 + 1];

    if (id.len > sizeof(id_bytes))
        return trouble_no_memory(trouble);
    memcpy(id_bytes, id.ptr, id.len);
    size_t label_len = utf8_cut(label, sizeof(text) - 1);
    memcpy(text, label, label_len);
    CK_ULONG value_len = length_of(i2d_X509(x509, &parts.value));
    CK_ULONG subject_len = length_of(i2d_X509_NAME(X509_get_subject_name(x509), &parts.subject));
    CK_ULONG issuer_len = length_of(i2d_X509_NAME(X509_get_issuer_name(x509), &parts.issuer));
    CK_ULONG serial_len = length_of(i2d_ASN1_INTEGER(X509_get0_serialNumber(x509), &parts.serial));
    if (!value_len || !subject_len || !issuer_len || !serial_len)
        return trouble_no_memory(trouble);
    CK_ATTRIBUTE attributes[] = {
        {CKA_CLASS, &class, sizeof(class)},
        {CKA_CERTIFICATE_TYPE, &type, sizeof(type)},
        {CKA_CERTIFICATE_CATEGORY, &category, sizeof(category)},
        {CKA_TOKEN, &yes, sizeof(yes)},
        {CKA_PRIVATE, &no, sizeof(no)},
        {CKA_LABEL, text, label_len},
        {CKA_ID, id_bytes, id.len},
        {CKA_SUBJECT, parts.subject, subject_len},
        {CKA_ISSUER, parts.issuer, issuer_len},
        {CKA_SERIAL_NUMBER, parts.serial, serial_len},
        {CKA_VALUE, parts.value, value_len},
    };
    return token_create(token, attributes, ARRAY_LEN(attributes), trouble);
}
