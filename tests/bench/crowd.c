/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many C_Sign in flight at once, each on a thread of its own, all in one transaction that the phone
 * confirms so many seconds after it was asked: what they hold, what their waiting costs, how soon
 * the last one returns.
 */
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/bench.h"

enum { CALLS_MAX = 1000, STACK_SIZE = 128 * 1024, SETTLE_S = 4, WATCH_S = 6 };

struct crowd {
    CK_FUNCTION_LIST *p11;
    CK_SLOT_ID slot;
    pthread_barrier_t ready; /* everything but C_Sign is done */
    pthread_barrier_t begin;
    pthread_barrier_t done;
};

struct member {
    struct crowd *crowd;
    pthread_t thread;
    unsigned number;
    double ended_s;
};

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double cpu_s(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static double resident_kib(void)
{
    double kib = 0;
    char line[128];
    FILE *file = fopen("/proc/self/smaps_rollup", "re");

    while (file && fgets(line, sizeof(line), file))
        if (strncmp(line, "Rss:", 4) == 0) {
            kib = strtod(line + 4, NULL);
            break;
        }
    if (file)
        fclose(file);
    return kib;
}

static unsigned count_sockets(void)
{
    unsigned count = 0;
    char target[64];
    char path[288];
    DIR *dir = opendir("/proc/self/fd");
    const struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%s", entry->d_name);
        ssize_t len = readlink(path, target, sizeof(target) - 1);
        count += len > 7 && memcmp(target, "socket:", 7) == 0;
    }
    if (dir)
        closedir(dir);
    return count;
}

/* Everything up to C_Sign is done before the barrier. */
static void *sign_in_the_crowd(void *arg)
{
    struct member *member = arg;
    struct crowd *crowd = member->crowd;
    CK_FUNCTION_LIST *p11 = crowd->p11;
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof(class)}};
    CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
    CK_SESSION_HANDLE session;
    CK_BYTE signature[512];
    CK_ULONG len = sizeof(signature);
    CK_ULONG count = 0;

    bench_check(p11->C_OpenSession(crowd->slot, CKF_SERIAL_SESSION, NULL, NULL, &session),
                "C_OpenSession");
    bench_check(p11->C_FindObjectsInit(session, template, 1), "C_FindObjectsInit");
    bench_check(p11->C_FindObjects(session, &key, 1, &count), "C_FindObjects");
    bench_check(p11->C_FindObjectsFinal(session), "C_FindObjectsFinal");
    bench_check(p11->C_SignInit(session, &mechanism, key), "C_SignInit");
    pthread_barrier_wait(&crowd->ready);
    pthread_barrier_wait(&crowd->begin);
    bench_check(
        p11->C_Sign(session, (CK_BYTE *)&member->number, sizeof(member->number), signature, &len),
        "C_Sign");
    member->ended_s = now_s();
    pthread_barrier_wait(&crowd->done);
    bench_check(p11->C_CloseSession(session), "C_CloseSession");
    return NULL;
}

static void report(const char *goal, const char *target, double value, const char *name)
{
    struct series series;

    series_init(&series, goal, target, "%s", name);
    series_add(&series, value);
    series_print(&series);
}

void bench_crowd(const struct bench *bench)
{
    static struct member members[CALLS_MAX];
    struct crowd crowd = {.p11 = bench_load(bench->ours)};
    unsigned count = (unsigned)strtoul(bench->args[0], NULL, 10);
    CK_SLOT_ID slots[4];
    CK_ULONG slot_count = 4;
    pthread_attr_t attributes;
    double last_s = 0;

    bench_need(count > 0 && count <= CALLS_MAX, "1 to 1000 calls");
    bench_check(crowd.p11->C_Initialize(NULL), "C_Initialize");
    bench_check(crowd.p11->C_GetSlotList(CK_TRUE, slots, &slot_count), "C_GetSlotList");
    crowd.slot = slots[0];
    pthread_barrier_init(&crowd.ready, NULL, count + 1);
    pthread_barrier_init(&crowd.begin, NULL, count + 1);
    pthread_barrier_init(&crowd.done, NULL, count + 1);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    for (unsigned i = 0; i < count; i++) {
        members[i] = (struct member){.crowd = &crowd, .number = i};
        bench_need(
            pthread_create(&members[i].thread, &attributes, sign_in_the_crowd, &members[i]) == 0,
            "a thread");
    }
    pthread_barrier_wait(&crowd.ready);
    double rss_before = resident_kib();
    double began_s = now_s();
    pthread_barrier_wait(&crowd.begin);
    sleep(SETTLE_S);
    double rss_waiting = resident_kib();
    unsigned sockets = count_sockets();
    double cpu_before = cpu_s();
    sleep(WATCH_S);
    double cpu_waiting = cpu_s() - cpu_before;
    pthread_barrier_wait(&crowd.done);
    for (unsigned i = 0; i < count; i++) {
        bench_need(pthread_join(members[i].thread, NULL) == 0, "a join");
        last_s = members[i].ended_s > last_s ? members[i].ended_s : last_s;
    }
    bench_check(crowd.p11->C_Finalize(NULL), "C_Finalize");
    report("P8", "<= 8", sockets, "connections while the calls wait");
    report("P8", "<= 12", (rss_waiting - rss_before) / count,
           "KiB of resident memory per waiting call with what it touches of its stack");
    report("P8", "<= 3.5", 100 * cpu_waiting / WATCH_S, "percent of a core while they wait");
    report("P10", "<= 1.1", last_s - began_s - strtod(bench->args[1], NULL),
           "s from the confirmation of 1000 calls to the last return");
}
