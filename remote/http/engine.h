/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl behind a connection of the pool. engine.c is the only file that includes curl. */
#ifndef REMOTE_HTTP_ENGINE_H
#define REMOTE_HTTP_ENGINE_H

#include <openssl/types.h>

#include "remote/http/exchange.h"
#include "remote/http/origin.h"
#include "remote/http/pool.h"

/* One kept-alive connection to one origin under one set of settings. */
struct engine;

struct engine_settings {
    X509_STORE *trust;             /* lent for the life of the process */
    OSSL_LIB_CTX *libctx;          /* likewise; NULL: the host's default */
    const char *pinned_public_key; /* NULL: none; this and the next are copied */
    const char *proxy;             /* NULL: none */
};

/* The start of libcurl, which library.c makes happen once. With a note: SCA_UNSUPPORTED when it
 * lacks what a guest needs. */
enum sca_status engine_global_init(struct call *call);

/* No connection is made yet. The descriptors it opens are noted in slot. NULL without memory. */
struct engine *engine_new(const struct engine_settings *settings, const struct origin *origin,
                          struct pool_slot *slot);
void engine_free(struct engine *engine); /* NULL is allowed */

/*
 * Sends exchange->request and fills exchange->response, on the calling thread. The statuses,
 * notes and device errors of struct transport.
 */
enum sca_status engine_run(struct engine *engine, const struct origin *origin,
                           struct exchange *exchange);

#endif
