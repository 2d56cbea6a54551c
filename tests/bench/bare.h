/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two requests of a signature made with bare libcurl on a kept-alive connection: no JSON taken
 * apart but for what the second request needs, nothing verified, nothing journalled.
 */
#ifndef TESTS_BENCH_BARE_H
#define TESTS_BENCH_BARE_H

#include "tests/bench/bench.h"

struct bare;

/* A library of its own, so that a process can load libcurl at the moment it needs it. */
struct bare_ops {
    /* With bench->otp: sign and confirm of v2; else sign and status of v1. bench is borrowed. */
    struct bare *(*make)(const struct bench *bench);
    void (*sign)(struct bare *bare, unsigned number);
    void (*end)(struct bare *bare); /* NULL is allowed */
};

#define BARE_FILE   "bench-bare.so" /* beside the program */
#define BARE_SYMBOL "bare_ops"

#endif
