/* SPDX-License-Identifier: Apache-2.0 */
/* What lists, tokens and forms want to know of a certificate. */
#ifndef REMOTE_CLI_X509_READ_H
#define REMOTE_CLI_X509_READ_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/types.h>

#include "remote/base/bytes.h"
#include "remote/catalogue/certificate.h"

enum { X509_KEY_TYPE_SIZE = 32 };

void x509_freep(X509 **x509);
void evp_pkey_freep(EVP_PKEY **key);

/* One certificate in DER, at most CERTIFICATE_MAX bytes; NULL if it is none. */
X509 *x509_parse(struct span der);

/* SHA-1 of the subjectPublicKey bits: CKA_ID, and RFC 5280 section 4.2.1.2 method 1. */
bool x509_key_id(const X509 *x509, uint8_t out[static CERTIFICATE_ID_SIZE]);

/* The same of a key. */
bool x509_id_of_key(EVP_PKEY *key, uint8_t out[static CERTIFICATE_ID_SIZE]);

/* The whole name in RFC 2253 form with UTF-8 as it is; the caller frees it, NULL without memory. */
char *x509_name_text(const X509_NAME *name);

/* One part of a name as UTF-8, the first of its kind; NULL if it has none. The caller frees it. */
char *x509_name_part(const X509_NAME *name, int nid);

/* Seconds since 1970, 0 for a time that is none. */
int64_t x509_time(const ASN1_TIME *time);

/* Lower-case hex, behind a minus if it is negative. Returns out, "" if there is none. */
const char *x509_serial(const X509 *x509, char out[static CERTIFICATE_SERIAL_HEX]);

/* As `selfsigned create --key` spells it; "" for a key of another kind. */
void x509_key_type(EVP_PKEY *key, char out[static X509_KEY_TYPE_SIZE]);

/* True if its basic constraints make it a certificate authority. */
bool x509_is_authority(X509 *x509);

#endif
