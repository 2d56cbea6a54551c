/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/secret_input.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "remote/base/cleanup.h"

/* A signal that ends the tool must not leave the terminal without echo: it is kept until that is
 * mended, and raised then. */
static const int kept_signals[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};
static volatile sig_atomic_t kept_signal;

static void keep_signal(int number)
{
    kept_signal = number;
}

struct silence {
    struct termios before;
    struct sigaction actions[ARRAY_LEN(kept_signals)];
    sigset_t mask;
};

/* False where standard input is no terminal. */
static bool silence_begin(struct silence *silence)
{
    struct sigaction keep = {.sa_handler = keep_signal};
    struct termios silent;
    sigset_t blocked;

    if (tcgetattr(STDIN_FILENO, &silence->before) != 0)
        return false;
    kept_signal = 0;
    (void)sigemptyset(&keep.sa_mask);
    (void)sigemptyset(&blocked);
    for (size_t i = 0; i < ARRAY_LEN(kept_signals); i++)
        (void)sigaddset(&blocked, kept_signals[i]);
    (void)sigprocmask(SIG_BLOCK, &blocked, &silence->mask); /* but while wait_for_key waits */
    for (size_t i = 0; i < ARRAY_LEN(kept_signals); i++)
        (void)sigaction(kept_signals[i], &keep, &silence->actions[i]);
    silent = silence->before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    silent.c_cc[VSUSP] = _POSIX_VDISABLE; /* nor may it be left that way for a while */
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    return true;
}

static void silence_end(const struct silence *silence)
{
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &silence->before);
    (void)fputc('\n', stderr);
    for (size_t i = 0; i < ARRAY_LEN(kept_signals); i++)
        (void)sigaction(kept_signals[i], &silence->actions[i], NULL);
    (void)sigprocmask(SIG_SETMASK, &silence->mask, NULL);
    if (kept_signal)
        (void)raise((int)kept_signal);
}

/* A signal that came between the prompt and a plain read would be noted, and the read wait for
 * ever: ppoll lets signals in and waits in one step. */
static enum sca_status wait_for_key(const struct silence *silence)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};

    while (ppoll(&input, 1, NULL, &silence->mask) < 0) {
        if (errno != EINTR)
            return SCA_IO;
        if (kept_signal)
            return SCA_CANCELLED;
    }
    return SCA_OK;
}

/* One byte, so that what follows the line is for whoever reads standard input next; its end counts
 * as the line's. silence is NULL where it is no terminal. */
static enum sca_status read_key(const struct silence *silence, char *ret_key)
{
    for (;;) {
        enum sca_status st = silence ? wait_for_key(silence) : SCA_OK;
        if (st != SCA_OK)
            return st;
        ssize_t got = read(STDIN_FILENO, ret_key, 1);
        if (got == 0)
            *ret_key = '\n';
        if (got >= 0)
            return SCA_OK;
        if (errno != EINTR)
            return SCA_IO;
    }
}

static enum sca_status read_line(const struct silence *silence, char *out, size_t size,
                                 size_t *ret_len)
{
    size_t len = 0;

    for (;;) {
        enum sca_status st = read_key(silence, out + len);
        if (st != SCA_OK)
            return st;
        if (out[len] == '\n')
            break;
        if (++len == size)
            return SCA_INVALID;
    }
    if (len > 0 && out[len - 1] == '\r')
        len--;
    *ret_len = len;
    return len > 0 && !memchr(out, '\r', len) ? SCA_OK : SCA_INVALID;
}

enum sca_status secret_input(const char *prompt, struct secret **ret_secret)
{
    struct silence silence;
    char line[SECRET_MAX];
    size_t len = 0;

    bool is_terminal = silence_begin(&silence);
    if (is_terminal) /* only now: what is typed before is flushed, and would be seen */
        (void)fprintf(stderr, "%s: ", prompt);
    enum sca_status st = read_line(is_terminal ? &silence : NULL, line, sizeof(line), &len);
    if (st == SCA_OK)
        st = secret_new(span_of(line, len), ret_secret);
    secret_wipe(line, sizeof(line));
    if (is_terminal)
        silence_end(&silence);
    return st;
}
