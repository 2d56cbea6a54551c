/* SPDX-License-Identifier: Apache-2.0 */
/* One exchange: what is sent, what is accepted, and what is known after a failure. */
#include "tests/unit/http_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

/* libcurl's codes, which device_error carries. */
enum {
    CODE_COULDNT_CONNECT = 7,
    CODE_GOT_NOTHING = 52,
    CODE_RECV_ERROR = 56,
};

static struct server server;
static struct client client;

static void start(server_serve *serve)
{
    struct http_settings settings = world_settings();
    server_start(&server, NULL, serve);
    client_init(&client, &server, &settings);
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

static void a_kept_connection_serves_one_request_after_another(void **state)
{
    (void)state;
    start(serve_ok);

    for (int i = 0; i < 5; i++)
        client_post_ok(&client, "{\"n\":1}");

    assert_int_equal(server_requests(&server), 5);
    assert_int_equal(server_connections(&server), 1);
}

static void a_request_is_a_json_post_with_no_header_too_many(void **state)
{
    (void)state;
    start(serve_ok);
    char expected[512];

    client_post_ok(&client, "{\"n\":1}");

    (void)snprintf(expected, sizeof(expected),
                   "POST /v1/sign HTTP/1.1\r\n"
                   "Host: 127.0.0.1:%u\r\n"
                   "User-Agent: smartca-pkcs11/0.1.0\r\n"
                   "Content-Type: application/json\r\n"
                   "Accept: application/json\r\n"
                   "Content-Length: 7\r\n\r\n"
                   "{\"n\":1}",
                   server.port);
    assert_string_equal(server.last, expected);
}

static bool serve_busy(struct peer *peer, const char *request)
{
    (void)request;
    peer_print(peer, "HTTP/1.1 503 Busy\r\nretry-after:  7\r\nContent-Length: 2\r\n\r\nno");
    return true;
}

static void an_answer_of_any_status_is_an_answer(void **state)
{
    (void)state;
    start(serve_busy);

    assert_int_equal(client_post(&client, "{}"), SCA_OK);

    assert_int_equal(client.response.status, 503);
    assert_int_equal(client.response.retry_after_ms, 7000);
    assert_true(span_equal(buf_span(&client.response.body), span_text("no")));
}

static bool serve_redirect(struct peer *peer, const char *request)
{
    (void)request;
    char answer[200];
    (void)snprintf(answer, sizeof(answer),
                   "HTTP/1.1 307 There\r\nLocation: http://127.0.0.1:%u/other\r\n"
                   "Set-Cookie: a=b\r\nContent-Length: 0\r\n\r\n",
                   peer->server->port);
    peer_print(peer, answer);
    return true;
}

static void a_redirect_is_not_followed_and_a_cookie_not_kept(void **state)
{
    (void)state;
    start(serve_redirect);

    assert_int_equal(client_post(&client, "{}"), SCA_OK);
    assert_int_equal(client_post(&client, "{}"), SCA_OK);

    assert_int_equal(client.response.status, 307);
    assert_int_equal(server_requests(&server), 2);
    assert_null(strstr(server.last, "Cookie"));
}

static void a_refused_connection_has_sent_nothing(void **state)
{
    (void)state;
    start(serve_ok);
    struct server gone;
    server_start(&gone, NULL, serve_ok);
    server_stop(&gone);
    (void)snprintf(client.url, sizeof(client.url), "http://127.0.0.1:%u/", gone.port);

    enum sca_status status = client_post(&client, "{\"pin\":\"canary\"}");

    assert_lost(status, false);
    assert_int_equal(client.call.device_error, HTTP_DEVICE_ERROR + CODE_COULDNT_CONNECT);
    client_assert_note(&client, "cannot connect: check the network or the proxy key");
    client_assert_note(&client, "http://127.0.0.1:");
    assert_null(strstr(client.call.note, "canary"));
}

static bool serve_last(struct peer *peer, const char *request)
{
    (void)request;
    peer_print(peer, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}");
    return false;
}

static void too_many_open_files_are_no_matter_of_the_network(void **state)
{
    struct rlimit usual;
    (void)state;
    start(serve_last);
    assert_int_equal(client_post(&client, "{}"), SCA_OK);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &usual), 0);
    int lowest = dup(STDERR_FILENO);
    assert_int_equal(close(lowest), 0);
    const struct rlimit none_left = {.rlim_cur = (rlim_t)lowest, .rlim_max = usual.rlim_max};

    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none_left), 0);
    enum sca_status status = client_post(&client, "{}");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &usual), 0);

    assert_lost(status, false);
    client_assert_note(&client, "too many files are open");
}

static bool serve_close(struct peer *peer, const char *request)
{
    (void)peer;
    (void)request;
    return false;
}

static bool serve_reset(struct peer *peer, const char *request)
{
    (void)request;
    peer_reset(peer);
    return false;
}

static void a_reply_lost_to_a_close_may_have_been_sent(void **state)
{
    (void)state;
    start(serve_close);

    enum sca_status status = client_post(&client, "{}");

    assert_lost(status, true);
    assert_int_equal(client.call.device_error, HTTP_DEVICE_ERROR + CODE_GOT_NOTHING);
    assert_int_equal(server_requests(&server), 1);
}

static void a_reply_lost_to_a_reset_may_have_been_sent(void **state)
{
    (void)state;
    start(serve_reset);

    enum sca_status status = client_post(&client, "{}");

    assert_lost(status, true);
    assert_int_equal(client.call.device_error, HTTP_DEVICE_ERROR + CODE_RECV_ERROR);
    assert_int_equal(server_requests(&server), 1);
}

/* Answers the first request of a connection and drops the connection at the second. */
static bool serve_once(struct peer *peer, const char *request)
{
    if (strstr(request, "second"))
        return serve_reset(peer, request);
    return serve_ok(peer, request);
}

static void a_request_lost_on_a_kept_connection_is_not_sent_again(void **state)
{
    (void)state;
    start(serve_once);
    client_post_ok(&client, "first");

    enum sca_status status = client_post(&client, "second");

    assert_lost(status, true);
    assert_int_equal(client.call.device_error, HTTP_DEVICE_ERROR + CODE_GOT_NOTHING);
    client_assert_note(&client, "the connection broke before the answer was complete");
    assert_int_equal(server_requests(&server), 2);
}

static bool serve_twice(struct peer *peer, const char *request)
{
    return server_requests(peer->server) == 2 ? serve_reset(peer, request)
                                              : serve_ok(peer, request);
}

static void a_question_lost_on_a_kept_connection_is_asked_again(void **state)
{
    (void)state;
    start(serve_twice);
    client_post_ok(&client, "first");
    client.request.is_repeatable = true;

    client_post_ok(&client, "second");

    assert_int_equal(server_requests(&server), 3);
    assert_int_equal(server_connections(&server), 2);
}

static bool serve_ok_and_close(struct peer *peer, const char *request)
{
    (void)serve_ok(peer, request);
    return false;
}

static void a_connection_closed_while_idle_is_replaced_before_anything_is_sent(void **state)
{
    (void)state;
    start(serve_ok_and_close);
    client_post_ok(&client, "{}");
    server_await_closed(&server, 1);

    client_post_ok(&client, "{}");

    assert_int_equal(server_requests(&server), 2);
    assert_int_equal(server_connections(&server), 2);
}

static bool serve_cut_body(struct peer *peer, const char *request)
{
    (void)request;
    peer_print(peer, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"sad\":");
    return false;
}

static void a_cut_body_is_a_lost_reply(void **state)
{
    (void)state;
    start(serve_cut_body);

    enum sca_status status = client_post(&client, "{}");

    assert_lost(status, true);
}

static void *cancel_when_requested(void *ret_when)
{
    server_await_requests(&server, 1);
    *(uint64_t *)ret_when = call_now_ms(&client.call);
    call_cancel(&client.call);
    return NULL;
}

static void a_cancel_from_another_thread_ends_the_wait_at_once(void **state)
{
    (void)state;
    start(serve_silent);
    pthread_t canceller;
    uint64_t cancelled_at = 0;
    pthread_create(&canceller, NULL, cancel_when_requested, &cancelled_at);

    enum sca_status status = client_post(&client, "{}");

    uint64_t ended_at = call_now_ms(&client.call);
    pthread_join(canceller, NULL);
    assert_int_equal(status, SCA_CANCELLED);
    assert_true(client.response.was_sent);
    assert_in_range(ended_at - cancelled_at, 0, 100);
}

static bool give_up(void *asked)
{
    (*(int *)asked)++;
    return false;
}

static void an_application_that_gives_up_ends_the_wait(void **state)
{
    (void)state;
    start(serve_silent);
    int asked = 0;
    client.call.keep_going = give_up;
    client.call.keep_going_arg = &asked;
    client.call.next_tick_ms = call_now_ms(&client.call) + 50;

    enum sca_status status = client_post(&client, "{}");

    assert_int_equal(status, SCA_CANCELLED);
    assert_int_equal(asked, 1);
}

static void nothing_is_sent_for_a_cancelled_call(void **state)
{
    (void)state;
    start(serve_ok);
    call_cancel(&client.call);

    enum sca_status status = client_post(&client, "{}");

    assert_int_equal(status, SCA_CANCELLED);
    assert_false(client.response.was_sent);
    assert_int_equal(server_connections(&server), 0);
}

#define CASE(test) cmocka_unit_test_teardown(test, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_kept_connection_serves_one_request_after_another),
        CASE(a_request_is_a_json_post_with_no_header_too_many),
        CASE(an_answer_of_any_status_is_an_answer),
        CASE(a_redirect_is_not_followed_and_a_cookie_not_kept),
        CASE(too_many_open_files_are_no_matter_of_the_network),
        CASE(a_refused_connection_has_sent_nothing),
        CASE(a_reply_lost_to_a_close_may_have_been_sent),
        CASE(a_reply_lost_to_a_reset_may_have_been_sent),
        CASE(a_request_lost_on_a_kept_connection_is_not_sent_again),
        CASE(a_question_lost_on_a_kept_connection_is_asked_again),
        CASE(a_connection_closed_while_idle_is_replaced_before_anything_is_sent),
        CASE(a_cut_body_is_a_lost_reply),
        CASE(a_cancel_from_another_thread_ends_the_wait_at_once),
        CASE(an_application_that_gives_up_ends_the_wait),
        CASE(nothing_is_sent_for_a_cancelled_call),
    };
    return cmocka_run_group_tests(tests, world_set_up, world_tear_down);
}
