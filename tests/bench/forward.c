/* SPDX-License-Identifier: Apache-2.0 */
/*
 * P17: SoftHSM2's token through our module and through p11-kit's: its proxy, and its client of a
 * server in another process. All in this process but the last, with the same keys.
 */
#include "remote/base/cleanup.h"
#include "tests/bench/sign.h"

enum lane { OURS, DIRECT, PROXY, CLIENT, LANES };

/* Who comes first finds SoftHSM2 as it is; ours and the proxy take it as it then is, initialised
 * and logged in. The server is a process with a login of its own. */
static const enum lane order[LANES] = {DIRECT, OURS, PROXY, CLIENT};

static void lanes_open(const struct bench *bench, struct subject lanes[static LANES])
{
    struct subject subjects[SUBJECTS];
    subjects_describe(bench, subjects);
    lanes[OURS] = subjects[0];
    lanes[OURS].file = "forward.conf";
    lanes[DIRECT] = subjects[1];
    lanes[PROXY] = lanes[CLIENT] = subjects[1];
    lanes[PROXY].path = bench->proxy;
    lanes[CLIENT].path = bench->client;
    for (size_t i = 0; i < LANES; i++) {
        struct subject *subject = &lanes[order[i]];
        subject->p11 = bench_load(subject->path);
        subject_choose(subject, "keys");
        subject_open(subject);
        if (order[i] != PROXY)
            subject_login(subject);
    }
}

struct figures {
    struct series ours;
    struct series extra;
    struct series proxy;
    struct series proxy_extra;
    struct series client;
    struct series ours_by_wall;
};

/* A microsecond a call is told from noise beside a P-256 signature, not beside one of RSA that
 * takes ten times as long. */
static void figures_init(struct figures *figures, const struct signature_kind *signature)
{
    const char *kind = signature->name;
    const char *extra_target = signature == &signature_ec ? "<= 1" : "us";
    series_init(&figures->ours, "P17", "<= 1.02", "%s C_SignInit+C_Sign: ours/SoftHSM2 by CPU time",
                kind);
    series_init(&figures->extra, "P17", extra_target,
                "%s C_SignInit+C_Sign: what ours adds to each in us", kind);
    series_init(&figures->proxy, "P17", "ratio",
                "%s C_SignInit+C_Sign: p11-kit proxy/SoftHSM2 by CPU time", kind);
    series_init(&figures->proxy_extra, "P17", "us",
                "%s C_SignInit+C_Sign: what the p11-kit proxy adds to each in us", kind);
    series_init(&figures->ours_by_wall, "P17", "ratio",
                "%s C_SignInit+C_Sign: ours/SoftHSM2 by wall time", kind);
    series_init(&figures->client, "P17", "ratio",
                "%s C_SignInit+C_Sign: p11-kit server/SoftHSM2 by wall time", kind);
}

static void figures_add(struct figures *figures, const struct speed speeds[static LANES])
{
    const struct speed *direct = &speeds[DIRECT];
    series_add(&figures->ours, speeds[OURS].cpu_ns / direct->cpu_ns);
    series_add(&figures->extra, (speeds[OURS].cpu_ns - direct->cpu_ns) / 2 / 1000);
    series_add(&figures->proxy, speeds[PROXY].cpu_ns / direct->cpu_ns);
    series_add(&figures->proxy_extra, (speeds[PROXY].cpu_ns - direct->cpu_ns) / 2 / 1000);
    series_add(&figures->ours_by_wall, direct->per_second / speeds[OURS].per_second);
    series_add(&figures->client, direct->per_second / speeds[CLIENT].per_second);
}

static void figures_print(struct figures *figures)
{
    series_print(&figures->ours);
    series_print(&figures->extra);
    series_print(&figures->proxy);
    series_print(&figures->proxy_extra);
    series_print(&figures->ours_by_wall);
    series_print(&figures->client);
}

static void measure_kind(const struct subject subjects[static LANES],
                         const struct signature_kind *kind)
{
    struct signing lanes[LANES];
    struct speed speeds[LANES];
    struct figures figures;
    struct rounds rounds = {0};

    figures_init(&figures, kind);
    for (size_t i = 0; i < LANES; i++)
        lanes[i] = (struct signing){.kind = kind, .subject = &subjects[i]};
    while (rounds_next(&rounds)) {
        for (size_t i = 0; i < LANES; i++)
            speeds[i] = sign_for_a_while(&lanes[i], 1);
        if (rounds_count(&rounds, speeds[OURS].was_disturbed || speeds[DIRECT].was_disturbed))
            figures_add(&figures, speeds);
    }
    figures_print(&figures);
}

void bench_forward(const struct bench *bench)
{
    static const struct signature_kind *const kinds[] = {&signature_ec, &signature_rsa};
    struct subject subjects[LANES];

    lanes_open(bench, subjects);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        measure_kind(subjects, kinds[i]);
    subject_finalize(&subjects[CLIENT]);
    subject_finalize(&subjects[OURS]); /* SoftHSM2 goes with the process: the proxy has it, too */
}
