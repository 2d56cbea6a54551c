/* SPDX-License-Identifier: Apache-2.0 */
/* Sleeping until something changes in one of some folders, or another thread says so. */
#ifndef MODULE_TOKEN_WATCH_H
#define MODULE_TOKEN_WATCH_H

#include <stdbool.h>

#include "remote/base/status.h"

/* Any number of threads may sleep on one. */
struct watch {
    int wake;    /* an eventfd; -1: not open */
    int changes; /* inotify; -1: there is none to be had */
};

#define WATCH_CLOSED                                                                               \
    {                                                                                              \
        .wake = -1, .changes = -1                                                                  \
    }

/* SCA_IO where the process has no descriptor left. */
enum sca_status watch_open(struct watch *ret_watch);
void watch_close(struct watch *watch);

/* In a forked child: closes its copies, if the child has not done so and used their numbers anew.
 */
void watch_close_copies(struct watch *watch);

/* False: the folder cannot be watched, look yourself. Again for the same folder: no harm. */
bool watch_folder(const struct watch *watch, const char *path);

/* Sleeps at most timeout_ms (-1: for ever). SCA_IO: the host has closed the descriptors. */
enum sca_status watch_sleep(const struct watch *watch, int timeout_ms);

/* One of those who sleep wakes at least, or whoever sleeps next. */
void watch_wake(const struct watch *watch);

#endif
