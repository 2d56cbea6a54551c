/* SPDX-License-Identifier: Apache-2.0 */
/* P17: SoftHSM2's token through our module, against SoftHSM2 itself; both in this process, with the
 * same keys. */
#include "remote/base/cleanup.h"
#include "tests/bench/sign.h"

enum { OURS = 0, DIRECT = 1 };

static void open_both(const struct bench *bench, struct subject subjects[static SUBJECTS])
{
    subjects_load(bench, subjects);
    subjects[OURS].file = "forward.conf";
    for (size_t i = 0; i < SUBJECTS; i++)
        subject_choose(&subjects[i], "keys");
    /* The direct one first: ours takes a module as it finds it, initialised and logged in. */
    subject_open(&subjects[DIRECT]);
    subject_login(&subjects[DIRECT]);
    subject_open(&subjects[OURS]);
    subject_login(&subjects[OURS]);
}

static void measure_kind(const struct subject subjects[static SUBJECTS],
                         const struct signature_kind *kind)
{
    struct signing lanes[SUBJECTS] = {{.kind = kind, .subject = &subjects[OURS]},
                                      {.kind = kind, .subject = &subjects[DIRECT]}};
    struct series ratio;
    struct series extra;
    struct rounds rounds = {0};

    series_init(&ratio, "P17", "<= 1.02", "%s C_SignInit+C_Sign: ours/SoftHSM2 by CPU time",
                kind->name);
    series_init(&extra, "P17", "<= 1 us", "%s C_SignInit+C_Sign: what ours adds in us", kind->name);
    while (rounds_next(&rounds)) {
        struct speed speeds[SUBJECTS];
        bench_wait_for_calm();
        for (size_t i = 0; i < SUBJECTS; i++)
            speeds[i] = sign_for_a_while(&lanes[i], 1);
        if (!rounds_count(&rounds, speeds[OURS].was_disturbed || speeds[DIRECT].was_disturbed))
            continue;
        series_add(&ratio, speeds[OURS].cpu_ns / speeds[DIRECT].cpu_ns);
        series_add(&extra, (speeds[OURS].cpu_ns - speeds[DIRECT].cpu_ns) / 1000);
    }
    series_print(&ratio);
    series_print(&extra);
}

void bench_forward(const struct bench *bench)
{
    static const struct signature_kind *const kinds[] = {&signature_ec, &signature_rsa};
    struct subject subjects[SUBJECTS];

    open_both(bench, subjects);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        measure_kind(subjects, kinds[i]);
    subject_finalize(&subjects[OURS]);
    subject_finalize(&subjects[DIRECT]);
}
