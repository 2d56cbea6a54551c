/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may use which connection: eight slots for the whole process, handed out first come, first
 * served. libcurl's own queue is not in order, and it knows no limit across handles.
 */
#ifndef REMOTE_HTTP_POOL_H
#define REMOTE_HTTP_POOL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "remote/base/call.h"
#include "remote/base/status.h"

enum {
    POOL_FDS_MAX = 8
}; /* sockets a slot has open: one, plus races of addresses, plus wake-ups */

struct engine; /* the libcurl handles of a slot */

/* Belongs to the thread that took it until it is given back. */
struct pool_slot {
    struct engine *engine; /* NULL: none made yet */
    char *identity;        /* what the engine may be used for; NULL without an engine */

    /* Descriptors open on this slot, each plus one; read by a forked child. */
    _Atomic int fds[POOL_FDS_MAX];
    ino_t fd_inodes[POOL_FDS_MAX]; /* of those sockets: a child may have given the number to another
                                      file */

    bool is_busy;     /* this and the next are the pool's */
    uint64_t used_at; /* counts up with every return: the highest was used last */
};

/*
 * Lends a slot: an idle one of this identity (used last first), else an empty one, else the one of
 * another identity that is idle longest, else waits its turn. The caller makes, keeps or replaces
 * engine and identity. SCA_CANCELLED, or SCA_NETWORK with a note when the call's deadline came
 * first.
 */
enum sca_status pool_take(struct call *call, const char *identity, struct pool_slot **ret_slot);
void pool_give(struct pool_slot *slot);

/* How long a waiting caller may sleep: to its next tick or its deadline, never 0. */
unsigned pool_sleep_ms(const struct call *call);

/* Lends an idle slot that has an engine; NULL when there is none. */
struct pool_slot *pool_take_idle(void);

/* False when the slot's table is full. */
bool pool_fd_add(struct pool_slot *slot, int fd);
void pool_fd_remove(struct pool_slot *slot, int fd);

/* In a forked child: closes every descriptor and forgets engines and waiters without touching them.
 */
void pool_abandon(void);

#endif
