/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/soak/gauge.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EARLY_FROM = 25, EARLY_TO = 40, LATE_FROM = 85 };

static unsigned count_entries(const char *path)
{
    unsigned count = 0;
    DIR *folder = opendir(path);
    while (folder && readdir(folder))
        count++;
    if (folder)
        (void)closedir(folder);
    return count > 2 ? count - 2 : 0; /* . and .. */
}

static unsigned read_status(pid_t pid, const char *name)
{
    char line[256];
    unsigned value = 0;
    (void)snprintf(line, sizeof(line), "/proc/%ld/status", (long)pid);
    FILE *file = fopen(line, "re");
    while (file && fgets(line, sizeof(line), file))
        if (strncmp(line, name, strlen(name)) == 0)
            value = (unsigned)strtoul(line + strlen(name), NULL, 10);
    if (file)
        (void)fclose(file);
    return value;
}

static void add(struct gauge_window *window, const struct gauge *gauge)
{
    if (window->rss_min_kb == 0 || gauge->rss_kb < window->rss_min_kb)
        window->rss_min_kb = gauge->rss_kb;
    if (gauge->fds > window->fds_max)
        window->fds_max = gauge->fds;
    if (gauge->threads > window->threads_max)
        window->threads_max = gauge->threads;
}

void gauge_take(struct gauge *gauge, unsigned done_percent)
{
    char path[48];
    (void)snprintf(path, sizeof(path), "/proc/%ld/fd", (long)gauge->pid);
    gauge->fds = count_entries(path);
    gauge->rss_kb = read_status(gauge->pid, "VmRSS:");
    gauge->threads = read_status(gauge->pid, "Threads:");
    if (gauge->rss_kb == 0)
        return; /* it has ended */
    if (done_percent >= EARLY_FROM && done_percent < EARLY_TO)
        add(&gauge->early, gauge);
    if (done_percent >= LATE_FROM)
        add(&gauge->late, gauge);
}
