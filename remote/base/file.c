/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
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

/* Why the last system call failed: a full disk is another matter than a broken one, and neither
 * says anything of the file where this process may have no more descriptors. */
static enum sca_status io_status(void)
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
        return errno == ENOENT || errno == ENOTDIR ? SCA_NOT_FOUND : io_status();
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
            return io_status();
        if (put > 0)
            done += (size_t)put;
    }
    return SCA_OK;
}

void file_draft_fini(struct file_draft *draft)
{
    if (draft->temporary)
        (void)unlink(draft->temporary);
    free(draft->temporary);
    free(draft->path);
    fd_unlock_closep(&draft->fd);
    fd_closep(&draft->dir_fd);
    *draft = (struct file_draft)FILE_DRAFT_INIT;
}

/* Part of a draft's name, so that no other program's file has one. */
static const char draft_mark[] = ".smartca-";

/* ".NAME.smartca-XXXXXX", as drafts are called? */
static bool is_temporary_of(const char *name, const char *file)
{
    enum { RANDOM_LEN = 6 };
    const size_t len = strlen(name);
    const size_t mark_len = sizeof(draft_mark) - 1;

    return file[0] == '.' && strncmp(file + 1, name, len) == 0 &&
           strncmp(file + 1 + len, draft_mark, mark_len) == 0 &&
           strlen(file + 1 + len + mark_len) == RANDOM_LEN;
}

/* Who writes a draft has it locked: what can be locked, nobody writes any more. */
static void sweep_one(int dir_fd, const char *file)
{
    AUTO(fd_unlock_closep)
    int fd = openat(dir_fd, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
        (void)unlinkat(dir_fd, file, 0);
}

void file_sweep(const char *dir, const char *name)
{
    DIR *folder = opendir(dir);
    const struct dirent *file = NULL;

    while (folder && (file = readdir(folder)))
        if (is_temporary_of(name, file->d_name))
            sweep_one(dirfd(folder), file->d_name);
    if (folder)
        (void)closedir(folder);
}

/* Between its making and its locking somebody may have taken it for a leftover. Without locks
 * nobody sweeps there either. */
static bool is_draft_ours(int fd)
{
    struct stat info;

    return (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) && fstat(fd, &info) == 0 &&
           info.st_nlink > 0;
}

/* Opens the draft's file, which has mode 0600 whatever the umask. */
static enum sca_status create_temporary(const char *dir, const char *name, struct file_draft *draft)
{
    enum { TRIES = 16 };

    for (int i = 0; i < TRIES; i++) {
        AUTO(freep) char *temporary = NULL;
        if (asprintf(&temporary, "%s/.%s%sXXXXXX", dir, name, draft_mark) < 0) {
            temporary = NULL;
            return SCA_NOMEM;
        }
        draft->fd = mkostemp(temporary, O_CLOEXEC);
        if (draft->fd < 0)
            return io_status();
        if (is_draft_ours(draft->fd)) {
            draft->temporary = TAKE(temporary);
            return SCA_OK;
        }
        (void)close(draft->fd);
        draft->fd = -1;
    }
    return SCA_IO;
}

static enum sca_status write_draft(const char *dir, const char *name, struct span bytes,
                                   struct file_draft *draft)
{
    draft->path = path_join(dir, name);
    if (!draft->path)
        return SCA_NOMEM;
    draft->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (draft->dir_fd < 0)
        return io_status();
    file_sweep(dir, name);
    enum sca_status st = create_temporary(dir, name, draft);
    if (st == SCA_OK)
        st = fd_write_all(draft->fd, bytes);
    return st == SCA_OK && fsync(draft->fd) != 0 ? io_status() : st;
}

enum sca_status file_draft_write(const char *dir, const char *name, struct span bytes,
                                 struct file_draft *ret_draft)
{
    struct file_draft draft = FILE_DRAFT_INIT;

    enum sca_status st = write_draft(dir, name, bytes, &draft);
    if (st == SCA_OK)
        *ret_draft = draft;
    else
        file_draft_fini(&draft);
    return st;
}

enum sca_status file_draft_publish(struct file_draft *draft)
{
    if (rename(draft->temporary, draft->path) != 0)
        return io_status();
    free(draft->temporary);
    draft->temporary = NULL;
    fd_unlock_closep(&draft->fd); /* it may be a file that others lock */
    draft->fd = -1;
    return fsync(draft->dir_fd) == 0 ? SCA_OK : SCA_IO;
}

enum sca_status file_replace(const char *dir, const char *name, struct span bytes)
{
    AUTO(file_draft_fini) struct file_draft draft = FILE_DRAFT_INIT;

    enum sca_status st = file_draft_write(dir, name, bytes, &draft);
    return st == SCA_OK ? file_draft_publish(&draft) : st;
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

enum sca_status fd_lock(int fd, unsigned wait_ms)
{
    enum { STEP_MS = 5 };
    const struct timespec step = {.tv_nsec = STEP_MS * 1000000L};

    for (unsigned waited = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; waited += STEP_MS) {
        if ((errno != EWOULDBLOCK && errno != EINTR) || waited >= wait_ms)
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
        return io_status();

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
