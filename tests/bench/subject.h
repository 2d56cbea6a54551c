/* SPDX-License-Identifier: Apache-2.0 */
/* A module under measurement: ours or SoftHSM2, reading one of the stores. */
#ifndef TESTS_BENCH_SUBJECT_H
#define TESTS_BENCH_SUBJECT_H

#include "tests/bench/bench.h"

#define SUBJECT_LABEL "bench" /* of the tokens in the stores */
#define SUBJECT_PIN   "123456"

struct subject {
    const char *name;
    const char *path;     /* of the library */
    const char *variable; /* of the environment, names the configuration */
    const char *file;     /* the configuration in a store's folder */
    const char *stores;
    CK_FUNCTION_LIST *p11;
    CK_SLOT_ID slot;
    CK_SESSION_HANDLE session;
};

enum { SUBJECTS = 2 };

/* Ours and SoftHSM2, the second with p11 as well. */
void subjects_describe(const struct bench *bench, struct subject subjects[static SUBJECTS]);
void subjects_load(const struct bench *bench, struct subject subjects[static SUBJECTS]);

/* The next C_Initialize reads that store. */
void subject_choose(const struct subject *subject, const char *store);

/* C_Initialize for several threads, and with a session on the first token of the stores. */
void subject_initialize(const struct subject *subject);
void subject_open(struct subject *subject);
void subject_finalize(const struct subject *subject);

CK_SESSION_HANDLE subject_session(const struct subject *subject);
void subject_login(const struct subject *subject);

/* One search: how many there are, the first room of them in handles. */
CK_ULONG subject_find(const struct subject *subject, CK_SESSION_HANDLE session,
                      CK_ATTRIBUTE *template, CK_ULONG count, CK_OBJECT_HANDLE *handles,
                      CK_ULONG room);

/* All slots with a token; the caller frees them. */
CK_SLOT_ID *subject_slots(const struct subject *subject, CK_ULONG *ret_count);

/* Nanoseconds of one piece of work, done until 30 ms are over; again when that was disturbed. The
 * work may not wait for anything but the CPU. */
double measure(void (*work)(void *arg), void *arg);

#endif
