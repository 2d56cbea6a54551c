/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/still.h"

static uint64_t now_ms(const struct clock *clock)
{
    (void)clock;
    return 1000;
}

static int64_t wall_s(const struct clock *clock)
{
    (void)clock;
    return STILL_S;
}

static void no_wait(const struct clock *clock, struct call *call, uint64_t ms)
{
    (void)clock;
    (void)call;
    (void)ms;
}

const struct clock still = {now_ms, wall_s, no_wait};
