/* SPDX-License-Identifier: Apache-2.0 */
/* A small HTTP server on loopback for the transport's tests, as polite or as nasty as they ask. */
#ifndef TESTS_UNIT_HTTP_SERVER_H
#define TESTS_UNIT_HTTP_SERVER_H

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>

#include <openssl/ssl.h>

struct server;

/* One accepted connection, on a thread of its own. */
struct peer {
    struct server *server;
    int fd;
    SSL *tls; /* NULL: plain */
    pthread_t thread;
};

/* Answers one request (head and body as text). False ends the connection. */
typedef bool server_serve(struct peer *peer, const char *request);

enum { SERVER_PEERS_MAX = 64 };

struct server {
    server_serve *serve;
    SSL_CTX *tls_context; /* NULL: plain HTTP; owned */
    int listener;
    unsigned port;
    pthread_t thread;
    sem_t gate; /* for serve functions that wait until the test lets them go on */

    pthread_mutex_t mutex; /* guards the rest */
    pthread_cond_t changed;
    struct peer peers[SERVER_PEERS_MAX];
    size_t connections; /* accepted so far, as the next two */
    size_t requests;
    size_t closed;
    bool is_stopping;
    char last[4096];              /* the request served last */
    char order[SERVER_PEERS_MAX]; /* the first byte of each body, in the order of arrival */
};

/* tls_context is taken; NULL for plain HTTP. Listens on a free port of 127.0.0.1. */
void server_start(struct server *server, SSL_CTX *tls_context, server_serve *serve);
void server_stop(struct server *server);

/* Waits until that many requests have come, or connections have ended. */
void server_await_requests(struct server *server, size_t count);
void server_await_closed(struct server *server, size_t count);

size_t server_connections(struct server *server);
size_t server_requests(struct server *server);

void peer_write(struct peer *peer, const char *bytes, size_t len);
void peer_print(struct peer *peer, const char *text);
void peer_reset(struct peer *peer); /* the connection ends with RST instead of FIN */

/* Serve functions many tests use. */
bool serve_ok(struct peer *peer, const char *request);     /* 200, {"ok":true} */
bool serve_gated(struct peer *peer, const char *request);  /* the same when the gate is posted */
bool serve_silent(struct peer *peer, const char *request); /* no answer, the connection stays */

/* A CA and what it issues; all keys are P-256. */
struct authority {
    EVP_PKEY *key;
    X509 *cert;
};

struct leaf {
    const char *name; /* subjectAltName, as "IP:127.0.0.1" or "DNS:localhost" */
    long from_s;      /* validity, seconds from now */
    long until_s;
};

void authority_init(struct authority *authority, const char *common_name);
void authority_fini(struct authority *authority);
void authority_write(const struct authority *authority, const char *path);

/* A server context with a certificate of that authority. ret_pin: its sha256// pin. */
SSL_CTX *authority_issue(const struct authority *authority, const struct leaf *leaf,
                         char ret_pin[static 64]);

/* Valid now for 127.0.0.1. */
SSL_CTX *authority_issue_default(const struct authority *authority);

#endif
