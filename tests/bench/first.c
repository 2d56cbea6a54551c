/* SPDX-License-Identifier: Apache-2.0 */
/*
 * P19: the first signature of a process, from loading libcurl over reading the CA file and the TLS
 * handshake to the two answers, against bare libcurl that does the same. This program is not linked
 * to libcurl.
 */
#include "tests/bench/account.h"
#include "tests/bench/footprint.h"

static void open_module(void *arg)
{
    account_open(arg);
}

static void sign_with_module(void *arg)
{
    account_sign(arg);
}

static void sign_bare(void *arg)
{
    account_bare_open(arg);
    account_bare_sign(arg);
}

/* Every process begins with numbers of its own. */
static struct footprint first_of(void (*prepare)(void *), void (*work)(void *),
                                 const struct bench *bench)
{
    static unsigned processes;
    struct account account;
    account_init(&account, bench, ++processes);
    return footprint_of(prepare, work, &account);
}

void bench_first(const struct bench *bench)
{
    const char *name = bench->args[0];
    struct rounds rounds = {0};
    struct series ratio;
    struct series cpu;
    struct series own;
    struct series bare;

    series_init(&ratio, "P19", "<= 1.1", "first signature with %s: time over bare libcurl's", name);
    series_init(&cpu, "P19", "<= 1.1", "first signature with %s: CPU time over bare libcurl's",
                name);
    series_init(&own, "P19", "ms", "first signature with %s: ours", name);
    series_init(&bare, "P19", "ms", "first signature with %s: bare libcurl", name);
    (void)first_of(open_module, sign_with_module, bench); /* into the page cache */
    (void)first_of(NULL, sign_bare, bench);
    while (rounds_next(&rounds)) {
        struct footprint mine = first_of(open_module, sign_with_module, bench);
        struct footprint other = first_of(NULL, sign_bare, bench);
        if (!rounds_keep(&rounds))
            continue;
        series_add(&ratio, mine.us / other.us);
        series_add(&cpu, mine.cpu_us / other.cpu_us);
        series_add(&own, mine.us / 1000);
        series_add(&bare, other.us / 1000);
    }
    series_print(&ratio);
    series_print(&cpu);
    series_print(&own);
    series_print(&bare);
}
