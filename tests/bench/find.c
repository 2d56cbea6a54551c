/* SPDX-License-Identifier: Apache-2.0 */
/* P13, P14: searching and reading among 10, 1 000 and 10 000 certificates of a token. */
#include <stdio.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "tests/bench/stores.h"
#include "tests/bench/subject.h"

static const struct {
    const char *store;
    unsigned count;
} sizes[] = {{"10", 10}, {"1000", 1000}, {"10000", 10000}};

enum { SIZES = ARRAY_LEN(sizes), GROUPS = ARRAY_LEN(store_groups), VALUES = 64 };

enum query { BY_ID, BY_LABEL, BY_SUBJECT, READ, QUERIES };

static const struct {
    const char *goal;
    const char *name;
    const char *target;   /* microseconds of ours, where there is a goal */
    const char *over_hsm; /* at the largest size */
} queries[QUERIES] = {
    [BY_ID] = {"P13", "search by CKA_ID", "us", "<= 0.001"},
    [BY_LABEL] = {"P13", "search by CKA_LABEL", "us", "<= 0.001"},
    [BY_SUBJECT] = {"P13", "search by CKA_SUBJECT", "us", "<= 0.001"},
    [READ] = {"P14", "C_GetAttributeValue(CKA_VALUE)", "<= 2", "ratio"},
};

/* Microseconds of one round. */
struct timings {
    double query[SIZES][QUERIES];
    double group[GROUPS]; /* of the largest size */
};

/* A search with a known number of matches. */
struct search {
    const struct subject *subject;
    CK_ATTRIBUTE attribute;
    CK_ULONG matches;
    CK_BYTE value[512];
};

static void search_by_number(struct search *search, CK_ATTRIBUTE_TYPE type, const char *text,
                             unsigned number)
{
    int len = snprintf((char *)search->value, sizeof(search->value), "%s%0*u", text, STORE_DIGITS,
                       number);
    search->attribute = (CK_ATTRIBUTE){type, search->value, (CK_ULONG)len};
    search->matches = 1;
}

/* The subject is what the certificate of that number says it is. */
static void search_by_subject(struct search *search, unsigned number, unsigned matches)
{
    const struct subject *subject = search->subject;
    CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
    search_by_number(search, CKA_ID, STORE_ID, number);
    bench_need(subject_find(subject, subject->session, &search->attribute, 1, &object, 1) == 1,
               "the certificate is not there");
    search->attribute = (CK_ATTRIBUTE){CKA_SUBJECT, search->value, sizeof(search->value)};
    bench_check(subject->p11->C_GetAttributeValue(subject->session, object, &search->attribute, 1),
                "C_GetAttributeValue");
    search->matches = matches;
}

static void run_search(void *arg)
{
    struct search *search = arg;
    bench_need(subject_find(search->subject, search->subject->session, &search->attribute, 1, NULL,
                            0) == search->matches,
               "a search found something else");
}

static double time_search(struct search *search)
{
    run_search(search); /* the first one makes the module read the token */
    return measure(run_search, search) / 1000;
}

struct reading {
    const struct subject *subject;
    CK_OBJECT_HANDLE objects[VALUES];
    CK_ULONG count;
    CK_ULONG next;
};

static void read_value(void *arg)
{
    struct reading *reading = arg;
    CK_BYTE value[4096];
    CK_ATTRIBUTE attribute = {CKA_VALUE, value, sizeof(value)};
    bench_check(reading->subject->p11->C_GetAttributeValue(
                    reading->subject->session, reading->objects[reading->next], &attribute, 1),
                "C_GetAttributeValue");
    reading->next = (reading->next + 1) % reading->count;
}

/* Certificates from all over the token in turn. */
static double time_reading(const struct subject *subject, unsigned count)
{
    static CK_OBJECT_HANDLE all[10000];
    CK_OBJECT_CLASS class = CKO_CERTIFICATE;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof(class)}};
    struct reading reading = {.subject = subject, .count = count < VALUES ? count : VALUES};
    bench_need(subject_find(subject, subject->session, template, 1, all, count) == count,
               "there are more or fewer certificates");
    for (CK_ULONG i = 0; i < reading.count; i++)
        reading.objects[i] = all[i * (count / reading.count)];
    return measure(read_value, &reading) / 1000;
}

static void time_size(struct subject *subject, size_t size, struct timings *timings)
{
    double *times = timings->query[size];
    struct search search = {.subject = subject};
    const unsigned last = sizes[size].count - 1;
    subject_choose(subject, sizes[size].store);
    subject_open(subject);
    search_by_number(&search, CKA_ID, STORE_ID, last);
    times[BY_ID] = time_search(&search);
    search_by_number(&search, CKA_LABEL, STORE_LABEL, last);
    times[BY_LABEL] = time_search(&search);
    search_by_subject(&search, last, 1);
    times[BY_SUBJECT] = time_search(&search);
    times[READ] = time_reading(subject, sizes[size].count);
    for (size_t i = 0; size == SIZES - 1 && i < GROUPS; i++) {
        search_by_subject(&search, store_groups[i].first, store_groups[i].count);
        timings->group[i] = time_search(&search);
    }
    subject_finalize(subject);
}

struct figures {
    struct series own[SIZES];
    struct series hsm;
    struct series over_hsm;
    struct series flat;
};

static void figures_init(struct figures *figures, enum query query)
{
    const char *goal = queries[query].goal;
    const char *name = queries[query].name;
    for (size_t i = 0; i < SIZES; i++)
        series_init(&figures->own[i], goal, queries[query].target, "%s among %u: ours in us", name,
                    sizes[i].count);
    series_init(&figures->hsm, goal, "us", "%s among 10000: SoftHSM2", name);
    series_init(&figures->over_hsm, goal, queries[query].over_hsm,
                "%s among 10000: time over SoftHSM2's", name);
    series_init(&figures->flat, goal, "<= 1.5", "%s: among 10000 over among 10", name);
}

static void figures_add(struct figures *figures, enum query query,
                        const struct timings timings[SUBJECTS])
{
    const double hsm = timings[1].query[SIZES - 1][query];
    const double own = timings[0].query[SIZES - 1][query];
    for (size_t i = 0; i < SIZES; i++)
        series_add(&figures->own[i], timings[0].query[i][query]);
    series_add(&figures->hsm, hsm);
    series_add(&figures->over_hsm, own / hsm);
    series_add(&figures->flat, own / timings[0].query[0][query]);
}

static void figures_print(struct figures *figures)
{
    series_print(&figures->flat);
    series_print(&figures->over_hsm);
    for (size_t i = 0; i < SIZES; i++)
        series_print(&figures->own[i]);
    series_print(&figures->hsm);
}

/* A match may not cost more among a thousand than among ten. */
static void add_groups(struct series *linear, struct series own[GROUPS],
                       const struct timings *timings)
{
    const struct store_group *few = &store_groups[0];
    const struct store_group *many = &store_groups[GROUPS - 1];
    series_add(linear, timings->group[GROUPS - 1] / many->count / (timings->group[0] / few->count));
    for (size_t i = 0; i < GROUPS; i++)
        series_add(&own[i], timings->group[i]);
}

void bench_find(const struct bench *bench)
{
    static struct figures figures[QUERIES];
    static struct series own[GROUPS];
    struct series linear;
    struct subject subjects[SUBJECTS];
    struct timings timings[SUBJECTS];
    struct rounds rounds = {0};

    series_init(&linear, "P13", "<= 1.5", "a match of 1000 over a match of 10: ours");
    for (size_t i = 0; i < GROUPS; i++)
        series_init(&own[i], "P13", "us", "search with %u matches among 10000: ours",
                    store_groups[i].count);
    for (enum query query = 0; query < QUERIES; query++)
        figures_init(&figures[query], query);
    subjects_load(bench, subjects);
    while (rounds_next(&rounds)) {
        for (size_t size = 0; size < SIZES; size++)
            for (size_t i = 0; i < SUBJECTS; i++)
                time_size(&subjects[i], size, &timings[i]);
        if (!rounds_keep(&rounds))
            continue;
        for (enum query query = 0; query < QUERIES; query++)
            figures_add(&figures[query], query, timings);
        add_groups(&linear, own, &timings[0]);
    }
    for (enum query query = 0; query < QUERIES; query++)
        figures_print(&figures[query]);
    series_print(&linear);
    for (size_t i = 0; i < GROUPS; i++)
        series_print(&own[i]);
}
