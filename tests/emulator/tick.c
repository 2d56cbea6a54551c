/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/emulator/tick.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

static uint64_t start_ms;

static uint64_t monotonic_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void tick_start(void)
{
    start_ms = monotonic_ms();
}

uint64_t tick_ms(void)
{
    return monotonic_ms() - start_ms;
}

bool tick_pause(int stop_fd, int peer_fd, uint64_t ms)
{
    uint64_t end = tick_ms() + ms;
    for (uint64_t now = tick_ms(); now < end; now = tick_ms()) {
        struct pollfd watched[] = {{.fd = stop_fd, .events = POLLIN},
                                   {.fd = peer_fd, .events = POLLRDHUP}};
        uint64_t left = end - now;
        int ready = poll(watched, 2, left > 60000 ? 60000 : (int)left);
        if (ready > 0 || (ready < 0 && errno != EINTR))
            return false;
    }
    return true;
}
