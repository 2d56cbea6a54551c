/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/http_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

static const char ok_answer[] = "HTTP/1.1 200 OK\r\n"
                                "Content-Type: application/json\r\n"
                                "Content-Length: 11\r\n\r\n"
                                "{\"ok\":true}";

static int peer_read(struct peer *peer, char *bytes, size_t room)
{
    if (peer->tls)
        return SSL_read(peer->tls, bytes, (int)room);
    return (int)recv(peer->fd, bytes, room, 0);
}

void peer_write(struct peer *peer, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t put = peer->tls ? SSL_write(peer->tls, bytes, (int)len)
                                : send(peer->fd, bytes, len, MSG_NOSIGNAL);
        if (put <= 0)
            return; /* the client went away: its business */
        bytes += put;
        len -= (size_t)put;
    }
}

void peer_print(struct peer *peer, const char *text)
{
    peer_write(peer, text, strlen(text));
}

void peer_reset(struct peer *peer)
{
    const struct linger at_once = {.l_onoff = 1};
    (void)setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

bool serve_ok(struct peer *peer, const char *request)
{
    (void)request;
    peer_print(peer, ok_answer);
    return true;
}

bool serve_gated(struct peer *peer, const char *request)
{
    while (sem_wait(&peer->server->gate) != 0)
        continue;
    return serve_ok(peer, request);
}

bool serve_silent(struct peer *peer, const char *request)
{
    (void)peer;
    (void)request;
    return true;
}

/* Head and body of one request; false at the end of the connection. */
static bool peer_next(struct peer *peer, char *request, size_t room)
{
    size_t len = 0;

    for (;;) {
        int got = peer_read(peer, request + len, room - 1 - len);
        if (got <= 0)
            return false;
        len += (size_t)got;
        request[len] = 0;
        const char *end = strstr(request, "\r\n\r\n");
        if (!end)
            continue;
        const char *field = strcasestr(request, "\r\nContent-Length:");
        size_t body_len = field ? strtoul(field + 17, NULL, 10) : 0;
        if (len >= (size_t)(end + 4 - request) + body_len)
            return true;
    }
}

static void server_note(struct server *server, const char *request)
{
    const char *body = strstr(request, "\r\n\r\n");

    pthread_mutex_lock(&server->mutex);
    if (server->requests < SERVER_PEERS_MAX)
        server->order[server->requests] = body ? body[4] : 0;
    server->requests++;
    (void)snprintf(server->last, sizeof(server->last), "%s", request);
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->mutex);
}

static void peer_close(struct peer *peer)
{
    struct server *server = peer->server;

    SSL_free(peer->tls);
    pthread_mutex_lock(&server->mutex);
    (void)close(peer->fd);
    peer->fd = -1;
    server->closed++;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->mutex);
}

static void *peer_run(void *arg)
{
    struct peer *peer = arg;
    char *request = malloc(sizeof(peer->server->last) * 16);
    sigset_t all;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    bool is_ready = request != NULL;
    if (is_ready && peer->tls)
        is_ready = SSL_accept(peer->tls) == 1;
    while (is_ready && peer_next(peer, request, sizeof(peer->server->last) * 16)) {
        server_note(peer->server, request);
        if (!peer->server->serve(peer, request))
            break;
    }
    free(request);
    peer_close(peer);
    return NULL;
}

static void server_accept(struct server *server, int fd)
{
    pthread_mutex_lock(&server->mutex);
    if (server->is_stopping || server->connections == SERVER_PEERS_MAX) {
        (void)close(fd);
    } else {
        struct peer *peer = &server->peers[server->connections];
        *peer = (struct peer){.server = server, .fd = fd};
        if (server->tls_context) {
            peer->tls = SSL_new(server->tls_context);
            SSL_set_fd(peer->tls, fd);
        }
        if (pthread_create(&peer->thread, NULL, peer_run, peer) == 0)
            server->connections++;
    }
    pthread_mutex_unlock(&server->mutex);
}

static void *server_run(void *arg)
{
    struct server *server = arg;
    sigset_t all;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    for (;;) {
        int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            server_accept(server, fd);
        else if (errno != EINTR && errno != ECONNABORTED)
            return NULL; /* shut down by server_stop */
    }
}

void server_start(struct server *server, SSL_CTX *tls_context, server_serve *serve)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);

    *server = (struct server){.serve = serve, .tls_context = tls_context};
    pthread_mutex_init(&server->mutex, NULL);
    pthread_cond_init(&server->changed, NULL);
    sem_init(&server->gate, 0, 0);
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(server->listener >= 0);
    assert_int_equal(bind(server->listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(server->listener, SERVER_PEERS_MAX), 0);
    assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &len), 0);
    server->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&server->thread, NULL, server_run, server), 0);
}

void server_stop(struct server *server)
{
    pthread_mutex_lock(&server->mutex);
    server->is_stopping = true;
    for (size_t i = 0; i < server->connections; i++)
        if (server->peers[i].fd >= 0)
            (void)shutdown(server->peers[i].fd, SHUT_RDWR);
    pthread_mutex_unlock(&server->mutex);

    (void)shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    (void)close(server->listener);
    for (size_t i = 0; i < SERVER_PEERS_MAX; i++)
        sem_post(&server->gate);
    for (size_t i = 0; i < server->connections; i++)
        pthread_join(server->peers[i].thread, NULL);
    sem_destroy(&server->gate);
    pthread_cond_destroy(&server->changed);
    pthread_mutex_destroy(&server->mutex);
    SSL_CTX_free(server->tls_context);
}

static void server_await(struct server *server, const size_t *counter, size_t count)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;

    int rc = 0;
    pthread_mutex_lock(&server->mutex);
    while (*counter < count && rc == 0)
        rc = pthread_cond_timedwait(&server->changed, &server->mutex, &until);
    pthread_mutex_unlock(&server->mutex);
    assert_int_equal(rc, 0);
}

void server_await_requests(struct server *server, size_t count)
{
    server_await(server, &server->requests, count);
}

void server_await_closed(struct server *server, size_t count)
{
    server_await(server, &server->closed, count);
}

static size_t server_read(struct server *server, const size_t *counter)
{
    pthread_mutex_lock(&server->mutex);
    size_t value = *counter;
    pthread_mutex_unlock(&server->mutex);
    return value;
}

size_t server_connections(struct server *server)
{
    return server_read(server, &server->connections);
}

size_t server_requests(struct server *server)
{
    return server_read(server, &server->requests);
}

static X509 *cert_new(EVP_PKEY *key, const char *common_name, const struct leaf *leaf)
{
    static long serial = 1;
    X509 *cert = X509_new();
    X509_NAME *name = X509_get_subject_name(cert);

    X509_set_version(cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), serial++);
    X509_gmtime_adj(X509_getm_notBefore(cert), leaf->from_s);
    X509_gmtime_adj(X509_getm_notAfter(cert), leaf->until_s);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)common_name, -1,
                               -1, 0);
    X509_set_pubkey(cert, key);
    return cert;
}

static void cert_extend(X509 *cert, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    assert_non_null(extension);
    X509_add_ext(cert, extension, -1);
    X509_EXTENSION_free(extension);
}

void authority_init(struct authority *authority, const char *common_name)
{
    const struct leaf validity = {.from_s = -86400, .until_s = 86400};

    authority->key = EVP_EC_gen("P-256");
    authority->cert = cert_new(authority->key, common_name, &validity);
    X509_set_issuer_name(authority->cert, X509_get_subject_name(authority->cert));
    cert_extend(authority->cert, NID_basic_constraints, "critical,CA:TRUE");
    assert_true(X509_sign(authority->cert, authority->key, EVP_sha256()) > 0);
}

void authority_fini(struct authority *authority)
{
    X509_free(authority->cert);
    EVP_PKEY_free(authority->key);
}

void authority_write(const struct authority *authority, const char *path)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(PEM_write_X509(file, authority->cert), 1);
    assert_int_equal(fclose(file), 0);
}

static void pin_print(EVP_PKEY *key, char pin[static 64])
{
    unsigned char *spki = NULL;
    unsigned char hash[32];
    char text[48];

    int len = i2d_PUBKEY(key, &spki);
    assert_true(len > 0);
    assert_int_equal(EVP_Q_digest(NULL, "SHA256", NULL, spki, (size_t)len, hash, NULL), 1);
    OPENSSL_free(spki);
    EVP_EncodeBlock((unsigned char *)text, hash, sizeof(hash));
    (void)snprintf(pin, 64, "sha256//%s", text);
}

SSL_CTX *authority_issue(const struct authority *authority, const struct leaf *leaf,
                         char ret_pin[static 64])
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = cert_new(key, "Test server", leaf);
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());

    X509_set_issuer_name(cert, X509_get_subject_name(authority->cert));
    cert_extend(cert, NID_subject_alt_name, leaf->name);
    assert_true(X509_sign(cert, authority->key, EVP_sha256()) > 0);
    assert_int_equal(SSL_CTX_use_certificate(context, cert), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(context, key), 1);
    pin_print(key, ret_pin);
    X509_free(cert);
    EVP_PKEY_free(key);
    return context;
}

SSL_CTX *authority_issue_default(const struct authority *authority)
{
    const struct leaf leaf = {.name = "IP:127.0.0.1", .from_s = -3600, .until_s = 3600};
    char pin[64];
    return authority_issue(authority, &leaf, pin);
}
