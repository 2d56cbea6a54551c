/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of the end of the audit log besides the log: the chain value of its last line and
 * the length of the file then. Kept in the lock file, and written only after the line is on the
 * disk, so that it may be behind the log, and never in front of it but when lines were taken away.
 */
#ifndef REMOTE_AUDIT_HEAD_H
#define REMOTE_AUDIT_HEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "remote/audit/chain.h"

struct head {
    struct chain chain;
    uint64_t size; /* of audit.jsonl up to that line, with its newline */
};

/* False if lock_fd has none, as a new one. */
bool head_read(int lock_fd, struct head *ret_head);

/* Best effort: without it only the loss of the last lines would go unnoticed. */
void head_write(int lock_fd, const struct head *head);

/* Is the line it tells of where it was in the file, or was it the last one before the file? */
bool head_is_in(const struct head *head, int fd);

/* The first line of the file, if it is one that continues another file. */
bool head_read_link(int fd, struct chain_link *ret_link);

#endif
