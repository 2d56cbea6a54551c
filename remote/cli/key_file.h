/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and certificates as files: PKCS#12, PEM, DER, encrypted PKCS#8. */
#ifndef REMOTE_CLI_KEY_FILE_H
#define REMOTE_CLI_KEY_FILE_H

#include <openssl/x509.h>

#include "remote/base/secret.h"
#include "remote/cli/trouble.h"

enum { KEY_FILE_MAX = 1 << 20 };

/* What a file holds. The caller key_file_fini()s it. */
struct key_file {
    EVP_PKEY *key;
    X509 *x509;              /* the certificate of key */
    STACK_OF(X509) * others; /* NULL: none */
};
void key_file_fini(struct key_file *file);

/* True if bytes are an encrypted PEM key or PKCS#12, which nobody reads without a password. */
bool key_file_wants_password(struct span bytes);

/* password: NULL where none is wanted. Trouble when there is no key with its certificate in it. */
bool key_file_parse(struct span bytes, const struct secret *password, struct key_file *ret_file,
                    struct trouble *trouble);

/* AES-256 with PBKDF2 each. The caller buf_fini()s ret_bytes, whatever is returned. */
bool key_file_to_pkcs12(const struct key_file *file, const char *name,
                        const struct secret *password, struct buf *ret_bytes,
                        struct trouble *trouble);
bool key_file_to_pkcs8(EVP_PKEY *key, const struct secret *password, struct buf *ret_bytes,
                       struct trouble *trouble);

/* A certificate as it is. */
bool key_file_certificate(X509 *x509, bool is_pem_wanted, struct buf *ret_bytes,
                          struct trouble *trouble);

#endif
