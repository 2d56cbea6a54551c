/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets as libcurl wants them: closed by exec, and noted in the slot, so that a forked child can
 * close them; and the two of its wake-up, which it opens by itself.
 */
#ifndef REMOTE_HTTP_SOCKET_H
#define REMOTE_HTTP_SOCKET_H

#include <stdbool.h>

#include "remote/http/pool.h"

/* Never blocks: libcurl asks for that as well, but does not look whether it got it, and would read
 * for ever. -1 when there is none, or no room for it in the slot. */
int socket_open(struct pool_slot *slot, int family, int type, int protocol);

/* What close() returns. */
int socket_close(struct pool_slot *slot, int fd);

/* The two numbers that the next descriptors of this process get, unless another thread opens or
 * closes one meanwhile. */
bool socket_guess_pair(int ret_fds[static 2]);

/* Is it a local socket with nothing to read? Then a wake-up may be tried on it. */
bool socket_is_quiet(int fd);

/* Is fds[0] where one byte waits, and fds[1] where one was written? */
bool socket_is_rung(const int fds[static 2]);

void socket_close_on_exec(int fd);

#endif
