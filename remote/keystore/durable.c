/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/keystore/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"

static void set_generation(int fd, uint64_t generation)
{
    const struct timespec times[] = {
        {.tv_nsec = UTIME_OMIT},
        {.tv_sec = time(NULL), .tv_nsec = (long)(generation % 1000000000u)},
    };
    (void)futimens(fd, times); /* then the time is that of the write */
}

static enum sca_status fill(int fd, struct span bytes, uint64_t generation)
{
    enum sca_status st = fchmod(fd, 0600) == 0 ? fd_write_all(fd, bytes) : file_status_of_errno();
    if (st != SCA_OK)
        return st;
    set_generation(fd, generation);
    return fsync(fd) == 0 ? SCA_OK : file_status_of_errno();
}

/* A fixed name: what a crash left is overwritten by the next one, not left for ever. */
static enum sca_status write_new(const char *path, struct span bytes, uint64_t generation)
{
    (void)unlink(path); /* most often not there */
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return file_status_of_errno();
    enum sca_status st = fill(fd, bytes, generation);
    if (close(fd) != 0 && st == SCA_OK)
        st = file_status_of_errno();
    if (st != SCA_OK)
        (void)unlink(path);
    return st;
}

/* NULL without memory: what asprintf leaves behind then is nothing to be freed. */
static char *with_ending(const char *path, const char *ending)
{
    char *text = NULL;
    return asprintf(&text, "%s%s", path, ending) < 0 ? NULL : text;
}

/* A second name for the file, or a copy where the file system has no such thing. */
static enum sca_status keep_old(const char *path, struct span old)
{
    AUTO(freep) char *kept = with_ending(path, ".old");
    AUTO(freep) char *temporary = with_ending(path, ".old.new");

    if (!kept || !temporary)
        return SCA_NOMEM;
    (void)unlink(temporary);
    enum sca_status st = SCA_OK;
    if (link(path, temporary) != 0)
        st = write_new(temporary, old, 0);
    if (st == SCA_OK && rename(temporary, kept) != 0)
        st = file_status_of_errno();
    /* Also after success: rename does nothing when both are names of one file already. */
    (void)unlink(temporary);
    return st;
}

/* Some file systems cannot do this, and say so with EINVAL. */
static enum sca_status sync_dir(const char *dir)
{
    AUTO(fd_closep) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 && (fsync(fd) == 0 || errno == EINVAL) ? SCA_OK : SCA_IO;
}

enum sca_status durable_replace(const struct durable_file *file)
{
    AUTO(freep) char *path = path_join(file->dir, file->name);
    AUTO(freep) char *temporary = path ? with_ending(path, ".new") : NULL;

    if (!temporary)
        return SCA_NOMEM;
    enum sca_status st = write_new(temporary, file->bytes, file->generation);
    if (st != SCA_OK)
        return st;
    if (file->old.len)
        st = keep_old(path, file->old);
    if (st == SCA_OK && rename(temporary, path) != 0)
        st = file_status_of_errno();
    if (st == SCA_OK)
        return sync_dir(file->dir);
    (void)unlink(temporary);
    return st;
}
