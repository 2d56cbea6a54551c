/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads that keep the module busy while something is done to their process: they list, sign with
 * each of the four slots, log in and out. Every signature is verified.
 */
#ifndef TESTS_GUEST_WORKER_H
#define TESTS_GUEST_WORKER_H

#include "tests/guest/host.h"

/* Logged in, in sessions of their own; judge.h looks at what they sign. */
void workers_start(void);

/* Ends them, fails unless they do in 30 s, and says how many signatures each slot made. */
void workers_stop(void);

/* How often a SmartCA signature was begun, and how often it came to its good end. */
unsigned workers_asked(void);
unsigned workers_signed(void);

/* Waits until each slot has made that many more signatures, so that all are at it. */
void workers_warm(unsigned signatures);

#endif
