/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/module/child.h"

#include <poll.h>
#include <signal.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 20000 };

/* Ends without exit handlers or leak checks: what a child leaves behind, it leaves on purpose. */
static _Noreturn void tell(int pipe_end, int (*story)(void *arg), void *arg)
{
    int line = story(arg);
    ssize_t written = write(pipe_end, &line, sizeof(line));
    (void)kill(getpid(), SIGKILL);
    _exit(written == sizeof(line) ? 0 : 1);
}

int child_run(int (*story)(void *arg), void *arg)
{
    int ends[2];
    int line = -1;

    if (pipe(ends) != 0)
        return -1;
    pid_t child = fork();
    if (child == 0) {
        (void)close(ends[0]);
        tell(ends[1], story, arg);
    }
    (void)close(ends[1]);
    struct pollfd answer = {.fd = ends[0], .events = POLLIN};
    if (child < 0 || poll(&answer, 1, PATIENCE_MS) != 1 ||
        read(ends[0], &line, sizeof(line)) != sizeof(line))
        line = -1;
    (void)close(ends[0]);
    if (child > 0) {
        (void)kill(child, SIGKILL);
        (void)waitpid(child, NULL, 0);
    }
    return line;
}
