/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/bench/bench.h"

void series_init(struct series *series, const char *goal, const char *target, const char *format,
                 ...)
{
    va_list args;
    *series = (struct series){.goal = goal, .target = target};
    va_start(args, format);
    int len = vsnprintf(series->name, sizeof(series->name), format, args);
    va_end(args);
    bench_need(len > 0 && (size_t)len < sizeof(series->name) && !strchr(series->name, ','),
               series->name);
}

void series_add(struct series *series, double value)
{
    if (series->count < BENCH_ROUNDS_MAX)
        series->values[series->count++] = value;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return left < right ? -1 : left > right;
}

void series_print(struct series *series)
{
    printf("# rounds of %s,%s:", series->goal, series->name);
    for (size_t i = 0; i < series->count; i++)
        printf(" %.4g", series->values[i]);
    qsort(series->values, series->count, sizeof(series->values[0]), compare);
    printf("\n%s,%s,%s,%.4g,%.4g,%.4g,%zu\n", series->goal, series->name, series->target,
           series->values[series->count / 2], series->values[0], series->values[series->count - 1],
           series->count);
    fflush(stdout);
}

static uint64_t read_clock(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

struct stopwatch stopwatch_start(void)
{
    return (struct stopwatch){.wall = read_clock(CLOCK_MONOTONIC),
                              .cpu = read_clock(CLOCK_THREAD_CPUTIME_ID)};
}

struct stopwatch stopwatch_stop(const struct stopwatch *start)
{
    struct stopwatch now = stopwatch_start();
    return (struct stopwatch){.wall = now.wall - start->wall, .cpu = now.cpu - start->cpu};
}

bool stopwatch_was_disturbed(const struct stopwatch *spent)
{
    return (double)spent->wall > 1.3 * (double)spent->cpu;
}

static unsigned rounds_wanted(void)
{
    const char *text = getenv("BENCH_ROUNDS");
    unsigned long wanted = text ? strtoul(text, NULL, 10) : 0;
    return wanted > 0 && wanted <= BENCH_ROUNDS_MAX ? (unsigned)wanted : 9;
}

static bool is_calm(void)
{
    enum { STEPS = 5000000 };
    volatile unsigned sink = 0;
    struct stopwatch watch = stopwatch_start();
    for (unsigned step = 0; step < STEPS; step++)
        sink = sink + step;
    watch = stopwatch_stop(&watch);
    return !stopwatch_was_disturbed(&watch);
}

bool rounds_next(const struct rounds *rounds)
{
    enum { TRIES = 200 };
    const unsigned wanted = rounds_wanted();
    if (rounds->counted < wanted) {
        for (int i = 0; wanted >= BENCH_ROUNDS_MIN && i < TRIES && !is_calm(); i++)
            continue;
        return true;
    }
    if (rounds->rejected > 0)
        printf("# the machine was busy: %u rounds rejected and repeated, %u disturbed ones used\n",
               rounds->rejected, rounds->doubtful);
    return false;
}

bool rounds_count(struct rounds *rounds, bool is_disturbed)
{
    const unsigned wanted = rounds_wanted();
    if (is_disturbed && wanted >= BENCH_ROUNDS_MIN && rounds->rejected < 3 * wanted) {
        rounds->rejected++;
        return false;
    }
    rounds->doubtful += is_disturbed;
    rounds->counted++;
    return true;
}

bool rounds_keep(struct rounds *rounds)
{
    return rounds_count(rounds, !is_calm());
}
