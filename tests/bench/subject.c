/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/subject.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEASURE_NS = 30 * 1000 * 1000, MEASURE_TRIES = 10 };

void subjects_describe(const struct bench *bench, struct subject subjects[static SUBJECTS])
{
    subjects[0] = (struct subject){.name = "ours",
                                   .path = bench->ours,
                                   .variable = "SMARTCA_PKCS11_CONF",
                                   .file = "smartca.conf",
                                   .stores = bench->stores};
    subjects[1] = (struct subject){.name = "SoftHSM2",
                                   .path = bench->softhsm,
                                   .variable = "SOFTHSM2_CONF",
                                   .file = "softhsm2.conf",
                                   .stores = bench->stores};
}

void subjects_load(const struct bench *bench, struct subject subjects[static SUBJECTS])
{
    subjects_describe(bench, subjects);
    subjects[0].p11 = bench_load(bench->ours);
    subjects[1].p11 = bench_load(bench->softhsm);
}

void subject_choose(const struct subject *subject, const char *store)
{
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s/%s/%s", subject->stores, store, subject->file);
    bench_need(setenv(subject->variable, path, 1) == 0, "no memory");
}

void subject_initialize(const struct subject *subject)
{
    CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};
    bench_check(subject->p11->C_Initialize(&args), "C_Initialize");
}

void subject_finalize(const struct subject *subject)
{
    bench_check(subject->p11->C_Finalize(NULL), "C_Finalize");
}

CK_SLOT_ID *subject_slots(const struct subject *subject, CK_ULONG *ret_count)
{
    CK_ULONG count = 0;
    bench_check(subject->p11->C_GetSlotList(CK_TRUE, NULL, &count), "C_GetSlotList");
    CK_SLOT_ID *slots = calloc(count + 1, sizeof(*slots));
    bench_need(slots != NULL, "no memory");
    bench_check(subject->p11->C_GetSlotList(CK_TRUE, slots, &count), "C_GetSlotList");
    *ret_count = count;
    return slots;
}

static bool is_of_the_stores(const struct subject *subject, CK_SLOT_ID slot)
{
    CK_TOKEN_INFO info;
    bench_check(subject->p11->C_GetTokenInfo(slot, &info), "C_GetTokenInfo");
    return memcmp(info.label, SUBJECT_LABEL " ", sizeof(SUBJECT_LABEL)) == 0;
}

CK_SESSION_HANDLE subject_session(const struct subject *subject)
{
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    bench_check(
        subject->p11->C_OpenSession(subject->slot, CKF_SERIAL_SESSION, NULL, NULL, &session),
        "C_OpenSession");
    return session;
}

void subject_open(struct subject *subject)
{
    CK_ULONG count = 0;
    CK_ULONG i = 0;
    subject_initialize(subject);
    CK_SLOT_ID *slots = subject_slots(subject, &count);
    while (i < count && !is_of_the_stores(subject, slots[i]))
        i++;
    bench_need(i < count, "the store's token is not there");
    subject->slot = slots[i];
    free(slots);
    subject->session = subject_session(subject);
}

void subject_login(const struct subject *subject)
{
    CK_BYTE pin[] = SUBJECT_PIN;
    bench_check(subject->p11->C_Login(subject->session, CKU_USER, pin, sizeof(pin) - 1), "C_Login");
}

CK_ULONG subject_find(const struct subject *subject, CK_SESSION_HANDLE session,
                      CK_ATTRIBUTE *template, CK_ULONG count, CK_OBJECT_HANDLE *handles,
                      CK_ULONG room)
{
    CK_OBJECT_HANDLE more[512];
    CK_ULONG total = 0;
    CK_ULONG found = 0;
    bench_check(subject->p11->C_FindObjectsInit(session, template, count), "C_FindObjectsInit");
    do {
        bench_check(
            subject->p11->C_FindObjects(session, more, sizeof(more) / sizeof(*more), &found),
            "C_FindObjects");
        for (CK_ULONG i = 0; i < found && total + i < room; i++)
            handles[total + i] = more[i];
        total += found;
    } while (found > 0);
    bench_check(subject->p11->C_FindObjectsFinal(session), "C_FindObjectsFinal");
    return total;
}

/* Works until MEASURE_NS are over. */
static struct stopwatch work_for_a_while(void (*work)(void *arg), void *arg, uint64_t *ret_done)
{
    struct stopwatch watch = stopwatch_start();
    struct stopwatch spent = {0};
    uint64_t done = 0;
    for (uint64_t batch = 1; spent.wall < MEASURE_NS; batch *= 2) {
        for (uint64_t i = 0; i < batch; i++)
            work(arg);
        done += batch;
        spent = stopwatch_stop(&watch);
    }
    *ret_done = done;
    return spent;
}

double measure(void (*work)(void *arg), void *arg)
{
    uint64_t done = 0;
    struct stopwatch spent = work_for_a_while(work, arg, &done);
    for (int i = 0; i < MEASURE_TRIES && stopwatch_was_disturbed(&spent); i++)
        spent = work_for_a_while(work, arg, &done);
    return (double)spent.wall / (double)done;
}
