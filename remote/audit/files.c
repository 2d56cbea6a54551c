/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/audit/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/base/folder.h"

void files_fini(struct files *files)
{
    free(files->dir);
    free(files->numbers);
    fd_closep(&files->fd);
}

/* 0 unless name is that of a closed file, written as audit_file_name does. */
static unsigned number_of(const char *name)
{
    char expected[AUDIT_NAME_SIZE];
    size_t len = strlen(chain_file);

    if (strncmp(name, chain_file, len) != 0 || name[len] != '.')
        return 0;
    unsigned long number = strtoul(name + len + 1, NULL, 10);
    if (number == 0 || number > INT32_MAX)
        return 0;
    return strcmp(audit_file_name((unsigned)number, expected), name) == 0 ? (unsigned)number : 0;
}

static enum sca_status add_number(struct files *files, unsigned number)
{
    if ((files->count & (files->count - 1)) == 0) { /* a power of two: full */
        size_t room = files->count ? 2 * files->count : 1;
        unsigned *numbers = realloc(files->numbers, room * sizeof(*numbers));
        if (!numbers)
            return SCA_NOMEM;
        files->numbers = numbers;
    }
    files->numbers[files->count++] = number;
    return files->count < FILES_MAX ? SCA_OK : SCA_INVALID;
}

static int compare_numbers(const void *a, const void *b)
{
    unsigned left = *(const unsigned *)a;
    unsigned right = *(const unsigned *)b;

    return left < right ? -1 : left > right;
}

/* A crash may have left audit.jsonl with its number already: it is one file. */
static enum sca_status list_closed(struct files *files, ino_t current)
{
    AUTO(folder_closep) DIR *dir = opendir(files->dir);
    enum sca_status st = dir ? SCA_OK : file_status_of_errno();
    const struct dirent *item = NULL;

    while (st == SCA_OK && (item = folder_next(dir, &st))) {
        unsigned number = number_of(item->d_name);
        if (number > 0 && item->d_ino != current)
            st = add_number(files, number);
    }
    if (st == SCA_OK && files->count > 1)
        qsort(files->numbers, files->count, sizeof(*files->numbers), compare_numbers);
    return st;
}

static enum sca_status open_current(struct files *files, ino_t *ret_inode)
{
    AUTO(freep) char *path = path_join(files->dir, chain_file);
    const char *why = NULL;
    struct stat info;

    if (!path)
        return SCA_NOMEM;
    enum sca_status st = file_open_trusted(path, FILE_NOT_WRITABLE_BY_OTHERS, &files->fd, &why);
    if (st == SCA_NOT_FOUND)
        return SCA_OK;
    if (st != SCA_OK)
        return st;
    if (fstat(files->fd, &info) != 0)
        return SCA_IO;
    files->size = (size_t)info.st_size;
    *ret_inode = info.st_ino;
    return files->size > AUDIT_SIZE_MAX ? SCA_INVALID : SCA_OK;
}

enum sca_status files_open(const char *state_dir, struct files *ret_files)
{
    AUTO(fd_unlock_closep) int lock_fd = -1;
    ino_t current = 0;

    *ret_files = (struct files){.dir = strdup(state_dir), .fd = -1};
    if (!ret_files->dir)
        return SCA_NOMEM;
    errno = 0;
    enum sca_status st = file_lock(state_dir, chain_lock, CHAIN_LOCK_WAIT_MS, &lock_fd);
    if (st != SCA_OK)
        return st == SCA_IO && errno == ENOENT ? SCA_NOT_FOUND : st;
    ret_files->has_head = head_read(lock_fd, &ret_files->head);
    st = open_current(ret_files, &current);
    if (st == SCA_OK)
        st = list_closed(ret_files, current);
    bool is_new = ret_files->fd < 0 && ret_files->count == 0 && !ret_files->has_head;
    return st == SCA_OK && is_new ? SCA_NOT_FOUND : st;
}

static enum sca_status read_current(const struct files *files, struct buf *bytes)
{
    uint8_t chunk[16 * 1024];

    if (files->fd < 0)
        return SCA_NOT_FOUND;
    while (bytes->len < files->size) {
        size_t left = files->size - bytes->len;
        ssize_t got =
            pread(files->fd, chunk, left < sizeof(chunk) ? left : sizeof(chunk), (off_t)bytes->len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return SCA_IO;
        enum sca_status st = buf_append(bytes, span_of(chunk, (size_t)got));
        if (st != SCA_OK)
            return st;
    }
    return SCA_OK;
}

enum sca_status files_read(const struct files *files, size_t index, struct buf *ret_bytes)
{
    char name[AUDIT_NAME_SIZE];
    const char *why = NULL;

    buf_init(ret_bytes, AUDIT_SIZE_MAX, false);
    if (index == files->count)
        return read_current(files, ret_bytes);
    AUTO(freep) char *path = path_join(files->dir, audit_file_name(files->numbers[index], name));
    return path ? file_read_trusted(path, FILE_NOT_WRITABLE_BY_OTHERS, AUDIT_SIZE_MAX, false,
                                    ret_bytes, &why)
                : SCA_NOMEM;
}

/* The lines of one file; false when each wants no more. */
static bool give_lines(struct span bytes, bool (*each)(void *arg, struct span line), void *arg)
{
    while (bytes.len > 0) {
        const uint8_t *newline = memchr(bytes.ptr, '\n', bytes.len);
        size_t len = newline ? (size_t)(newline - bytes.ptr) : bytes.len;
        if (len > 0 && !each(arg, span_of(bytes.ptr, len)))
            return false;
        len += newline ? 1 : 0;
        bytes = span_of(bytes.ptr + len, bytes.len - len);
    }
    return true;
}

enum sca_status audit_each(const char *state_dir, bool (*each)(void *arg, struct span line),
                           void *arg)
{
    AUTO(files_fini) struct files files;
    bool goes_on = true;

    enum sca_status st = files_open(state_dir, &files);
    for (size_t i = 0; st == SCA_OK && goes_on && i <= files.count; i++) {
        AUTO(buf_fini) struct buf bytes;
        st = files_read(&files, i, &bytes);
        if (st == SCA_OK)
            goes_on = give_lines(buf_span(&bytes), each, arg);
        else if (st == SCA_NOT_FOUND)
            st = SCA_OK;
    }
    return st;
}
