/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "remote/base/clock.h"

enum sca_status fd_lock(int fd, unsigned wait_ms)
{
    enum { STEP_MS = 5 };
    const struct timespec step = {.tv_nsec = STEP_MS * 1000000L};
    uint64_t until = clock_system.now_ms(&clock_system) + wait_ms;

    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if ((errno != EWOULDBLOCK && errno != EINTR) || clock_system.now_ms(&clock_system) >= until)
            return SCA_IO;
        (void)nanosleep(&step, NULL);
    }
    return SCA_OK;
}

enum sca_status file_lock(const char *dir, const char *name, unsigned wait_ms, int *ret_fd)
{
    AUTO(freep) char *path = path_join(dir, name);
    if (!path)
        return SCA_NOMEM;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
    if (fd < 0)
        return file_status_of_errno();

    enum sca_status st = fd_lock(fd, wait_ms);
    if (st != SCA_OK) {
        (void)close(fd);
        return st;
    }
    *ret_fd = fd;
    return SCA_OK;
}

void fd_unlock_closep(const int *fd)
{
    if (*fd < 0)
        return;
    (void)flock(*fd, LOCK_UN);
    (void)close(*fd);
}
