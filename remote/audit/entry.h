/* SPDX-License-Identifier: Apache-2.0 */
/* An entry of the audit log as a JSON object (audit.h). */
#ifndef REMOTE_AUDIT_ENTRY_H
#define REMOTE_AUDIT_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "remote/audit/audit.h"
#include "remote/audit/chain.h"

/* RFC 3339, UTC. SCA_INVALID for a time that has no year of four digits. */
enum sca_status entry_format_time(int64_t seconds, char out[static CHAIN_TIME_SIZE]);

/*
 * Appends the object of entry to out. Written here and not by a library: the module would have to
 * load one for it, and a busy local key makes tens of thousands of lines a second.
 */
enum sca_status entry_write(const struct audit_entry *entry, const char *time, struct buf *out);

/* Makes object, which is that of like, the one of entry: true if they are alike but for time and
 * digest, by the addresses of their texts. *digest_at is 0 for a new object, and kept for it. */
bool entry_rewrite(const struct audit_entry *entry, const char *time,
                   const struct audit_entry *like, struct buf *object, size_t *digest_at);

#endif
