/* SPDX-License-Identifier: Apache-2.0 */
/* P12: C_Initialize and C_Finalize, and how long it takes from there to the first search. */
#include <stdio.h>

#include "remote/base/cleanup.h"
#include "tests/bench/subject.h"

/* ours: the store's shape for our module; SoftHSM2 has the same objects in one token. */
static const struct shape {
    const char *ours;
    const char *hsm;
    const char *name;
    const char *hsm_name;
    const char *target; /* of our time over SoftHSM2's */
} shapes[] = {
    {"keys", "keys", "5 objects", "SoftHSM2", "<= 1.0"},
    {"1000", "1000", "1000 certificates in a token", "SoftHSM2", "ratio"},
    {"10000", "10000", "10000 certificates in a token", "SoftHSM2", "<= 0.02"},
    {"slots", "10000", "10000 slots with a certificate each", "SoftHSM2 with one token", "<= 0.02"},
};

static void start_stop(void *arg)
{
    const struct subject *subject = arg;
    subject_initialize(subject);
    subject_finalize(subject);
}

/* What a program does before it shows certificates, once. */
static void start_find(void *arg)
{
    struct subject *subject = arg;
    CK_OBJECT_CLASS class = CKO_CERTIFICATE;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof(class)}};
    subject_open(subject);
    bench_need(subject_find(subject, subject->session, template, 1, NULL, 0) > 0,
               "there is no certificate");
    subject_finalize(subject);
}

static void compare(const struct shape *shape, const char *name, const char *target,
                    void (*work)(void *), struct subject subjects[SUBJECTS])
{
    struct series ratio;
    struct series own;
    struct series hsm;
    struct rounds rounds = {0};
    series_init(&ratio, "P12", target, "%s with %s: time over SoftHSM2's", name, shape->name);
    series_init(&own, "P12", "us", "%s with %s: ours", name, shape->name);
    series_init(&hsm, "P12", "us", "%s with %s: %s", name, shape->name, shape->hsm_name);
    subject_choose(&subjects[0], shape->ours);
    subject_choose(&subjects[1], shape->hsm);
    work(&subjects[0]); /* the first of a process pays for relocations and the page cache */
    work(&subjects[1]);
    while (rounds_next(&rounds)) {
        double mine = measure(work, &subjects[0]);
        double other = measure(work, &subjects[1]);
        if (!rounds_keep(&rounds))
            continue;
        series_add(&ratio, mine / other);
        series_add(&own, mine / 1000);
        series_add(&hsm, other / 1000);
    }
    series_print(&ratio);
    series_print(&own);
    series_print(&hsm);
}

void bench_start(const struct bench *bench)
{
    struct subject subjects[SUBJECTS];
    subjects_load(bench, subjects);
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        compare(&shapes[i], "C_Initialize+C_Finalize", shapes[i].target, start_stop, subjects);
        compare(&shapes[i], "start to first search", "ratio", start_find, subjects);
    }
}
