/* SPDX-License-Identifier: Apache-2.0 */
/* GET, the access token, and the time of the service. */
#include "tests/unit/http_client.h"

#include "remote/base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct server server;
static struct client client;
static struct secret *token;

static void start(server_serve *serve)
{
    struct http_settings settings = world_settings();
    server_start(&server, NULL, serve);
    client_init(&client, &server, &settings);
}

static void carry(const char *text)
{
    assert_int_equal(secret_new(span_text(text), &token), SCA_OK);
    client.request.bearer = token;
}

static int stop(void **state)
{
    secret_freep(&token);
    client_fini(&client);
    server_stop(&server);
    return world_calm_down(state);
}

/* The request served last, as it has to be to the last byte. */
static void assert_request(const char *method, const char *headers, const char *body)
{
    char expected[512];

    (void)snprintf(expected, sizeof(expected),
                   "%s /v1/sign HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n"
                   "User-Agent: smartca-pkcs11/0.1.0\r\n%s\r\n%s",
                   method, server.port, headers, body);
    assert_string_equal(server.last, expected);
}

static void a_get_has_no_body_and_says_nothing_of_one(void **state)
{
    (void)state;
    start(serve_ok);
    client.request.method = HTTP_GET;

    client_post_ok(&client, "not sent");

    assert_request("GET", "Accept: application/json\r\n", "");
}

static void a_token_goes_into_its_header(void **state)
{
    (void)state;
    start(serve_ok);
    client.request.method = HTTP_GET;
    carry("ey.J0-_~+/=");

    client_post_ok(&client, "");

    assert_request("GET",
                   "Authorization: Bearer ey.J0-_~+/=\r\n"
                   "Accept: application/json\r\n",
                   "");
}

static void a_post_may_have_a_token_too(void **state)
{
    (void)state;
    start(serve_ok);
    carry("secret");

    client_post_ok(&client, "{}");

    assert_request("POST",
                   "Authorization: Bearer secret\r\n"
                   "Content-Type: application/json\r\n"
                   "Accept: application/json\r\n"
                   "Content-Length: 2\r\n",
                   "{}");
}

static void a_request_leaves_nothing_behind_for_the_next(void **state)
{
    (void)state;
    start(serve_ok);
    client.request.method = HTTP_GET;
    carry("secret");
    client_post_ok(&client, "");
    client.request.method = HTTP_POST;
    client.request.bearer = NULL;

    client_post_ok(&client, "{}");

    assert_request("POST",
                   "Content-Type: application/json\r\n"
                   "Accept: application/json\r\n"
                   "Content-Length: 2\r\n",
                   "{}");
    assert_int_equal(server_connections(&server), 1);
}

static void a_token_that_would_begin_another_header_is_not_sent(void **state)
{
    (void)state;
    static const char *const tokens[] = {"a\r\nX: b", "a b", "a\tb", "\x7f", "caf\xc3\xa9", ""};
    start(serve_ok);

    for (size_t i = 0; i < ARRAY_LEN(tokens); i++) {
        secret_freep(&token);
        carry(tokens[i]);
        assert_int_equal(client_post(&client, "{}"), SCA_INVALID);
        assert_false(client.response.was_sent);
        client_assert_note(&client, "the access token is malformed");
    }
    assert_int_equal(server_connections(&server), 0);
}

static bool serve_close(struct peer *peer, const char *request)
{
    (void)peer;
    (void)request;
    return false;
}

static void a_failure_does_not_tell_the_token(void **state)
{
    (void)state;
    start(serve_close);
    carry("canary");

    assert_int_equal(client_post(&client, "{}"), SCA_NETWORK);

    assert_null(strstr(client.call.note, "canary"));
}

static bool serve_proxy_refusal(struct peer *peer, const char *request)
{
    (void)request;
    peer_print(peer, "HTTP/1.1 407 Who\r\nContent-Length: 0\r\n\r\n");
    return true;
}

static void a_proxy_does_not_see_the_token(void **state)
{
    (void)state;
    char proxy[64];
    struct http_settings settings = world_settings();
    server_start(&server, NULL, serve_proxy_refusal);
    (void)snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%u", server.port);
    settings.proxy = proxy;
    client_init(&client, &server, &settings);
    (void)snprintf(client.url, sizeof(client.url), "https://127.0.0.1:1/");
    carry("canary");

    assert_int_equal(client_post(&client, "{}"), SCA_NETWORK);

    assert_int_equal(server_requests(&server), 1);
    assert_non_null(strstr(server.last, "CONNECT 127.0.0.1:1 "));
    assert_null(strstr(server.last, "Authorization"));
}

static const struct {
    const char *header;
    int64_t expected;
} dates[] = {
    {"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 784111777},
    {"DATE:Thu, 01 Jan 2026 00:00:00 GMT\r\n", 1767225600},
    {"Date: Sunday, 06-Nov-94 08:49:37 GMT\r\n",
     784111777}, /* RFC 9110 5.6.7: obsolete, accepted */
    {"Date: Sun Nov  6 08:49:37 1994\r\n", 784111777},
    {"Date: yesterday\r\n", 0},
    {"Date:\r\n", 0},
    {"Date: Thu, 01 Jan 1969 00:00:00 GMT\r\n", 0},
    {"X-Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 0},
    {"", 0},
};
static size_t date_at;

static bool serve_dated(struct peer *peer, const char *request)
{
    (void)request;
    char answer[200];
    (void)snprintf(answer, sizeof(answer), "HTTP/1.1 401 No\r\n%sContent-Length: 2\r\n\r\n{}",
                   dates[date_at].header);
    peer_print(peer, answer);
    return true;
}

static void the_service_tells_its_time(void **state)
{
    (void)state;
    start(serve_dated);

    for (date_at = 0; date_at < ARRAY_LEN(dates); date_at++) {
        assert_int_equal(client_post(&client, "{}"), SCA_OK);
        if (client.response.date != dates[date_at].expected)
            fail_msg("%s is %lld", dates[date_at].header, (long long)client.response.date);
    }
}

#define CASE(test) cmocka_unit_test_teardown(test, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_get_has_no_body_and_says_nothing_of_one),
        CASE(a_token_goes_into_its_header),
        CASE(a_post_may_have_a_token_too),
        CASE(a_request_leaves_nothing_behind_for_the_next),
        CASE(a_token_that_would_begin_another_header_is_not_sent),
        CASE(a_failure_does_not_tell_the_token),
        CASE(a_proxy_does_not_see_the_token),
        CASE(the_service_tells_its_time),
    };

    return cmocka_run_group_tests(tests, world_set_up, world_tear_down);
}
