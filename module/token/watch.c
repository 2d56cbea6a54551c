/* SPDX-License-Identifier: Apache-2.0 */
#include "module/token/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"

static bool is_socket(int fd, ino_t inode)
{
    struct stat info;

    return fd >= 0 && fstat(fd, &info) == 0 && S_ISSOCK(info.st_mode) && info.st_ino == inode;
}

/* All inotify descriptors have one inode. What each watches is in /proc, and nobody else watches
 * our socket. */
static bool is_changes(int fd, ino_t wake_inode)
{
    enum { INFO_MAX = 4096 }; /* some ten folders; a host's may be longer, and is not ours then */
    char path[40];
    char wanted[40];
    char info[INFO_MAX + 1];

    (void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
    (void)snprintf(wanted, sizeof(wanted), " ino:%lx ", (unsigned long)wake_inode);
    AUTO(fd_closep) int file = fd < 0 ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = file < 0 ? -1 : read(file, info, INFO_MAX);
    info[len < 0 ? 0 : len] = 0;
    const char *first = strstr(info, "inotify wd:");
    return first && strstr(first, wanted);
}

/* -1 where the system does not tell it from others: then nothing is watched. */
static int open_changes(int wake, ino_t wake_inode)
{
    char path[40];
    int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", wake);
    if (fd >= 0 &&
        (inotify_add_watch(fd, path, IN_DELETE_SELF) < 0 || !is_changes(fd, wake_inode))) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

enum sca_status watch_open(struct watch *ret_watch)
{
    int ends[2];
    struct stat wake;
    struct stat waker;

    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
        return SCA_IO;
    if (fstat(ends[0], &wake) != 0 || fstat(ends[1], &waker) != 0) {
        (void)close(ends[0]);
        (void)close(ends[1]);
        return SCA_IO;
    }
    *ret_watch = (struct watch){
        .wake = ends[0],
        .waker = ends[1],
        .changes = open_changes(ends[0], wake.st_ino),
        .wake_inode = wake.st_ino,
        .waker_inode = waker.st_ino,
    };
    return SCA_OK;
}

static bool has_changes(const struct watch *watch)
{
    return is_changes(watch->changes, watch->wake_inode);
}

bool watch_is_open(const struct watch *watch)
{
    return is_socket(watch->wake, watch->wake_inode) &&
           is_socket(watch->waker, watch->waker_inode) &&
           (watch->changes < 0 || has_changes(watch));
}

void watch_close(struct watch *watch)
{
    if (has_changes(watch))
        (void)close(watch->changes);
    if (is_socket(watch->wake, watch->wake_inode))
        (void)close(watch->wake);
    if (is_socket(watch->waker, watch->waker_inode))
        (void)close(watch->waker);
    *watch = (struct watch)WATCH_CLOSED;
}

bool watch_folder(const struct watch *watch, const char *path)
{
    /* Files are replaced by renaming; who edits in place ends with closing. Logs that grow in the
     * same folder do not wake anybody but when they are closed. */
    const uint32_t mask = IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_CLOSE_WRITE |
                          IN_DELETE_SELF | IN_MOVE_SELF | IN_ATTRIB | IN_ONLYDIR | IN_EXCL_UNLINK;
    return has_changes(watch) && inotify_add_watch(watch->changes, path, mask) >= 0;
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
    if (!watch_is_open(watch))
        return SCA_IO;
    if (fds[0].revents)
        drain(watch->wake);
    if (fds[1].revents)
        drain(watch->changes);
    return SCA_OK;
}

void watch_wake(const struct watch *watch)
{
    /* A queue that is full wakes as well. */
    if (is_socket(watch->waker, watch->waker_inode))
        while (send(watch->waker, "", 1, MSG_NOSIGNAL) < 0 && errno == EINTR)
            ;
}
