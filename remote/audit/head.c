/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/audit/head.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "remote/base/log.h"

/* Of one length, so that it is replaced by one write. */
#define HEAD_FORMAT "%64s %020" PRIu64 "\n"
enum { HEAD_LEN = CHAIN_DIGITS + 1 + 20 + 1, FIRST_LINE_MAX = 512 };

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

bool head_read(int lock_fd, struct head *ret_head)
{
    char text[HEAD_LEN + 1];
    struct head read;
    char *end = NULL;

    if (read_at(lock_fd, 0, text, sizeof(text)) != HEAD_LEN || text[HEAD_LEN - 1] != '\n')
        return false;
    text[HEAD_LEN - 1] = 0;
    if (strspn(text, "0123456789abcdef") != CHAIN_DIGITS || text[CHAIN_DIGITS] != ' ')
        return false;
    const char *size = text + CHAIN_DIGITS + 1;
    read.size = strtoull(size, &end, 10);
    if (strspn(size, "0123456789") != strlen(size) || *end || read.size > INT64_MAX)
        return false;
    text[CHAIN_DIGITS] = 0;
    memcpy(read.chain.hex, text, sizeof(read.chain.hex));
    *ret_head = read;
    return true;
}

void head_write(int lock_fd, const struct head *head)
{
    char text[HEAD_LEN + 1];

    (void)snprintf(text, sizeof(text), HEAD_FORMAT, head->chain.hex, head->size);
    if (pwrite(lock_fd, text, HEAD_LEN, 0) != HEAD_LEN)
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

bool head_is_in(const struct head *head, int fd)
{
    char end[CHAIN_DIGITS + CLOSE_LEN];
    struct chain_link link;

    if (head->size > sizeof(end) &&
        read_at(fd, (off_t)(head->size - sizeof(end) - 1), end, sizeof(end)) == sizeof(end) &&
        memcmp(end, head->chain.hex, CHAIN_DIGITS) == 0 &&
        memcmp(end + CHAIN_DIGITS, line_close, CLOSE_LEN) == 0)
        return true;
    return head_read_link(fd, &link) && strcmp(link.follows.hex, head->chain.hex) == 0;
}
