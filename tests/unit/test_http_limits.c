/* SPDX-License-Identifier: Apache-2.0 */
/* How much and how long: bytes of an answer, time of an exchange. */
#include "tests/unit/http_client.h"

#include "remote/base/cleanup.h"
#include "remote/http/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CODE_TIMED_OUT = 28 }; /* libcurl's, which device_error carries */

static struct server server;
static struct client client;

static void start_with(server_serve *serve, const struct http_settings *settings)
{
    server_start(&server, NULL, serve);
    client_init(&client, &server, settings);
}

static void start(server_serve *serve)
{
    struct http_settings settings = world_settings();
    start_with(serve, &settings);
}

static int stop(void **state)
{
    client_fini(&client);
    server_stop(&server);
    return world_calm_down(state);
}

static void assert_lost(enum sca_status status, bool was_sent)
{
    assert_int_equal(status, SCA_NETWORK);
    assert_int_equal(client.response.was_sent, was_sent);
    assert_int_equal(client.response.status, 0);
    assert_int_equal(client.response.body.len, 0);
}

static void retry_after_counts_in_seconds_up_to_a_minute(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        unsigned expected_ms;
    } rows[] = {
        {"Retry-After: 0\r\n", 0},
        {"Retry-After: 59\r\n", 59000},
        {"RETRY-AFTER:60\r\n", 60000},
        {"Retry-After: 61\r\n", 60000},
        {"Retry-After: 999999999999999999999999\r\n", 60000},
        {"Retry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n", 0},
        {"Retry-After: -5\r\n", 0},
        {"Retry-After:", 0},
        {"X-Retry-After: 5\r\n", 0},
    };
    start(serve_ok);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct http_response response = {0};
        struct exchange exchange = {.call = &client.call, .response = &response};
        assert_true(exchange_header(&exchange, span_text(rows[i].line)));
        assert_int_equal(response.retry_after_ms, rows[i].expected_ms);
    }
}

static uint64_t story_ms;

static uint64_t story_now_ms(const struct clock *clock)
{
    (void)clock;
    return story_ms;
}

static void only_an_answer_that_began_can_stall(void **state)
{
    (void)state;
    const struct clock clock = {.now_ms = story_now_ms};
    struct call call;
    struct http_response response = {0};
    struct exchange exchange = {.call = &call, .response = &response};
    start(serve_ok);
    story_ms = 1000;
    call_init(&call, &clock, 100000);

    story_ms += 25000;
    bool is_stalled_before = exchange_is_stalled(&exchange);
    (void)exchange_header(&exchange, span_text("HTTP/1.1 200 OK\r\n"));
    story_ms += 10000;
    bool is_stalled_at_limit = exchange_is_stalled(&exchange);
    story_ms += 1;
    bool is_stalled_beyond = exchange_is_stalled(&exchange);

    assert_false(is_stalled_before);
    assert_false(is_stalled_at_limit);
    assert_true(is_stalled_beyond);
    call_fini(&call);
}

static bool serve_announced_giant(struct peer *peer, const char *request)
{
    (void)request;
    peer_print(peer, "HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n");
    return true;
}

static bool serve_chunked_giant(struct peer *peer, const char *request)
{
    (void)request;
    char chunk[7 + 4096 + 3];
    int head = snprintf(chunk, sizeof(chunk), "1000\r\n");
    memset(chunk + head, 'x', 4096);
    memcpy(chunk + head + 4096, "\r\n", 3);

    peer_print(peer, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 300; i++)
        peer_print(peer, chunk);
    return false;
}

static bool serve_many_headers(struct peer *peer, const char *request)
{
    (void)request;
    char line[1025];
    (void)snprintf(line, sizeof(line), "X-Filler: %01012d\r\n", 0);

    peer_print(peer, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 65; i++)
        peer_print(peer, line);
    return false;
}

static bool serve_giant_header(struct peer *peer, const char *request)
{
    (void)request;
    char piece[1025];
    memset(piece, 'h', sizeof(piece) - 1);
    piece[sizeof(piece) - 1] = 0;

    peer_print(peer, "HTTP/1.1 200 OK\r\nX-Filler: ");
    for (int i = 0; i < 300; i++)
        peer_print(peer, piece);
    return false;
}

static bool serve_no_http(struct peer *peer, const char *request)
{
    (void)request;
    peer_print(peer, "SSH-2.0-OpenSSH_9.2\r\n");
    return false;
}

static void an_answer_over_a_limit_or_not_http_is_a_protocol_failure(void **state)
{
    (void)state;
    static const struct {
        server_serve *serve;
        const char *note;
    } rows[] = {
        {serve_announced_giant, "its answer is over the limit"},
        {serve_chunked_giant, "its answer is over the limit"},
        {serve_many_headers, "its answer is over the limit"},
        {serve_giant_header, "its answer is over the limit"},
        {serve_no_http, "its answer is not HTTP"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        start(rows[i].serve);
        assert_int_equal(client_post(&client, "{}"), SCA_PROTOCOL);
        assert_true(client.response.was_sent);
        assert_int_equal(client.response.body.len, 0);
        client_assert_note(&client, rows[i].note);
        if (i + 1 < ARRAY_LEN(rows))
            assert_int_equal(stop(state), 0);
    }
}

static bool serve_full_body(struct peer *peer, const char *request)
{
    (void)request;
    char head[80];
    char *body = calloc(1, HTTP_BODY_MAX);
    memset(body, 'x', HTTP_BODY_MAX);
    (void)snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n",
                   HTTP_BODY_MAX);
    peer_print(peer, head);
    peer_write(peer, body, HTTP_BODY_MAX);
    free(body);
    return true;
}

static void a_body_of_exactly_the_limit_is_accepted(void **state)
{
    (void)state;
    start(serve_full_body);

    assert_int_equal(client_post(&client, "{}"), SCA_OK);

    assert_int_equal(client.response.body.len, HTTP_BODY_MAX);
}

static void a_silent_service_is_given_up_after_the_request_timeout(void **state)
{
    (void)state;
    struct http_settings settings = world_settings();
    settings.request_timeout_ms = 150;
    start_with(serve_silent, &settings);
    uint64_t begun = call_now_ms(&client.call);

    enum sca_status status = client_post(&client, "{}");

    assert_lost(status, true);
    assert_int_equal(client.call.device_error, HTTP_DEVICE_ERROR + CODE_TIMED_OUT);
    assert_in_range(call_now_ms(&client.call) - begun, 150, 2000);
}

static void the_deadline_of_the_call_ends_the_wait_too(void **state)
{
    (void)state;
    start(serve_silent);
    uint64_t begun = call_now_ms(&client.call);
    client.call.deadline_ms = begun + 150;

    enum sca_status status = client_post(&client, "{}");

    assert_lost(status, true);
    assert_in_range(call_now_ms(&client.call) - begun, 150, 2000);
}

static void nothing_is_sent_after_the_deadline(void **state)
{
    (void)state;
    start(serve_ok);
    client.call.deadline_ms = call_now_ms(&client.call);

    enum sca_status status = client_post(&client, "{}");

    assert_lost(status, false);
    assert_int_equal(server_connections(&server), 0);
}

#define CASE(test) cmocka_unit_test_teardown(test, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(retry_after_counts_in_seconds_up_to_a_minute),
        CASE(only_an_answer_that_began_can_stall),
        CASE(an_answer_over_a_limit_or_not_http_is_a_protocol_failure),
        CASE(a_body_of_exactly_the_limit_is_accepted),
        CASE(a_silent_service_is_given_up_after_the_request_timeout),
        CASE(the_deadline_of_the_call_ends_the_wait_too),
        CASE(nothing_is_sent_after_the_deadline),
    };
    return cmocka_run_group_tests(tests, world_set_up, world_tear_down);
}
