/* SPDX-License-Identifier: Apache-2.0 */
/* C_Sign against the same two requests made with bare libcurl. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/account.h"

enum { SIGNS_PER_ROUND = 60 };

/* What README.md asks for at that delay. */
static const struct {
    const char *delay;
    const char *ratio;
    const char *cpu;
} targets[] = {{"0", "ratio", "<= 35"},
               {"1", "<= 1.05", "us"},
               {"5", "<= 1.03", "us"},
               {"20", "<= 1.01", "us"}};

static void name_series(const struct bench *bench, struct series *ratio, struct series *cpu)
{
    const char *delay = bench->args[0];
    const char *ratio_target = "ratio";
    const char *cpu_target = "us";
    for (size_t i = 0; i < sizeof(targets) / sizeof(*targets); i++)
        if (strcmp(targets[i].delay, delay) == 0) {
            ratio_target = targets[i].ratio;
            cpu_target = targets[i].cpu;
        }
    const char *what = bench->otp ? "C_Sign (v2)" : "C_Sign";
    series_init(ratio, "P5", ratio_target, "%s over bare libcurl at %s ms: time", what, delay);
    series_init(cpu, "P6", cpu_target, "%s over bare libcurl at %s ms: CPU us more", what, delay);
}

/* What count signatures take this thread. */
static struct stopwatch time_signs(struct account *account, void (*sign)(struct account *),
                                   unsigned count)
{
    struct stopwatch watch = stopwatch_start();
    for (unsigned i = 0; i < count; i++)
        sign(account);
    return stopwatch_stop(&watch);
}

void bench_remote(const struct bench *bench)
{
    struct series ratio;
    struct series cpu;
    struct rounds rounds = {0};
    struct account account;

    name_series(bench, &ratio, &cpu);
    account_init(&account, bench, 0);
    account_open(&account);
    account_bare_open(&account);
    account_sign(&account); /* connections are open from here on */
    account_bare_sign(&account);
    while (rounds_next(&rounds)) {
        struct stopwatch bare = time_signs(&account, account_bare_sign, SIGNS_PER_ROUND);
        struct stopwatch module = time_signs(&account, account_sign, SIGNS_PER_ROUND);
        if (!rounds_keep(&rounds))
            continue;
        series_add(&ratio, (double)module.wall / (double)bare.wall);
        series_add(&cpu, ((double)module.cpu - (double)bare.cpu) / SIGNS_PER_ROUND / 1000);
    }
    series_print(&ratio);
    series_print(&cpu);
    account_close(&account);
    account_bare_close(&account);
}

/* How many signatures in so many seconds; for several processes at once. */
void bench_rate(const struct bench *bench)
{
    struct account account;
    bool is_bare = strcmp(bench->args[0], "bare") == 0;
    unsigned first = (unsigned)getpid() << 16; /* no two processes sign the same */
    uint64_t until = stopwatch_start().wall + strtoull(bench->args[1], NULL, 10) * 1000000000U;

    account_init(&account, bench, first);
    if (is_bare)
        account_bare_open(&account);
    else
        account_open(&account);
    while (stopwatch_start().wall < until)
        (void)time_signs(&account, is_bare ? account_bare_sign : account_sign, 1);
    printf("%u\n", account.number - first);
    if (is_bare)
        account_bare_close(&account);
    else
        account_close(&account);
}

/* C_Finalize closes connections: each signature needs one of its own. */
void bench_lives(const struct bench *bench)
{
    struct account account;
    unsigned long times = strtoul(bench->args[0], NULL, 10);

    account_init(&account, bench, (unsigned)getpid() << 16);
    account_open(&account);
    account_sign(&account);
    account_close(&account);
    for (unsigned long i = 1; i < times; i++) {
        account_start(&account);
        account_sign(&account);
        account_close(&account);
    }
}

void bench_signatures(const struct bench *bench)
{
    struct account account;
    unsigned long times = strtoul(bench->args[0], NULL, 10);

    account_init(&account, bench, (unsigned)getpid() << 16);
    account_open(&account);
    for (unsigned long i = 0; i < times; i++)
        account_sign(&account);
    account_close(&account);
}
