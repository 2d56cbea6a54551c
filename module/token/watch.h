/* SPDX-License-Identifier: Apache-2.0 */
/* Sleeping until something changes in one of some folders, or another thread says so. */
#ifndef MODULE_TOKEN_WATCH_H
#define MODULE_TOKEN_WATCH_H

#include <stdbool.h>
#include <sys/types.h>

#include "remote/base/status.h"

/*
 * Any number of threads may sleep on one. A host may close descriptors that it did not open, and
 * open its own under the same numbers: before anything but sleeping is done with one of these, its
 * inode is compared.
 */
struct watch {
    int wake;    /* one end of a pair of sockets; -1: not open */
    int waker;   /* the other end */
    int changes; /* inotify, known by a watch on wake's inode; -1: there is none to be had */
    ino_t wake_inode;
    ino_t waker_inode;
};

#define WATCH_CLOSED                                                                               \
    {                                                                                              \
        .wake = -1, .waker = -1, .changes = -1                                                     \
    }

/* SCA_IO where the process has no descriptor left. */
enum sca_status watch_open(struct watch *ret_watch);

/* False: it was never opened, or the host has closed it. */
bool watch_is_open(const struct watch *watch);

/* Closes what is left of it; also a forked child's copies. */
void watch_close(struct watch *watch);

/* False: the folder cannot be watched, look yourself. Again for the same folder: no harm. */
bool watch_folder(const struct watch *watch, const char *path);

/* Sleeps at most timeout_ms (-1: for ever). SCA_IO: the host has closed the descriptors. */
enum sca_status watch_sleep(const struct watch *watch, int timeout_ms);

/* One of those who sleep wakes at least, or whoever sleeps next. */
void watch_wake(const struct watch *watch);

#endif
