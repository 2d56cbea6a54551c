/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/smartca/journal_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/base/log.h"
#include "remote/smartca/ledger.h"

enum {
    OPEN_TRIES = 16, /* the file is replaced while one waits for it at most this often */
    ROOM = 4096,     /* the file grows by whole blocks of the disk */
};

void journal_file_close(struct journal_file *file)
{
    fd_unlock_closep(&file->fd);
}

static int open_path(const char *dir, const char *path)
{
    const int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK;
    int fd = open(path, flags, 0600);

    if (fd < 0 && errno == ENOENT && dir_ensure_private(dir) == SCA_OK)
        fd = open(path, flags, 0600);
    return fd;
}

static enum sca_status examine(struct journal_file *file, const struct stat *info)
{
    if (!S_ISREG(info->st_mode) || info->st_uid != geteuid()) {
        errno = EINVAL;
        return SCA_IO;
    }
    if (info->st_size > LEDGER_SIZE_MAX) {
        errno = EFBIG;
        return SCA_IO;
    }
    file->size = (size_t)info->st_size;
    return SCA_OK;
}

/* Whoever held the lock before may have put another file in the place of this one. */
enum sca_status journal_file_open(const char *dir, const char *path, struct journal_file *file)
{
    struct stat info;
    struct stat named;

    for (int i = 0; i < OPEN_TRIES; i++) {
        *file = (struct journal_file){.dir = dir, .fd = open_path(dir, path)};
        if (file->fd < 0)
            return errno == ENOMEM ? SCA_NOMEM : SCA_IO;
        if (flock(file->fd, LOCK_EX | LOCK_NB) != 0)
            return errno == EWOULDBLOCK || errno == EINTR ? SCA_BUSY : SCA_IO;
        if (fstat(file->fd, &info) != 0)
            return SCA_IO;
        if (lstat(path, &named) == 0 && named.st_ino == info.st_ino && named.st_dev == info.st_dev)
            return examine(file, &info);
        journal_file_close(file);
    }
    file->fd = -1;
    return SCA_IO;
}

enum sca_status journal_file_read(struct journal_file *file, struct buf *lines)
{
    uint8_t chunk[8192];

    while (lines->len < file->size) {
        ssize_t got = pread(file->fd, chunk, sizeof(chunk), (off_t)lines->len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return SCA_IO;
        if (got == 0)
            break;
        enum sca_status st = buf_append(lines, span_of(chunk, (size_t)got));
        if (st != SCA_OK)
            return st == SCA_NOMEM ? st : SCA_IO;
    }
    while (lines->len > 0 && lines->ptr[lines->len - 1] == '\n')
        lines->len--;
    file->len = lines->len;
    return SCA_OK;
}

static enum sca_status write_at(const struct journal_file *file, size_t at, struct span bytes)
{
    return lseek(file->fd, (off_t)at, SEEK_SET) < 0 ? SCA_IO : fd_write_all(file->fd, bytes);
}

static enum sca_status blank(const struct journal_file *file, size_t from, size_t to)
{
    uint8_t ends[ROOM];
    enum sca_status st = SCA_OK;

    memset(ends, '\n', sizeof(ends));
    while (st == SCA_OK && from < to) {
        size_t len = to - from < sizeof(ends) ? to - from : sizeof(ends);
        st = write_at(file, from, span_of(ends, len));
        from += len;
    }
    return st;
}

/* Leaves room for the next ones, unless there was a crowd. */
enum sca_status journal_file_empty(struct journal_file *file)
{
    if (file->size > JOURNAL_FILE_LARGE) {
        if (ftruncate(file->fd, 0) != 0)
            return SCA_IO;
        file->size = 0;
    } else if (blank(file, 0, file->len) != SCA_OK) {
        return SCA_IO;
    }
    file->len = 0;
    return SCA_OK;
}

/*
 * A new file is on the disk only when the folders that name it are. Before anything is in it: a
 * process that is killed in between leaves an empty file, and the next one does it again.
 */
static enum sca_status sync_folders(const char *dir)
{
    AUTO(freep) char *parent = path_join(dir, "..");
    const char *const paths[] = {dir, parent};

    if (!parent)
        return SCA_NOMEM;
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        AUTO(fd_closep) int fd = open(paths[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 || fsync(fd) != 0)
            return SCA_IO;
    }
    return SCA_OK;
}

/* Also after a torn line, which has no end of its own. */
static enum sca_status write_lines(const struct journal_file *file, struct span added)
{
    size_t at = file->len > 0 ? file->len + 1 : 0;
    size_t end = at + added.len;

    enum sca_status st = at > 0 ? blank(file, file->len, at) : SCA_OK;
    if (st == SCA_OK)
        st = write_at(file, at, added);
    if (st == SCA_OK && end > file->size)
        st = blank(file, end, (end + ROOM - 1) / ROOM * ROOM);
    return st;
}

enum sca_status journal_file_append(const struct journal_file *file, struct span added,
                                    bool is_durable)
{
    enum sca_status st = file->size == 0 ? sync_folders(file->dir) : SCA_OK;

    if (st == SCA_OK)
        st = write_lines(file, added);
    if (st == SCA_OK && is_durable && fdatasync(file->fd) != 0)
        st = SCA_IO;
    if (st != SCA_OK) {
        int reason = errno;
        if (ftruncate(file->fd, (off_t)file->size) != 0 ||
            blank(file, file->len, file->size) != SCA_OK)
            log_line(LOG_LEVEL_WARNING, "the transaction journal may have half a line at its end");
        errno = reason;
    }
    return st;
}
