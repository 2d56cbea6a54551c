/* SPDX-License-Identifier: Apache-2.0 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "tests/bench/bench.h"

/* A module, initialised, with a session on its first token. */
struct subject {
    CK_FUNCTION_LIST *p11;
    CK_SLOT_ID slot;
    CK_SESSION_HANDLE session;
};

static void subject_start(struct subject *subject)
{
    CK_SLOT_ID slots[16];
    CK_ULONG count = ARRAY_LEN(slots);
    bench_check(subject->p11->C_Initialize(NULL), "C_Initialize");
    bench_check(subject->p11->C_GetSlotList(CK_TRUE, slots, &count), "C_GetSlotList");
    subject->slot = slots[0];
    bench_check(subject->p11->C_OpenSession(subject->slot, CKF_SERIAL_SESSION, NULL, NULL,
                                            &subject->session),
                "C_OpenSession");
}

static void initialize(struct subject *subject)
{
    bench_check(subject->p11->C_Initialize(NULL), "C_Initialize");
    bench_check(subject->p11->C_Finalize(NULL), "C_Finalize");
}

static void open_close(struct subject *subject)
{
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    bench_check(
        subject->p11->C_OpenSession(subject->slot, CKF_SERIAL_SESSION, NULL, NULL, &session),
        "C_OpenSession");
    bench_check(subject->p11->C_CloseSession(session), "C_CloseSession");
}

static void session_info(struct subject *subject)
{
    CK_SESSION_INFO info;
    bench_check(subject->p11->C_GetSessionInfo(subject->session, &info), "C_GetSessionInfo");
}

static void slot_list(struct subject *subject)
{
    CK_ULONG count = 0;
    bench_check(subject->p11->C_GetSlotList(CK_TRUE, NULL, &count), "C_GetSlotList");
}

/* Nanoseconds of one of times calls. */
static double measure(void (*work)(struct subject *), struct subject *subject, unsigned times)
{
    uint64_t start = bench_now_ns();
    for (unsigned i = 0; i < times; i++)
        work(subject);
    return (double)(bench_now_ns() - start) / times;
}

static void compare(struct series *series, void (*work)(struct subject *), struct subject *ours,
                    struct subject *theirs, unsigned times)
{
    struct series own = {.goal = series->goal, .name = series->name, .target = "us"};
    char name[128];

    for (int round = 0; round < BENCH_ROUNDS; round++) {
        double mine = measure(work, ours, times);
        double other = measure(work, theirs, times);
        series_add(series, other / mine);
        series_add(&own, mine / 1000);
    }
    series_print(series);
    (void)snprintf(name, sizeof(name), "%s: ours alone", series->name);
    own.name = name;
    series_print(&own);
}

void bench_local(const char *ours_path, const char *softhsm_path)
{
    struct subject ours = {.p11 = bench_load(ours_path)};
    struct subject theirs = {.p11 = bench_load(softhsm_path)};
    struct series start = {"P12", "C_Initialize+C_Finalize: speed over SoftHSM2", ">= 1.0", {0}, 0};
    struct series sessions = {"P15", "open+close session: speed over SoftHSM2", ">= 1.0", {0}, 0};
    struct series crowded = {
        "P15", "the same with 1000 sessions open: speed over SoftHSM2", ">= 1.0", {0}, 0};
    struct series info = {"P16", "C_GetSessionInfo: speed over SoftHSM2", ">= 1.0", {0}, 0};
    struct series list = {"P16", "C_GetSlotList(NULL): speed over SoftHSM2", ">= 1.0", {0}, 0};

    initialize(&ours); /* the first of a process pays for relocations */
    initialize(&theirs);
    compare(&start, initialize, &ours, &theirs, 50);
    subject_start(&ours);
    subject_start(&theirs);
    compare(&sessions, open_close, &ours, &theirs, 20000);
    compare(&info, session_info, &ours, &theirs, 100000);
    compare(&list, slot_list, &ours, &theirs, 100000);
    for (int i = 0; i < 1000; i++) {
        CK_SESSION_HANDLE session;
        bench_check(ours.p11->C_OpenSession(ours.slot, CKF_SERIAL_SESSION, NULL, NULL, &session),
                    "C_OpenSession");
        bench_check(
            theirs.p11->C_OpenSession(theirs.slot, CKF_SERIAL_SESSION, NULL, NULL, &session),
            "C_OpenSession");
    }
    compare(&crowded, open_close, &ours, &theirs, 5000);
    bench_check(ours.p11->C_Finalize(NULL), "C_Finalize");
    bench_check(theirs.p11->C_Finalize(NULL), "C_Finalize");
}

struct footprint {
    double us;
    double rss_kb;
    double dirty_kb;
};

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

/* dlopen in a process that has loaded nothing yet. */
static struct footprint load_in_child(const char *path)
{
    struct footprint result = {0};
    int ends[2];
    if (pipe(ends) != 0)
        return result;
    pid_t child = fork();
    if (child == 0) {
        double rss = smaps_kb("Rss:");
        double dirty = smaps_kb("Private_Dirty:");
        uint64_t start = bench_now_ns();
        (void)bench_load(path);
        result.us = (double)(bench_now_ns() - start) / 1000;
        result.rss_kb = smaps_kb("Rss:") - rss;
        result.dirty_kb = smaps_kb("Private_Dirty:") - dirty;
        _exit(write(ends[1], &result, sizeof(result)) == sizeof(result) ? 0 : 1);
    }
    if (read(ends[0], &result, sizeof(result)) != sizeof(result))
        result = (struct footprint){0};
    (void)waitpid(child, NULL, 0);
    close(ends[0]);
    close(ends[1]);
    return result;
}

void bench_loading(const char *ours, const char *softhsm)
{
    struct series time = {"P18", "dlopen time over SoftHSM2's", "<= 1.0", {0}, 0};
    struct series rss = {"P18", "dlopen RSS over SoftHSM2's", "<= 1.0", {0}, 0};
    struct series dirty = {"P18", "dlopen private dirty over SoftHSM2's", "<= 1.0", {0}, 0};

    (void)load_in_child(ours); /* into the page cache */
    (void)load_in_child(softhsm);
    for (int round = 0; round < BENCH_ROUNDS; round++) {
        struct footprint mine = load_in_child(ours);
        struct footprint other = load_in_child(softhsm);
        series_add(&time, mine.us / other.us);
        series_add(&rss, mine.rss_kb / other.rss_kb);
        series_add(&dirty, mine.dirty_kb / other.dirty_kb);
    }
    series_print(&time);
    series_print(&rss);
    series_print(&dirty);
}
