/* SPDX-License-Identifier: Apache-2.0 */
/* P1, P2, P3: signatures a second through the modules, against raw EVP. */
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "tests/bench/sign.h"

static const unsigned thread_counts[] = {1, 2, 4, 8};

enum { COUNTS = ARRAY_LEN(thread_counts), OURS = 0, HSM = 1, LIMIT = 2, LANES = 3 };

/* The figures of one number of threads. */
struct figures {
    struct series over_limit;
    struct series cpu_over_limit;
    struct series over_hsm;
    struct series hsm_over_limit;
    struct series each;
    struct series scaling;     /* from one thread, relative to the limit's own */
    struct series hsm_scaling; /* the rival's, for comparison */
};

static void figures_init(struct figures *figures, const char *goal,
                         const struct signature_kind *kind, unsigned threads)
{
    const char *name = kind->name;
    const char *plural = threads == 1 ? "" : "s";
    series_init(&figures->over_limit, goal, ">= 0.97", "%s sign in %u thread%s: ours/EVP", name,
                threads, plural);
    series_init(&figures->cpu_over_limit, goal, ">= 0.97",
                "%s sign in %u thread%s: ours/EVP by CPU time", name, threads, plural);
    series_init(&figures->over_hsm, goal, kind->over_hsm, "%s sign in %u thread%s: ours/SoftHSM2",
                name, threads, plural);
    series_init(&figures->hsm_over_limit, goal, "ratio", "%s sign in %u thread%s: SoftHSM2/EVP",
                name, threads, plural);
    series_init(&figures->each, goal, "us", "%s sign in %u thread%s: CPU time of one of ours", name,
                threads, plural);
    series_init(&figures->scaling, "P3", ">= 0.97",
                "%s sign in 1 to %u thread%s: scaling of ours/of EVP", name, threads, plural);
    series_init(&figures->hsm_scaling, "P3", "ratio",
                "%s sign in 1 to %u thread%s: scaling of SoftHSM2/of EVP", name, threads, plural);
}

static void figures_add(struct figures *figures, const struct speed one[LANES],
                        const struct speed now[LANES])
{
    double limit = now[LIMIT].per_second;
    double limit_scaling = limit / one[LIMIT].per_second;
    series_add(&figures->over_limit, now[OURS].per_second / limit);
    series_add(&figures->cpu_over_limit, now[LIMIT].cpu_ns / now[OURS].cpu_ns);
    series_add(&figures->over_hsm, now[OURS].per_second / now[HSM].per_second);
    series_add(&figures->hsm_over_limit, now[HSM].per_second / limit);
    series_add(&figures->each, now[OURS].cpu_ns / 1000);
    series_add(&figures->scaling, now[OURS].per_second / one[OURS].per_second / limit_scaling);
    series_add(&figures->hsm_scaling, now[HSM].per_second / one[HSM].per_second / limit_scaling);
}

static void figures_print(struct figures *figures, unsigned threads)
{
    series_print(&figures->over_limit);
    series_print(&figures->cpu_over_limit);
    series_print(&figures->over_hsm);
    series_print(&figures->hsm_over_limit);
    series_print(&figures->each);
    if (threads == 1)
        return;
    series_print(&figures->scaling);
    series_print(&figures->hsm_scaling);
}

/* As many numbers of threads as there are processors to run them on. */
static size_t useful_counts(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t count = 1;
    while (count < COUNTS && (long)thread_counts[count] <= processors)
        count++;
    return count;
}

static void lanes_open(const struct bench *bench, const struct signature_kind *kind,
                       struct subject subjects[SUBJECTS], struct signing lanes[LANES])
{
    subjects_load(bench, subjects);
    for (size_t i = 0; i < SUBJECTS; i++) {
        subject_choose(&subjects[i], "keys");
        subject_open(&subjects[i]);
        subject_login(&subjects[i]);
        lanes[i] = (struct signing){.kind = kind, .subject = &subjects[i]};
    }
    lanes[LIMIT] = (struct signing){.kind = kind, .key = sign_read_key(bench, kind)};
}

/* All lanes in turn for each number of threads; true if it was disturbed. */
static bool run_round(const struct signing lanes[LANES], size_t counts,
                      struct speed speeds[COUNTS][LANES])
{
    bool is_disturbed = false;
    for (size_t i = 0; i < counts; i++) {
        for (size_t lane = 0; lane < LANES; lane++)
            speeds[i][lane] = sign_for_a_while(&lanes[lane], thread_counts[i]);
        is_disturbed = is_disturbed || speeds[i][LIMIT].was_disturbed;
    }
    return is_disturbed;
}

static void measure_kind(const struct bench *bench, const char *goal,
                         const struct signature_kind *kind)
{
    static struct figures figures[COUNTS];
    struct subject subjects[SUBJECTS];
    struct signing lanes[LANES];
    struct speed speeds[COUNTS][LANES];
    struct rounds rounds = {0};
    const size_t counts = useful_counts();

    lanes_open(bench, kind, subjects, lanes);
    for (size_t i = 0; i < counts; i++)
        figures_init(&figures[i], goal, kind, thread_counts[i]);
    while (rounds_next(&rounds)) {
        if (!rounds_count(&rounds, run_round(lanes, counts, speeds)))
            continue;
        for (size_t i = 0; i < counts; i++)
            figures_add(&figures[i], speeds[0], speeds[i]);
    }
    for (size_t i = 0; i < counts; i++)
        figures_print(&figures[i], thread_counts[i]);
    EVP_PKEY_free(lanes[LIMIT].key);
    for (size_t i = 0; i < SUBJECTS; i++)
        subject_finalize(&subjects[i]);
}

void bench_rsa(const struct bench *bench)
{
    measure_kind(bench, "P1", &signature_rsa);
}

void bench_ec(const struct bench *bench)
{
    measure_kind(bench, "P2", &signature_ec);
}
