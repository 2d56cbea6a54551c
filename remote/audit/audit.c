/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/audit/audit.h"

#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "remote/audit/chain.h"
#include "remote/audit/entry.h"
#include "remote/audit/log_file.h"
#include "remote/base/cleanup.h"
#include "remote/base/log.h"

const char *audit_file_name(unsigned number, char out[static AUDIT_NAME_SIZE])
{
    if (number > 0)
        (void)snprintf(out, AUDIT_NAME_SIZE, "%s.%u", chain_file, number);
    else
        (void)snprintf(out, AUDIT_NAME_SIZE, "%s", chain_file);
    return out;
}

enum { CHUNK = 60 * 1024 }; /* written at a time: with one more line, the room of 64 KiB */

/* What is to be added, while it is put together. */
struct batch {
    const struct audit_source *source;
    int64_t now;
    char time[CHAIN_TIME_SIZE]; /* of now */
    struct buf object;          /* the one that is being made */
    size_t digest_at;           /* in it (entry_rewrite) */
    struct buf lines;           /* not yet written */
    struct chain end;           /* of the last line */
    EVP_MD_CTX *md;
};

static void batch_fini(struct batch *batch)
{
    buf_fini(&batch->object);
    buf_fini(&batch->lines);
    EVP_MD_CTX_free(batch->md);
}

/* Signatures of one key in a row have lines that are alike. */
static enum sca_status write_object(struct batch *batch, const struct audit_entry *entry,
                                    const struct audit_entry *before, const char *time)
{
    if (entry_rewrite(entry, time, before, &batch->object, &batch->digest_at))
        return SCA_OK;
    buf_clear(&batch->object);
    batch->digest_at = 0;
    return entry_write(entry, time, &batch->object);
}

/* file NULL: all lines stay in memory. */
static enum sca_status seal_entries(struct batch *batch, struct log_file *file)
{
    const struct audit_source *source = batch->source;
    struct audit_entry entries[2] = {{.slot = -1}, {.slot = -1}}; /* this one and the one before */
    char time[CHAIN_TIME_SIZE];
    int64_t formatted = batch->now;
    enum sca_status st = SCA_OK;

    memcpy(time, batch->time, sizeof(time));
    buf_clear(&batch->object);
    for (size_t i = 0; st == SCA_OK && i < source->count; i++) {
        struct audit_entry *entry = &entries[i % 2];
        source->get(source->arg, i, entry);
        int64_t at = entry->at ? entry->at : batch->now;
        if (at != formatted)
            st = entry_format_time(at, time);
        formatted = at;
        if (st == SCA_OK)
            st = write_object(batch, entry, &entries[(i + 1) % 2], time);
        if (st == SCA_OK)
            st = chain_seal(&batch->lines, buf_span(&batch->object), batch->md, &batch->end);
        if (st == SCA_OK && file && batch->lines.len > CHUNK) {
            st = log_file_write(file, buf_span(&batch->lines));
            buf_clear(&batch->lines);
        }
    }
    return st;
}

/* The end of a torn line, and the line that tells of what is no line at the end. */
static enum sca_status seal_bridge(struct log_file *file, struct batch *batch)
{
    struct buf *tail = &file->tail;
    struct chain_bridge bridge = {.follows = file->end.chain};
    enum sca_status st = SCA_OK;

    if (tail->len > 0 && tail->ptr[tail->len - 1] != '\n') {
        bridge.is_torn = true;
        st = buf_append(tail, span_text("\n"));
        if (st == SCA_OK)
            st = buf_append(&batch->lines, span_text("\n"));
    }
    /* A line that lacks its newline only is whole, and there is nothing to tell. */
    if (st != SCA_OK || file->end.rest + bridge.is_torn >= tail->len)
        return st;
    st = chain_hash(span_of(tail->ptr + file->end.rest, tail->len - file->end.rest),
                    &bridge.skipped);
    return st == SCA_OK ? chain_seal_bridge(&batch->lines, batch->time, &bridge, &batch->end) : st;
}

/* The line that tells of lines that are gone. */
static enum sca_status seal_gap(const struct log_file *file, struct batch *batch)
{
    switch (file->state) {
    case HEAD_UNSAVED:
        return chain_seal_unsaved(&batch->lines, batch->time, &file->lost, &batch->end);
    case HEAD_CUT:
        batch->end = file->lost;
        return chain_seal_lost(&batch->lines, batch->time, &batch->end);
    case HEAD_IN_PLACE:
    default:
        return SCA_OK;
    }
}

static enum sca_status add_here(struct log_file *file, struct batch *batch, bool is_durable)
{
    buf_clear(&batch->lines);
    batch->end = file->end.chain;
    enum sca_status st = seal_bridge(file, batch);
    if (st == SCA_OK)
        st = seal_gap(file, batch);
    if (st == SCA_OK)
        st = seal_entries(batch, file);
    if (st == SCA_OK)
        st = log_file_write(file, buf_span(&batch->lines));
    return log_file_end(file, st, &batch->end, is_durable);
}

static enum sca_status add_to_next(const struct log_file *file, const struct chain_link *link,
                                   struct batch *batch)
{
    batch->end = link->follows;
    enum sca_status st = chain_seal_link(&batch->lines, batch->time, link, &batch->end);
    if (st == SCA_OK)
        st = seal_entries(batch, NULL);
    if (st == SCA_OK)
        st = log_file_close(file, link, buf_span(&batch->lines), &batch->end);
    if (st != SCA_OK)
        log_line(LOG_LEVEL_WARNING,
                 "the audit log in %s cannot be closed as number %u, it grows on",
                 file->log->state_dir, link->after);
    return st;
}

static enum sca_status add(struct log_file *file, struct batch *batch, bool is_durable)
{
    struct chain_link link;

    if (log_file_is_full(file, &link) && add_to_next(file, &link, batch) == SCA_OK)
        return SCA_OK;
    return add_here(file, batch, is_durable);
}

static enum sca_status append(const struct audit_log *log, const struct clock *clock,
                              const struct audit_source *source, bool is_durable)
{
    AUTO(log_file_fini) struct log_file file;
    AUTO(batch_fini) struct batch batch = {.source = source, .md = EVP_MD_CTX_new()};

    log_file_init(&file, log);
    buf_init(&batch.object, LOG_FILE_BATCH_MAX, false);
    buf_init(&batch.lines, LOG_FILE_BATCH_MAX, false);
    enum sca_status st = source->count > AUDIT_BATCH_MAX ? SCA_INVALID : log_file_open(&file);
    if (st == SCA_OK) {
        batch.now = clock->wall_s(clock); /* under the lock: times rise with the lines */
        st = entry_format_time(batch.now, batch.time);
    }
    if (st == SCA_OK)
        st = add(&file, &batch, is_durable);
    return st == SCA_PROTOCOL ? SCA_INVALID : st;
}

/* OpenSSL's queue of errors is the host's: left as it was, and not looked after line by line. */
enum sca_status audit_append_from(const struct audit_log *log, const struct clock *clock,
                                  const struct audit_source *source, bool is_durable)
{
    (void)ERR_set_mark();
    enum sca_status st = append(log, clock, source, is_durable);
    (void)ERR_pop_to_mark();
    return st;
}

static void get_from_array(void *arg, size_t index, struct audit_entry *ret_entry)
{
    const struct audit_entry *const *entries = arg;

    *ret_entry = (*entries)[index];
}

enum sca_status audit_append_all(const struct audit_log *log, const struct clock *clock,
                                 const struct audit_entry *entries, size_t count, bool is_durable)
{
    const struct audit_source source = {.get = get_from_array, .arg = &entries, .count = count};

    return audit_append_from(log, clock, &source, is_durable);
}

enum sca_status audit_append(const char *state_dir, const struct clock *clock,
                             const struct audit_entry *entry)
{
    const struct audit_log log = {.state_dir = state_dir};

    return audit_append_all(&log, clock, entry, 1, true);
}
