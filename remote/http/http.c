/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/http/http.h"

#include "remote/base/cleanup.h"
#include "remote/base/lock.h"
#include "remote/base/secret.h"
#include "remote/http/engine.h"
#include "remote/http/exchange.h"
#include "remote/http/guest.h"
#include "remote/http/library.h"
#include "remote/http/origin.h"
#include "remote/http/pool.h"
#include "remote/http/trust.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct http_transport {
    struct transport base; /* first: http_send casts */
    char *ca_file;
    char *pinned_public_key;
    char *proxy;    /* may hold a password */
    char *identity; /* all of these and libctx as one text; the origin is put behind it */
    OSSL_LIB_CTX *libctx;
    unsigned connect_timeout_ms;
    unsigned request_timeout_ms;
};

static void text_wipe(char *text)
{
    if (text)
        secret_wipe(text, strlen(text));
    free(text);
}

static void text_wipep(char **text)
{
    text_wipe(*text);
}

void http_response_init(struct http_response *response)
{
    *response = (struct http_response){0};
    buf_init(&response->body, HTTP_BODY_MAX, true);
}

void http_response_fini(struct http_response *response)
{
    buf_fini(&response->body);
    http_response_init(response);
}

static bool text_copy(const char *text, char **ret_copy)
{
    if (!text || !*text)
        return true;
    *ret_copy = strdup(text);
    return *ret_copy != NULL;
}

static const char *text_or_none(const char *text)
{
    return text ? text : "";
}

/* Line breaks divide: no path, pin or proxy that works has one. */
static char *identity_new(const struct http_transport *transport)
{
    char *identity = NULL;
    int len = asprintf(&identity, "%p\n%s\n%s\n%s\n", (void *)transport->libctx,
                       text_or_none(transport->ca_file), text_or_none(transport->pinned_public_key),
                       text_or_none(transport->proxy));
    return len < 0 ? NULL : identity;
}

static unsigned at_most(unsigned value, uint64_t limit)
{
    return value < limit ? value : (unsigned)limit;
}

static void slot_empty(struct pool_slot *slot)
{
    engine_free(slot->engine);
    text_wipe(slot->identity);
    slot->engine = NULL;
    slot->identity = NULL;
}

/* Gives the slot an engine for this identity (taken), unless it has one. */
static enum sca_status slot_prepare(struct pool_slot *slot, const struct http_transport *transport,
                                    struct call *call, const struct origin *origin,
                                    char **take_identity)
{
    struct engine_settings settings = {
        .libctx = transport->libctx,
        .pinned_public_key = transport->pinned_public_key,
        .proxy = transport->proxy,
    };

    if (slot->engine && strcmp(slot->identity, *take_identity) == 0)
        return SCA_OK;
    enum sca_status st = trust_get(call, transport->ca_file, transport->libctx, &settings.trust);
    if (st != SCA_OK)
        return st;
    slot_empty(slot);
    slot->engine = engine_new(&settings, origin, slot);
    if (!slot->engine)
        return call_fail(call, SCA_NOMEM, "out of memory for a connection to %s", origin->text);
    slot->identity = TAKE(*take_identity);
    return SCA_OK;
}

static enum sca_status slot_exchange(struct pool_slot *slot, const struct http_transport *transport,
                                     const struct origin *origin, struct exchange *exchange)
{
    uint64_t left = call_left_ms(exchange->call);
    if (left == 0)
        return call_fail(exchange->call, SCA_NETWORK, "no time was left to ask %s", origin->text);
    exchange->timeout_ms = at_most(transport->request_timeout_ms, left);
    exchange->connect_timeout_ms = at_most(transport->connect_timeout_ms, exchange->timeout_ms);
    return engine_run(slot->engine, origin, exchange);
}

static enum sca_status http_exchange(const struct http_transport *transport,
                                     const struct origin *origin, struct exchange *exchange)
{
    AUTO(text_wipep) char *identity = NULL;
    struct pool_slot *slot = NULL;
    struct call *call = exchange->call;

    if (asprintf(&identity, "%s%s", transport->identity, origin->text) < 0) {
        identity = NULL;
        return call_fail(call, SCA_NOMEM, "out of memory for a request to %s", origin->text);
    }
    enum sca_status st = library_start(call);
    if (st == SCA_OK)
        st = pool_take(call, identity, &slot);
    if (st != SCA_OK)
        return st;
    st = slot_prepare(slot, transport, call, origin, &identity);
    if (st == SCA_OK)
        st = slot_exchange(slot, transport, origin, exchange);
    pool_give(slot);
    return st;
}

/* A line break in it would begin another header. */
static bool is_token(const struct secret *bearer)
{
    struct span token = secret_get(bearer);

    for (size_t i = 0; i < token.len; i++)
        if (token.ptr[i] <= ' ' || token.ptr[i] >= 0x7f)
            return false;
    return token.len > 0;
}

static enum sca_status http_send(struct transport *transport, struct call *call,
                                 const struct http_request *request, struct http_response *response)
{
    struct exchange exchange = {.call = call, .request = request, .response = response};
    struct origin origin;

    assert(lock_none_held());
    http_response_fini(response);
    if (!origin_parse(request->url, &origin))
        return call_fail(call, SCA_INVALID,
                         "url is neither https nor http to this computer, or malformed");
    if (request->bearer && !is_token(request->bearer))
        return call_fail(call, SCA_INVALID, "the access token is malformed: log in again");
    enum sca_status st =
        http_exchange((const struct http_transport *)transport, &origin, &exchange);
    if (st != SCA_OK) {
        bool was_sent = response->was_sent;
        http_response_fini(response);
        response->was_sent = was_sent;
    }
    return st;
}

/* Without the prefix libcurl would read a file of that name. */
static bool is_pin_list(const char *pins)
{
    return !pins || !*pins || strncmp(pins, "sha256//", 8) == 0;
}

static bool transport_fill(struct http_transport *transport, const struct http_settings *settings,
                           OSSL_LIB_CTX *libctx)
{
    transport->base.send = http_send;
    transport->libctx = libctx;
    transport->connect_timeout_ms = settings->connect_timeout_ms;
    transport->request_timeout_ms = settings->request_timeout_ms;
    if (!text_copy(settings->ca_file, &transport->ca_file) ||
        !text_copy(settings->pinned_public_key, &transport->pinned_public_key) ||
        !text_copy(settings->proxy, &transport->proxy))
        return false;
    transport->identity = identity_new(transport);
    return transport->identity != NULL;
}

enum sca_status http_transport_new(const struct http_settings *settings, OSSL_LIB_CTX *libctx,
                                   struct transport **ret_transport)
{
    if (!is_pin_list(settings->pinned_public_key) || settings->connect_timeout_ms == 0 ||
        settings->request_timeout_ms == 0)
        return SCA_INVALID;

    struct http_transport *transport = calloc(1, sizeof(*transport));
    if (!transport)
        return SCA_NOMEM;
    if (!transport_fill(transport, settings, libctx)) {
        http_transport_free(&transport->base);
        return SCA_NOMEM;
    }
    *ret_transport = &transport->base;
    return SCA_OK;
}

void http_transport_free(struct transport *base)
{
    struct http_transport *transport = (struct http_transport *)base;

    if (!transport)
        return;
    free(transport->ca_file);
    free(transport->pinned_public_key);
    text_wipe(transport->proxy);
    text_wipe(transport->identity);
    free(transport);
}

void http_abandon(void)
{
    pool_abandon();
    trust_abandon();
    library_abandon();
}

void http_close_idle(void)
{
    if (guest_is_too_late())
        return;
    for (struct pool_slot *slot = pool_take_idle(); slot; slot = pool_take_idle()) {
        slot_empty(slot);
        pool_give(slot);
    }
}
