/* SPDX-License-Identifier: Apache-2.0 */
/* P10: how long after the confirmation C_Sign returns. The person's first one comes after FIRST_MS,
 * each STEP_MS later than the one before: tests/bench/account.sh has told the emulator so. */
#include <stdlib.h>

#include "tests/bench/account.h"

void bench_waits(const struct bench *bench)
{
    const double first_ms = strtod(bench->args[0], NULL);
    const double step_ms = strtod(bench->args[1], NULL);
    const unsigned long times = strtoul(bench->args[2], NULL, 10);
    struct series delay;
    struct account account;

    series_init(&delay, "P10", "<= 1.02",
                "s from a confirmation to the return (poll interval 2 s)");
    account_init(&account, bench, 0);
    account_open(&account);
    for (unsigned long i = 0; i < times; i++) {
        struct stopwatch watch = stopwatch_start();
        account_sign(&account);
        watch = stopwatch_stop(&watch);
        series_add(&delay, (double)watch.wall / 1e9 - (first_ms + step_ms * (double)i) / 1000);
    }
    series_print(&delay);
    account_close(&account);
}
