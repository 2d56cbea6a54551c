/* SPDX-License-Identifier: Apache-2.0 */
#include "module/token/audit_batch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "module/token/names.h"
#include "remote/base/cleanup.h"
#include "remote/base/clock.h"

enum { CODE_SIZE = 24 };

/* What a batch's entries borrow from. */
struct batch {
    const struct audit_record *records;
    struct audit_entry *entries;
    char (*codes)[CODE_SIZE]; /* of what has no name; two for each */
    struct audit_origin *origins;
};

static void batch_fini(struct batch *batch)
{
    free(batch->entries);
    free(batch->codes);
    audit_origin_free_all(&batch->origins);
}

static int compare_times(const void *a, const void *b)
{
    const struct audit_record *left = a;
    const struct audit_record *right = b;

    return left->at < right->at ? -1 : left->at > right->at;
}

static const char *name_or_code(const char *name, CK_ULONG value, char code[static CODE_SIZE])
{
    if (name)
        return name;
    (void)snprintf(code, CODE_SIZE, "0x%08lx", value);
    return code;
}

static bool is_alike(const struct audit_record *a, const struct audit_record *b)
{
    return a->mechanism == b->mechanism && a->rv == b->rv && audit_key_is_same(&a->key, &b->key) &&
           !a->transaction[0] && !b->transaction[0];
}

/* Signatures of one key in a row: only little is new, and no text. */
static bool describe_alike(struct batch *batch, size_t index)
{
    const struct audit_record *record = &batch->records[index];

    if (index == 0 || !is_alike(record, record - 1))
        return false;
    batch->entries[index] = batch->entries[index - 1];
    batch->entries[index].at = record->at;
    batch->entries[index].digest = span_of(record->digest, record->digest_len);
    batch->entries[index].milliseconds = (int64_t)record->took_ms;
    return true;
}

static void describe(struct batch *batch, size_t index)
{
    if (describe_alike(batch, index))
        return;
    const struct audit_record *record = &batch->records[index];
    const struct token *token = record->key.token;
    const struct audit_origin *origin = audit_origin_find(&batch->origins, &record->key);
    char(*code)[CODE_SIZE] = &batch->codes[2 * index];

    batch->entries[index] = (struct audit_entry){
        .at = record->at,
        .user = token->identity.user,
        .owner = origin ? origin->label : NULL,
        .account = token->identity.account,
        .program = program_invocation_short_name,
        .slot = (int64_t)token->slot_id,
        .serial = origin && origin->serial[0] ? origin->serial : NULL,
        .mechanism =
            name_or_code(trace_mechanism_name(record->mechanism), record->mechanism, code[0]),
        .digest = span_of(record->digest, record->digest_len),
        .transaction = record->transaction[0] ? record->transaction : NULL,
        .outcome = record->rv == CKR_OK
                       ? "ok"
                       : name_or_code(trace_rv_name(record->rv), record->rv, code[1]),
        .milliseconds = (int64_t)record->took_ms,
    };
}

static void sort(struct audit_record *records, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (records[i].at >= records[i - 1].at)
            continue;
        qsort(records, count, sizeof(*records), compare_times);
        return;
    }
}

enum sca_status audit_batch_write(const struct audit_log *log, struct audit_record *records,
                                  size_t count, bool is_durable)
{
    AUTO(batch_fini)
    struct batch batch = {
        .records = records,
        .entries = malloc(count * sizeof(*batch.entries)),
        .codes = malloc(2 * count * sizeof(*batch.codes)),
    };

    if (!batch.entries || !batch.codes)
        return SCA_NOMEM;
    sort(records, count);
    for (size_t i = 0; i < count; i++)
        describe(&batch, i);
    return audit_append_all(log, &clock_system, batch.entries, count, is_durable);
}
