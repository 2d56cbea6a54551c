/* SPDX-License-Identifier: Apache-2.0 */
/* A TCP relay on a free port of 127.0.0.1 in front of a service, for what goes wrong below HTTP. */
#ifndef TESTS_INTEGRATION_RELAY_H
#define TESTS_INTEGRATION_RELAY_H

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

enum relay_mode {
    RELAY_PASSES,
    RELAY_RESETS,       /* RST as soon as somebody connects */
    RELAY_RESETS_HELLO, /* RST after the first bytes of the client */
    RELAY_HALF_CLOSES,  /* FIN at once, and goes on reading */
    RELAY_IS_SILENT,    /* takes the connection and never anything else */
    RELAY_IS_SLOW,      /* 100 bytes of the service every 10 ms: slow, but it arrives */
    RELAY_TRICKLES,     /* one byte every 10 ms: longer than anybody waits */
    RELAY_IS_PROXY,     /* an HTTP proxy: CONNECT leads to the service */
    RELAY_REFUSES,      /* a proxy that answers 407 */
    RELAY_DIES,         /* a proxy that answers 200, and ends with RST at the next bytes */
};

enum { RELAY_PAIRS_MAX = 16 };

/* A connection: client, and the service where it is one that is passed on. */
struct relay_pair {
    int client;
    int service; /* -1: none */
    enum relay_mode mode;
    bool has_spoken; /* bytes of the client have come */
};

struct relay {
    int listener;
    unsigned port;
    int wake[2];
    pthread_t thread;
    _Atomic(enum relay_mode) mode;
    _Atomic unsigned target;   /* port on 127.0.0.1 */
    _Atomic unsigned troubled; /* connections that were not just passed on, since the last change */
    atomic_bool is_changed;    /* every connection is to be reset */
    atomic_bool is_stopping;
    struct relay_pair pairs[RELAY_PAIRS_MAX]; /* of the thread */
    size_t count;
};

/* Asserts. */
void relay_start(struct relay *relay, unsigned target);
void relay_stop(struct relay *relay);

/* From now on; connections that there are end with RST. */
void relay_set(struct relay *relay, enum relay_mode mode, unsigned target);

/* Until somebody met the trouble, or has given up before. */
void relay_await_trouble(const struct relay *relay, const atomic_bool *has_given_up);

#endif
