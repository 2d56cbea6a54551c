/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/meter.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

enum { BAR_WIDTH = 40 };

/* Written by a signal handler, read by every thread; lock-free. */
static atomic_bool is_stopped;
static struct sigaction before_int;
static struct sigaction before_term;

static void stop(int signal)
{
    (void)signal;
    atomic_store(&is_stopped, true);
}

void meter_begin(void)
{
    /* SA_RESTART: what is in hand is finished, not broken off. */
    struct sigaction action = {.sa_handler = stop, .sa_flags = SA_RESTART};

    atomic_store(&is_stopped, false);
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, &before_int);
    (void)sigaction(SIGTERM, &action, &before_term);
}

bool meter_is_stopped(void)
{
    return atomic_load(&is_stopped);
}

void meter_show(size_t done, size_t total)
{
    static const char full[] = "########################################";
    static const char empty[] = "                                        ";

    if (!isatty(STDERR_FILENO) || total == 0)
        return;
    int filled = (int)(done * BAR_WIDTH / total);
    (void)fprintf(stderr, "\r[%.*s%.*s] %zu/%zu", filled, full, BAR_WIDTH - filled, empty, done,
                  total);
    (void)fflush(stderr);
}

void meter_say(const char *text)
{
    if (!isatty(STDERR_FILENO))
        return;
    (void)fprintf(stderr, "\r\033[K%s", text);
    (void)fflush(stderr);
}

void meter_end(void)
{
    (void)sigaction(SIGINT, &before_int, NULL);
    (void)sigaction(SIGTERM, &before_term, NULL);
    if (isatty(STDERR_FILENO))
        (void)fputs("\r\033[K", stderr);
}
