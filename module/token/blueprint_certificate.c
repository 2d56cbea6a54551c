/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates of any kind of key: a token may hold the chain of another authority. */
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#include "module/token/blueprint_parts.h"
#include "module/token/key_material.h"
#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"

enum { CERTIFICATE_DER_MAX = 64 * 1024 };

static void x509_freep(X509 **x509)
{
    X509_free(*x509);
}

/* A DER form into a part of the blueprint, as that attribute. */
static CK_RV put(struct blueprint *blueprint, CK_ATTRIBUTE_TYPE type, const unsigned char *der,
                 int len)
{
    struct buf *part = blueprint_part(blueprint);
    const CK_ATTRIBUTE *given = blueprint_get(blueprint, type);
    if (len <= 0)
        return CKR_ATTRIBUTE_VALUE_INVALID;
    struct span own = span_of(der, (size_t)len);
    if (given && given->ulValueLen) /* what the application gave must be what is there */
        return span_equal(span_of(given->pValue, given->ulValueLen), own)
                   ? CKR_OK
                   : CKR_TEMPLATE_INCONSISTENT;
    if (buf_append(part, own) != SCA_OK)
        return CKR_HOST_MEMORY;
    blueprint_set(blueprint, type, buf_span(part));
    return CKR_OK;
}

static CK_RV put_name(struct blueprint *blueprint, CK_ATTRIBUTE_TYPE type, const X509_NAME *name)
{
    unsigned char *der = NULL;
    int len = i2d_X509_NAME(name, &der);
    CK_RV rv = put(blueprint, type, der, len);
    OPENSSL_free(der);
    return rv;
}

/* Whatever the application gave: Java leaves the INTEGER's header out, and NSS searches with it. */
static CK_RV put_serial(struct blueprint *blueprint, X509 *x509)
{
    unsigned char *der = NULL;
    int len = i2d_ASN1_INTEGER(X509_get0_serialNumber(x509), &der);
    blueprint_set(blueprint, CKA_SERIAL_NUMBER, span_of(NULL, 0));
    CK_RV rv = put(blueprint, CKA_SERIAL_NUMBER, der, len);
    OPENSSL_free(der);
    return rv;
}

static CK_RV put_key(struct blueprint *blueprint, X509 *x509)
{
    unsigned char *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509), &der);
    CK_RV rv = put(blueprint, CKA_PUBLIC_KEY_INFO, der, len);
    OPENSSL_free(der);
    const CK_ATTRIBUTE *id = blueprint_get(blueprint, CKA_ID);
    if (rv != CKR_OK || (id && id->ulValueLen))
        return rv;
    const CK_ATTRIBUTE *spki = blueprint_get(blueprint, CKA_PUBLIC_KEY_INFO);
    struct buf *own = blueprint_part(blueprint);
    if (key_id(span_of(spki->pValue, spki->ulValueLen), own) != SCA_OK)
        return CKR_ATTRIBUTE_VALUE_INVALID;
    blueprint_set(blueprint, CKA_ID, buf_span(own));
    return CKR_OK;
}

/* CK_DATE, of the day in UTC, unless the template gave one. */
static CK_RV put_date(struct blueprint *blueprint, CK_ATTRIBUTE_TYPE type, const ASN1_TIME *when)
{
    struct tm utc;
    char text[32];
    const CK_ATTRIBUTE *given = blueprint_get(blueprint, type);
    if ((given && given->ulValueLen) || ASN1_TIME_to_tm(when, &utc) != 1)
        return CKR_OK;
    if (strftime(text, sizeof(text), "%Y%m%d", &utc) != sizeof(CK_DATE))
        return CKR_OK;
    struct buf *part = blueprint_part(blueprint);
    if (buf_append(part, span_of(text, sizeof(CK_DATE))) != SCA_OK)
        return CKR_HOST_MEMORY;
    blueprint_set(blueprint, type, buf_span(part));
    return CKR_OK;
}

static CK_RV read_certificate(struct blueprint *blueprint, X509 *x509)
{
    CK_RV rv = put_name(blueprint, CKA_SUBJECT, X509_get_subject_name(x509));
    if (rv == CKR_OK)
        rv = put_name(blueprint, CKA_ISSUER, X509_get_issuer_name(x509));
    if (rv == CKR_OK)
        rv = put_serial(blueprint, x509);
    if (rv == CKR_OK)
        rv = put_key(blueprint, x509);
    if (rv == CKR_OK)
        rv = put_date(blueprint, CKA_START_DATE, X509_get0_notBefore(x509));
    if (rv == CKR_OK)
        rv = put_date(blueprint, CKA_END_DATE, X509_get0_notAfter(x509));
    return rv;
}

CK_RV blueprint_add_certificate(struct blueprint *blueprint)
{
    const CK_ATTRIBUTE *value = blueprint_get(blueprint, CKA_VALUE);
    const CK_ATTRIBUTE *type = blueprint_get(blueprint, CKA_CERTIFICATE_TYPE);
    CK_CERTIFICATE_TYPE kind = CK_UNAVAILABLE_INFORMATION;
    if (!value || !type)
        return CKR_ATTRIBUTE_VALUE_INVALID;
    memcpy(&kind, type->pValue, sizeof(kind));
    if (kind != CKC_X_509 || value->ulValueLen > CERTIFICATE_DER_MAX)
        return CKR_ATTRIBUTE_VALUE_INVALID;

    unsigned long before = ERR_peek_last_error();
    (void)ERR_set_mark();
    const unsigned char *der = value->pValue;
    /* Made beforehand, or it would be of the program's own library context. */
    AUTO(x509_freep) X509 *x509 = X509_new_ex(crypto_libctx(), NULL);
    bool is_whole = x509 && d2i_X509(&x509, &der, (long)value->ulValueLen) &&
                    der == (const unsigned char *)value->pValue + value->ulValueLen;
    CK_RV rv = is_whole ? read_certificate(blueprint, x509) : CKR_ATTRIBUTE_VALUE_INVALID;
    if (rv != CKR_OK && crypto_lacked_memory(before))
        rv = CKR_HOST_MEMORY;
    (void)ERR_pop_to_mark();
    if (rv != CKR_OK)
        return rv;
    if (!blueprint_get(blueprint, CKA_CERTIFICATE_CATEGORY))
        blueprint_set_ulong(blueprint, CKA_CERTIFICATE_CATEGORY, 0);
    return CKR_OK;
}
