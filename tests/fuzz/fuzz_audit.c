/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the audit log: a blob that is its lock file, a blob that is a closed file (none if
 * empty), then audit.jsonl. Nothing crashes, verdict and lines agree, and what is added to it is
 * found. A line that begins with '+' gets its chain value here, and that of the line before in
 * place of an '@'; a lock file that begins so is the one of this log's end.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "remote/audit/audit.h"
#include "remote/audit/chain.h"
#include "remote/audit/head.h"
#include "remote/base/cleanup.h"
#include "tests/fuzz/feed.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/still.h"

enum { BYTES_MAX = 1 << 20 };

static void seal_line(struct buf *out, struct span object, struct chain *chain)
{
    AUTO(buf_fini) struct buf whole;
    const uint8_t *at = memchr(object.ptr, '@', object.len);
    size_t before = at ? (size_t)(at - object.ptr) : object.len;

    buf_init(&whole, BYTES_MAX, false);
    require(buf_append(&whole, span_of(object.ptr, before)) == SCA_OK);
    if (at) {
        require(buf_append(&whole, span_text(chain->hex)) == SCA_OK);
        require(buf_append(&whole, span_of(at + 1, object.len - before - 1)) == SCA_OK);
    }
    require(chain_seal(out, buf_span(&whole), NULL, chain) == SCA_OK);
}

/* chain is the one of the line before, and becomes this one's. */
static void add_line(struct buf *out, struct span line, struct chain *chain)
{
    struct chain_line read;
    size_t len = line.len - (line.ptr[line.len - 1] == '\n');

    if (len > 3 && line.ptr[0] == '+' && line.ptr[len - 1] == '}') {
        seal_line(out, span_of(line.ptr + 1, len - 1), chain);
        return;
    }
    if (chain_read_ended(line, &read))
        *chain = read.chain;
    require(buf_append(out, line) == SCA_OK);
}

static void seal(struct span bytes, struct buf *out, struct chain *chain)
{
    while (bytes.len > 0) {
        const uint8_t *newline = memchr(bytes.ptr, '\n', bytes.len);
        size_t len = newline ? (size_t)(newline - bytes.ptr) + 1 : bytes.len;
        add_line(out, span_of(bytes.ptr, len), chain);
        bytes = span_of(bytes.ptr + len, bytes.len - len);
    }
}

static void write_head(struct span bytes, size_t size, const struct chain *chain)
{
    char text[128];

    if (bytes.len > 0 && bytes.ptr[0] == '+') {
        (void)snprintf(text, sizeof(text), "%s %020zu\n", chain->hex, size);
        bytes = span_text(text);
    }
    if (bytes.len > 0)
        feed_file("audit.lock", bytes);
}

static bool count_line(void *arg, struct span line)
{
    size_t *count = arg;

    (void)line;
    ++*count;
    return true;
}

static bool verify(struct audit_report *ret_report)
{
    size_t count = 0;

    if (audit_verify(feed_folder(), ret_report) != SCA_OK)
        return false;
    require(ret_report->fault <= AUDIT_MISSING_END);
    require(ret_report->torn_count <= ret_report->line_count);
    require(audit_each(feed_folder(), count_line, &count) == SCA_OK);
    return true;
}

/* What was right stays right with one line more, and what lacks its end is never right again. */
static void add_entry(const struct audit_report *before)
{
    static const struct audit_entry entry = {.outcome = "signed"};
    struct audit_report after;

    if (audit_append(feed_folder(), &still, &entry) != SCA_OK)
        return;
    require(verify(&after));
    if (before->fault == AUDIT_RIGHT)
        require(after.fault == AUDIT_RIGHT && after.line_count > before->line_count);
    if (before->fault == AUDIT_MISSING_END)
        require(after.fault != AUDIT_RIGHT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(buf_fini) struct buf closed;
    AUTO(buf_fini) struct buf open;
    struct feed feed = {data, size};
    struct chain chain = chain_origin;
    struct audit_report report;

    feed_folder_clear(feed_folder());
    buf_init(&closed, BYTES_MAX, false);
    buf_init(&open, BYTES_MAX, false);
    struct span head = feed_blob(&feed);
    seal(feed_blob(&feed), &closed, &chain);
    seal(feed_bytes(&feed, feed.left), &open, &chain);
    write_head(head, open.len, &chain);
    if (closed.len > 0)
        feed_file("audit.jsonl.1", buf_span(&closed));
    feed_file("audit.jsonl", buf_span(&open));
    if (verify(&report))
        add_entry(&report);
    return 0;
}
