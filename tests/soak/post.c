/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/soak/post.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/integration/harness.h"

enum { PIPE_BYTES = 1 << 20 };

static int write_fd = -1;

struct office *post_open(int *ret_read_fd)
{
    int ends[2];
    void *memory = mmap(NULL, sizeof(struct office), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || pipe2(ends, O_CLOEXEC) != 0)
        return NULL;
    (void)fcntl(ends[0], F_SETPIPE_SZ, PIPE_BYTES); /* a smaller one only makes workers wait */
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);      /* of the reader's end alone */
    *ret_read_fd = ends[0];
    write_fd = ends[1];
    return memory;
}

/* A post is smaller than PIPE_BUF: it is written and read whole. */
bool post_read(int fd, struct post *ret_post)
{
    return read(fd, ret_post, sizeof(*ret_post)) == (ssize_t)sizeof(*ret_post);
}

void post_send(const struct post *post)
{
    while (write(write_fd, post, sizeof(*post)) < 0 && errno == EINTR)
        continue;
}

void post_broken(unsigned desk, const char *format, ...)
{
    struct post post = {.kind = POST_BROKEN, .desk = desk};
    va_list args;
    va_start(args, format);
    (void)vsnprintf(post.text, sizeof(post.text), format, args);
    va_end(args);
    post_send(&post);
}

void desk_begin(struct desk *desk, const char *what, uint64_t limit_ms)
{
    atomic_store(&desk->what, what);
    atomic_store(&desk->until_ms, world_now_ms() + limit_ms);
}

void desk_end(struct desk *desk)
{
    atomic_store(&desk->until_ms, 0);
}
