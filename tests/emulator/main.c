/* SPDX-License-Identifier: Apache-2.0 */
/* smartca-emulator: see README.md. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "tests/emulator/complain.h"
#include "tests/emulator/emulator.h"
#include "tests/emulator/options.h"
#include "tests/emulator/server.h"
#include "tests/emulator/tick.h"

/* Blocks what ends us before any thread starts, so that only the descriptor gets it. */
static int take_signals(void)
{
    sigset_t ending;
    (void)sigemptyset(&ending);
    (void)sigaddset(&ending, SIGTERM);
    (void)sigaddset(&ending, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &ending, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &ending, SFD_CLOEXEC);
}

/* True at the end of stdin: what is written there is nobody's business. */
static bool has_ended(void)
{
    char ignored[256];
    ssize_t got = read(STDIN_FILENO, ignored, sizeof(ignored));
    return got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN);
}

static void wait_for_end(int signal_fd, bool ignores_stdin)
{
    struct pollfd watched[] = {{.fd = signal_fd, .events = POLLIN},
                               {.fd = ignores_stdin ? -1 : STDIN_FILENO, .events = POLLIN}};
    for (;;) {
        int ready = poll(watched, 2, -1);
        if (ready < 0 && errno != EINTR)
            return;
        if (ready <= 0)
            continue;
        if (watched[0].revents != 0 || (watched[1].revents != 0 && has_ended()))
            return;
    }
}

static bool serve(struct emulator *emulator, int signal_fd)
{
    struct server *server = NULL;
    if (server_start(emulator, &server) != SCA_OK)
        return false;
    bool is_told =
        printf("listening 127.0.0.1:%u\n", atomic_load(&emulator->port)) > 0 && fflush(stdout) == 0;
    if (is_told)
        wait_for_end(signal_fd, emulator->options->ignores_stdin);
    emulator_stop(emulator);
    server_stop(server);
    return is_told;
}

static int run(const struct options *options)
{
    static struct emulator emulator; /* large, and only one */
    int signal_fd = take_signals();
    if (signal_fd < 0)
        return EXIT_FAILURE;
    tick_start();
    bool is_good = emulator_open(&emulator, options) == SCA_OK;
    if (is_good)
        is_good = serve(&emulator, signal_fd);
    else
        complain("not started");
    emulator_close(&emulator);
    (void)close(signal_fd);
    return is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    struct options options;
    /* The machine's OpenSSL configuration may load providers, this project's module among them. */
    if (setenv("OPENSSL_CONF", "/dev/null", 1) != 0)
        return EXIT_FAILURE;
    int result = 2; /* wrong usage */
    switch (options_parse(argc, argv, &options)) {
    case OPTIONS_RUN:
        result = run(&options);
        break;
    case OPTIONS_SHOWN:
        result = EXIT_SUCCESS;
        break;
    case OPTIONS_WRONG:
        break;
    }
    options_fini(&options);
    return result;
}
