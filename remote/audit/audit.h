/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit log: state_dir/audit.jsonl, one JSON object per line, lines are only ever added. Each
 * ends in a member "chain" that depends on every line before it:
 *
 *     chain = lower-case hex SHA-256 of  P || L
 *     P = the 64 digits of the chain of the line before; 64 times '0' for the first line
 *     L = the bytes of this line without ,"chain":"..." and without the newline; they are what
 *         jq -c 'del(.chain)' prints
 *
 * so line N is checked by
 *
 *     printf %s%s "$P" "$(sed -n Np audit.jsonl | jq -c 'del(.chain)')" | sha256sum
 *
 * A crash may leave part of a line at the end. The next line after it is then a line of its own:
 * "outcome" is "torn" ("damaged" if the part had a newline, which no crash of ours leaves),
 * "follows" is the chain of the last whole line, which is P of this line, and "skipped" is the
 * SHA-256 of all bytes between that line and this one (sed -n A,Bp audit.jsonl | sha256sum).
 *
 * The chain has no key: whoever may write the file may write all of it anew, or drop its end. To
 * notice that, keep the last chain value elsewhere.
 */
#ifndef REMOTE_AUDIT_AUDIT_H
#define REMOTE_AUDIT_AUDIT_H

#include <stddef.h>
#include <stdint.h>

#include "remote/base/bytes.h"
#include "remote/base/clock.h"
#include "remote/base/status.h"

enum {
    AUDIT_TEXT_MAX = 256,               /* bytes of a text; what is longer is cut */
    AUDIT_SIZE_MAX = 256 * 1024 * 1024, /* of the file */
};

/*
 * What happened to one digest. Borrowed. What is not known is NULL, an empty span or negative, and
 * left out. Put nothing secret here; user may be the whole identity number: it is masked in the
 * file, also where another text repeats it.
 */
struct audit_entry {
    const char *user;
    const char *account;
    const char *program;
    int64_t slot;
    const char *serial; /* of the certificate */
    const char *mechanism;
    struct span digest; /* the file gets its first four bytes */
    const char *doc_id;
    const char *transaction;
    const char *outcome;
    int64_t milliseconds; /* from the request to the outcome */
};

/*
 * Adds a line that is on the disk (fsync) when this returns SCA_OK; state_dir is made if it is not
 * there. For threads and processes alike, under the lock state_dir/audit.lock, for which it waits
 * at most five seconds: call it with no lock held. SCA_IO, SCA_NO_SPACE, SCA_NOMEM or SCA_INVALID
 * (the file is over its limit, or has no line in its last MiB) otherwise, and the file is as it
 * was, as far as the disk lets us.
 */
enum sca_status audit_append(const char *state_dir, const struct clock *clock,
                             const struct audit_entry *entry);

struct audit_report {
    size_t line_count; /* up to the bad one */
    size_t torn_count; /* of them, what crashes left; the log says so itself */
    size_t bad_line;   /* the first that is not as it was written, or that follows a missing one;
                          counted from 1, 0: there is none */
};

/*
 * Walks the file. SCA_OK also when a line is bad: see ret_report. SCA_NOT_FOUND when there is no
 * log yet; SCA_INVALID when the file is over its limit, another user's, or others may write it;
 * SCA_IO, SCA_NOMEM.
 */
enum sca_status audit_verify(const char *state_dir, struct audit_report *ret_report);

#endif
