/* SPDX-License-Identifier: Apache-2.0 */
/* audit.jsonl while something is added to it: locked, looked at, written, closed (audit.h). */
#ifndef REMOTE_AUDIT_LOG_FILE_H
#define REMOTE_AUDIT_LOG_FILE_H

#include <sys/types.h>

#include "remote/audit/audit.h"
#include "remote/audit/chain.h"
#include "remote/audit/head.h"

enum { LOG_FILE_BATCH_MAX = 32 * 1024 * 1024 }; /* bytes of one append */

struct log_file {
    const struct audit_log *log;
    int lock_fd; /* -1: not locked */
    int fd;
    off_t size;
    size_t written;       /* by log_file_write, behind size */
    struct buf tail;      /* the file's end; has room for a newline more */
    struct chain_end end; /* in tail */
    enum head_state state;
    struct chain lost; /* if lines are gone: what the last of them had */
};

void log_file_init(struct log_file *file, const struct audit_log *log);
void log_file_fini(struct log_file *file);

/* Locks and opens the file, makes it if need be, and finds its end. */
enum sca_status log_file_open(struct log_file *file);

/* Adds whole lines, in as many pieces as one likes; then log_file_end with the status of all that,
 * and the chain value of the last one. It returns that status or its own; unless it is SCA_OK, the
 * pieces are taken away again. */
enum sca_status log_file_write(struct log_file *file, struct span lines);
enum sca_status log_file_end(const struct log_file *file, enum sca_status status,
                             const struct chain *end, bool is_durable);

/* May it be closed now, and has it to be? ret_link is what the next file has to begin with. */
bool log_file_is_full(const struct log_file *file, struct chain_link *ret_link);

/* Closes it, begins the next one with lines, and deletes what is not to be kept. On failure the
 * file is there as before, to be added to. */
enum sca_status log_file_close(const struct log_file *file, const struct chain_link *link,
                               struct span lines, const struct chain *end);

#endif
