/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/emulator/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <microhttpd.h>
#include <openssl/crypto.h>

#include "remote/base/cleanup.h"
#include "tests/emulator/complain.h"
#include "tests/emulator/exchange.h"

enum { CONNECTIONS_MAX = 4000, THREAD_STACK = 512 * 1024 };

/* TLS 1.2 and 1.3, as the service. */
static const char default_priority[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

struct server {
    struct MHD_Daemon *daemon;
    char *key;
    char *certificate;
};

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
                                  const char *path, const char *method, const char *version,
                                  const char *data, size_t *data_len, void **state)
{
    struct exchange *x = *state;
    (void)version;
    if (!x) {
        x = exchange_new(context, connection, method, path);
        *state = x;
        if (!x)
            return MHD_NO;
        if (!exchange_dies_early(x))
            return MHD_YES;
        exchange_log(x);
        return exchange_abort(x);
    }
    if (*data_len > 0) {
        exchange_feed(x, span_of(data, *data_len));
        *data_len = 0;
        return MHD_YES;
    }
    return exchange_answer(x);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode reason)
{
    (void)context;
    (void)connection;
    (void)reason;
    exchange_free(*state);
    *state = NULL;
}

/* Gives each connection its number, for the request log. */
static void on_connection(void *context, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode what)
{
    struct emulator *emulator = context;
    (void)connection;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        free(*socket_context);
        *socket_context = NULL;
        return;
    }
    unsigned long *number = malloc(sizeof(*number));
    unsigned long next = atomic_fetch_add(&emulator->connections, 1) + 1;
    if (number)
        *number = next;
    *socket_context = number;
}

/* Clients that break off are what this program is for: nothing to say about them. */
static void on_message(void *context, const char *format, va_list args)
{
    (void)context;
    (void)format;
    (void)args;
}

static void server_free(struct server *server)
{
    if (server->key)
        OPENSSL_cleanse(server->key, strlen(server->key));
    free(server->key);
    free(server->certificate);
    free(server);
}

static void server_freep(struct server **server)
{
    if (*server)
        server_free(*server);
}

static struct MHD_Daemon *start_daemon(struct emulator *emulator, const struct server *server)
{
    const struct options *options = emulator->options;
    unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
                     MHD_USE_POLL | MHD_USE_ERROR_LOG;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(options->port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_KEY, 0, server->key},
        {MHD_OPTION_HTTPS_MEM_CERT, 0, server->certificate},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    const char *priority = options->tls_priority ? options->tls_priority : default_priority;
    memcpy(&tls[2].ptr_value, &priority, sizeof(priority)); /* read only, though not const */
    if (options->is_plain)
        tls[0].option = MHD_OPTION_END;
    else
        flags |= MHD_USE_TLS;
    return MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, emulator, MHD_OPTION_EXTERNAL_LOGGER, on_message, NULL,
        MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
        MHD_OPTION_THREAD_STACK_SIZE, (size_t)THREAD_STACK, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, emulator, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_ARRAY,
        tls, MHD_OPTION_END);
}

enum sca_status server_start(struct emulator *emulator, struct server **ret_server)
{
    const struct options *options = emulator->options;
    AUTO(server_freep) struct server *server = calloc(1, sizeof(*server));
    if (!server)
        return SCA_NOMEM;
    enum sca_status status =
        pki_server_make(emulator->pki, options->server, &server->key, &server->certificate);
    if (status != SCA_OK)
        return status;
    server->daemon = start_daemon(emulator, server);
    if (!server->daemon) {
        complain("cannot listen on 127.0.0.1:%u%s", options->port,
                 options->tls_priority ? " (or the --tls priority string is wrong)" : "");
        return SCA_IO;
    }
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);
    atomic_store(&emulator->port, info ? info->port : options->port);
    *ret_server = TAKE(server);
    return SCA_OK;
}

void server_stop(struct server *server)
{
    if (!server)
        return;
    MHD_stop_daemon(server->daemon);
    server_free(server);
}
