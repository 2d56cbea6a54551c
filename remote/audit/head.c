/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/audit/head.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/base/log.h"
#include "remote/base/size_limit.h"

/* Of one length, so that it is replaced by one write, and inside of one sector. The first line
 * alone is what versions wrote that noted durable lines only. */
#define MARK_FORMAT "%64s %020" PRIu64
#define HEAD_FORMAT MARK_FORMAT "\n" MARK_FORMAT " %-36s\n"
enum {
    MARK_LEN = CHAIN_DIGITS + 1 + 20,
    FIRST_LEN = MARK_LEN + 1,
    HEAD_LEN = FIRST_LEN + MARK_LEN + 1 + HEAD_BOOT_LEN + 1,
    FIRST_LINE_MAX = 512, /* of audit.jsonl */
};

/* Another one each time the system starts. */
static const char boot_file[] = "/proc/sys/kernel/random/boot_id";
static const char boot_unknown[] = "-";

/* What is behind the chain value in each line, but for the newline, which an editor may drop. */
static const char line_close[] = "\"}";
enum { CLOSE_LEN = sizeof(line_close) - 1 };

/* How many bytes there are, at most room. */
static size_t read_at(int fd, off_t offset, char *out, size_t room)
{
    ssize_t got = 0;

    do
        got = pread(fd, out, room, offset);
    while (got < 0 && errno == EINTR);
    return got > 0 ? (size_t)got : 0;
}

static void read_boot(char out[static HEAD_BOOT_LEN + 1])
{
    AUTO(fd_closep) int fd = open(boot_file, O_RDONLY | O_CLOEXEC);

    size_t len = fd < 0 ? 0 : read_at(fd, 0, out, HEAD_BOOT_LEN);
    out[len] = 0;
    if (strspn(out, "0123456789abcdef-") != HEAD_BOOT_LEN)
        memcpy(out, boot_unknown, sizeof(boot_unknown));
}

/* text goes on behind the mark. */
static bool parse_mark(const char *text, struct mark *ret_mark)
{
    struct mark mark;
    const char *size = text + CHAIN_DIGITS + 1;
    char *end = NULL;

    if (strspn(text, "0123456789abcdef") != CHAIN_DIGITS || text[CHAIN_DIGITS] != ' ')
        return false;
    mark.size = strtoull(size, &end, 10);
    if (end != text + MARK_LEN || strspn(size, "0123456789") != (size_t)(end - size) ||
        mark.size > INT64_MAX)
        return false;
    memcpy(mark.chain.hex, text, CHAIN_DIGITS);
    mark.chain.hex[CHAIN_DIGITS] = 0;
    *ret_mark = mark;
    return true;
}

bool head_read(int lock_fd, struct head *ret_head)
{
    char text[HEAD_LEN + 1];
    struct head read = {.boot = ""};
    const char *second = text + FIRST_LEN;

    size_t len = read_at(lock_fd, 0, text, sizeof(text));
    if ((len != FIRST_LEN && len != HEAD_LEN) || text[len - 1] != '\n' || text[MARK_LEN] != '\n')
        return false;
    text[len - 1] = 0;
    if (!parse_mark(text, &read.durable))
        return false;
    read.written = read.durable;
    if (len == HEAD_LEN) {
        if (!parse_mark(second, &read.written) || second[MARK_LEN] != ' ')
            return false;
        memcpy(read.boot, second + MARK_LEN + 1, HEAD_BOOT_LEN);
    }
    *ret_head = read;
    return true;
}

void head_write(int lock_fd, const struct mark *end, bool is_durable)
{
    char text[HEAD_LEN + 1];
    struct head head = {.boot = ""};

    if (is_durable || !head_read(lock_fd, &head))
        head.durable = is_durable ? *end : (struct mark){.chain = chain_origin};
    if (is_durable)
        memcpy(head.boot, boot_unknown, sizeof(boot_unknown)); /* the first mark says all */
    else
        read_boot(head.boot);
    (void)snprintf(text, sizeof(text), HEAD_FORMAT, head.durable.chain.hex, head.durable.size,
                   end->chain.hex, end->size, head.boot);
    if (limited_pwrite(lock_fd, text, HEAD_LEN, 0) != HEAD_LEN)
        log_line(LOG_LEVEL_WARNING, "the end of the audit log cannot be noted in %s", chain_lock);
}

bool head_read_link(int fd, struct chain_link *ret_link)
{
    char text[FIRST_LINE_MAX];
    struct chain_line line;

    size_t len = read_at(fd, 0, text, sizeof(text));
    const char *newline = memchr(text, '\n', len);
    return newline && chain_read(span_of(text, (size_t)(newline - text)), &line) &&
           chain_read_link(line.members, ret_link);
}

static bool is_in_place(const struct mark *mark, int fd)
{
    char end[CHAIN_DIGITS + CLOSE_LEN];
    struct chain_link link;

    if (mark->size == 0)
        return true;
    if (mark->size > sizeof(end) &&
        read_at(fd, (off_t)(mark->size - sizeof(end) - 1), end, sizeof(end)) == sizeof(end) &&
        memcmp(end, mark->chain.hex, CHAIN_DIGITS) == 0 &&
        memcmp(end + CHAIN_DIGITS, line_close, CLOSE_LEN) == 0)
        return true;
    return head_read_link(fd, &link) && strcmp(link.follows.hex, mark->chain.hex) == 0;
}

enum head_state head_judge(const struct head *head, int fd)
{
    char boot[HEAD_BOOT_LEN + 1];

    if (!is_in_place(&head->durable, fd))
        return HEAD_CUT;
    if (is_in_place(&head->written, fd))
        return HEAD_IN_PLACE;
    read_boot(boot);
    return strcmp(boot, head->boot) == 0 ? HEAD_CUT : HEAD_UNSAVED;
}
