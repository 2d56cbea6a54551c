/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "remote/base/size_limit.h"
#include "remote/base/wording.h"

void fd_closep(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

char *path_join(const char *dir, const char *name)
{
    char *path = NULL;
    return asprintf(&path, "%s/%s", dir, name) < 0 ? NULL : path;
}

static const char *distrust_reason(const struct stat *info, unsigned trust)
{
    if (!S_ISREG(info->st_mode))
        return wording("not a regular file");
    if (trust != FILE_ANY && info->st_uid != geteuid() && info->st_uid != 0)
        return wording("owned by another user; only your own or root's files are trusted");
    if ((trust & FILE_NOT_WRITABLE_BY_OTHERS) && (info->st_mode & (S_IWGRP | S_IWOTH)))
        return wording("writable by its group or by others; run chmod go-w on it");
    /* systemd's credentials: root's, and one user may read them by an access list, which shows as
     * the group's bit. */
    bool is_credential = info->st_uid == 0 && info->st_gid == 0 && (info->st_mode & 07777) == 0440;
    if ((trust & FILE_NOT_READABLE_BY_OTHERS) && (info->st_mode & (S_IRWXG | S_IRWXO)) &&
        !is_credential)
        return wording("holds a secret and is open to its group or to others; run chmod 600 on it");
    return NULL;
}

enum sca_status file_status_of_errno(void)
{
    if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
        return SCA_NOMEM;
    return errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? SCA_NO_SPACE : SCA_IO;
}

enum sca_status file_open_trusted(const char *path, unsigned trust, int *ret_fd, const char **why)
{
    /* O_NONBLOCK: a FIFO put in the place of a file must not hang the host. */
    int no_link = trust & FILE_NOT_A_LINK ? O_NOFOLLOW : 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | no_link);
    if (fd < 0 && errno == ELOOP) {
        *why = wording("a symbolic link, where only a file is trusted");
        return SCA_INVALID;
    }
    if (fd < 0) {
        *why = errno == ENOENT || errno == ENOTDIR ? wording("not there")
                                                   : wording("cannot be opened");
        return errno == ENOENT || errno == ENOTDIR ? SCA_NOT_FOUND : file_status_of_errno();
    }

    struct stat info;
    bool is_seen = fstat(fd, &info) == 0;
    *why = is_seen ? distrust_reason(&info, trust) : wording("cannot be examined");
    if (*why) {
        (void)close(fd);
        return is_seen ? SCA_INVALID : SCA_IO;
    }
    *ret_fd = fd;
    return SCA_OK;
}

enum sca_status file_read_trusted(const char *path, unsigned trust, size_t limit, bool is_sensitive,
                                  struct buf *ret_bytes, const char **why)
{
    AUTO(fd_closep) int fd = -1;
    uint8_t chunk[4096];

    buf_init(ret_bytes, limit, is_sensitive);
    enum sca_status st = file_open_trusted(path, trust, &fd, why);
    while (st == SCA_OK) {
        ssize_t got = read(fd, chunk, sizeof(chunk));
        if (got == 0)
            break;
        if (got < 0 && errno == EINTR)
            continue;
        st = got < 0 ? SCA_IO : buf_append(ret_bytes, span_of(chunk, (size_t)got));
        *why = got < 0 ? wording("cannot be read") : wording("too large");
    }
    if (st == SCA_OK)
        *why = NULL;
    else
        buf_fini(ret_bytes);
    explicit_bzero(chunk, is_sensitive ? sizeof(chunk) : 0);
    return st == SCA_PROTOCOL ? SCA_INVALID : st;
}

enum sca_status dir_ensure_private(const char *path)
{
    AUTO(freep) char *partial = strdup(path);
    if (!partial)
        return SCA_NOMEM;

    for (char *slash = strchr(partial + 1, '/');; slash = strchr(slash + 1, '/')) {
        if (slash)
            *slash = 0;
        if (mkdir(partial, 0700) != 0 && errno != EEXIST)
            return SCA_IO;
        if (!slash)
            break;
        *slash = '/';
    }

    struct stat info;
    if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode) || info.st_uid != geteuid())
        return SCA_IO;
    return SCA_OK;
}

enum sca_status fd_write_all(int fd, struct span bytes)
{
    size_t done = 0;
    while (done < bytes.len) {
        ssize_t put = limited_write(fd, bytes.ptr + done, bytes.len - done);
        if (put < 0 && errno != EINTR)
            return file_status_of_errno();
        if (put > 0)
            done += (size_t)put;
    }
    return SCA_OK;
}

enum sca_status file_remove(const char *dir, const char *name)
{
    AUTO(freep) char *path = path_join(dir, name);
    if (!path)
        return SCA_NOMEM;
    if (unlink(path) != 0)
        return errno == ENOENT ? SCA_NOT_FOUND : SCA_IO;
    AUTO(fd_closep) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        (void)fsync(fd); /* the removal is done; this only makes it outlive a power cut */
    return SCA_OK;
}
