/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of the end of the audit log besides the log, kept in the lock file. Each mark is
 * written after its line, so that it may be behind the log, and is in front of it only when lines
 * are gone. There are two because lines may be in the system's memory only: those a crash of a
 * program leaves alone, but a system that stops takes them along.
 */
#ifndef REMOTE_AUDIT_HEAD_H
#define REMOTE_AUDIT_HEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "remote/audit/chain.h"

/* A line of audit.jsonl. */
struct mark {
    struct chain chain;
    uint64_t size; /* of the file up to that line, with its newline; 0: there is no line */
};

enum { HEAD_BOOT_LEN = 36 };

struct head {
    struct mark durable;          /* the last line that is surely on the disk */
    struct mark written;          /* the last line */
    char boot[HEAD_BOOT_LEN + 1]; /* the start of the system that it was written after */
};

/* False if lock_fd has none, as a new one. */
bool head_read(int lock_fd, struct head *ret_head);

/* The last line, and whether it is surely on the disk. Best effort: without it only the loss of
 * the last lines would go unnoticed. */
void head_write(int lock_fd, const struct mark *end, bool is_durable);

enum head_state {
    HEAD_IN_PLACE, /* the lines it tells of are where they were */
    HEAD_UNSAVED,  /* what was not yet on the disk is gone, and the system was started since */
    HEAD_CUT,      /* lines are gone that no crash takes */
};

/* fd: audit.jsonl. A line is in its place, too, if it was the last one before the file. */
enum head_state head_judge(const struct head *head, int fd);

/* The first line of the file, if it is one that continues another file. */
bool head_read_link(int fd, struct chain_link *ret_link);

#endif
