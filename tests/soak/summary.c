/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/soak/summary.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#include "tests/soak/sanitizer.h"

enum {
    LONG_ENOUGH_MS = 5 * 60000,
    RSS_GROWTH_PERCENT = 5,
    RSS_GROWTH_KB = 2048,
    FDS_GROWTH = 4 /* connections of the pool that happen to be open */
};

static unsigned sum(const struct tally *tallies, size_t room)
{
    unsigned total = 0;
    for (size_t i = 0; i < room; i++)
        total += tallies[i].count;
    return total;
}

void summary_progress(const struct book *book, const struct gauge *gauges, uint64_t second)
{
    (void)fprintf(stderr, "soak: %" PRIu64 " s: %u signatures, %u self-signed, %u/%u by the tool;",
                  second, book->signatures, book->local_signatures, book->tool_good,
                  book->tool_runs);
    for (size_t i = 0; i < ANSWERS_MAX && book->answers[i].count; i++)
        (void)fprintf(stderr, " %s %u", book->answers[i].name, book->answers[i].count);
    (void)fprintf(stderr, "; %u faults in %u requests", sum(book->faults, FAULT_KINDS_MAX),
                  book->requests);
    for (unsigned i = 0; i < WORKERS; i++)
        (void)fprintf(stderr, "; %u KiB %u fds %u threads", gauges[i].rss_kb, gauges[i].fds,
                      gauges[i].threads);
    (void)fprintf(stderr, "\n");
}

static void print_tallies(const char *title, const struct tally *tallies, size_t room,
                          unsigned whole)
{
    (void)fprintf(stderr, "%s\n", title);
    for (size_t i = 0; i < room && tallies[i].count; i++)
        (void)fprintf(stderr, "  %-24s %8u %6.2f %%\n", tallies[i].name, tallies[i].count,
                      100.0 * tallies[i].count / (whole ? whole : 1));
}

static void print_needs(const struct gauge *gauge)
{
    (void)fprintf(stderr, "  %-24ld %8u %8u %5u %5u %5u %5u\n", (long)gauge->pid,
                  gauge->early.rss_min_kb, gauge->late.rss_min_kb, gauge->early.fds_max,
                  gauge->late.fds_max, gauge->early.threads_max, gauge->late.threads_max);
}

void summary_print(const struct book *book, const struct gauge *gauges, uint64_t second)
{
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {{"seconds", second},
                {"signatures", book->signatures},
                {"given up as rejected", book->given_up},
                {"documents pushed", book->pushes},
                {"of these refused", book->refused_pushes},
                {"of these falsified", book->falsified_pushes},
                {"lost with a killed process", book->lost},
                {"slowest answer, ms", book->slowest_ms},
                {"self-signed signatures", book->local_signatures},
                {"runs of smartca sign", book->tool_runs},
                {"of these good", book->tool_good},
                {"of these pushed", book->tool_pushes},
                {"requests", book->requests}};
    (void)fprintf(stderr, "\n");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        (void)fprintf(stderr, "%-26s %8" PRIu64 "\n", rows[i].name, rows[i].value);
    print_tallies("answers", book->answers, ANSWERS_MAX, sum(book->answers, ANSWERS_MAX));
    print_tallies("faults, of the requests", book->faults, FAULT_KINDS_MAX, book->requests);
    (void)fprintf(stderr, "%-26s %8s %8s %11s %11s\n", "needs, early and late", "KiB", "KiB",
                  "descriptors", "threads");
    for (unsigned i = 0; i < WORKERS; i++)
        print_needs(&gauges[i]);
}

void summary_judge_needs(struct book *book, const struct gauge *gauges, uint64_t run_ms)
{
    for (unsigned i = 0; i < WORKERS && run_ms >= LONG_ENOUGH_MS; i++) {
        unsigned early = gauges[i].early.rss_min_kb;
        unsigned late = gauges[i].late.rss_min_kb;
        /* A sanitizer keeps memory that was freed for a while: there is no telling. */
        if (!HAS_SANITIZER && late > early + early / 100 * RSS_GROWTH_PERCENT + RSS_GROWTH_KB)
            book_break(book, "process %u grew from %u to %u KiB", i, early, late);
        if (gauges[i].late.fds_max > gauges[i].early.fds_max + FDS_GROWTH)
            book_break(book, "process %u has %u descriptors, and had %u", i, gauges[i].late.fds_max,
                       gauges[i].early.fds_max);
        if (gauges[i].late.threads_max > gauges[i].early.threads_max)
            book_break(book, "process %u has %u threads, and had %u", i, gauges[i].late.threads_max,
                       gauges[i].early.threads_max);
    }
}
