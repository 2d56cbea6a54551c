/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REMOTE_CATALOGUE_CERTIFICATE_H
#define REMOTE_CATALOGUE_CERTIFICATE_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/types.h>

#include "remote/base/bytes.h"
#include "remote/base/status.h"

enum { CERTIFICATE_ID_SIZE = 20, CERTIFICATE_MAX = 16384 };

/*
 * What PKCS#11 and the wire need of an X.509 certificate, taken out once so that listing never
 * parses DER. Spans borrow from whoever filled this in. Big integers have no leading zero.
 */
struct certificate {
    struct span der;
    struct span subject;     /* DER Name */
    struct span issuer;      /* DER Name */
    struct span serial;      /* DER INTEGER with its header, as CKA_SERIAL_NUMBER wants */
    struct span spki;        /* DER SubjectPublicKeyInfo */
    struct span id;          /* SHA-1 of the subjectPublicKey bits, CERTIFICATE_ID_SIZE bytes */
    struct span modulus;     /* RSA; empty for other keys */
    struct span exponent;    /* RSA */
    struct span common_name; /* UTF-8; the whole subject in RFC 2253 form where there is no CN */
    int64_t not_before;      /* seconds since 1970, UTC */
    int64_t not_after;
};

/* Owns the bytes a struct certificate borrows from. */
struct parsed_certificate;

/*
 * Parses one DER certificate (R-D2: at most CERTIFICATE_MAX bytes, nothing after
 * it, RSA 2048 to 8192 bits with an odd exponent from 65537, or P-256/384/521). SCA_PROTOCOL with
 * the reason in why (static text) otherwise. Copies der.
 */
enum sca_status certificate_parse(OSSL_LIB_CTX *libctx, struct span der,
                                  struct parsed_certificate **ret_parsed, const char **why);
void parsed_certificate_free(struct parsed_certificate *parsed);
void parsed_certificate_freep(struct parsed_certificate **parsed);

/* Lends the view; valid as long as parsed is. */
const struct certificate *parsed_certificate_get(const struct parsed_certificate *parsed);

/*
 * Does the key usage let its key sign: digitalSignature or nonRepudiation, or no such extension?
 * der as certificate_parse takes it, which does not ask this: a certificate for something else is
 * still shown. What is no certificate forbids nothing. SCA_NOMEM: nobody knows.
 */
enum sca_status certificate_may_sign(OSSL_LIB_CTX *libctx, struct span der, bool *ret_may_sign);

/* Last 16 hex digits of the serial number, lower case, padded with zeros in front to 16. */
enum { CERTIFICATE_SERIAL_TEXT = 17 };
void certificate_serial_text(struct span serial_der, char out[static CERTIFICATE_SERIAL_TEXT]);

/*
 * The whole serial number as lower-case hex, without the zero byte that only makes the INTEGER
 * positive: what the service calls serial_number, and what a person copies. Returns out.
 */
enum { CERTIFICATE_SERIAL_HEX = 2 * 64 + 1 };
const char *certificate_serial_hex(struct span serial_der, char out[static CERTIFICATE_SERIAL_HEX]);

#endif
