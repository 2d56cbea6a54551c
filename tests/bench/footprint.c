/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/footprint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static double smaps_kb(const char *field)
{
    FILE *file = fopen("/proc/self/smaps_rollup", "re");
    char line[256];
    double sum = 0;
    while (file && fgets(line, sizeof(line), file))
        if (strncmp(line, field, strlen(field)) == 0)
            sum += strtod(line + strlen(field), NULL);
    if (file)
        fclose(file);
    return sum;
}

/* Private_Dirty without what the libraries' files have of it: a file that was just written, or that
 * is in a file system in memory, counts as dirty though nobody has changed it. */
static double own_kb(void)
{
    return smaps_kb("Anonymous:");
}

static struct footprint measure_here(void (*prepare)(void *), void (*work)(void *), void *arg)
{
    struct footprint cost;
    if (prepare)
        prepare(arg);
    double rss = smaps_kb("Rss:");
    double dirty = own_kb();
    struct stopwatch watch = stopwatch_start();
    work(arg);
    watch = stopwatch_stop(&watch);
    cost.us = (double)watch.wall / 1000;
    cost.cpu_us = (double)watch.cpu / 1000;
    cost.rss_kb = smaps_kb("Rss:") - rss;
    cost.dirty_kb = own_kb() - dirty;
    return cost;
}

struct footprint footprint_of(void (*prepare)(void *arg), void (*work)(void *arg), void *arg)
{
    struct footprint cost;
    int ends[2];
    bench_need(pipe(ends) == 0, "no pipe");
    pid_t child = fork();
    bench_need(child >= 0, "no process");
    if (child == 0) {
        cost = measure_here(prepare, work, arg);
        _exit(write(ends[1], &cost, sizeof(cost)) == sizeof(cost) ? 0 : 1);
    }
    close(ends[1]);
    bench_need(read(ends[0], &cost, sizeof(cost)) == sizeof(cost), "the child failed");
    close(ends[0]);
    (void)waitpid(child, NULL, 0);
    return cost;
}
