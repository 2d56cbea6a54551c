/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line of the audit log (remote/audit/audit.h) for each signature of every kind of slot, made
 * or refused. A signature leaves a small record in memory and nothing else; the records are
 * written together: those of failures and of identities at a service before the call returns, and
 * durably, by one of the calls that end at the same time for all of them; others when a session is
 * closed, at a logout, at C_Finalize (durably, with all before), by the next call when one is more
 * than a second old, or when there are too many. So a process that crashes can lose what its local
 * keys signed in the last second, or since its last call; a power failure also what the system had
 * not written by itself. A child forgets what its parent has to write.
 *
 * A log that cannot be written is a warning in the program's log, once, and fails nothing.
 */
#ifndef MODULE_TOKEN_AUDIT_H
#define MODULE_TOKEN_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "module/cryptoki.h"
#include "module/token/mechanism.h"
#include "remote/base/bytes.h"

struct config;
struct operation;
struct session;

/* config is borrowed until audit_stop. */
void audit_start(const struct config *config);

/* is_empty: no call is inside any more; otherwise nobody is waited for, and what a thread that is
 * stuck keeps from being written is written after the next start. */
void audit_stop(bool is_empty);

/* In a forked child: forgets without writing. */
void audit_abandon(void);

enum { AUDIT_DIGEST_SHOWN = 4 };

/* What has to be known before a signature is made, since it may overwrite its input. */
struct audit_mark {
    uint64_t begun_ms;
    uint8_t digest[AUDIT_DIGEST_SHOWN];
    uint8_t digest_len; /* 0: what was signed is no digest, and content stays out of the log */
};

/* input: what goes to the key, hashed where the mechanism hashes. */
struct audit_mark audit_mark(const struct mechanism *mechanism, struct span input);

/*
 * The signature was made, or refused with rv. transaction: the service's (struct call), "" for
 * none. The operation is borrowed, or nobody else's; one that was joined has no mechanism.
 */
void audit_signature(struct session *s, const struct operation *sign, const struct audit_mark *mark,
                     const char *transaction, CK_RV rv);

/* At the end of every call, with no lock held: writes what is due. Cheap when nothing is. */
void audit_tick(void);

/* Writes what is there. */
void audit_flush(void);

#endif
