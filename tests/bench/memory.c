/* SPDX-License-Identifier: Apache-2.0 */
/* P20: the memory of ten thousand certificates. */
#include "remote/base/cleanup.h"
#include "tests/bench/footprint.h"
#include "tests/bench/subject.h"

static void load(void *arg)
{
    struct subject *subject = arg;
    subject->p11 = bench_load(subject->path);
}

static bool is_initialized(const struct subject *subject, CK_SLOT_ID slot)
{
    CK_TOKEN_INFO info;
    bench_check(subject->p11->C_GetTokenInfo(slot, &info), "C_GetTokenInfo");
    return (info.flags & CKF_TOKEN_INITIALIZED) != 0;
}

/* Opens every slot and lists its certificates, as a browser does. */
static void list_all(void *arg)
{
    struct subject *subject = arg;
    CK_OBJECT_CLASS class = CKO_CERTIFICATE;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof(class)}};
    CK_ULONG count = 0;
    CK_ULONG certificates = 0;
    subject_initialize(subject);
    CK_SLOT_ID *slots = subject_slots(subject, &count);
    for (CK_ULONG i = 0; i < count; i++) {
        subject->slot = slots[i];
        if (!is_initialized(subject, slots[i]))
            continue;
        certificates += subject_find(subject, subject_session(subject), template, 1, NULL, 0);
    }
    free(slots);
    bench_need(certificates == 10000, "there are not 10000 certificates");
}

/* SoftHSM2 has them in one token either way; slots with a session each have more to remember. */
static const struct shape {
    const char *ours;
    const char *name;
    const char *target;
} shapes[] = {
    {"10000", "10000 certificates in a token", "<= 0.25"},
    {"slots", "10000 slots with a certificate each", "ratio"},
};

static void compare(struct subject subjects[SUBJECTS], const struct shape *shape)
{
    const char *name = shape->name;
    struct series ratio;
    struct series dirty;
    struct series own;
    struct series hsm;
    struct rounds rounds = {0};
    series_init(&ratio, "P20", shape->target, "RSS added by %s: over SoftHSM2's", name);
    series_init(&dirty, "P20", "ratio", "private dirty added by %s: over SoftHSM2's", name);
    series_init(&own, "P20", "MB", "RSS added by %s: ours", name);
    series_init(&hsm, "P20", "MB", "RSS added by %s: SoftHSM2 in one token", name);
    subject_choose(&subjects[0], shape->ours);
    subject_choose(&subjects[1], "10000");
    while (rounds_next(&rounds)) {
        struct footprint mine = footprint_of(load, list_all, &subjects[0]);
        struct footprint other = footprint_of(load, list_all, &subjects[1]);
        (void)rounds_count(&rounds, false); /* others take no memory from it */
        series_add(&ratio, mine.rss_kb / other.rss_kb);
        series_add(&dirty, mine.dirty_kb / other.dirty_kb);
        series_add(&own, mine.rss_kb / 1024);
        series_add(&hsm, other.rss_kb / 1024);
    }
    series_print(&ratio);
    series_print(&dirty);
    series_print(&own);
    series_print(&hsm);
}

void bench_memory(const struct bench *bench)
{
    struct subject subjects[SUBJECTS];
    subjects_describe(bench, subjects);
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++)
        compare(subjects, &shapes[i]);
}
