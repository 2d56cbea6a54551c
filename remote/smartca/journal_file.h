/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The transaction journal's file, and its bytes. Behind the last line it is filled up with line
 * ends to whole blocks of the disk: a write into that room changes no size and needs no new block,
 * so that it is durable with one block written and no metadata, and cannot fail for want of space.
 */
#ifndef REMOTE_SMARTCA_JOURNAL_FILE_H
#define REMOTE_SMARTCA_JOURNAL_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "remote/base/bytes.h"
#include "remote/base/status.h"

enum { JOURNAL_FILE_LARGE = 16 * 1024 }; /* kept at most this large when nothing is in it */

/* Open, and locked against other processes and threads; the lock is on the file itself. */
struct journal_file {
    const char *dir; /* borrowed from whoever opened it */
    int fd;          /* -1: not open */
    size_t size;
    size_t len; /* of its lines without the last one's end; set by journal_file_read */
};

#define JOURNAL_FILE_INIT                                                                          \
    {                                                                                              \
        .fd = -1                                                                                   \
    }

/*
 * Opens path, made if need be, as is dir around it (0700), and takes its lock without waiting.
 * Close it whatever this returned. SCA_BUSY: others have it now. SCA_IO with errno: it cannot be
 * had, or is not a regular file of ours.
 */
enum sca_status journal_file_open(const char *dir, const char *path, struct journal_file *file);
void journal_file_close(struct journal_file *file);

/* All lines into an empty buffer. SCA_IO, SCA_NOMEM. The two below need it done before. */
enum sca_status journal_file_read(struct journal_file *file, struct buf *lines);

/*
 * Puts whole lines after what is there, after a torn line too; is_durable: and on the disk. On
 * failure (SCA_IO, errno; SCA_NOMEM) the file is as it was, as far as the disk lets us.
 */
enum sca_status journal_file_append(const struct journal_file *file, struct span added,
                                    bool is_durable);

/* Takes every line out. Not durable: a crash may bring them back. SCA_IO. */
enum sca_status journal_file_empty(struct journal_file *file);

#endif
