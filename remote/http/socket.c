/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/http/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int socket_open(struct pool_slot *slot, int family, int type, int protocol)
{
    int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
    if (fd >= 0 && !pool_fd_add(slot, fd)) {
        (void)close(fd);
        errno = ENOMEM;
        return -1;
    }
    return fd;
}

int socket_close(struct pool_slot *slot, int fd)
{
    /* Forgotten first: a child forked in between must not close the number's next owner. */
    pool_fd_remove(slot, fd);
    return close(fd);
}

bool socket_guess_pair(int ret_fds[static 2])
{
    int in = eventfd(0, EFD_CLOEXEC);
    int out = eventfd(0, EFD_CLOEXEC);

    if (out >= 0)
        (void)close(out);
    if (in >= 0)
        (void)close(in);
    if (in < 0 || out < 0)
        return false;
    ret_fds[0] = in;
    ret_fds[1] = out;
    return true;
}

bool socket_is_quiet(int fd)
{
    int domain = 0;
    int unread = 0;
    socklen_t len = sizeof(domain);

    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_UNIX &&
           ioctl(fd, FIONREAD, &unread) == 0 && unread == 0;
}

bool socket_is_rung(const int fds[static 2])
{
    int unread = 0;
    int unsent = 0;

    return ioctl(fds[0], FIONREAD, &unread) == 0 && unread == 1 &&
           ioctl(fds[1], SIOCOUTQ, &unsent) == 0 && unsent > 0;
}

void socket_close_on_exec(int fd)
{
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}
