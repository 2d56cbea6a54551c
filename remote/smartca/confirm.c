/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/smartca/confirm.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "remote/base/log.h"

enum {
    NAME_MAX_LEN = 64,
    COMMAND_MAX = 4096,
    WORDS_MAX = 64,
    DESCRIPTORS_MAX = 65536, /* closed one by one on a kernel without close_range */
};

void confirm_code(struct span digest, char out[static CONFIRM_CODE_SIZE])
{
    uint8_t first[4] = {0};

    memcpy(first, digest.ptr, digest.len < sizeof(first) ? digest.len : sizeof(first));
    (void)snprintf(out, CONFIRM_CODE_SIZE, "%02X%02X-%02X%02X", first[0], first[1], first[2],
                   first[3]);
}

/* A name as it may be shown on a phone: cut, printable, valid UTF-8, and no option to a program. */
static void tidy_name(const char *name, char out[static NAME_MAX_LEN + 1])
{
    while (*name == '-') /* login shells are called "-bash" */
        name++;
    size_t len = utf8_cut(name, NAME_MAX_LEN);
    bool is_utf8 = utf8_is_valid(span_of(name, len));

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)name[i];
        bool is_shown = c >= ' ' && c != 0x7f && (c < 0x80 || is_utf8);
        out[i] = is_shown ? (char)c : '?';
    }
    if (len == 0)
        out[len++] = '?';
    out[len] = 0;
}

void confirm_description(struct span first_digest, size_t count, char *out, size_t size)
{
    char code[CONFIRM_CODE_SIZE];
    char program[NAME_MAX_LEN + 1];
    char host[NAME_MAX_LEN + 1];
    char host_name[256] = "";

    confirm_code(first_digest, code);
    tidy_name(program_invocation_short_name, program);
    if (gethostname(host_name, sizeof(host_name) - 1) != 0)
        host_name[0] = 0;
    tidy_name(host_name, host);
    (void)snprintf(out, size, "%s on %s signs %zu document%s, code %s", program, host, count,
                   count == 1 ? "" : "s", code);
}

/* A command taken apart. Words point into text, which has room for every replacement of %s. */
struct command {
    char *words[WORDS_MAX + 1];
    char text[COMMAND_MAX];
    size_t len;
};

static bool put(struct command *command, const char *bytes, size_t len)
{
    if (len > sizeof(command->text) - command->len)
        return false;
    memcpy(command->text + command->len, bytes, len);
    command->len += len;
    return true;
}

/* Copies one word from *line on, with its quotes removed and %s replaced. */
static bool take_word(struct command *command, const char **line, const char *text)
{
    const char *at = *line;
    bool is_quoted = false;
    bool is_whole = true;

    for (; *at && (is_quoted || *at != ' ') && is_whole; at++) {
        if (*at == '"') {
            is_quoted = !is_quoted;
        } else if (at[0] == '%' && at[1] == 's') {
            is_whole = put(command, text, strlen(text));
            at++;
        } else {
            is_whole = put(command, at, 1);
        }
    }
    *line = at;
    return is_whole && !is_quoted && put(command, "", 1);
}

static bool take_command(struct command *command, const char *line, const char *text)
{
    size_t count = 0;

    command->len = 0;
    for (;;) {
        while (*line == ' ')
            line++;
        if (!*line)
            break;
        if (count == WORDS_MAX)
            return false;
        command->words[count] = command->text + command->len;
        if (!take_word(command, &line, text))
            return false;
        count++;
    }
    command->words[count] = NULL;
    return count > 0 && command->words[0][0] == '/';
}

/*
 * A fork whose child is no child the host can meet: exit signal 0, and no fork handlers run. Flags
 * and all other arguments are 0, so their order, which differs between machines, does not matter.
 */
static long fork_unseen(void)
{
    return syscall(SYS_clone, 0UL, 0UL, 0UL, 0UL, 0UL);
}

/* From here to execve: async-signal-safe functions only, the host's threads are gone. */
static void forget_signals(void)
{
    struct sigaction dfl = {.sa_handler = SIG_DFL};
    sigset_t none;

    for (int signal = 1; signal < NSIG; signal++)
        (void)sigaction(signal, &dfl, NULL);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void forget_descriptors(void)
{
    int null = open("/dev/null", O_RDWR);

    for (int fd = 0; fd <= 2; fd++)
        if (null >= 0)
            (void)dup2(null, fd);
    if (syscall(SYS_close_range, 3U, ~0U, 0U) == 0)
        return;
    for (int fd = 3; fd < DESCRIPTORS_MAX; fd++)
        (void)close(fd);
}

static void exec_command(char *const *words) __attribute__((noreturn));

static void exec_command(char *const *words)
{
    forget_signals();
    forget_descriptors();
    (void)setsid();
    (void)execve(words[0], words, environ);
    _exit(127);
}

/* The first child only makes the second one, which then belongs to init, and is reaped at once. */
static bool run_unseen(char *const *words)
{
    sigset_t all;
    sigset_t before;

    /* No handler of the host may run in the children. */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    long child = fork_unseen();
    if (child == 0) {
        long grandchild = fork_unseen();
        if (grandchild == 0)
            exec_command(words);
        _exit(grandchild < 0);
    }

    int outcome = 0;
    while (child > 0 && waitpid((pid_t)child, &outcome, (int)__WCLONE) < 0)
        if (errno != EINTR)
            break;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return child > 0 && WIFEXITED(outcome) && WEXITSTATUS(outcome) == 0;
}

/* A folder may be "executed", too. */
static bool is_program(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISREG(info.st_mode) && access(path, X_OK) == 0;
}

void confirm_run(const char *command, const char *text)
{
    if (getauxval(AT_SECURE)) {
        log_line(LOG_LEVEL_WARNING, "on_confirm is not run in a set-user-ID program");
        return;
    }
    AUTO(freep) struct command *parsed = malloc(sizeof(*parsed));
    if (!parsed)
        return;
    if (!take_command(parsed, command, text))
        log_line(LOG_LEVEL_WARNING,
                 "on_confirm is not run: it needs the absolute path of a program, "
                 "closed quotes, and at most 64 words of 4096 bytes together");
    else if (!is_program(parsed->words[0]))
        log_line(LOG_LEVEL_WARNING, "on_confirm cannot run %s: not there or not executable",
                 parsed->words[0]);
    else if (!run_unseen(parsed->words))
        log_line(LOG_LEVEL_WARNING, "on_confirm could not start %s", parsed->words[0]);
}
