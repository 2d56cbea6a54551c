/* SPDX-License-Identifier: Apache-2.0 */
/* The CA certificates a server's chain has to end at. */
#ifndef REMOTE_HTTP_TRUST_H
#define REMOTE_HTTP_TRUST_H

#include <openssl/types.h>

#include "remote/base/call.h"
#include "remote/base/status.h"

/*
 * Lends the store of ca_file (PEM), or of the system when it is NULL. Parsed at the first call for
 * that file and libctx, then kept for the life of the process: threads and connections share it,
 * and parsing costs a hundred times what a request costs. SCA_INVALID with a note that names the
 * file when it cannot be used (tried again at the next call), SCA_NOMEM.
 */
enum sca_status trust_get(struct call *call, const char *ca_file, OSSL_LIB_CTX *libctx,
                          X509_STORE **ret_store);

/* In a forked child: forgets the stores, whose locks another thread of the parent may have held. */
void trust_abandon(void);

#endif
