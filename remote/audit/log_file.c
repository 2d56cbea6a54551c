/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/audit/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/base/log.h"

enum {
    TAIL_MIN = 4 * 1024, /* a line as they are, and some more */
    TAIL_MAX = 1024 * 1024,
};

void log_file_init(struct log_file *file, const struct audit_log *log)
{
    *file = (struct log_file){.log = log, .lock_fd = -1, .fd = -1};
    buf_init(&file->tail, TAIL_MAX + 1, false);
}

void log_file_fini(struct log_file *file)
{
    buf_fini(&file->tail);
    fd_closep(&file->fd);
    fd_unlock_closep(&file->lock_fd); /* last */
}

/* The state folder is made when it turns out to be missing. */
static enum sca_status take_lock(const char *state_dir, int *ret_fd)
{
    errno = 0;
    enum sca_status st = file_lock(state_dir, chain_lock, CHAIN_LOCK_WAIT_MS, ret_fd);
    if (st == SCA_IO && errno == ENOENT) {
        st = dir_ensure_private(state_dir);
        if (st == SCA_OK)
            st = file_lock(state_dir, chain_lock, CHAIN_LOCK_WAIT_MS, ret_fd);
    }
    return st == SCA_IO && errno == EWOULDBLOCK ? SCA_BUSY : st;
}

static enum sca_status open_file(struct log_file *file)
{
    /* O_NONBLOCK: a FIFO put in the place of the file must not hang the host. */
    const int flags = O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK;
    AUTO(freep) char *path = path_join(file->log->state_dir, chain_file);
    struct stat info;

    if (!path)
        return SCA_NOMEM;
    file->fd = open(path, flags, 0600);
    if (file->fd < 0)
        return file_status_of_errno();
    if (fstat(file->fd, &info) != 0)
        return SCA_IO;
    if (!S_ISREG(info.st_mode) || info.st_uid != geteuid())
        return SCA_IO;
    file->size = info.st_size;
    return file->size > AUDIT_SIZE_MAX - LOG_FILE_BATCH_MAX ? SCA_INVALID : SCA_OK;
}

static enum sca_status read_from(struct log_file *file, off_t offset)
{
    uint8_t chunk[4096];

    buf_clear(&file->tail);
    while (offset + (off_t)file->tail.len < file->size) {
        ssize_t got = pread(file->fd, chunk, sizeof(chunk), offset + (off_t)file->tail.len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return SCA_IO;
        enum sca_status st = buf_append(&file->tail, span_of(chunk, (size_t)got));
        if (st != SCA_OK)
            return st == SCA_NOMEM ? st : SCA_IO;
    }
    return SCA_OK;
}

/* Reads no more than it takes to find the last whole line: the log grows, an append does not. */
static enum sca_status find_end(struct log_file *file)
{
    for (off_t window = TAIL_MIN; window <= TAIL_MAX; window *= 4) {
        off_t offset = file->size > window ? file->size - window : 0;
        enum sca_status st = read_from(file, offset);
        if (st != SCA_OK)
            return st;
        if (chain_find_end(buf_span(&file->tail), offset == 0, &file->end))
            return SCA_OK;
    }
    return SCA_INVALID;
}

enum sca_status log_file_open(struct log_file *file)
{
    struct head head;

    enum sca_status st = take_lock(file->log->state_dir, &file->lock_fd);
    if (st == SCA_OK)
        st = open_file(file);
    if (st == SCA_OK)
        st = find_end(file);
    if (st == SCA_OK && head_read(file->lock_fd, &head)) {
        file->state = head_judge(&head, file->fd);
        file->lost = head.written.chain;
    }
    return st;
}

/* A new file is on the disk only when its folder is. */
static bool is_folder_synced(const char *state_dir)
{
    AUTO(fd_closep) int fd = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return fd >= 0 && fsync(fd) == 0;
}

enum sca_status log_file_write(struct log_file *file, struct span lines)
{
    file->written += lines.len; /* perhaps: for log_file_end */
    return fd_write_all(file->fd, lines);
}

enum sca_status log_file_end(const struct log_file *file, enum sca_status status,
                             const struct chain *end, bool is_durable)
{
    const struct mark mark = {.chain = *end, .size = (uint64_t)file->size + file->written};

    is_durable = is_durable || file->state != HEAD_IN_PLACE; /* what is told of that stays */
    if (status == SCA_OK && is_durable && fsync(file->fd) != 0)
        status = SCA_IO;
    if (status != SCA_OK && file->written > 0 && ftruncate(file->fd, file->size) != 0)
        log_line(LOG_LEVEL_WARNING, "the audit log may have half a line at its end");
    if (status == SCA_OK && file->size == 0 && !is_folder_synced(file->log->state_dir))
        status = SCA_IO;
    if (status == SCA_OK)
        head_write(file->lock_fd, &mark, is_durable);
    return status;
}

static unsigned oldest_to_keep(const struct audit_log *log, const struct chain_link *link)
{
    bool has_too_many =
        log->keep > 0 && link->after >= log->keep && link->after - log->keep + 1 > link->oldest;

    return has_too_many ? link->after - log->keep + 1 : link->oldest;
}

bool log_file_is_full(const struct log_file *file, struct chain_link *ret_link)
{
    struct chain_link link = {.after = 0, .oldest = 1};

    if (file->log->size_max == 0 || (uint64_t)file->size <= file->log->size_max)
        return false;
    /* What a crash or a thief left at the end is told of in the file where it happened. */
    if (file->state != HEAD_IN_PLACE || file->end.rest < file->tail.len ||
        file->tail.ptr[file->tail.len - 1] != '\n')
        return false;
    (void)head_read_link(file->fd, &link);
    link.after++;
    link.follows = file->end.chain;
    link.oldest = oldest_to_keep(file->log, &link);
    *ret_link = link;
    return true;
}

/* Under its number too, before audit.jsonl becomes another file: at no moment is it missing. */
static enum sca_status give_number(const struct log_file *file, unsigned number)
{
    char name[AUDIT_NAME_SIZE];
    AUTO(freep) char *from = path_join(file->log->state_dir, chain_file);
    AUTO(freep) char *to = path_join(file->log->state_dir, audit_file_name(number, name));
    struct stat mine;
    struct stat other;

    if (!from || !to)
        return SCA_NOMEM;
    if (link(from, to) == 0)
        return SCA_OK;
    /* A crash came between the two steps. */
    bool is_done = errno == EEXIST && fstat(file->fd, &mine) == 0 && lstat(to, &other) == 0 &&
                   mine.st_ino == other.st_ino && mine.st_dev == other.st_dev;
    return is_done ? SCA_OK : SCA_IO;
}

/* Replacing it may fail when the new one has its place already, and is not sure to keep it. */
static bool is_replaced(const struct log_file *file)
{
    AUTO(freep) char *path = path_join(file->log->state_dir, chain_file);
    struct stat mine;
    struct stat current;

    return path && fstat(file->fd, &mine) == 0 && lstat(path, &current) == 0 &&
           (mine.st_ino != current.st_ino || mine.st_dev != current.st_dev);
}

/* The new file's first line says that they are to go. */
static void delete_older(const struct audit_log *log, unsigned oldest)
{
    char name[AUDIT_NAME_SIZE];

    for (unsigned number = oldest - 1; number > 0; number--) {
        AUTO(freep) char *path = path_join(log->state_dir, audit_file_name(number, name));
        if (!path || unlink(path) != 0)
            break; /* those before it went when it came */
        log_line(LOG_LEVEL_WARNING, "%s was deleted: audit_keep = %u", path, log->keep);
    }
}

enum sca_status log_file_close(const struct log_file *file, const struct chain_link *link,
                               struct span lines, const struct chain *end)
{
    const struct audit_log *log = file->log;
    struct mark mark = {.chain = link->follows, .size = (uint64_t)file->size};

    enum sca_status st = fsync(file->fd) == 0 ? SCA_OK : SCA_IO;
    if (st != SCA_OK)
        return st;
    /* what the new file follows: right before and after */
    head_write(file->lock_fd, &mark, true);
    st = give_number(file, link->after);
    if (st == SCA_OK)
        st = file_replace(log->state_dir, chain_file, lines);
    if (st != SCA_OK && !is_replaced(file))
        return st;
    mark = (struct mark){.chain = *end, .size = lines.len};
    head_write(file->lock_fd, &mark, st == SCA_OK);
    if (st == SCA_OK)
        delete_older(log, link->oldest);
    return SCA_OK;
}
