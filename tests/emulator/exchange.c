/* SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE /* strncasecmp */
#include "tests/emulator/exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "tests/emulator/misbehave.h"
#include "tests/emulator/reply.h"
#include "tests/emulator/routes.h"
#include "tests/emulator/tick.h"

enum { HANG_MS = 120000 };

static void note_connection(struct exchange *x)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    x->entry.connection = info && info->socket_context ? *(unsigned long *)info->socket_context : 0;
    info = MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    x->socket_fd = info ? info->connect_fd : -1;
}

static void note_endpoint(struct exchange *x)
{
    struct emulator *emulator = x->emulator;
    x->entry.endpoint = x->route ? x->route->endpoint : ENDPOINT_NONE;
    emulator_lock(emulator);
    x->behaviour = emulator->behaviour;
    if (!x->is_wrong_method)
        x->fault = fault_queue_take(&emulator->faults, x->entry.endpoint, FAULT_AT_ARRIVAL);
    emulator->requests[x->entry.endpoint]++;
    emulator_unlock(emulator);
}

struct exchange *exchange_new(struct emulator *emulator, struct MHD_Connection *connection,
                              const char *method, const char *path)
{
    struct exchange *x = calloc(1, sizeof(*x));
    if (!x)
        return NULL;
    x->emulator = emulator;
    x->connection = connection;
    x->start_ms = tick_ms();
    x->entry.at_ms = x->start_ms;
    buf_init(&x->body, BODY_MAX, true);
    (void)snprintf(x->entry.method, sizeof(x->entry.method), "%s", method);
    (void)snprintf(x->entry.path, sizeof(x->entry.path), "%s", path);
    note_connection(x);
    routes_match(x, method, path);
    (void)snprintf(x->entry.transaction_id, sizeof(x->entry.transaction_id), "%s", x->route_id);
    note_endpoint(x);
    return x;
}

void exchange_free(struct exchange *x)
{
    if (!x)
        return;
    buf_fini(&x->body);
    fault_fini(&x->fault);
    cJSON_Delete(x->reply);
    free(x);
}

void exchange_feed(struct exchange *x, struct span bytes)
{
    if (!x->is_too_large && buf_append(&x->body, bytes) != SCA_OK)
        x->is_too_large = true;
}

void exchange_log(struct exchange *x)
{
    if (x->entry.endpoint == ENDPOINT_CONTROL)
        return;
    x->entry.fault = x->fault.kind;
    x->entry.ms = tick_ms() - x->start_ms;
    request_log_add(&x->emulator->log, &x->entry);
}

enum MHD_Result exchange_abort(struct exchange *x)
{
    /* Dissolving the association makes Linux send RST at once; what the server closes later is
     * dead. */
    struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    if (x->socket_fd >= 0)
        (void)connect(x->socket_fd, &nobody, sizeof(nobody));
    return MHD_NO;
}

bool exchange_dies_early(const struct exchange *x)
{
    return x->fault.kind == FAULT_RESET_BEFORE;
}

static bool is_json_type(const char *type)
{
    static const char wanted[] = "application/json";
    size_t len = sizeof(wanted) - 1;
    return type && strncasecmp(type, wanted, len) == 0 && strchr("; \t", type[len]);
}

cJSON *exchange_json(struct exchange *x)
{
    bool is_control = x->entry.endpoint == ENDPOINT_CONTROL;
    const char *type =
        MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_TYPE);
    const char *why = "the body is not a JSON object";
    cJSON *json = NULL;
    if (!is_control && !is_json_type(type))
        why = "Content-Type is not application/json";
    else if (!utf8_is_valid(buf_span(&x->body)))
        why = "the body is not UTF-8";
    else
        json = cJSON_ParseWithOpts(x->body.ptr ? (const char *)x->body.ptr : "", NULL, 1);
    if (cJSON_IsObject(json)) {
        x->entry.body_ok = true;
        return json;
    }
    cJSON_Delete(json);
    reply_bad_request(x, why);
    return NULL;
}

enum fault_kind exchange_falsify(struct exchange *x)
{
    if (x->fault.kind != FAULT_NONE)
        return FAULT_NONE; /* one fault at a time */
    emulator_lock(x->emulator);
    x->fault = fault_queue_take(&x->emulator->faults, x->entry.endpoint, FAULT_AT_ANSWER);
    emulator_unlock(x->emulator);
    return x->fault.kind;
}

static void process(struct exchange *x)
{
    if (x->is_wrong_method)
        reply_http(x, MHD_HTTP_METHOD_NOT_ALLOWED, "Method Not Allowed");
    else if (!x->route)
        reply_http(x, MHD_HTTP_NOT_FOUND, "Not Found");
    else if (x->is_too_large)
        reply_http(x, MHD_HTTP_CONTENT_TOO_LARGE, "Content Too Large");
    else
        x->route->answer(x);
}

/* Without processing, the answer that a fault without one of its own would distort. */
static void skip_processing(struct exchange *x)
{
    if (x->entry.endpoint == ENDPOINT_ECONTRACT)
        reply_econtract(x, MHD_HTTP_OK, 0, NULL, NULL);
    else
        reply_service(x, (int)MHD_HTTP_OK, "SUCCESS", NULL);
}

static uint64_t delay_of(const struct exchange *x)
{
    uint64_t delay = x->fault.delay_ms;
    if (x->entry.endpoint != ENDPOINT_CONTROL)
        delay += x->emulator->options->delay_ms;
    return delay;
}

enum MHD_Result exchange_answer(struct exchange *x)
{
    bool is_processed = x->fault.kind == FAULT_NONE || x->fault.is_processed;
    if (is_processed)
        process(x);
    else
        skip_processing(x);
    bool is_silent = x->fault.kind == FAULT_HANG || x->fault.kind == FAULT_DROP_REPLY;
    if (is_silent)
        x->entry.http_status = 0;
    else
        x->entry.http_status = misbehave_status(x);
    exchange_log(x);
    uint64_t delay = delay_of(x);
    if (x->fault.kind == FAULT_HANG)
        delay = HANG_MS;
    bool is_peer_there = delay == 0 || tick_pause(x->emulator->stop_fd, x->socket_fd, delay);
    if (is_silent || !is_peer_there)
        return exchange_abort(x);
    return misbehave_queue(x);
}
