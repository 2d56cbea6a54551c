/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "remote/base/cleanup.h"

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
            return file_status_of_errno();
        if (is_draft_ours(draft->fd)) {
            draft->temporary = TAKE(temporary);
            return SCA_OK;
        }
        (void)unlink(temporary); /* it may be there: fstat may fail, too */
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
        return file_status_of_errno();
    file_sweep(dir, name);
    enum sca_status st = create_temporary(dir, name, draft);
    if (st == SCA_OK)
        st = fd_write_all(draft->fd, bytes);
    return st == SCA_OK && fsync(draft->fd) != 0 ? file_status_of_errno() : st;
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
        return file_status_of_errno();
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
