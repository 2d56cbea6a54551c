/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a signer's certificate leads to somebody who is trusted. */
#ifndef REMOTE_CLI_VERIFY_TRUST_H
#define REMOTE_CLI_VERIFY_TRUST_H

#include <openssl/x509.h>

#include "remote/cli/trouble.h"

/* The CA certificates of --ca-file, or else the system's. The caller X509_STORE_free()s ret_store.
 */
bool verify_trust_open(const struct cli *cli, X509_STORE **ret_store, struct trouble *trouble);

/*
 * NULL if there is a chain from the certificate to the store that was valid at that time (seconds
 * since 1970; 0: now), with the others' help; else why not, static text of OpenSSL.
 */
const char *verify_trust(X509_STORE *store, X509 *x509, STACK_OF(X509) * others, int64_t at);

#endif
