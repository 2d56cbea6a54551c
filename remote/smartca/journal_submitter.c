/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/smartca/journal_submitter.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"

/* Field 22 of /proc/PID/stat (proc(5)), 0 if it cannot be had. */
static uint64_t process_started(long pid)
{
    char path[40];
    char text[1024];
    (void)snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
    AUTO(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (got <= 0)
        return 0;
    text[got] = 0;

    /* The name, field 2, is in parentheses and may hold anything, also spaces and parentheses. */
    const char *at = strrchr(text, ')');
    for (int field = 2; at && field < 22; field++)
        at = strchr(at + 1, ' ');
    return at ? strtoull(at + 1, NULL, 10) : 0;
}

/* Reading it costs as much as the rest of journal_begin, and it never changes: kept, per pid. */
static uint64_t own_start(void)
{
    static _Atomic uint64_t started;
    static _Atomic long of_pid;
    long pid = getpid();

    if (of_pid != pid) {
        started = process_started(pid);
        of_pid = pid;
    }
    return started;
}

void journal_submitter_set(struct journal_transaction *transaction)
{
    transaction->pid = getpid();
    transaction->pid_started = own_start();
}

bool journal_submitter_lives(const struct journal_transaction *transaction)
{
    if (transaction->pid <= 0)
        return false;
    uint64_t started = process_started(transaction->pid);
    if (started == 0) /* no such process, or no /proc */
        return kill((pid_t)transaction->pid, 0) == 0 || errno != ESRCH;
    return transaction->pid_started == 0 || transaction->pid_started == started;
}
