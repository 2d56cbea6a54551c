/* SPDX-License-Identifier: Apache-2.0 */
/* The files of the audit log at one moment, for who reads all of them. */
#ifndef REMOTE_AUDIT_FILES_H
#define REMOTE_AUDIT_FILES_H

#include <stddef.h>
#include <sys/types.h>

#include "remote/audit/audit.h"
#include "remote/audit/head.h"

enum { FILES_MAX = 100000 };

struct files {
    char *dir;
    unsigned *numbers; /* of the closed ones, rising */
    size_t count;
    int fd;      /* audit.jsonl; -1: it is missing */
    size_t size; /* what it had then: there may be more by now */
    bool has_head;
    struct head head;
};

/* Takes the lock while it looks, not longer. SCA_NOT_FOUND: there is no log, and there never was.
 * Otherwise as audit_verify. The caller files_fini()s it in all cases. */
enum sca_status files_open(const char *state_dir, struct files *ret_files);
void files_fini(struct files *files);

/* The bytes of the closed file of that index, of audit.jsonl for index count. SCA_NOT_FOUND: it is
 * not there. The caller buf_fini()s ret_bytes. */
enum sca_status files_read(const struct files *files, size_t index, struct buf *ret_bytes);

#endif
