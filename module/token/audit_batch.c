/* SPDX-License-Identifier: Apache-2.0 */
#include "module/token/audit_batch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "module/token/names.h"
#include "remote/base/cleanup.h"
#include "remote/base/clock.h"

enum { CODE_SIZE = 24 };

/* A value that has no name. */
struct code {
    struct code *next;
    char text[CODE_SIZE];
};

/* What the entries of a batch borrow from. */
struct batch {
    const struct audit_record *records;
    struct audit_origin *origins;
    struct code *codes;
    struct audit_entry entry; /* of the last record, but for what each has of its own */
};

static void batch_fini(struct batch *batch)
{
    audit_origin_free_all(&batch->origins);
    while (batch->codes) {
        struct code *next = batch->codes->next;
        free(batch->codes);
        batch->codes = next;
    }
}

static int compare_times(const void *a, const void *b)
{
    const struct audit_record *left = a;
    const struct audit_record *right = b;

    return left->at < right->at ? -1 : left->at > right->at;
}

/* NULL without memory, and then left out. */
static const char *name_or_code(struct batch *batch, const char *name, CK_ULONG value)
{
    if (name)
        return name;
    struct code *code = malloc(sizeof(*code));
    if (!code)
        return NULL;
    (void)snprintf(code->text, sizeof(code->text), "0x%08lx", value);
    code->next = batch->codes;
    batch->codes = code;
    return code->text;
}

/* NULL: not known. */
static const char *mechanism_of(struct batch *batch, const struct audit_record *record)
{
    if (record->mechanism == CK_UNAVAILABLE_INFORMATION)
        return NULL;
    return name_or_code(batch, trace_mechanism_name(record->mechanism), record->mechanism);
}

static bool is_alike(const struct audit_record *a, const struct audit_record *b)
{
    return a->mechanism == b->mechanism && a->rv == b->rv && audit_key_is_same(&a->key, &b->key) &&
           !a->transaction[0] && !b->transaction[0];
}

static void describe(struct batch *batch, const struct audit_record *record)
{
    const struct token *token = record->key.token;
    const struct audit_origin *origin = audit_origin_find(&batch->origins, &record->key);
    const char *rv_name = record->rv == CKR_OK ? "ok" : trace_rv_name(record->rv);

    batch->entry = (struct audit_entry){
        .user = token->identity.user,
        .owner = origin ? origin->label : NULL,
        .account = token->identity.account,
        .program = program_invocation_short_name,
        .slot = (int64_t)token->slot_id,
        .serial = origin && origin->serial[0] ? origin->serial : NULL,
        .mechanism = mechanism_of(batch, record),
        .transaction = record->transaction[0] ? record->transaction : NULL,
        .outcome = name_or_code(batch, rv_name, record->rv),
    };
}

/* Signatures of one key in a row: only little is new, and no text. */
static void get_entry(void *arg, size_t index, struct audit_entry *ret_entry)
{
    struct batch *batch = arg;
    const struct audit_record *record = &batch->records[index];

    if (index == 0 || !is_alike(record, record - 1))
        describe(batch, record);
    *ret_entry = batch->entry;
    ret_entry->at = record->at;
    ret_entry->digest = span_of(record->digest, record->digest_len);
    ret_entry->milliseconds = (int64_t)record->took_ms;
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
    AUTO(batch_fini) struct batch batch = {.records = records};
    const struct audit_source source = {.get = get_entry, .arg = &batch, .count = count};

    sort(records, count);
    return audit_append_from(log, &clock_system, &source, is_durable);
}
