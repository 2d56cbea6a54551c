/* SPDX-License-Identifier: Apache-2.0 */
/* Files whose content decides something: owner and mode are checked on the descriptor that is read.
 */
#ifndef REMOTE_BASE_FILE_H
#define REMOTE_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "remote/base/bytes.h"
#include "remote/base/status.h"

enum file_trust {
    FILE_ANY = 0,
    FILE_NOT_WRITABLE_BY_OTHERS =
        1, /* owner is this user or root; no write bit for group or others */
    FILE_NOT_READABLE_BY_OTHERS = 2, /* no bit at all for group or others */
    FILE_NOT_A_LINK = 4,             /* the last part of the path is no symbolic link */
};

/*
 * Opens path for reading, a regular file that meets trust (a set of enum file_trust). Returns the
 * descriptor in ret_fd, the caller closes it. SCA_NOT_FOUND if there is none; SCA_NOMEM where this
 * process may have no more descriptors; otherwise SCA_IO or SCA_INVALID. All with the reason in why
 * (a static text for a person).
 */
enum sca_status file_open_trusted(const char *path, unsigned trust, int *ret_fd, const char **why);

/* The whole of such a file, at most limit bytes (else SCA_INVALID); ret_bytes as buf_init leaves it
 * on failure. */
enum sca_status file_read_trusted(const char *path, unsigned trust, size_t limit, bool is_sensitive,
                                  struct buf *ret_bytes, const char **why);

/* Why the last system call failed: a full disk is another matter than a broken one, and neither
 * says anything of the file where this process may have no more descriptors. */
enum sca_status file_status_of_errno(void);

/* Creates path and its parents with mode 0700. SCA_OK when it is there and ours, else SCA_IO. */
enum sca_status dir_ensure_private(const char *path);

/*
 * Replaces dir/name by bytes so that a crash at any point leaves the old or the new file: temporary
 * file in dir with mode 0600, write, fsync, rename, fsync of dir. SCA_IO, or SCA_NO_SPACE where the
 * disk or a quota is full, and the old file otherwise - or the new one, when only the last step
 * failed.
 */
enum sca_status file_replace(const char *dir, const char *name, struct span bytes);

/* A file that is written and not in its place yet. */
struct file_draft {
    char *path;
    char *temporary; /* NULL: in its place */
    int fd;          /* of the temporary file, locked while it is written */
    int dir_fd;
};
#define FILE_DRAFT_INIT                                                                            \
    {                                                                                              \
        .fd = -1, .dir_fd = -1                                                                     \
    }

/*
 * The two halves of file_replace, for who has something to do between what may fail and what hardly
 * can. AUTO(file_draft_fini) struct file_draft draft = FILE_DRAFT_INIT, which removes what was not
 * published.
 */
enum sca_status file_draft_write(const char *dir, const char *name, struct span bytes,
                                 struct file_draft *ret_draft);
enum sca_status file_draft_publish(struct file_draft *draft);
void file_draft_fini(struct file_draft *draft);

/* Removes dir/name so that it stays removed. SCA_NOT_FOUND, or SCA_IO with errno. */
enum sca_status file_remove(const char *dir, const char *name);

/* Removes the temporary files of replacements of dir/name that were killed, as every replacement
 * does, and none that somebody writes right now; best effort. */
void file_sweep(const char *dir, const char *name);

/* Writes all of bytes to fd, continuing after signals. SCA_OK, SCA_NO_SPACE or SCA_IO. */
enum sca_status fd_write_all(int fd, struct span bytes);

/*
 * Exclusive lock between processes on dir/name (created, 0600), waiting at most wait_ms. The
 * caller releases it with fd_unlock_closep. SCA_IO when it cannot be had.
 */
enum sca_status file_lock(const char *dir, const char *name, unsigned wait_ms, int *ret_fd);

/* The same on an open file. */
enum sca_status fd_lock(int fd, unsigned wait_ms);

/* AUTO(fd_unlock_closep) int lock = -1. Closing alone would not do: a child that was forked
 * meanwhile has a copy of the descriptor, and with it the lock. */
void fd_unlock_closep(const int *fd);

/* dir "/" name, malloced; NULL without memory. */
char *path_join(const char *dir, const char *name);

/* AUTO(fd_closep) int fd = -1. */
void fd_closep(const int *fd);

#endif
