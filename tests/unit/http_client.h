/* SPDX-License-Identifier: Apache-2.0 */
/* What the transport's tests share on our side of the wire: a CA folder, a transport, one call. */
#ifndef TESTS_UNIT_HTTP_CLIENT_H
#define TESTS_UNIT_HTTP_CLIENT_H

#include "remote/http/http.h"
#include "tests/unit/http_server.h"

/* One folder, CA and OpenSSL context for a test program. */
struct world {
    char dir[32];
    char ca_file[64];
    struct authority authority;
    OSSL_LIB_CTX *libctx;
};

extern struct world world;

/* cmocka group fixtures. */
int world_set_up(void **state);
int world_tear_down(void **state);

/* Closes idle connections, so that each test starts with none: a cmocka test tear-down. */
int world_calm_down(void **state);

/* The test CA, 5 s to connect and 10 s in all. */
struct http_settings world_settings(void);

struct client {
    struct transport *transport;
    struct call call;
    struct http_request request;
    struct http_response response;
    char url[64];
};

/* A client of server, with a budget of 20 s from now. */
void client_init(struct client *client, const struct server *server,
                 const struct http_settings *settings);
void client_fini(struct client *client);

/* Sends body; what came is in client->response. */
enum sca_status client_post(struct client *client, const char *body);

/* Asserts an answer 200 {"ok":true}. */
void client_post_ok(struct client *client, const char *body);

/* Asserts that the call's note has text in it. */
void client_assert_note(const struct client *client, const char *text);

#endif
