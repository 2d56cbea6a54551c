/* SPDX-License-Identifier: Apache-2.0 */
/* Records of signatures become lines of the audit log, many at a time. */
#ifndef MODULE_TOKEN_AUDIT_BATCH_H
#define MODULE_TOKEN_AUDIT_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "module/cryptoki.h"
#include "module/token/audit.h"
#include "module/token/audit_origin.h"
#include "remote/audit/audit.h"

enum { AUDIT_TRANSACTION_SIZE = 40 };

/* What a signature leaves in memory. */
struct audit_record {
    struct audit_key key;
    CK_MECHANISM_TYPE mechanism;
    CK_RV rv;
    int64_t at; /* wall clock, seconds */
    uint64_t took_ms;
    uint8_t digest[AUDIT_DIGEST_SHOWN];
    uint8_t digest_len;
    char transaction[AUDIT_TRANSACTION_SIZE]; /* "": none */
};

/* Puts records into the order of their times and writes them. Status as of audit_append_all. */
enum sca_status audit_batch_write(const struct audit_log *log, struct audit_record *records,
                                  size_t count, bool is_durable);

#endif
