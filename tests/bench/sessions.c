/* SPDX-License-Identifier: Apache-2.0 */
/* P15, P16: sessions and the smallest questions, on a token with a handful of objects. */
#include "tests/bench/subject.h"

static void open_close(void *arg)
{
    const struct subject *subject = arg;
    bench_check(subject->p11->C_CloseSession(subject_session(subject)), "C_CloseSession");
}

static void session_info(void *arg)
{
    const struct subject *subject = arg;
    CK_SESSION_INFO info;
    bench_check(subject->p11->C_GetSessionInfo(subject->session, &info), "C_GetSessionInfo");
}

static void slot_list(void *arg)
{
    const struct subject *subject = arg;
    CK_ULONG count = 0;
    bench_check(subject->p11->C_GetSlotList(CK_TRUE, NULL, &count), "C_GetSlotList");
}

static void compare(const char *goal, const char *name, void (*work)(void *),
                    struct subject subjects[SUBJECTS])
{
    struct series ratio;
    struct series own;
    struct rounds rounds = {0};
    series_init(&ratio, goal, ">= 1.0", "%s: speed over SoftHSM2", name);
    series_init(&own, goal, "us", "%s: ours", name);
    while (rounds_next(&rounds)) {
        double mine = measure(work, &subjects[0]);
        double other = measure(work, &subjects[1]);
        if (!rounds_keep(&rounds))
            continue;
        series_add(&ratio, other / mine);
        series_add(&own, mine / 1000);
    }
    series_print(&ratio);
    series_print(&own);
}

void bench_sessions(const struct bench *bench)
{
    struct subject subjects[SUBJECTS];
    subjects_load(bench, subjects);
    for (int i = 0; i < SUBJECTS; i++) {
        subject_choose(&subjects[i], "keys");
        subject_open(&subjects[i]);
    }
    compare("P15", "open+close session", open_close, subjects);
    compare("P16", "C_GetSessionInfo", session_info, subjects);
    compare("P16", "C_GetSlotList(NULL)", slot_list, subjects);
    for (int i = 0; i < SUBJECTS; i++)
        for (int session = 0; session < 1000; session++)
            (void)subject_session(&subjects[i]);
    compare("P15", "open+close session among 1000 open", open_close, subjects);
    for (int i = 0; i < SUBJECTS; i++)
        subject_finalize(&subjects[i]);
}
