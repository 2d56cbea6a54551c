/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/x509_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"
#include "remote/cli/key_spec.h"

void x509_freep(X509 **x509)
{
    X509_free(*x509);
    *x509 = NULL;
}

void evp_pkey_freep(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
    *key = NULL;
}

X509 *x509_parse(struct span der)
{
    AUTO(x509_freep) X509 *x509 = X509_new_ex(crypto_libctx(), NULL);
    const unsigned char *at = der.ptr;

    if (!x509 || der.len > CERTIFICATE_MAX || !d2i_X509(&x509, &at, (long)der.len) ||
        at != der.ptr + der.len)
        return NULL;
    return TAKE(x509);
}

static bool hash_key(struct span bits, uint8_t out[static CERTIFICATE_ID_SIZE])
{
    return EVP_Digest(bits.ptr, bits.len, out, NULL, crypto_md(CRYPTO_SHA1), NULL) == 1;
}

bool x509_key_id(const X509 *x509, uint8_t out[static CERTIFICATE_ID_SIZE])
{
    const ASN1_BIT_STRING *bits = X509_get0_pubkey_bitstr(x509);
    return bits && hash_key(span_of(bits->data, (size_t)bits->length), out);
}

bool x509_id_of_key(EVP_PKEY *key, uint8_t out[static CERTIFICATE_ID_SIZE])
{
    X509_PUBKEY *holder = NULL;
    const unsigned char *bits = NULL;
    int len = 0;

    bool is_made = X509_PUBKEY_set(&holder, key) == 1 &&
                   X509_PUBKEY_get0_param(NULL, &bits, &len, NULL, holder) == 1 &&
                   hash_key(span_of(bits, (size_t)len), out);
    X509_PUBKEY_free(holder);
    return is_made;
}

char *x509_name_text(const X509_NAME *name)
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

char *x509_name_part(const X509_NAME *name, int nid)
{
    unsigned char *bytes = NULL;
    char *text = NULL;

    int at = X509_NAME_get_index_by_NID(name, nid, -1);
    const X509_NAME_ENTRY *entry = at >= 0 ? X509_NAME_get_entry(name, at) : NULL;
    int len = entry ? ASN1_STRING_to_UTF8(&bytes, X509_NAME_ENTRY_get_data(entry)) : -1;
    /* A NUL inside would let one name pass for another. */
    if (len > 0 && !memchr(bytes, 0, (size_t)len))
        text = strndup((const char *)bytes, (size_t)len);
    OPENSSL_free(bytes);
    return text;
}

int64_t x509_time(const ASN1_TIME *time)
{
    struct tm parts;
    return ASN1_TIME_to_tm(time, &parts) == 1 ? (int64_t)timegm(&parts) : 0;
}

const char *x509_serial(const X509 *x509, char out[static CERTIFICATE_SERIAL_HEX])
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(x509);
    const struct span magnitude =
        span_of(ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial));
    bool is_negative = ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER;

    out[0] = 0;
    if (magnitude.len == 0 || is_negative + 2 * magnitude.len >= CERTIFICATE_SERIAL_HEX)
        return out;
    if (is_negative) /* RFC 5280 section 4.1.2.2 says to be prepared for them */
        out[0] = '-';
    hex_encode(magnitude, out + is_negative);
    return out;
}

void x509_key_type(EVP_PKEY *key, char out[static X509_KEY_TYPE_SIZE])
{
    const struct key_spec *spec = key_spec_of(key);
    char group[32] = "";

    out[0] = 0;
    if (spec)
        (void)snprintf(out, X509_KEY_TYPE_SIZE, "%s", spec->name);
    else if (key && EVP_PKEY_is_a(key, "RSA"))
        (void)snprintf(out, X509_KEY_TYPE_SIZE, "rsa:%d", EVP_PKEY_get_bits(key));
    else if (key && EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1)
        (void)snprintf(out, X509_KEY_TYPE_SIZE, "ec:%.28s", group);
}

bool x509_is_authority(X509 *x509)
{
    return X509_check_ca(x509) == 1;
}
