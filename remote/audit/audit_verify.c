/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/audit/audit.h"

#include <string.h>

#include "remote/audit/chain.h"
#include "remote/audit/files.h"
#include "remote/base/cleanup.h"

/* On the way from line to line. */
struct walk {
    struct audit_report report;
    unsigned file;        /* the one that is walked */
    size_t line;          /* of it, that were seen */
    struct chain chain;   /* of the last whole line */
    struct span skipped;  /* what came after it and is no line */
    size_t skipped_count; /* in lines */
    unsigned before;      /* number of the last closed file that was walked; 0: none */
    unsigned first;       /* of the first one */
    size_t before_lines;  /* of it */
    unsigned oldest;      /* that was kept, says the log */
    bool has_end;         /* it is known how far the log went at least, and it does */
};

static void blame_line(struct walk *walk, size_t line)
{
    walk->report.fault = AUDIT_BAD_LINE;
    walk->report.bad_file = walk->file;
    walk->report.bad_line = line;
}

static void blame_file(struct walk *walk, unsigned file)
{
    walk->report.fault = AUDIT_MISSING_FILE;
    walk->report.bad_file = file;
    walk->report.bad_line = 0;
}

static bool is_right(const struct walk *walk)
{
    return walk->report.fault == AUDIT_RIGHT;
}

static size_t first_skipped(const struct walk *walk)
{
    return walk->line - walk->skipped_count + 1;
}

/* A whole line comes after bytes that are none: only a bridge that names them may. */
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
        blame_line(walk, bad_line);
    walk->skipped_count = 0;
    return SCA_OK;
}

/*
 * The first line of a file is a link, but for the very first file's. The oldest file that is there
 * may follow one that is not: whether that one may be missing, the newest link tells.
 */
static void enter_file(struct walk *walk, const struct chain_line *line)
{
    struct chain_link link = {.after = 0, .oldest = 1};
    bool is_link = chain_read_link(line->members, &link);
    unsigned own = walk->file ? walk->file : link.after + 1;

    if (is_link != (own > 1) || link.after + 1 != own) {
        blame_line(walk, 1);
        return;
    }
    if (walk->before > 0 && link.after < walk->before)
        blame_line(walk, 1);
    if (walk->before > 0 && link.after > walk->before)
        blame_file(walk, walk->before + 1);
    if (walk->before == 0) {
        walk->first = own;
        walk->chain = is_link ? link.follows : chain_origin;
    }
    walk->oldest = link.oldest;
}

/* This line does not follow what is before it. If it is the first of its file and right in itself,
 * it is the file before that lacks its end. */
static enum sca_status blame_break(struct walk *walk, const struct chain_line *line)
{
    struct chain_link link;
    struct chain expected;

    blame_line(walk, walk->line + 1);
    if (walk->line > 0 || walk->before == 0 || !chain_read_link(line->members, &link))
        return SCA_OK;
    enum sca_status st = chain_next(&link.follows, line->members, &expected);
    if (st == SCA_OK && strcmp(expected.hex, line->chain.hex) == 0) {
        walk->report.fault = AUDIT_MISSING_END;
        walk->report.bad_file = walk->before;
        walk->report.bad_line = walk->before_lines + 1;
    }
    return st;
}

static enum sca_status step_whole(struct walk *walk, const struct chain_line *line)
{
    struct chain_bridge bridge;
    struct chain expected;
    size_t bad_line = walk->line + 1;
    enum sca_status st = SCA_OK;

    if (walk->skipped_count > 0)
        st = cross(walk, line, first_skipped(walk));
    else if (chain_read_bridge(line->members, &bridge))
        blame_line(walk, bad_line); /* what it bridges was taken away */
    if (st == SCA_OK && walk->line == 0)
        enter_file(walk, line);
    if (st == SCA_OK)
        st = chain_next(&walk->chain, line->members, &expected);
    if (st != SCA_OK)
        return st;
    if (is_right(walk) && strcmp(expected.hex, line->chain.hex) != 0)
        st = blame_break(walk, line);
    walk->chain = line->chain;
    walk->report.unsaved_count += chain_is_unsaved(line->members);
    return st;
}

/* One line, with its newline if it has one. */
static enum sca_status step(struct walk *walk, struct span line)
{
    struct chain_line read;
    enum sca_status st = SCA_OK;

    if (chain_read_ended(line, &read)) {
        st = step_whole(walk, &read);
    } else {
        if (walk->skipped_count++ == 0)
            walk->skipped = span_of(line.ptr, 0);
        walk->skipped.len += line.len;
    }
    walk->line++;
    walk->report.line_count++;
    return st;
}

/* What is no line at the end of a file. A crash of ours leaves a part of one line, behind all that
 * are known to have been written. */
static void judge_tail(struct walk *walk)
{
    walk->report.ends_torn =
        walk->file == 0 && walk->has_end && !memchr(walk->skipped.ptr, '\n', walk->skipped.len);
    if (!walk->report.ends_torn)
        blame_line(walk, first_skipped(walk));
}

static enum sca_status walk_lines(struct walk *walk, struct span bytes)
{
    enum sca_status st = SCA_OK;

    walk->line = 0;
    while (st == SCA_OK && bytes.len > 0 && is_right(walk)) {
        const uint8_t *newline = memchr(bytes.ptr, '\n', bytes.len);
        size_t len = newline ? (size_t)(newline - bytes.ptr) + 1 : bytes.len;
        st = step(walk, span_of(bytes.ptr, len));
        bytes = span_of(bytes.ptr + len, bytes.len - len);
    }
    if (st == SCA_OK && is_right(walk) && walk->skipped_count > 0)
        judge_tail(walk);
    walk->report.file_count++;
    return st;
}

static enum sca_status walk_file(struct walk *walk, const struct files *files, size_t index)
{
    AUTO(buf_fini) struct buf bytes;

    walk->file = index < files->count ? files->numbers[index] : 0;
    enum sca_status st = files_read(files, index, &bytes);
    if (st == SCA_NOT_FOUND) {
        blame_file(walk, walk->file);
        return SCA_OK;
    }
    if (st == SCA_OK)
        st = walk_lines(walk, buf_span(&bytes));
    walk->before = walk->file;
    walk->before_lines = walk->line;
    return st;
}

/* What only the whole can tell: the oldest file, and the end. A file that follows another one is
 * never empty: it comes with its first lines. */
static void judge(struct walk *walk, enum head_state state)
{
    bool is_emptied = walk->line == 0 && walk->report.file_count > 1;

    if (walk->first > walk->oldest)
        blame_file(walk, walk->first - 1);
    else if (state == HEAD_CUT || is_emptied) {
        walk->report.fault = AUDIT_MISSING_END;
        walk->report.bad_file = 0;
        walk->report.bad_line = walk->line + 1;
    }
    walk->report.ends_unsaved = state == HEAD_UNSAVED;
}

static enum sca_status walk_all(const char *state_dir, struct walk *walk)
{
    AUTO(files_fini) struct files files;
    enum head_state state = HEAD_IN_PLACE;

    enum sca_status st = files_open(state_dir, &files);
    if (st == SCA_OK && files.has_head)
        state = head_judge(&files.head, files.fd);
    walk->has_end = files.has_head && state != HEAD_CUT;
    for (size_t i = 0; st == SCA_OK && is_right(walk) && i <= files.count; i++)
        st = walk_file(walk, &files, i);
    if (st == SCA_OK && is_right(walk))
        judge(walk, state);
    return st;
}

enum sca_status audit_verify(const char *state_dir, struct audit_report *ret_report)
{
    enum { TRIES = 3 }; /* writers may close and delete files meanwhile */
    struct walk walk;
    enum sca_status st = SCA_OK;

    for (int i = 0; i < TRIES; i++) {
        walk = (struct walk){.chain = chain_origin, .oldest = 1};
        st = walk_all(state_dir, &walk);
        if (st != SCA_OK || walk.report.fault != AUDIT_MISSING_FILE)
            break;
    }
    if (st == SCA_OK)
        *ret_report = walk.report;
    return st;
}
