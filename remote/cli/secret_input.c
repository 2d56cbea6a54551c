/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/secret_input.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* Byte by byte: what follows the line is for whoever reads standard input next. */
static enum sca_status read_line(char *out, size_t size, size_t *ret_len)
{
    size_t len = 0;

    for (;;) {
        ssize_t got = read(STDIN_FILENO, out + len, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return SCA_IO;
        if (got == 0 || out[len] == '\n')
            break;
        if (++len == size)
            return SCA_INVALID;
    }
    if (len > 0 && out[len - 1] == '\r')
        len--;
    *ret_len = len;
    return len > 0 ? SCA_OK : SCA_INVALID;
}

enum sca_status secret_input(const char *prompt, struct secret **ret_secret)
{
    char line[SECRET_MAX];
    size_t len = 0;
    struct termios before;
    bool is_terminal = tcgetattr(STDIN_FILENO, &before) == 0;

    if (is_terminal) {
        struct termios silent = before;
        /* Without ISIG too: a signal would leave the terminal without echo. */
        silent.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
        /* Only now: what is typed before is flushed, and would be seen. */
        (void)fprintf(stderr, "%s: ", prompt);
    }
    enum sca_status st = read_line(line, sizeof(line), &len);
    if (is_terminal) {
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        (void)fputc('\n', stderr);
    }
    if (st == SCA_OK)
        st = secret_new(span_of(line, len), ret_secret);
    secret_wipe(line, sizeof(line));
    return st;
}
