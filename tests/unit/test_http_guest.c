/* SPDX-License-Identifier: Apache-2.0 */
/* What the transport does not let in from its host's environment, and does not change in its host.
 */
#include "tests/unit/http_client.h"

#include "remote/base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

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

/* Stands before libc's: a name look-up of "hangs.test" takes until the test ends it. */
static sem_t lookup_begun;
static sem_t lookup_may_end;
static atomic_int lookups;

__attribute__((visibility("default"))) int getaddrinfo(const char *node, const char *service,
                                                       const struct addrinfo *hints,
                                                       struct addrinfo **ret_list)
{
    (void)node;
    (void)service;
    (void)hints;
    (void)ret_list;
    atomic_fetch_add(&lookups, 1);
    sem_post(&lookup_begun);
    while (sem_wait(&lookup_may_end) != 0)
        continue;
    return EAI_AGAIN;
}

/* Stands before libc's: without it the sockets of libcurl's wake-up cannot be found. */
static bool is_eventfd_denied;

__attribute__((visibility("default"))) int eventfd(unsigned value, int flags)
{
    if (!is_eventfd_denied)
        return (int)syscall(SYS_eventfd2, value, flags);
    errno = EMFILE;
    return -1;
}

static void *cancel_when_looked_up(void *ret_when)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 5;
    (void)sem_timedwait(&lookup_begun, &until);
    *(uint64_t *)ret_when = call_now_ms(&client.call);
    call_cancel(&client.call);
    return NULL;
}

static void a_cancel_does_not_wait_for_a_name_server(void **state)
{
    (void)state;
    start(serve_ok);
    pthread_t canceller;
    uint64_t cancelled_at = 0;
    sem_init(&lookup_begun, 0, 0);
    sem_init(&lookup_may_end, 0, 0);
    (void)snprintf(client.url, sizeof(client.url), "https://hangs.test/");
    pthread_create(&canceller, NULL, cancel_when_looked_up, &cancelled_at);

    enum sca_status status = client_post(&client, "{}");

    uint64_t ended_at = call_now_ms(&client.call);
    pthread_join(canceller, NULL);
    sem_post(&lookup_may_end);
    assert_int_equal(status, SCA_CANCELLED);
    assert_false(client.response.was_sent);
    assert_int_equal(atomic_load(&lookups), 1);
    assert_in_range(ended_at - cancelled_at, 0, 100);
}

static void an_url_that_is_not_safe_is_refused(void **state)
{
    (void)state;
    static const char *const urls[] = {
        "http://example.com/",
        "http://127.0.0.1.example.com/",
        "http://localhost.example.com/",
        "http://127.0.0.1@example.com/",
        "https://user:secret@example.com/",
        "https://example.com\\@127.0.0.1/",
        "https://exa mple.com/",
        "https://example.com#@127.0.0.1",
        "https://",
        "https:/example.com",
        "HTTPS://example.com",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "example.com",
        "",
    };
    start(serve_ok);

    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        client.request.url = urls[i];
        assert_int_equal(client_post(&client, "{}"), SCA_INVALID);
        assert_false(client.response.was_sent);
        assert_null(strstr(client.call.note, "secret"));
    }
}

static void settings_that_mean_something_else_are_refused(void **state)
{
    (void)state;
    struct http_settings file_pin = world_settings();
    struct http_settings no_connect_time = world_settings();
    struct http_settings no_request_time = world_settings();
    struct transport *transport = NULL;
    start(serve_ok);
    file_pin.pinned_public_key = "/etc/passwd";
    no_connect_time.connect_timeout_ms = 0;
    no_request_time.request_timeout_ms = 0;

    assert_int_equal(http_transport_new(&file_pin, NULL, &transport), SCA_INVALID);
    assert_int_equal(http_transport_new(&no_connect_time, NULL, &transport), SCA_INVALID);
    assert_int_equal(http_transport_new(&no_request_time, NULL, &transport), SCA_INVALID);
    assert_null(transport);
}

static const char *const proxy_names[] = {"http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY",
                                          "ALL_PROXY"};

static void a_proxy_of_the_environment_is_ignored(void **state)
{
    (void)state;
    start(serve_ok);
    for (size_t i = 0; i < ARRAY_LEN(proxy_names); i++)
        setenv(proxy_names[i], "http://127.0.0.1:1", 1);

    client_post_ok(&client, "{}");

    for (size_t i = 0; i < ARRAY_LEN(proxy_names); i++)
        unsetenv(proxy_names[i]);
}

static bool serve_proxy_refusal(struct peer *peer, const char *request)
{
    (void)request;
    peer_print(peer, "HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm=\"x\"\r\n"
                     "Content-Length: 0\r\n\r\n");
    return false;
}

static void a_proxy_that_refuses_has_passed_nothing_on(void **state)
{
    (void)state;
    char proxy[64];
    struct http_settings settings = world_settings();
    start(serve_proxy_refusal);
    client_fini(&client);
    (void)snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%u", server.port);
    settings.proxy = proxy;
    setenv("no_proxy", "*", 1);
    client_init(&client, &server, &settings);
    (void)snprintf(client.url, sizeof(client.url), "https://service.test/sign");

    enum sca_status status = client_post(&client, "{\"pin\":\"canary\"}");

    unsetenv("no_proxy");
    assert_int_equal(status, SCA_NETWORK);
    assert_false(client.response.was_sent);
    client_assert_note(&client, "407");
    assert_int_equal(strncmp(server.last, "CONNECT service.test:443 HTTP/1.1\r\n", 35), 0);
    assert_null(strstr(server.last, "canary"));
}

static size_t inherited_fds(void)
{
    size_t count = 0;
    for (int fd = 0; fd < 256; fd++) {
        int flags = fcntl(fd, F_GETFD);
        if (flags >= 0 && !(flags & FD_CLOEXEC))
            count++;
    }
    return count;
}

static void no_descriptor_would_be_inherited_by_a_program_started_later(void **state)
{
    (void)state;
    start(serve_ok);
    size_t before = inherited_fds();

    client_post_ok(&client, "{}");

    assert_int_equal(inherited_fds(), before);
}

static atomic_bool refuses_flags;

/* libcurl's calls come here as well, as the program's own functions go first. */
__attribute__((visibility("default"))) int fcntl(int fd, int command, ...)
{
    va_list args;

    va_start(args, command);
    long value = va_arg(args, long);
    va_end(args);
    if (command == F_SETFL && atomic_load(&refuses_flags)) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fcntl, fd, command, value);
}

/* With TLS, the second request reads from the kept connection first, where nothing has come. */
static void sockets_do_not_block_even_where_their_flags_cannot_be_set(void **state)
{
    struct http_settings settings = world_settings();
    (void)state;
    server_start(&server, authority_issue_default(&world.authority), serve_ok);
    client_init(&client, &server, &settings);
    atomic_store(&refuses_flags, true);

    client_post_ok(&client, "1");
    client_post_ok(&client, "2");

    atomic_store(&refuses_flags, false);
}

static void the_host_finds_its_thread_as_it_left_it(void **state)
{
    (void)state;
    start(serve_ok);
    sigset_t usual;
    sigset_t before;
    sigset_t after;
    const char *data = NULL;
    int flags = 0;
    sigemptyset(&usual);
    sigaddset(&usual, SIGUSR1);
    pthread_sigmask(SIG_SETMASK, &usual, NULL);
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    OSSL_LIB_CTX *own = OSSL_LIB_CTX_new();
    OSSL_LIB_CTX *usual_ctx = OSSL_LIB_CTX_set0_default(own);
    ERR_raise_data(ERR_LIB_USER, 42, "of the host");
    ERR_raise(ERR_LIB_USER, 43);

    client_post_ok(&client, "{}");

    pthread_sigmask(SIG_SETMASK, NULL, &after);
    for (int number = 1; number < SIGRTMAX; number++)
        assert_int_equal(sigismember(&after, number), sigismember(&before, number));
    assert_ptr_equal(OSSL_LIB_CTX_set0_default(usual_ctx), own);
    unsigned long first = ERR_get_error_all(NULL, NULL, NULL, &data, &flags);
    assert_int_equal(ERR_GET_REASON(first), 42);
    assert_string_equal(data, "of the host");
    assert_int_equal(ERR_GET_REASON(ERR_get_error()), 43);
    assert_int_equal(ERR_get_error(), 0);
    OSSL_LIB_CTX_free(own);
    sigemptyset(&usual);
    pthread_sigmask(SIG_SETMASK, &usual, NULL);
}

static void post_with_a_pending_sigpipe(void)
{
    start(serve_ok);
    sigset_t pipe_only;
    sigset_t pending;
    const struct timespec now = {0};
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_only, NULL);
    pthread_kill(pthread_self(), SIGPIPE);

    client_post_ok(&client, "{}");

    sigpending(&pending);
    assert_int_equal(sigismember(&pending, SIGPIPE), 1);
    assert_int_equal(sigtimedwait(&pipe_only, NULL, &now), SIGPIPE);
    pthread_sigmask(SIG_UNBLOCK, &pipe_only, NULL);
}

static void a_pending_sigpipe_of_the_host_stays_pending(void **state)
{
    (void)state;
    post_with_a_pending_sigpipe();
}

static void it_does_so_while_handles_that_will_not_do_are_given_up(void **state)
{
    (void)state;
    is_eventfd_denied = true;
    post_with_a_pending_sigpipe();
    is_eventfd_denied = false;
}

#define CASE(test) cmocka_unit_test_teardown(test, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_cancel_does_not_wait_for_a_name_server),
        CASE(an_url_that_is_not_safe_is_refused),
        CASE(settings_that_mean_something_else_are_refused),
        CASE(a_proxy_of_the_environment_is_ignored),
        CASE(a_proxy_that_refuses_has_passed_nothing_on),
        CASE(no_descriptor_would_be_inherited_by_a_program_started_later),
        CASE(sockets_do_not_block_even_where_their_flags_cannot_be_set),
        CASE(the_host_finds_its_thread_as_it_left_it),
        CASE(a_pending_sigpipe_of_the_host_stays_pending),
        CASE(it_does_so_while_handles_that_will_not_do_are_given_up),
    };
    return cmocka_run_group_tests(tests, world_set_up, world_tear_down);
}
