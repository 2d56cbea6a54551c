/* SPDX-License-Identifier: Apache-2.0 */
/* Eight connections for everybody: who gets one, in what order, and what a fork does to them. */
#include "tests/unit/http_client.h"

#include "remote/base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { CALLERS = 20 };

static struct server server;

/* One request on a thread of its own. */
struct caller {
    pthread_t thread;
    uint64_t ended_ms;
    sem_t queued; /* posted when the call is asked whether to go on: it waits by then */
    struct client client;
    enum sca_status status;
    char body[4];
};

static struct caller callers[CALLERS];

static bool note_queued(void *arg)
{
    (void)sem_post(&((struct caller *)arg)->queued);
    return true;
}

static void *caller_run(void *arg)
{
    struct caller *caller = arg;
    caller->status = client_post(&caller->client, caller->body);
    caller->ended_ms = call_now_ms(&caller->client.call);
    return NULL;
}

static void caller_init(struct caller *caller, char name)
{
    struct http_settings settings = world_settings();
    client_init(&caller->client, &server, &settings);
    caller->body[0] = name;
    caller->body[1] = 0;
    caller->status = SCA_STATUS_COUNT;
    (void)sem_init(&caller->queued, 0, 0);
    caller->client.call.keep_going = note_queued;
    caller->client.call.keep_going_arg = caller;
    caller->client.call.next_tick_ms = 0;
}

static void caller_start(struct caller *caller)
{
    assert_int_equal(pthread_create(&caller->thread, NULL, caller_run, caller), 0);
}

static void caller_await_queued(struct caller *caller)
{
    while (sem_wait(&caller->queued) != 0)
        continue;
}

static void caller_fini(struct caller *caller)
{
    client_fini(&caller->client);
    (void)sem_destroy(&caller->queued);
}

/* Callers a, b, ... each wait at the server or, from the ninth on, in the queue in that order. */
static void callers_start(size_t count)
{
    server_start(&server, authority_issue_default(&world.authority), serve_gated);
    for (size_t i = 0; i < count; i++) {
        caller_init(&callers[i], (char)('a' + i));
        caller_start(&callers[i]);
        if (i < HTTP_CONNECTIONS_MAX)
            server_await_requests(&server, i + 1);
        else
            caller_await_queued(&callers[i]);
    }
}

static void callers_stop(size_t count)
{
    for (size_t i = 0; i < count; i++)
        caller_fini(&callers[i]);
    http_close_idle();
    server_stop(&server);
}

static void twenty_callers_share_eight_connections_in_the_order_they_came(void **state)
{
    (void)state;
    callers_start(CALLERS);

    for (size_t i = HTTP_CONNECTIONS_MAX; i < CALLERS; i++) {
        assert_int_equal(server_requests(&server), i);
        sem_post(&server.gate);
        server_await_requests(&server, i + 1);
    }
    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++)
        sem_post(&server.gate);
    for (size_t i = 0; i < CALLERS; i++)
        pthread_join(callers[i].thread, NULL);

    for (size_t i = 0; i < CALLERS; i++)
        assert_int_equal(callers[i].status, SCA_OK);
    assert_memory_equal(server.order, "abcdefghijklmnopqrst", CALLERS);
    assert_int_equal(server_connections(&server), HTTP_CONNECTIONS_MAX);
    callers_stop(CALLERS);
}

static void a_cancelled_waiter_leaves_at_once_and_the_next_one_moves_up(void **state)
{
    (void)state;
    enum { FIRST = HTTP_CONNECTIONS_MAX, SECOND, COUNT };
    callers_start(COUNT);

    uint64_t cancelled_ms = call_now_ms(&callers[FIRST].client.call);
    call_cancel(&callers[FIRST].client.call);
    pthread_join(callers[FIRST].thread, NULL);
    sem_post(&server.gate);
    server_await_requests(&server, HTTP_CONNECTIONS_MAX + 1);
    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++)
        sem_post(&server.gate);
    for (size_t i = 0; i < COUNT; i++)
        if (i != FIRST)
            pthread_join(callers[i].thread, NULL);

    assert_int_equal(callers[FIRST].status, SCA_CANCELLED);
    assert_false(callers[FIRST].client.response.was_sent);
    assert_in_range(callers[FIRST].ended_ms - cancelled_ms, 0, 100);
    assert_int_equal(callers[SECOND].status, SCA_OK);
    assert_memory_equal(server.order, "abcdefghj", HTTP_CONNECTIONS_MAX + 1);
    callers_stop(COUNT);
}

static void a_waiter_leaves_at_its_deadline(void **state)
{
    (void)state;
    struct caller late;
    callers_start(HTTP_CONNECTIONS_MAX);
    caller_init(&late, 'z');
    late.client.call.deadline_ms = call_now_ms(&late.client.call) + 100;

    caller_start(&late);
    pthread_join(late.thread, NULL);
    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++)
        sem_post(&server.gate);
    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++)
        pthread_join(callers[i].thread, NULL);

    assert_int_equal(late.status, SCA_NETWORK);
    assert_false(late.client.response.was_sent);
    client_assert_note(&late.client, "all 8 connections");
    assert_int_equal(server_requests(&server), HTTP_CONNECTIONS_MAX);
    caller_fini(&late);
    callers_stop(HTTP_CONNECTIONS_MAX);
}

static void cancelling_one_transfer_leaves_the_others_alone(void **state)
{
    (void)state;
    callers_start(2);

    call_cancel(&callers[0].client.call);
    pthread_join(callers[0].thread, NULL);
    sem_post(&server.gate);
    sem_post(&server.gate);
    pthread_join(callers[1].thread, NULL);

    assert_int_equal(callers[0].status, SCA_CANCELLED);
    assert_true(callers[0].client.response.was_sent);
    assert_int_equal(callers[1].status, SCA_OK);
    callers_stop(2);
}

static size_t open_sockets(void)
{
    size_t count = 0;
    for (int fd = 0; fd < 256; fd++) {
        int domain = 0;
        socklen_t len = sizeof(domain);
        if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0)
            count++;
    }
    return count;
}

static void nine_services_in_turn_use_eight_connections(void **state)
{
    (void)state;
    enum { SERVICES = HTTP_CONNECTIONS_MAX + 1 };
    static struct server services[SERVICES];
    struct client client;
    struct http_settings settings = world_settings();
    for (size_t i = 0; i < SERVICES; i++)
        server_start(&services[i], NULL, serve_ok);

    for (size_t i = 0; i < SERVICES; i++) {
        client_init(&client, &services[i], &settings);
        client_post_ok(&client, "{}");
        client_fini(&client);
    }
    server_await_closed(&services[0], 1); /* idle longest */
    client_init(&client, &services[1], &settings);
    client_post_ok(&client, "{}");
    client_fini(&client);

    for (size_t i = 0; i < SERVICES; i++)
        assert_int_equal(server_connections(&services[i]), 1);
    http_close_idle();
    for (size_t i = 0; i < SERVICES; i++)
        server_stop(&services[i]);
}

static void closing_idle_connections_leaves_no_descriptor(void **state)
{
    (void)state;
    struct client client;
    struct http_settings settings = world_settings();
    size_t before = open_sockets();
    for (int i = 0; i < 20; i++) {
        server_start(&server, NULL, serve_ok);
        client_init(&client, &server, &settings);
        client_post_ok(&client, "{}");
        client_fini(&client);
        http_close_idle();
        server_stop(&server);
    }

    assert_int_equal(open_sockets(), before);
}

/* In the child: what the exit status tells the parent. */
enum { CHILD_OK, CHILD_SOCKETS_OPEN, CHILD_SEND_FAILED };

static int child_run(struct client *client, size_t sockets_before)
{
    http_abandon();
    /* The listener and the server's own ends remain, they are not the transport's. */
    if (open_sockets() != sockets_before)
        return CHILD_SOCKETS_OPEN;
    if (client_post(client, "child") != SCA_OK || client->response.status != 200)
        return CHILD_SEND_FAILED;
    return CHILD_OK;
}

static void a_forked_child_leaves_its_parents_connections_alone(void **state)
{
    (void)state;
    struct client client;
    struct http_settings settings = world_settings();
    struct caller waiting;
    int child_status = 0;
    server_start(&server, authority_issue_default(&world.authority), serve_gated);
    caller_init(&waiting, 'w');
    client_init(&client, &server, &settings);
    caller_start(&waiting);
    server_await_requests(&server, 1);
    sem_post(&server.gate);
    pthread_join(waiting.thread, NULL);
    caller_start(&waiting); /* once more on the same connection, and this one is pending below */
    server_await_requests(&server, 2);
    size_t ends_of_server = 2; /* the listener, one accepted connection */

    pid_t child = fork();
    if (child == 0)
        _exit(child_run(&client, ends_of_server));
    server_await_requests(&server, 3);
    sem_post(&server.gate);
    sem_post(&server.gate);
    assert_int_equal(waitpid(child, &child_status, 0), child);
    pthread_join(waiting.thread, NULL);
    sem_post(&server.gate);
    client_post_ok(&client, "parent");

    assert_true(WIFEXITED(child_status));
    assert_int_equal(WEXITSTATUS(child_status), CHILD_OK);
    assert_int_equal(waiting.status, SCA_OK);
    assert_int_equal(server_connections(&server), 2); /* the parent's, kept, and the child's */
    assert_memory_equal(server.order, "wwcp", 4);
    client_fini(&client);
    caller_fini(&waiting);
    http_close_idle();
    server_stop(&server);
}

/* As in an exit handler that the host registered before anybody used OpenSSL. */
static int child_run_too_late(struct client *client)
{
    OPENSSL_cleanup();
    http_close_idle();
    return client_post(client, "late") == SCA_NETWORK ? CHILD_OK : CHILD_SEND_FAILED;
}

static void after_openssl_has_ended_connections_are_left_alone(void **state)
{
    (void)state;
    struct client client;
    struct http_settings settings = world_settings();
    int child_status = 0;
    server_start(&server, authority_issue_default(&world.authority), serve_ok);
    client_init(&client, &server, &settings);
    client_post_ok(&client, "early");

    pid_t child = fork();
    if (child == 0)
        _exit(child_run_too_late(&client));
    assert_int_equal(waitpid(child, &child_status, 0), child);
    client_post_ok(&client, "parent");

    assert_true(WIFEXITED(child_status));
    assert_int_equal(WEXITSTATUS(child_status), CHILD_OK);
    assert_memory_equal(server.order, "ep", 3);
    assert_int_equal(server_connections(&server), 1);
    client_fini(&client);
    http_close_idle();
    server_stop(&server);
}

static void a_storm_of_callers_and_cancels_ends_with_every_connection_free(void **state)
{
    (void)state;
    server_start(&server, authority_issue_default(&world.authority), serve_ok);

    for (int round = 0; round < 10; round++) {
        for (size_t i = 0; i < CALLERS; i++) {
            caller_init(&callers[i], 's');
            caller_start(&callers[i]);
        }
        for (size_t i = 0; i < CALLERS; i += 4)
            call_cancel(&callers[i].client.call);
        for (size_t i = 0; i < CALLERS; i++) {
            pthread_join(callers[i].thread, NULL);
            assert_true(callers[i].status == SCA_OK ||
                        (i % 4 == 0 && callers[i].status == SCA_CANCELLED));
            caller_fini(&callers[i]);
        }
    }

    server_stop(&server);
    http_close_idle();
    callers_start(HTTP_CONNECTIONS_MAX); /* all eight can be had at once */
    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++)
        sem_post(&server.gate);
    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++)
        pthread_join(callers[i].thread, NULL);
    callers_stop(HTTP_CONNECTIONS_MAX);
}

#define CASE(test) cmocka_unit_test_teardown(test, world_calm_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(twenty_callers_share_eight_connections_in_the_order_they_came),
        CASE(a_cancelled_waiter_leaves_at_once_and_the_next_one_moves_up),
        CASE(a_waiter_leaves_at_its_deadline),
        CASE(cancelling_one_transfer_leaves_the_others_alone),
        CASE(nine_services_in_turn_use_eight_connections),
        CASE(closing_idle_connections_leaves_no_descriptor),
        CASE(a_forked_child_leaves_its_parents_connections_alone),
        CASE(after_openssl_has_ended_connections_are_left_alone),
        CASE(a_storm_of_callers_and_cancels_ends_with_every_connection_free),
    };
    return cmocka_run_group_tests(tests, world_set_up, world_tear_down);
}
