/* SPDX-License-Identifier: Apache-2.0 */
#include "module/token/watch.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

enum sca_status watch_open(struct watch *ret_watch)
{
    struct watch watch = {
        .wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
        .changes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK),
    };
    if (watch.wake < 0) {
        watch_close(&watch);
        return SCA_IO;
    }
    *ret_watch = watch;
    return SCA_OK;
}

void watch_close(struct watch *watch)
{
    if (watch->wake >= 0)
        (void)close(watch->wake);
    if (watch->changes >= 0)
        (void)close(watch->changes);
    *watch = (struct watch)WATCH_CLOSED;
}

/* What Linux calls such a descriptor in /proc. */
static void close_if(int fd, const char *name)
{
    char path[32];
    char found[32];

    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    ssize_t len = readlink(path, found, sizeof(found));
    if (len > 0 && (size_t)len == strlen(name) && memcmp(found, name, (size_t)len) == 0)
        (void)close(fd);
}

void watch_close_copies(struct watch *watch)
{
    close_if(watch->wake, "anon_inode:[eventfd]");
    close_if(watch->changes, "anon_inode:inotify");
    *watch = (struct watch)WATCH_CLOSED;
}

bool watch_folder(const struct watch *watch, const char *path)
{
    /* Files are replaced by renaming; who edits in place ends with closing. Logs that grow in the
     * same folder do not wake anybody but when they are closed. */
    const uint32_t mask = IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_CLOSE_WRITE |
                          IN_DELETE_SELF | IN_MOVE_SELF | IN_ATTRIB | IN_ONLYDIR | IN_EXCL_UNLINK;
    return watch->changes >= 0 && inotify_add_watch(watch->changes, path, mask) >= 0;
}

static void drain(int fd)
{
    char bytes[4096];
    ssize_t len = 0;

    do
        len = read(fd, bytes, sizeof(bytes));
    while (len > 0 || (len < 0 && errno == EINTR));
}

enum sca_status watch_sleep(const struct watch *watch, int timeout_ms)
{
    struct pollfd fds[] = {{.fd = watch->wake, .events = POLLIN},
                           {.fd = watch->changes, .events = POLLIN}};

    int count = poll(fds, 2, timeout_ms);
    if (count < 0)
        return errno == EINTR || errno == EAGAIN ? SCA_OK : SCA_IO;
    if ((fds[0].revents | fds[1].revents) & (POLLNVAL | POLLERR))
        return SCA_IO;
    if (fds[0].revents)
        drain(watch->wake);
    if (fds[1].revents)
        drain(watch->changes);
    return SCA_OK;
}

void watch_wake(const struct watch *watch)
{
    const uint64_t one = 1;

    if (watch->wake >= 0)
        /* A count that is full wakes as well. */
        while (write(watch->wake, &one, sizeof(one)) < 0 && errno == EINTR)
            ;
}
