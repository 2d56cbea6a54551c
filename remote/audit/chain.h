/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of the audit log as bytes: how they are sealed, and how they are read back (audit.h).
 */
#ifndef REMOTE_AUDIT_CHAIN_H
#define REMOTE_AUDIT_CHAIN_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/types.h>

#include "remote/base/bytes.h"
#include "remote/base/status.h"

enum { CHAIN_DIGITS = 64 };

/* A SHA-256 in lower-case hex. */
struct chain {
    char hex[CHAIN_DIGITS + 1];
};

/* What the first line of all follows. */
extern const struct chain chain_origin;

/* The names of the file and of its lock in state_dir. A closed file's name has .NUMBER added. */
extern const char chain_file[];
extern const char chain_lock[];
enum { CHAIN_LOCK_WAIT_MS = 5000, CHAIN_TIME_SIZE = sizeof("2026-01-01T00:00:00Z") };

/* A line that has its chain value, which need not be the right one. members is borrowed from it. */
struct chain_line {
    struct span members; /* up to the chain member, with no closing brace */
    struct chain chain;
};
bool chain_read(struct span line, struct chain_line *ret_line);

/* The same of a line that may end in a newline. */
bool chain_read_ended(struct span line, struct chain_line *ret_line);

/* SHA-256 of bytes. SCA_NOMEM when OpenSSL refuses. */
enum sca_status chain_hash(struct span bytes, struct chain *ret_hash);

/* The chain value of a line of these members that follows previous. */
enum sca_status chain_next(const struct chain *previous, struct span members,
                           struct chain *ret_chain);

/* Appends object, a JSON object with members, as a line that follows *chain and then becomes it.
 * ctx (NULL: a new one) has been used for nothing else; who gives one sees to OpenSSL's queue of
 * errors. On failure lines may have a part of it. */
enum sca_status chain_seal(struct buf *lines, struct span object, EVP_MD_CTX *ctx,
                           struct chain *chain);

/* The line that bridges bytes which are no line. */
struct chain_bridge {
    bool is_torn; /* they had no newline at their end */
    struct chain follows;
    struct chain skipped;
};
enum sca_status chain_seal_bridge(struct buf *lines, const char *time,
                                  const struct chain_bridge *bridge, struct chain *chain);
bool chain_read_bridge(struct span members, struct chain_bridge *ret_bridge);

/* The first line of a file but the first: which closed file is before it. */
struct chain_link {
    unsigned after;  /* its number */
    unsigned oldest; /* the oldest closed file that was kept then */
    struct chain follows;
};
enum sca_status chain_seal_link(struct buf *lines, const char *time, const struct chain_link *link,
                                struct chain *chain);
bool chain_read_link(struct span members, struct chain_link *ret_link);

/* The line that says: the lines up to the one of this chain value are gone. It does not follow what
 * is in front of it, so that this stays to be found. */
enum sca_status chain_seal_lost(struct buf *lines, const char *time, struct chain *chain);

/*
 * The line that says: lines behind the one before, up to the one of chain value last, were not on
 * the disk when the system stopped.
 */
enum sca_status chain_seal_unsaved(struct buf *lines, const char *time, const struct chain *last,
                                   struct chain *chain);
bool chain_is_unsaved(struct span members);

/* Where the log ends. */
struct chain_end {
    struct chain chain; /* of the last whole line, chain_origin if there is none */
    size_t rest;        /* offset behind that line */
};

/*
 * Looks for the last whole line in bytes, the end of the log, or with is_all the whole of it.
 * False when it is not in them.
 */
bool chain_find_end(struct span bytes, bool is_all, struct chain_end *ret_end);

#endif
