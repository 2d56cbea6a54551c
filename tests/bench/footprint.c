/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/footprint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct usage {
    double rss_kb;
    double dirty_kb;
};

/* True, and its number of KiB, if the line is about that. */
static bool read_kb(const char *line, const char *field, double *ret_kb)
{
    bool is_it = strncmp(line, field, strlen(field)) == 0;
    if (is_it)
        *ret_kb = strtod(line + strlen(field), NULL);
    return is_it;
}

/*
 * Private and dirty of each mapping, but for the pages of files: one that was just written, or that
 * is in a file system in memory, counts as dirty though nobody has changed it. In smaps Anonymous,
 * which such pages are not, comes after Private_Dirty.
 */
static struct usage usage_now(void)
{
    FILE *file = fopen("/proc/self/smaps", "re");
    char line[512];
    struct usage usage = {0, 0};
    double dirty = 0;
    double kb = 0;
    while (file && fgets(line, sizeof(line), file)) {
        if (read_kb(line, "Rss:", &kb))
            usage.rss_kb += kb;
        else if (!read_kb(line, "Private_Dirty:", &dirty) && read_kb(line, "Anonymous:", &kb))
            usage.dirty_kb += kb < dirty ? kb : dirty;
    }
    if (file)
        fclose(file);
    return usage;
}

static struct footprint measure_here(void (*prepare)(void *), void (*work)(void *), void *arg)
{
    struct footprint cost;
    if (prepare)
        prepare(arg);
    struct usage before = usage_now();
    struct stopwatch watch = stopwatch_start();
    work(arg);
    watch = stopwatch_stop(&watch);
    cost.us = (double)watch.wall / 1000;
    cost.cpu_us = (double)watch.cpu / 1000;
    struct usage after = usage_now();
    cost.rss_kb = after.rss_kb - before.rss_kb;
    cost.dirty_kb = after.dirty_kb - before.dirty_kb;
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
