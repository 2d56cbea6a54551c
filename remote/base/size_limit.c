/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/base/size_limit.h"

#include <errno.h>
#include <pthread.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static sigset_t the_signal(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGXFSZ);
    return signals;
}

static bool is_pending(void)
{
    sigset_t pending;
    return sigpending(&pending) == 0 && sigismember(&pending, SIGXFSZ) == 1;
}

void size_limit_enter(struct size_limit *limit)
{
    const sigset_t signals = the_signal();
    struct rlimit size;

    *limit = (struct size_limit){.is_held = false};
    if (getrlimit(RLIMIT_FSIZE, &size) == 0 && size.rlim_cur == RLIM_INFINITY)
        return;
    limit->was_pending = is_pending();
    limit->is_held = pthread_sigmask(SIG_BLOCK, &signals, &limit->before) == 0;
}

/* The kernel sends it to the thread that writes. */
void size_limit_leave(const struct size_limit *limit)
{
    const sigset_t signals = the_signal();
    const struct timespec now = {0};
    int error = errno;

    if (!limit->is_held)
        return;
    if (!limit->was_pending && is_pending())
        (void)sigtimedwait(&signals, NULL, &now);
    (void)pthread_sigmask(SIG_SETMASK, &limit->before, NULL);
    errno = error;
}

ssize_t limited_write(int fd, const void *bytes, size_t len)
{
    struct size_limit limit;

    size_limit_enter(&limit);
    ssize_t written = write(fd, bytes, len);
    size_limit_leave(&limit);
    return written;
}

ssize_t limited_pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
    struct size_limit limit;

    size_limit_enter(&limit);
    ssize_t written = pwrite(fd, bytes, len, offset);
    size_limit_leave(&limit);
    return written;
}
