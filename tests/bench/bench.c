/* SPDX-License-Identifier: Apache-2.0 */
/* The program; what it measures is in the other files. tests/bench/run calls it. */
#include "tests/bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"

static const struct part {
    const char *name;
    void (*run)(const struct bench *bench);
    const char *args;
    int arg_count;
} parts[] = {
    {"rsa", bench_rsa, "", 0},
    {"ec", bench_ec, "", 0},
    {"start", bench_start, "", 0},
    {"find", bench_find, "", 0},
    {"sessions", bench_sessions, "", 0},
    {"forward", bench_forward, "", 0},
    {"memory", bench_memory, "", 0},
    {"login", bench_login, "", 0},
    {"growth", bench_growth, "", 0},
    {"idle", bench_idle, "", 0},
    {"repeat", bench_repeat, " ours|softhsm|evp rsa|ec|info|slots|start|wrong TIMES", 3},
    {"remote", bench_remote, " DELAY", 1},
    {"rate", bench_rate, " ours|bare SECONDS", 2},
    {"waits", bench_waits, " FIRST_MS STEP_MS TIMES", 3},
    {"crowd", bench_crowd, " CALLS SECONDS", 2},
    {"first", bench_first, " NAME", 1},
    {"growth-account", bench_growth_account, "", 0},
    {"idle-account", bench_idle_account, "", 0},
    {"lives", bench_lives, " TIMES", 1},
    {"signatures", bench_signatures, " TIMES", 1},
};

static int usage(void)
{
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        fprintf(stderr, "bench %s%s\n", parts[i].name, parts[i].args);
    return 2;
}

int main(int argc, char **argv)
{
    const struct bench bench = {
        .ours = getenv("BENCH_OURS"),
        .softhsm = getenv("BENCH_SOFTHSM"),
        .proxy = getenv("BENCH_PROXY"),
        .client = getenv("BENCH_CLIENT"),
        .stores = getenv("BENCH_STORES"),
        .service = getenv("BENCH_SERVICE"),
        .ca_file = getenv("BENCH_CA_FILE"),
        .serial = getenv("BENCH_SERIAL"),
        .otp = getenv("BENCH_OTP"),
        .args = argv + 2,
    };
    bench_need(bench.ours && bench.softhsm && bench.stores, "tests/bench/run starts it");
    for (size_t i = 0; argc > 1 && i < ARRAY_LEN(parts); i++)
        if (strcmp(argv[1], parts[i].name) == 0 && argc == 2 + parts[i].arg_count) {
            parts[i].run(&bench);
            return 0;
        }
    return usage();
}
