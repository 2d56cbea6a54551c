/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_EMULATOR_TICK_H
#define TESTS_EMULATOR_TICK_H

#include <stdbool.h>
#include <stdint.h>

/* Milliseconds on the monotonic clock since tick_start(): the time of every answer of the control
 * plane. */
void tick_start(void);
uint64_t tick_ms(void);

/*
 * Waits ms milliseconds. False as soon as the peer of the connected socket peer_fd has gone (-1: no
 * peer is watched) or stop_fd became readable, which is how the emulator wakes everybody to end.
 */
bool tick_pause(int stop_fd, int peer_fd, uint64_t ms);

#endif
