/* SPDX-License-Identifier: Apache-2.0 */
/* System calls on files and sockets; each line names what the call fails with. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/inject/strike.h"

#define IO_FAILS(...) STRIKES(INJECT_IO, NULL, __VA_ARGS__)

static mode_t mode_of(int flags, va_list args)
{
    bool has_mode = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
    return has_mode ? va_arg(args, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
    REAL(int, "open", const char *, int, ...);
    va_list args;
    if (IO_FAILS(EMFILE, EIO))
        return -1;
    va_start(args, flags);
    mode_t mode = mode_of(flags, args);
    va_end(args);
    return real(path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...)
{
    REAL(int, "openat", int, const char *, int, ...);
    va_list args;
    if (IO_FAILS(EMFILE, EIO))
        return -1;
    va_start(args, flags);
    mode_t mode = mode_of(flags, args);
    va_end(args);
    return real(folder, path, flags, mode);
}

int __open_2(const char *path, int flags);
int __open_2(const char *path, int flags)
{
    REAL(int, "__open_2", const char *, int);
    return IO_FAILS(EMFILE, EIO) ? -1 : real(path, flags);
}

int mkostemp(char *template, int flags)
{
    REAL(int, "mkostemp", char *, int);
    return IO_FAILS(EMFILE, ENOSPC) ? -1 : real(template, flags);
}

DIR *opendir(const char *path)
{
    REAL(DIR *, "opendir", const char *);
    return IO_FAILS(EMFILE, EIO) ? NULL : real(path);
}

DIR *fdopendir(int fd)
{
    REAL(DIR *, "fdopendir", int);
    return IO_FAILS(ENOMEM) ? NULL : real(fd);
}

int scandir(const char *path, struct dirent ***ret_names, int (*filter)(const struct dirent *),
            int (*compare)(const struct dirent **, const struct dirent **))
{
    REAL(int, "scandir", const char *, struct dirent ***, int (*)(const struct dirent *),
         int (*)(const struct dirent **, const struct dirent **));
    return IO_FAILS(EMFILE, EIO) ? -1 : real(path, ret_names, filter, compare);
}

FILE *fopen(const char *path, const char *mode)
{
    REAL(FILE *, "fopen", const char *, const char *);
    return IO_FAILS(EMFILE, EIO) ? NULL : real(path, mode);
}

FILE *fopen64(const char *path, const char *mode)
{
    REAL(FILE *, "fopen64", const char *, const char *);
    return IO_FAILS(EMFILE, EIO) ? NULL : real(path, mode);
}

/* Half of what was asked for, if the strike is of that kind. */
static size_t cut(size_t len, bool is_short)
{
    return is_short && len > 1 ? len / 2 : len;
}

ssize_t read(int fd, void *bytes, size_t len)
{
    REAL(ssize_t, "read", int, void *, size_t);
    bool is_short = false;
    return STRIKES(INJECT_IO, &is_short, EIO, EINTR, STRIKE_SHORT)
               ? -1
               : real(fd, bytes, cut(len, is_short));
}

ssize_t pread(int fd, void *bytes, size_t len, off_t offset)
{
    REAL(ssize_t, "pread", int, void *, size_t, off_t);
    bool is_short = false;
    return STRIKES(INJECT_IO, &is_short, EIO, EINTR, STRIKE_SHORT)
               ? -1
               : real(fd, bytes, cut(len, is_short), offset);
}

ssize_t write(int fd, const void *bytes, size_t len)
{
    REAL(ssize_t, "write", int, const void *, size_t);
    bool is_short = false;
    return STRIKES(INJECT_IO, &is_short, ENOSPC, EINTR, STRIKE_SHORT, EIO)
               ? -1
               : real(fd, bytes, cut(len, is_short));
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
    REAL(ssize_t, "pwrite", int, const void *, size_t, off_t);
    bool is_short = false;
    return STRIKES(INJECT_IO, &is_short, ENOSPC, EINTR, STRIKE_SHORT, EIO)
               ? -1
               : real(fd, bytes, cut(len, is_short), offset);
}

ssize_t send(int fd, const void *bytes, size_t len, int flags)
{
    REAL(ssize_t, "send", int, const void *, size_t, int);
    bool is_short = false;
    return STRIKES(INJECT_IO, &is_short, ECONNRESET, EINTR, STRIKE_SHORT, EPIPE)
               ? -1
               : real(fd, bytes, cut(len, is_short), flags);
}

ssize_t recv(int fd, void *bytes, size_t len, int flags)
{
    REAL(ssize_t, "recv", int, void *, size_t, int);
    bool is_short = false;
    return STRIKES(INJECT_IO, &is_short, ECONNRESET, EINTR, STRIKE_SHORT, ETIMEDOUT)
               ? -1
               : real(fd, bytes, cut(len, is_short), flags);
}

int socket(int domain, int type, int protocol)
{
    REAL(int, "socket", int, int, int);
    return IO_FAILS(EMFILE, ENOBUFS) ? -1 : real(domain, type, protocol);
}

int socketpair(int domain, int type, int protocol, int fds[2])
{
    REAL(int, "socketpair", int, int, int, int *);
    return IO_FAILS(EMFILE) ? -1 : real(domain, type, protocol, fds);
}

/* glibc declares a union of all kinds of addresses here. */
int connect(int fd, __CONST_SOCKADDR_ARG address, socklen_t len)
{
    REAL(int, "connect", int, const struct sockaddr *, socklen_t);
    return IO_FAILS(ECONNREFUSED, ENETUNREACH, ETIMEDOUT, EADDRNOTAVAIL)
               ? -1
               : real(fd, address.__sockaddr__, len);
}

int getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
    REAL(int, "getsockopt", int, int, int, void *, socklen_t *);
    return IO_FAILS(ENOBUFS) ? -1 : real(fd, level, name, value, len);
}

int poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    REAL(int, "poll", struct pollfd *, nfds_t, int);
    return IO_FAILS(ENOMEM, EINTR) ? -1 : real(fds, count, timeout_ms);
}

int eventfd(unsigned count, int flags)
{
    REAL(int, "eventfd", unsigned, int);
    return IO_FAILS(EMFILE) ? -1 : real(count, flags);
}

int inotify_init1(int flags)
{
    REAL(int, "inotify_init1", int);
    return IO_FAILS(EMFILE) ? -1 : real(flags);
}

int fsync(int fd)
{
    REAL(int, "fsync", int);
    return IO_FAILS(EIO, ENOSPC, EINTR) ? -1 : real(fd);
}

int fdatasync(int fd)
{
    REAL(int, "fdatasync", int);
    return IO_FAILS(EIO, ENOSPC, EINTR) ? -1 : real(fd);
}

int ftruncate(int fd, off_t len)
{
    REAL(int, "ftruncate", int, off_t);
    return IO_FAILS(EIO, EINTR, EFBIG) ? -1 : real(fd, len);
}

int rename(const char *from, const char *to)
{
    REAL(int, "rename", const char *, const char *);
    return IO_FAILS(EIO, ENOSPC) ? -1 : real(from, to);
}

int link(const char *from, const char *to)
{
    REAL(int, "link", const char *, const char *);
    return IO_FAILS(EIO, ENOSPC, EPERM) ? -1 : real(from, to);
}

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
    REAL(int, "linkat", int, const char *, int, const char *, int);
    return IO_FAILS(EIO, ENOSPC, EPERM) ? -1 : real(from_dir, from, to_dir, to, flags);
}

int unlink(const char *path)
{
    REAL(int, "unlink", const char *);
    return IO_FAILS(EIO, EACCES) ? -1 : real(path);
}

int unlinkat(int folder, const char *path, int flags)
{
    REAL(int, "unlinkat", int, const char *, int);
    return IO_FAILS(EIO, EACCES) ? -1 : real(folder, path, flags);
}

int mkdir(const char *path, mode_t mode)
{
    REAL(int, "mkdir", const char *, mode_t);
    return IO_FAILS(ENOSPC, EACCES) ? -1 : real(path, mode);
}

int fstat(int fd, struct stat *ret_info)
{
    REAL(int, "fstat", int, struct stat *);
    return IO_FAILS(EIO) ? -1 : real(fd, ret_info);
}

int stat(const char *path, struct stat *ret_info)
{
    REAL(int, "stat", const char *, struct stat *);
    return IO_FAILS(EIO, EACCES) ? -1 : real(path, ret_info);
}

int lstat(const char *path, struct stat *ret_info)
{
    REAL(int, "lstat", const char *, struct stat *);
    return IO_FAILS(EIO, EACCES) ? -1 : real(path, ret_info);
}

int access(const char *path, int mode)
{
    REAL(int, "access", const char *, int);
    return IO_FAILS(EIO) ? -1 : real(path, mode);
}

off_t lseek(int fd, off_t offset, int whence)
{
    REAL(off_t, "lseek", int, off_t, int);
    return IO_FAILS(EINVAL) ? -1 : real(fd, offset, whence);
}

int flock(int fd, int operation)
{
    REAL(int, "flock", int, int);
    return operation != LOCK_UN && IO_FAILS(ENOLCK, EINTR) ? -1 : real(fd, operation);
}

int fcntl(int fd, int command, ...)
{
    REAL(int, "fcntl", int, int, ...);
    va_list args;
    if (IO_FAILS(EIO, ENOLCK))
        return -1;
    va_start(args, command);
    void *argument = va_arg(args, void *);
    va_end(args);
    return real(fd, command, argument);
}

/* Closed all the same, as Linux does. */
int close(int fd)
{
    REAL(int, "close", int);
    bool fails = IO_FAILS(EIO, EINTR);
    int error = errno;
    int done = real(fd);
    if (fails)
        errno = error;
    return fails ? -1 : done;
}
