/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/audit/audit.h"

#include <errno.h>
#include <string.h>

#include "remote/audit/chain.h"
#include "remote/base/cleanup.h"
#include "remote/base/file.h"

/* On the way from line to line. */
struct walk {
    struct audit_report report;
    struct chain chain;   /* of the last whole line */
    struct span skipped;  /* what came after it and is no line */
    size_t skipped_count; /* in lines */
};

static size_t first_skipped(const struct walk *walk)
{
    return walk->report.line_count - walk->skipped_count + 1;
}

/* Whole line `line` comes after bytes that are none: only a bridge that names them may. */
static enum sca_status cross(struct walk *walk, const struct chain_line *line, size_t bad_line)
{
    struct chain_bridge bridge;
    struct chain skipped;

    enum sca_status st = chain_hash(walk->skipped, &skipped);
    if (st != SCA_OK)
        return st;
    if (chain_read_bridge(line->members, &bridge) && bridge.is_torn &&
        strcmp(bridge.follows.hex, walk->chain.hex) == 0 &&
        strcmp(bridge.skipped.hex, skipped.hex) == 0)
        walk->report.torn_count += walk->skipped_count;
    else
        walk->report.bad_line = bad_line;
    walk->skipped_count = 0;
    return SCA_OK;
}

static enum sca_status step_whole(struct walk *walk, const struct chain_line *line)
{
    struct chain_bridge bridge;
    struct chain expected;
    size_t bad_line = walk->report.line_count + 1;
    enum sca_status st = SCA_OK;

    if (walk->skipped_count > 0)
        st = cross(walk, line, first_skipped(walk));
    else if (chain_read_bridge(line->members, &bridge))
        walk->report.bad_line = bad_line; /* what it bridges was taken away */
    if (st == SCA_OK)
        st = chain_next(&walk->chain, line->members, &expected);
    if (st != SCA_OK)
        return st;
    if (!walk->report.bad_line && strcmp(expected.hex, line->chain.hex) != 0)
        walk->report.bad_line = bad_line;
    walk->chain = line->chain;
    return SCA_OK;
}

/* One line, with its newline if it has one. */
static enum sca_status step(struct walk *walk, struct span line)
{
    struct chain_line read;
    size_t len = line.len - (line.ptr[line.len - 1] == '\n');
    enum sca_status st = SCA_OK;

    if (chain_read(span_of(line.ptr, len), &read)) {
        st = step_whole(walk, &read);
    } else {
        if (walk->skipped_count++ == 0)
            walk->skipped = span_of(line.ptr, 0);
        walk->skipped.len += line.len;
    }
    walk->report.line_count++;
    return st;
}

static enum sca_status walk_lines(struct span bytes, struct audit_report *ret_report)
{
    struct walk walk = {.chain = chain_origin};
    enum sca_status st = SCA_OK;

    while (st == SCA_OK && bytes.len > 0 && !walk.report.bad_line) {
        const uint8_t *newline = memchr(bytes.ptr, '\n', bytes.len);
        size_t len = newline ? (size_t)(newline - bytes.ptr) + 1 : bytes.len;
        st = step(&walk, span_of(bytes.ptr, len));
        bytes = span_of(bytes.ptr + len, bytes.len - len);
    }
    if (st != SCA_OK)
        return st;
    if (walk.skipped_count > 0)
        walk.report.bad_line = first_skipped(&walk);
    *ret_report = walk.report;
    return SCA_OK;
}

enum sca_status audit_verify(const char *state_dir, struct audit_report *ret_report)
{
    AUTO(freep) char *path = path_join(state_dir, chain_file);
    AUTO(fd_unlock_closep) int lock_fd = -1;
    AUTO(buf_fini) struct buf bytes;
    const char *why = NULL;

    buf_init(&bytes, 0, false);
    if (!path)
        return SCA_NOMEM;
    errno = 0;
    enum sca_status st = file_lock(state_dir, chain_lock, CHAIN_LOCK_WAIT_MS, &lock_fd);
    if (st != SCA_OK)
        return st == SCA_IO && errno == ENOENT ? SCA_NOT_FOUND : st;
    st = file_read_trusted(path, FILE_NOT_WRITABLE_BY_OTHERS, AUDIT_SIZE_MAX, false, &bytes, &why);
    return st == SCA_OK ? walk_lines(buf_span(&bytes), ret_report) : st;
}
