/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing to files in somebody else's process: what goes beyond its RLIMIT_FSIZE is refused with
 * EFBIG, like on a full disk, and does not end the process with SIGXFSZ.
 */
#ifndef REMOTE_BASE_SIZE_LIMIT_H
#define REMOTE_BASE_SIZE_LIMIT_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* As write(2) and pwrite(2). */
ssize_t limited_write(int fd, const void *bytes, size_t len);
ssize_t limited_pwrite(int fd, const void *bytes, size_t len, off_t offset);

/* For other calls that make a file longer, between enter and leave in one thread; errno stays. */
struct size_limit {
    bool is_held;     /* the signal is blocked; not where there is no limit */
    bool was_pending; /* the host's own */
    sigset_t before;
};

void size_limit_enter(struct size_limit *limit);
void size_limit_leave(const struct size_limit *limit);

#endif
