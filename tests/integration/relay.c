/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/integration/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"

enum { TICK_MS = 10, SLOW_BYTES = 100, CHUNK = 16 * 1024 };

static struct sockaddr_in loopback(unsigned port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void end_with_reset(int fd)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    (void)close(fd);
}

static void drop_pair(struct relay *relay, size_t index)
{
    struct relay_pair *pair = &relay->pairs[index];
    end_with_reset(pair->client);
    if (pair->service >= 0)
        (void)close(pair->service);
    *pair = relay->pairs[--relay->count];
}

static int connect_to(unsigned port)
{
    const struct sockaddr_in address = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

static bool leads_on(enum relay_mode mode)
{
    return mode == RELAY_PASSES || mode == RELAY_IS_SLOW || mode == RELAY_TRICKLES ||
           mode == RELAY_IS_PROXY;
}

static void take_client(struct relay *relay)
{
    int client = accept4(relay->listener, NULL, NULL, SOCK_CLOEXEC);
    enum relay_mode mode = atomic_load(&relay->mode);
    if (client < 0)
        return;
    if (mode == RELAY_RESETS || relay->count == RELAY_PAIRS_MAX) {
        end_with_reset(client);
    } else {
        if (mode == RELAY_HALF_CLOSES)
            (void)shutdown(client, SHUT_WR);
        relay->pairs[relay->count++] = (struct relay_pair){
            .client = client,
            .service = leads_on(mode) ? connect_to(atomic_load(&relay->target)) : -1,
            .mode = mode,
        };
    }
    (void)atomic_fetch_add(&relay->troubled, 1);
}

static bool send_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        bytes += sent;
        len -= (size_t)sent;
    }
    return true;
}

static bool say(const struct relay_pair *pair, const char *text)
{
    return send_all(pair->client, text, strlen(text));
}

/* False: the connection is over. */
static bool hear_client(struct relay_pair *pair)
{
    char bytes[CHUNK];
    ssize_t len = recv(pair->client, bytes, sizeof(bytes), 0);
    bool is_first = !pair->has_spoken;

    pair->has_spoken = true;
    if (len <= 0 || pair->mode == RELAY_RESETS_HELLO)
        return false;
    if (pair->mode == RELAY_REFUSES)
        return say(pair, "HTTP/1.1 407 Proxy Authentication Required\r\n"
                         "Proxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n");
    if (is_first && (pair->mode == RELAY_IS_PROXY || pair->mode == RELAY_DIES))
        return say(pair, "HTTP/1.1 200 Connection established\r\n\r\n");
    if (pair->mode == RELAY_DIES)
        return false;
    return pair->service < 0 || send_all(pair->service, bytes, (size_t)len);
}

static bool hear_service(const struct relay_pair *pair)
{
    char bytes[CHUNK];
    size_t room = pair->mode == RELAY_TRICKLES  ? 1
                  : pair->mode == RELAY_IS_SLOW ? SLOW_BYTES
                                                : sizeof(bytes);
    ssize_t len = recv(pair->service, bytes, room, 0);
    return len > 0 && send_all(pair->client, bytes, (size_t)len);
}

static bool is_throttled(const struct relay_pair *pair)
{
    return pair->mode == RELAY_IS_SLOW || pair->mode == RELAY_TRICKLES;
}

/* Who is silent is not even read; the throttled are looked at once a tick, not by poll. */
static size_t watch(const struct relay *relay, struct pollfd *polls)
{
    size_t count = 0;
    polls[count++] = (struct pollfd){.fd = relay->wake[0], .events = POLLIN};
    polls[count++] = (struct pollfd){.fd = relay->listener, .events = POLLIN};
    for (size_t i = 0; i < relay->count; i++) {
        const struct relay_pair *pair = &relay->pairs[i];
        bool is_read = pair->mode != RELAY_IS_SILENT;
        bool is_heard = pair->service >= 0 && !is_throttled(pair);
        polls[count++] = (struct pollfd){.fd = is_read ? pair->client : -1, .events = POLLIN};
        polls[count++] = (struct pollfd){.fd = is_heard ? pair->service : -1, .events = POLLIN};
    }
    return count;
}

static bool has_bytes(int fd)
{
    struct pollfd poll_one = {.fd = fd, .events = POLLIN};
    return poll(&poll_one, 1, 0) == 1;
}

/* Backwards, because a pair that is dropped gives its place to the last one. */
static void serve(struct relay *relay, const struct pollfd *polls)
{
    for (size_t i = relay->count; i-- > 0;) {
        struct relay_pair *pair = &relay->pairs[i];
        bool is_good = polls[2 + 2 * i].revents == 0 || hear_client(pair);
        bool is_due = is_throttled(pair) ? pair->service >= 0 && has_bytes(pair->service)
                                         : polls[3 + 2 * i].revents != 0;
        if (!is_good || (is_due && !hear_service(pair)))
            drop_pair(relay, i);
    }
}

static void *run(void *arg)
{
    struct relay *relay = arg;
    struct pollfd polls[2 + 2 * RELAY_PAIRS_MAX];
    char byte = 0;

    while (!atomic_load(&relay->is_stopping)) {
        size_t count = watch(relay, polls);
        (void)poll(polls, (nfds_t)count, TICK_MS);
        if (polls[0].revents)
            (void)!read(relay->wake[0], &byte, 1);
        serve(relay, polls);
        if (atomic_exchange(&relay->is_changed, false))
            while (relay->count > 0)
                drop_pair(relay, 0);
        if (polls[1].revents)
            take_client(relay);
    }
    while (relay->count > 0)
        drop_pair(relay, 0);
    return NULL;
}

static void wake(const struct relay *relay)
{
    assert_int_equal(write(relay->wake[1], "", 1), 1);
}

void relay_start(struct relay *relay, unsigned target)
{
    struct sockaddr_in address = loopback(0);
    socklen_t len = sizeof(address);

    *relay = (struct relay){.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    atomic_store(&relay->target, target);
    assert_int_equal(bind(relay->listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(relay->listener, RELAY_PAIRS_MAX), 0);
    assert_int_equal(getsockname(relay->listener, (struct sockaddr *)&address, &len), 0);
    relay->port = ntohs(address.sin_port);
    assert_int_equal(pipe2(relay->wake, O_CLOEXEC), 0);
    assert_int_equal(pthread_create(&relay->thread, NULL, run, relay), 0);
}

void relay_stop(struct relay *relay)
{
    atomic_store(&relay->is_stopping, true);
    wake(relay);
    assert_int_equal(pthread_join(relay->thread, NULL), 0);
    (void)close(relay->listener);
    (void)close(relay->wake[0]);
    (void)close(relay->wake[1]);
}

void relay_set(struct relay *relay, enum relay_mode mode, unsigned target)
{
    atomic_store(&relay->mode, mode);
    atomic_store(&relay->target, target);
    atomic_store(&relay->is_changed, true);
    wake(relay);
    while (atomic_load(&relay->is_changed))
        (void)sched_yield();
    atomic_store(&relay->troubled, 0);
}

void relay_await_trouble(const struct relay *relay, const atomic_bool *has_given_up)
{
    while (atomic_load(&relay->troubled) == 0 && !atomic_load(has_given_up))
        (void)sched_yield();
}
