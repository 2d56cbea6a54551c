/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTPS for the whole process: one pool of at most eight kept-alive HTTP/1.1 connections, CA
 * certificates parsed once. engine.c is the only file that includes curl.
 */
#ifndef REMOTE_HTTP_HTTP_H
#define REMOTE_HTTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/types.h>

#include "remote/base/bytes.h"
#include "remote/base/call.h"
#include "remote/base/secret.h"
#include "remote/base/status.h"

enum {
    HTTP_CONNECTIONS_MAX = 8,
    HTTP_BODY_MAX = 1024 * 1024,
    HTTP_HEADERS_MAX = 64 * 1024,
    HTTP_RETRY_AFTER_MAX_S = 60,
    HTTP_DEVICE_ERROR = 0x10000, /* ulDeviceError of a transport failure: this + the libcurl code */
};

enum http_method {
    HTTP_POST, /* with a JSON body */
    HTTP_GET,  /* without a body */
};

/* Everything is borrowed for the call. */
struct http_request {
    enum http_method method;
    const char *url;
    struct span body;
    const struct secret *bearer; /* Authorization: Bearer; visible ASCII only; NULL: none */

    /*
     * The request only asks. When a kept-alive connection turns out to be dead after the request
     * was written to it, it is then written once more to a new one; otherwise that is a failure
     * with was_sent true, because the service may have acted on the first copy.
     */
    bool is_repeatable;
};

struct http_response {
    long status;             /* HTTP status, 0 if none came */
    struct buf body;         /* sensitive: wiped by http_response_fini */
    unsigned retry_after_ms; /* Retry-After in seconds form, capped; 0 if there was none */
    int64_t date;            /* Date, seconds since 1970; 0 if there was none that can be read */
    bool was_sent;           /* the request may have reached the service; false is certain */
};

void http_response_init(struct http_response *response);
void http_response_fini(struct http_response *response);

/*
 * Sends one request and waits for its answer within the call's deadline and the settings' time
 * limits; a wait for one of the eight connections counts against the deadline only. What response
 * (initialised by the caller) held is replaced.
 *
 * SCA_OK: an answer of any HTTP status is in response. On failure its body is empty and was_sent
 * tells whether asking again could repeat something:
 * SCA_NETWORK: no complete answer (call->device_error and the note are set). A time-out after the
 * request was written is an unknown outcome, even when the whole body had arrived.
 * SCA_PROTOCOL: an answer over the limits or not HTTP (was_sent is true).
 * SCA_CANCELLED: at once when the call is cancelled, even while a name is looked up.
 * SCA_INVALID (ca_file, url, bearer), SCA_NOMEM, SCA_UNSUPPORTED (libcurl of another kind): nothing
 * was sent.
 */
struct transport {
    enum sca_status (*send)(struct transport *transport, struct call *call,
                            const struct http_request *request, struct http_response *response);
};

struct http_settings {
    const char *ca_file;           /* NULL: the system's store */
    const char *pinned_public_key; /* NULL: none; sha256//base64, several divided by ';' */
    const char *proxy;             /* NULL: none; environment proxies are not looked at */
    unsigned connect_timeout_ms;   /* name look-up, TCP, proxy and TLS together */
    unsigned request_timeout_ms;   /* the whole exchange */
};

/*
 * Makes a transport for these settings (copied; an empty text is NULL). No file is read and no
 * socket opened before the first send. Transports share the pool. libctx is made the thread's
 * default around libcurl, so that the host's OpenSSL providers stay out of our TLS; it must live
 * as long as the process. NULL: the host's default.
 * SCA_INVALID: a pin that is not sha256//..., a time limit of 0. SCA_NOMEM.
 */
enum sca_status http_transport_new(const struct http_settings *settings, OSSL_LIB_CTX *libctx,
                                   struct transport **ret_transport);
void http_transport_free(struct transport *transport);

/*
 * In a forked child, before anything else here: closes inherited sockets with close() only and
 * forgets every connection, so that nothing is ever sent on them. Existing transports stay usable.
 */
void http_abandon(void);

/*
 * Closes idle connections (C_Finalize). Never calls curl_global_cleanup. Does nothing in an exit
 * handler that runs after OpenSSL's.
 */
void http_close_idle(void);

#endif
