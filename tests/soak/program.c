/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/soak/program.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/integration/harness.h"
#include "tests/soak/signer.h"

enum { ARGS_MAX = 24, LOOK_MS = 20 };

static int await(pid_t child, uint64_t limit_ms)
{
    int status = 0;
    uint64_t until_ms = world_now_ms() + limit_ms;
    while (waitpid(child, &status, WNOHANG) == 0) {
        if (world_now_ms() > until_ms) {
            (void)kill(child, SIGKILL);
            (void)waitpid(child, &status, 0);
            return -1;
        }
        signer_rest(LOOK_MS);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int program_run(const char *const *args, const char *out, uint64_t limit_ms)
{
    static char path[] = SMARTCA_TOOL;
    char *argv[ARGS_MAX] = {path};
    posix_spawn_file_actions_t actions;
    pid_t child = -1;
    for (size_t i = 0; args[i] && i < ARGS_MAX - 2; i++)
        argv[i + 1] = (char *)(uintptr_t)args[i];
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    (void)posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out,
                                           O_WRONLY | O_CREAT | O_TRUNC, 0600);
    (void)posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
    int failed = posix_spawn(&child, path, &actions, NULL, argv, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    return failed ? -1 : await(child, limit_ms);
}
