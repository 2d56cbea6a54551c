/* SPDX-License-Identifier: Apache-2.0 */
/* P22: what a process does that has signed and now does nothing, seen from outside, over a real
 * interval: how often one of its threads wakes up, and how many threads there are. */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/account.h"
#include "tests/bench/sign.h"

enum { WATCH_S = 10, IDLE_SIGNS = 10 };

struct tasks {
    unsigned threads;
    unsigned long wakeups;
};

static unsigned long switches_of(pid_t process, const char *task)
{
    static const char field[] = "voluntary_ctxt_switches:";
    char path[64];
    char line[128];
    unsigned long count = 0;
    (void)snprintf(path, sizeof(path), "/proc/%ld/task/%.16s/status", (long)process, task);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof(line), file))
        if (strncmp(line, field, sizeof(field) - 1) == 0)
            count = strtoul(line + sizeof(field) - 1, NULL, 10);
    if (file)
        (void)fclose(file);
    return count;
}

static struct tasks look_at(pid_t process)
{
    struct tasks tasks = {0};
    char path[64];
    const struct dirent *entry;
    (void)snprintf(path, sizeof(path), "/proc/%ld/task", (long)process);
    DIR *dir = opendir(path);
    while (dir && (entry = readdir(dir))) {
        if (entry->d_name[0] == '.')
            continue;
        tasks.threads++;
        tasks.wakeups += switches_of(process, entry->d_name);
    }
    if (dir)
        (void)closedir(dir);
    bench_need(tasks.threads > 0, path);
    return tasks;
}

/* The child signs, says so, and sleeps until it is killed. */
static pid_t start(void (*work)(void *arg), void *arg)
{
    int ends[2];
    char ready = 0;
    bench_need(pipe(ends) == 0, "no pipe");
    pid_t child = fork();
    bench_need(child >= 0, "no process");
    if (child == 0) {
        work(arg);
        if (write(ends[1], "r", 1) == 1)
            for (;;)
                (void)pause();
        _exit(1);
    }
    (void)close(ends[1]);
    bench_need(read(ends[0], &ready, 1) == 1, "the child failed");
    (void)close(ends[0]);
    sleep(1); /* it is in pause() by now */
    return child;
}

static void watch(const char *name, void (*work)(void *arg), void *arg)
{
    struct series wakeups;
    struct series threads;
    pid_t child = start(work, arg);
    struct tasks before = look_at(child);
    sleep(WATCH_S);
    struct tasks after = look_at(child);
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);

    series_init(&wakeups, "P22", "<= 0", "wake-ups in %d idle seconds: %s", WATCH_S, name);
    series_init(&threads, "P22", "<= 1", "threads when idle: %s", name);
    series_add(&wakeups, (double)(after.wakeups - before.wakeups));
    series_add(&threads, after.threads);
    series_print(&wakeups);
    series_print(&threads);
}

static void sign_local(void *arg)
{
    struct subject *subject = arg;
    struct signing signing = {.kind = &signature_ec, .subject = subject};
    subject->p11 = bench_load(subject->path);
    subject_choose(subject, "keys");
    subject_open(subject);
    subject_login(subject);
    sign_times(&signing, IDLE_SIGNS);
}

static void sign_account(void *arg)
{
    account_open(arg);
    for (int i = 0; i < IDLE_SIGNS; i++)
        account_sign(arg);
}

void bench_idle(const struct bench *bench)
{
    struct subject subjects[SUBJECTS];
    subjects_describe(bench, subjects);
    watch("a self-signed slot", sign_local, &subjects[0]);
    subjects[0].file = "forward.conf"; /* SoftHSM2's token, in our slot */
    subject_choose(&subjects[1], "keys");
    watch("a USB token", sign_local, &subjects[0]);
}

void bench_idle_account(const struct bench *bench)
{
    struct account account;
    account_init(&account, bench, (unsigned)getpid() << 16);
    watch("a SmartCA slot", sign_account, &account);
}
