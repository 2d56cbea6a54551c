/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/sign_output.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/rand.h>

#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"
#include "remote/base/file.h"

enum { TRIES = 16, NUMBER_SIZE = 8 };

static bool cannot(struct trouble *trouble, const char *path, int error)
{
    bool is_full = error == ENOSPC || error == EDQUOT;

    return trouble_say(trouble, is_full ? "no_space" : "io",
                       is_full ? _("make room on the disk, or name another folder by --out-dir")
                               : _("name another folder by --out-dir"),
                       "%s: %s", path, strerror(error));
}

static char *folder_of(const char *path)
{
    AUTO(freep) char *copy = strdup(path);
    return copy ? strdup(dirname(copy)) : NULL;
}

bool sign_output_check(const struct sign_file *file, bool is_forced, struct trouble *trouble)
{
    AUTO(freep) char *folder = folder_of(file->output);
    struct stat info;

    if (!folder)
        return trouble_no_memory(trouble);
    if (lstat(file->output, &info) == 0) {
        if (!is_forced)
            return trouble_say(trouble, "exists", _("--force replaces it"),
                               _("%s is there already"), file->output);
        if (S_ISDIR(info.st_mode))
            return cannot(trouble, file->output, EISDIR);
    } else if (errno != ENOENT) {
        return cannot(trouble, file->output, errno);
    }
    if (stat(folder, &info) != 0)
        return cannot(trouble, folder, errno);
    if (!S_ISDIR(info.st_mode))
        return cannot(trouble, folder, ENOTDIR);
    return access(folder, W_OK | X_OK) == 0 || cannot(trouble, folder, errno);
}

/* A short name of its own, so that the longest file name has one too. */
static int create(const char *folder, char **ret_path)
{
    for (int i = 0; i < TRIES; i++) {
        uint8_t number[NUMBER_SIZE];
        char hex[2 * NUMBER_SIZE + 1];
        AUTO(freep) char *path = NULL;
        if (RAND_bytes_ex(crypto_libctx(), number, sizeof(number), 0) != 1)
            return -1;
        hex_encode(span_of(number, sizeof(number)), hex);
        if (asprintf(&path, "%s/.smartca-%s.p7s", folder, hex) < 0) {
            path = NULL;
            return -1;
        }
        /* What others may do with a signature is up to the umask. */
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (fd >= 0)
            *ret_path = TAKE(path);
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}

bool sign_output_reserve(struct sign_file *file, size_t size, struct trouble *trouble)
{
    AUTO(freep) char *folder = folder_of(file->output);

    if (!folder)
        return trouble_no_memory(trouble);
    AUTO(fd_closep) int fd = create(folder, &file->temporary);
    if (fd < 0)
        return cannot(trouble, folder, errno);
    int error = 0;
    do
        error = posix_fallocate(fd, 0, (off_t)size);
    while (error == EINTR);
    /* Other errors: a file system that cannot promise room. */
    return (error != ENOSPC && error != EDQUOT && error != EFBIG) || cannot(trouble, folder, error);
}

bool sign_output_write(struct sign_file *file, struct span bytes, struct trouble *trouble)
{
    AUTO(fd_closep) int fd = open(file->temporary, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0)
        return cannot(trouble, file->temporary, errno);
    enum sca_status st = fd_write_all(fd, bytes);
    if (st != SCA_OK)
        return cannot(trouble, file->temporary, st == SCA_NO_SPACE ? ENOSPC : EIO);
    return (ftruncate(fd, (off_t)bytes.len) == 0 && fsync(fd) == 0) ||
           cannot(trouble, file->temporary, errno);
}

/* Without force a file that came into being meanwhile is not replaced either. */
static bool give_name(struct sign_file *file, bool is_forced)
{
    unsigned flags = is_forced ? 0 : RENAME_NOREPLACE;

    if (renameat2(AT_FDCWD, file->temporary, AT_FDCWD, file->output, flags) == 0)
        return true;
    if (errno != EINVAL && errno != ENOSYS)
        return false;
    if (is_forced)
        return rename(file->temporary, file->output) == 0;
    if (link(file->temporary, file->output) != 0)
        return false;
    (void)unlink(file->temporary); /* the other name is there */
    return true;
}

static void sync_folder(const char *path)
{
    AUTO(freep) char *folder = folder_of(path);
    AUTO(fd_closep) int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

    if (fd >= 0)
        (void)fsync(fd); /* a file system that cannot has nothing to lose */
}

static bool is_in_same_folder(const char *a, const char *b)
{
    const char *end = strrchr(a, '/');
    size_t len = end ? (size_t)(end - a) + 1 : 0;

    return strncmp(a, b, len) == 0 && !strchr(b + len, '/');
}

static void sync_folders(const struct sign_files *files)
{
    const char *last = NULL;

    for (size_t i = 0; i < files->count; i++) {
        const struct sign_file *file = &files->items[i];
        if (file->state != SIGN_DONE || (last && is_in_same_folder(last, file->output)))
            continue;
        last = file->output;
        sync_folder(last);
    }
}

static void take_back(struct sign_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        if (files->items[i].is_placed)
            (void)unlink(files->items[i].output);
}

bool sign_output_place(struct sign_files *files, struct trouble *trouble)
{
    for (size_t i = 0; i < files->count; i++) {
        struct sign_file *file = &files->items[i];
        struct stat info;
        if (file->state != SIGN_DONE)
            continue;
        bool is_new = lstat(file->output, &info) != 0;
        if (!give_name(file, files->is_forced)) {
            int error = errno;
            take_back(files);
            return cannot(trouble, file->output, error);
        }
        file->is_placed = is_new;
        free(file->temporary);
        file->temporary = NULL;
    }
    sync_folders(files);
    return true;
}

void sign_output_discard(struct sign_file *file)
{
    if (file->temporary)
        (void)unlink(file->temporary);
    free(file->temporary);
    file->temporary = NULL;
}
