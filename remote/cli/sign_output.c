/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/sign_output.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"
#include "remote/base/file.h"
#include "remote/base/size_limit.h"
#include "remote/cli/output.h"
#include "remote/cli/temporary.h"

enum { TRIES = 16, OTHER_FILES = 256 };

static bool cannot(struct trouble *trouble, const char *path, int error)
{
    bool is_full = error == ENOSPC || error == EDQUOT;

    if (error == EMFILE || error == ENFILE)
        return trouble_say(trouble, "io", _("sign fewer files at once, or raise ulimit -n"),
                           "%s: %s", path, strerror(error));
    return trouble_say(trouble, is_full ? "no_space" : "io",
                       is_full ? _("make room on the disk, or name another folder by --out-dir")
                               : _("name another folder by --out-dir"),
                       "%s: %s", path, strerror(error));
}

static bool has_no_folder(struct trouble *trouble, const char *folder)
{
    char cure[TROUBLE_NEXT_SIZE] = "mkdir -p ";
    size_t len = strlen(cure);
    bool is_line = output_quote(folder, cure + len, sizeof(cure) - len);

    return trouble_say(trouble, "io", is_line ? cure : _("make that folder"), "%s: %s", folder,
                       strerror(ENOENT));
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
        return errno == ENOENT ? has_no_folder(trouble, folder) : cannot(trouble, folder, errno);
    if (!S_ISDIR(info.st_mode))
        return cannot(trouble, folder, ENOTDIR);
    return access(folder, W_OK | X_OK) == 0 || cannot(trouble, folder, errno);
}

bool sign_output_locate(struct sign_file *file, struct trouble *trouble)
{
    AUTO(freep) char *folder = folder_of(file->output);
    AUTO(freep) char *real = folder ? realpath(folder, NULL) : NULL;
    const char *name = strrchr(file->output, '/');

    if (!real)
        return cannot(trouble, folder ? folder : file->output, folder ? errno : ENOMEM);
    AUTO(freep) char *path = path_join(real, name ? name + 1 : file->output);
    return (path && EVP_Digest(path, strlen(path), file->place, NULL, crypto_md(CRYPTO_SHA256),
                               NULL) == 1) ||
           trouble_no_memory(trouble);
}

bool sign_output_reserve(struct sign_file *file, size_t size, struct trouble *trouble)
{
    AUTO(freep) char *folder = folder_of(file->output);

    if (!folder)
        return trouble_no_memory(trouble);
    int fd = temporary_create(folder, &file->temporary);
    if (fd < 0)
        return cannot(trouble, folder, errno);
    file->fd = fd;
    file->is_reserved = true;
    struct size_limit limit;
    int error = 0;
    size_limit_enter(&limit);
    do
        error = posix_fallocate(fd, 0, (off_t)size);
    while (error == EINTR);
    size_limit_leave(&limit);
    /* Other errors: a file system that cannot promise room. */
    return (error != ENOSPC && error != EDQUOT && error != EFBIG) || cannot(trouble, folder, error);
}

/* For as many files as there are, and what else a run has open. */
static void allow_files(size_t count)
{
    struct rlimit limit;
    rlim_t wanted = (rlim_t)count + OTHER_FILES;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static bool is_in_same_folder(const char *a, const char *b)
{
    const char *end = strrchr(a, '/');
    size_t len = end ? (size_t)(end - a) + 1 : 0;

    return strncmp(a, b, len) == 0 && !strchr(b + len, '/');
}

bool sign_output_reserve_all(struct sign_files *files, size_t size, struct trouble *trouble)
{
    const char *last = NULL;

    allow_files(files->count);
    for (size_t i = 0; i < files->count; i++) {
        struct sign_file *file = &files->items[i];
        AUTO(freep) char *folder = NULL;
        if (!last || !is_in_same_folder(last, file->output))
            folder = folder_of(file->output);
        if (folder)
            temporary_sweep(folder);
        last = file->output;
        if (!sign_output_reserve(file, size, trouble))
            return false;
    }
    return true;
}

bool sign_output_write(struct sign_file *file, struct span bytes, struct trouble *trouble)
{
    enum sca_status st = fd_write_all(file->fd, bytes);

    if (st != SCA_OK)
        return cannot(trouble, file->output, st == SCA_NO_SPACE ? ENOSPC : EIO);
    return (ftruncate(file->fd, (off_t)bytes.len) == 0 && fsync(file->fd) == 0) ||
           cannot(trouble, file->output, errno);
}

/* A link replaces nothing, a new name does. */
static bool make_temporary(struct sign_file *file)
{
    AUTO(freep) char *folder = folder_of(file->output);

    errno = ENOMEM;
    for (int i = 0; folder && i < TRIES; i++) {
        AUTO(freep) char *path = temporary_name(folder);
        if (path && temporary_link(file->fd, path)) {
            file->temporary = TAKE(path);
            return true;
        }
        if (!path || errno != EEXIST)
            return false;
    }
    return false;
}

/* Without force a file that came into being meanwhile is not replaced either. */
static bool give_name(struct sign_file *file, bool is_forced)
{
    unsigned flags = is_forced ? 0 : RENAME_NOREPLACE;

    if (!file->temporary) {
        if (temporary_link(file->fd, file->output))
            return true;
        if (errno != EEXIST || !is_forced || !make_temporary(file))
            return false;
    }
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

/* What was there before is lost already: that signature stays. */
static void take_back(struct sign_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        struct sign_file *file = &files->items[i];
        if (file->is_placed && (unlink(file->output) == 0 || errno == ENOENT))
            file->is_placed = file->is_written = false;
    }
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
        file->is_written = true;
        free(file->temporary);
        file->temporary = NULL;
        sign_output_discard(file);
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
    if (file->is_reserved)
        (void)close(file->fd);
    file->is_reserved = false;
}
