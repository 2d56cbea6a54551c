/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates: a root and an issuing CA shaped like the national root and VNPT's, which sign the
 * leaves of users, and a CA of its own for the TLS server.
 */
#ifndef TESTS_EMULATOR_PKI_H
#define TESTS_EMULATOR_PKI_H

#include <openssl/types.h>

#include "remote/base/bytes.h"

struct pki;

/* What a leaf says. Days are counted from now; texts are UTF-8 and lent for the call. */
struct pki_leaf {
    const char *uid; /* "CCCD:012345678901" or "MST:..." */
    const char *name;
    int from_days;
    int to_days;
};

/* What may be wrong with the TLS server's certificate. */
enum pki_server {
    PKI_SERVER_GOOD,
    PKI_SERVER_SELF_SIGNED,
    PKI_SERVER_WRONG_HOST,
    PKI_SERVER_EXPIRED,
};

/* Reads the CAs of dir, or makes what is missing. Writes root.pem, ca.pem and tls-ca.pem there. */
enum sca_status pki_open(const char *dir, struct pki **ret_pki);
void pki_free(struct pki *pki);

/* A certificate over key for a person; its serial is 32 hex digits and starts with 54010101. */
enum sca_status pki_issue(struct pki *pki, const struct pki_leaf *leaf, EVP_PKEY *key,
                          X509 **ret_certificate);

/* Whether certificate was issued by this CA over key, and says what leaf says (dates aside). */
bool pki_is_current(struct pki *pki, const struct pki_leaf *leaf, EVP_PKEY *key, X509 *certificate);

/* A fresh EC key and certificate for 127.0.0.1 and localhost, as PEM texts the caller frees. */
enum sca_status pki_server_make(struct pki *pki, enum pki_server kind, char **ret_key,
                                char **ret_certificate);

/* DER of the CA certificates, lent. */
struct span pki_root(const struct pki *pki);
struct span pki_ca(const struct pki *pki);

/* DER of any certificate; the caller frees ret_der.ptr. */
enum sca_status pki_der(X509 *certificate, uint8_t **ret_der, size_t *ret_len);

#endif
