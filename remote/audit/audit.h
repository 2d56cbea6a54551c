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
 * A file that has grown past its limit is closed: it gets the name audit.jsonl.1 (the next one .2,
 * and so on: a number never changes), and the first line of the new one goes on with the chain:
 * "outcome" is "continued", "after" the number of the file before, "follows" its last chain, which
 * is P of this line, and "oldest" the number of the oldest file that is kept. Files below it were
 * deleted because the configuration says so; any other one that is missing was taken away.
 *
 * A crash may leave part of a line at the end. The next line after it is then a line of its own:
 * "outcome" is "torn" ("damaged" if the part had a newline, which no crash of ours leaves),
 * "follows" is the chain of the last whole line, which is P of this line, and "skipped" is the
 * SHA-256 of all bytes between that line and this one (sed -n A,Bp audit.jsonl | sha256sum).
 *
 * audit.lock has the chain of the last line, and of the last one that is surely on the disk.
 * Without them lines were taken off the end: the next line is one with "outcome" "lost", whose
 * "follows" is that chain, and the log is never right again. But lines that were not yet on the
 * disk go when the system stops: if only such are missing, and it was started anew since, the next
 * line has the "outcome" "unsaved", and the chain of the last one that is missing as "last". The
 * log is right and says that there were more; somebody may have taken them off meanwhile.
 *
 * The chain has no key: whoever may write the files may write all of them anew. To notice that,
 * keep the last chain value elsewhere.
 */
#ifndef REMOTE_AUDIT_AUDIT_H
#define REMOTE_AUDIT_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "remote/base/bytes.h"
#include "remote/base/clock.h"
#include "remote/base/status.h"

enum {
    AUDIT_TEXT_MAX = 256,               /* bytes of a text; what is longer is cut */
    AUDIT_SIZE_MAX = 256 * 1024 * 1024, /* of one file */
    AUDIT_BATCH_MAX = 8192,             /* entries at a time */
};

/* Where the log is, and how it grows. Borrowed. */
struct audit_log {
    const char *state_dir;
    uint64_t size_max; /* a file is closed above this many bytes; 0: never */
    unsigned keep;     /* closed files that are kept; 0: all */
};

/*
 * What happened to one digest. Borrowed. What is not known is NULL, an empty span or negative, and
 * left out. Put nothing secret here; user may be the whole identity number: it is masked in the
 * file, also where another text repeats it.
 */
struct audit_entry {
    int64_t at; /* wall clock, seconds since 1970; 0: when it is written */
    const char *user;
    const char *owner; /* where there is no user: shown as such, and as it is */
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
 * Adds a line for each entry, all or none, and when is_durable is set they are on the disk (fsync)
 * when this returns SCA_OK; state_dir is made if it is not there. For threads and processes alike,
 * under the lock state_dir/audit.lock, for which it waits at most five seconds: call it with no
 * lock held. SCA_IO, SCA_NO_SPACE, SCA_NOMEM or SCA_INVALID (too many entries, the file is over its
 * limit or has no line in its last MiB) otherwise, and the log is as it was, as far as the disk
 * lets us. A file that cannot be closed grows on, and the program's log says so.
 */
enum sca_status audit_append_all(const struct audit_log *log, const struct clock *clock,
                                 const struct audit_entry *entries, size_t count, bool is_durable);

/* The same for entries that are made as they are needed: get fills in the one of that index, which
 * it may be asked for again, and whose texts stay as long as the call. */
struct audit_source {
    void (*get)(void *arg, size_t index, struct audit_entry *ret_entry);
    void *arg;
    size_t count;
};
enum sca_status audit_append_from(const struct audit_log *log, const struct clock *clock,
                                  const struct audit_source *source, bool is_durable);

/* One durable line, into whatever file there is. */
enum sca_status audit_append(const char *state_dir, const struct clock *clock,
                             const struct audit_entry *entry);

enum audit_fault {
    AUDIT_RIGHT,
    AUDIT_BAD_LINE,     /* is not as it was written, or follows a missing one */
    AUDIT_MISSING_FILE, /* bad_file is not there */
    AUDIT_MISSING_END,  /* bad_line and what may follow it */
};

struct audit_report {
    enum audit_fault fault;
    unsigned bad_file;    /* number of a closed file; 0: audit.jsonl */
    size_t bad_line;      /* counted from 1 in its file; 0: there is none */
    size_t line_count;    /* of all files, up to the fault */
    size_t torn_count;    /* of them, what crashes left; the log says so itself */
    size_t unsaved_count; /* how often lines were lost with the system; the log says so itself */
    bool ends_torn;       /* the last line is what a crash left, which the next one will say */
    bool ends_unsaved;    /* lines behind the last one were lost with the system, or taken off */
    size_t file_count;
};

/*
 * Walks all files, oldest first, without being in the way of writers. SCA_OK also when something is
 * wrong: see ret_report. SCA_NOT_FOUND when there is no log yet; SCA_INVALID when a file is over
 * its limit, another user's, or others may write it; SCA_IO, SCA_NOMEM.
 */
enum sca_status audit_verify(const char *state_dir, struct audit_report *ret_report);

/*
 * Calls each with every line, oldest first, without its newline; a torn one too. It stops when each
 * returns false. Status as of audit_verify; a missing file is passed over.
 */
enum sca_status audit_each(const char *state_dir, bool (*each)(void *arg, struct span line),
                           void *arg);

enum { AUDIT_NAME_SIZE = 32 };

/* The name in state_dir of a closed file; of audit.jsonl for 0. */
const char *audit_file_name(unsigned number, char out[static AUDIT_NAME_SIZE]);

#endif
