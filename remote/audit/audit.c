/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/audit/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "remote/audit/chain.h"
#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/base/log.h"

enum {
    TIME_SIZE = sizeof("2026-01-01T00:00:00Z"),
    DIGEST_SHOWN = 4,
    LINES_MAX = 64 * 1024, /* of one append: far above what the texts can grow to */
    TAIL_MIN = 4 * 1024,   /* a line as they are, and some more */
    TAIL_MAX = 1024 * 1024,
};

static void cjson_freep(cJSON **item)
{
    cJSON_Delete(*item);
}

static void cjson_textp(char **text)
{
    cJSON_free(*text);
}

/* RFC 3339, UTC. */
static enum sca_status format_time(const struct clock *clock, char out[static TIME_SIZE])
{
    time_t now = (time_t)clock->wall_s(clock);
    struct tm utc;

    if (!gmtime_r(&now, &utc) || strftime(out, TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
        return SCA_INVALID;
    return SCA_OK;
}

/* A text that every JSON reader prints as the bytes it read, and without the identity. */
static void tidy(const char *text, const char *identity, char out[static AUDIT_TEXT_MAX + 1])
{
    size_t len = utf8_cut(text, AUDIT_TEXT_MAX);
    bool is_utf8 = utf8_is_valid(span_of(text, len));
    size_t hidden = identity ? strlen(identity) : 0;

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        out[i] = c >= ' ' && c != 0x7f && (c < 0x80 || is_utf8) ? text[i] : '?';
    }
    out[len] = 0;
    for (char *at = out; hidden && (at = strstr(at, identity)); at += hidden)
        memset(at, '*', hidden);
}

static bool add_text(cJSON *object, const char *name, const char *text, const char *identity)
{
    char tidied[AUDIT_TEXT_MAX + 1];

    if (!text)
        return true;
    tidy(text, identity, tidied);
    return cJSON_AddStringToObject(object, name, tidied) != NULL;
}

static bool add_number(cJSON *object, const char *name, int64_t number)
{
    return number < 0 || cJSON_AddNumberToObject(object, name, (double)number) != NULL;
}

/* Order and names of the members: what audit.jsonl looks like. */
static bool add_members(cJSON *object, const struct audit_entry *entry, const char *time)
{
    char mask[LOG_MASK_SIZE];
    char digest[2 * DIGEST_SHOWN + 1];
    const char *id = entry->user;
    size_t shown = entry->digest.len < DIGEST_SHOWN ? entry->digest.len : DIGEST_SHOWN;

    hex_encode(span_of(entry->digest.ptr, shown), digest);
    return add_text(object, "time", time, NULL) &&
           add_text(object, "user", id ? log_mask(id, mask) : NULL, NULL) &&
           add_text(object, "account", entry->account, id) &&
           add_text(object, "program", entry->program, id) &&
           add_number(object, "slot", entry->slot) &&
           add_text(object, "serial", entry->serial, id) &&
           add_text(object, "mechanism", entry->mechanism, id) &&
           add_text(object, "digest", shown ? digest : NULL, NULL) &&
           add_text(object, "doc_id", entry->doc_id, id) &&
           add_text(object, "transaction", entry->transaction, id) &&
           add_text(object, "outcome", entry->outcome, id) &&
           add_number(object, "milliseconds", entry->milliseconds);
}

static enum sca_status seal_entry(struct buf *lines, const char *time,
                                  const struct audit_entry *entry, struct chain *chain)
{
    AUTO(cjson_freep) cJSON *object = cJSON_CreateObject();
    if (!object || !add_members(object, entry, time))
        return SCA_NOMEM;
    AUTO(cjson_textp) char *text = cJSON_PrintUnformatted(object);

    return text ? chain_seal(lines, span_text(text), chain) : SCA_NOMEM;
}

/* The file while it is locked. */
struct audit_file {
    int lock_fd;
    int fd;
    off_t size;
    struct buf tail; /* its end */
    struct chain_end end;
};

static void audit_file_close(struct audit_file *file)
{
    buf_fini(&file->tail);
    fd_closep(&file->fd);
    fd_unlock_closep(&file->lock_fd); /* last */
}

/* The state folder is made when it turns out to be missing. */
static enum sca_status take_file_lock(const char *state_dir, int *ret_fd)
{
    errno = 0;
    enum sca_status st = file_lock(state_dir, chain_lock, CHAIN_LOCK_WAIT_MS, ret_fd);
    if (st != SCA_IO || errno != ENOENT)
        return st;
    st = dir_ensure_private(state_dir);
    return st == SCA_OK ? file_lock(state_dir, chain_lock, CHAIN_LOCK_WAIT_MS, ret_fd) : st;
}

static enum sca_status open_locked(const char *state_dir, struct audit_file *file)
{
    /* O_NONBLOCK: a FIFO put in the place of the file must not hang the host. */
    const int flags = O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK;
    AUTO(freep) char *path = path_join(state_dir, chain_file);
    struct stat info;

    if (!path)
        return SCA_NOMEM;
    enum sca_status st = take_file_lock(state_dir, &file->lock_fd);
    if (st != SCA_OK)
        return st;
    file->fd = open(path, flags, 0600);
    if (file->fd < 0 || fstat(file->fd, &info) != 0)
        return SCA_IO;
    if (!S_ISREG(info.st_mode) || info.st_uid != geteuid())
        return SCA_IO;
    file->size = info.st_size;
    return file->size > AUDIT_SIZE_MAX - LINES_MAX ? SCA_INVALID : SCA_OK;
}

static enum sca_status read_from(struct audit_file *file, off_t offset)
{
    uint8_t chunk[4096];

    buf_clear(&file->tail);
    while (offset + (off_t)file->tail.len < file->size) {
        ssize_t got = pread(file->fd, chunk, sizeof(chunk), offset + (off_t)file->tail.len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return SCA_IO;
        enum sca_status st = buf_append(&file->tail, span_of(chunk, (size_t)got));
        if (st != SCA_OK)
            return st == SCA_NOMEM ? st : SCA_IO;
    }
    return SCA_OK;
}

/* Reads no more than it takes to find the last whole line: the log grows, an append does not. */
static enum sca_status find_end(struct audit_file *file)
{
    for (off_t window = TAIL_MIN; window <= TAIL_MAX; window *= 4) {
        off_t offset = file->size > window ? file->size - window : 0;
        enum sca_status st = read_from(file, offset);
        if (st != SCA_OK)
            return st;
        if (chain_find_end(buf_span(&file->tail), offset == 0, &file->end))
            return SCA_OK;
    }
    return SCA_INVALID;
}

/* What is to be added: the end of a torn line, the line that tells of it, and the entry's. */
static enum sca_status compose(struct audit_file *file, const char *time,
                               const struct audit_entry *entry, struct buf *lines)
{
    struct buf *tail = &file->tail;
    struct chain chain = file->end.chain;
    struct chain_bridge bridge = {.follows = chain};
    enum sca_status st = SCA_OK;

    if (tail->len > 0 && tail->ptr[tail->len - 1] != '\n') {
        bridge.is_torn = true;
        st = buf_append(tail, span_text("\n"));
        if (st == SCA_OK)
            st = buf_append(lines, span_text("\n"));
    }
    /* A line that lacks its newline only is whole, and there is nothing to tell. */
    if (st == SCA_OK && file->end.rest + bridge.is_torn < tail->len) {
        st = chain_hash(span_of(tail->ptr + file->end.rest, tail->len - file->end.rest),
                        &bridge.skipped);
        if (st == SCA_OK)
            st = chain_seal_bridge(lines, time, &bridge, &chain);
    }
    return st == SCA_OK ? seal_entry(lines, time, entry, &chain) : st;
}

/* A new file is on the disk only when its folder is. */
static bool is_folder_synced(const char *state_dir)
{
    AUTO(fd_closep) int fd = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return fd >= 0 && fsync(fd) == 0;
}

static enum sca_status write_lines(const struct audit_file *file, struct span lines)
{
    enum sca_status st = fd_write_all(file->fd, lines);

    if (st == SCA_OK && fsync(file->fd) != 0)
        st = SCA_IO;
    if (st != SCA_OK && ftruncate(file->fd, file->size) != 0)
        log_line(LOG_LEVEL_WARNING, "the audit log may have half a line at its end");
    return st;
}

enum sca_status audit_append(const char *state_dir, const struct clock *clock,
                             const struct audit_entry *entry)
{
    AUTO(audit_file_close) struct audit_file file = {.lock_fd = -1, .fd = -1};
    AUTO(buf_fini) struct buf lines;
    char time[TIME_SIZE];

    buf_init(&lines, LINES_MAX, false);
    buf_init(&file.tail, TAIL_MAX + 1, false);
    enum sca_status st = open_locked(state_dir, &file);
    if (st == SCA_OK)
        st = find_end(&file);
    if (st == SCA_OK)
        st = format_time(clock, time); /* under the lock: times rise with the lines */
    if (st == SCA_OK)
        st = compose(&file, time, entry, &lines);
    if (st == SCA_OK)
        st = write_lines(&file, buf_span(&lines));
    if (st == SCA_OK && file.size == 0 && !is_folder_synced(state_dir))
        st = SCA_IO;
    return st == SCA_PROTOCOL ? SCA_INVALID : st;
}
