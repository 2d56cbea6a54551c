/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory and system calls that fail when they are told to. The library stands before libc: linked
 * by a program, or preloaded into one. Between inject_arm and inject_disarm it counts what the plan
 * names, in all threads, and lets the k-th fail.
 *
 * Preloaded, it arms itself before main with SMARTCA_INJECT_PLAN, "KIND SCOPE K ERROR LASTS" in
 * numbers, and where it struck goes to the file SMARTCA_INJECT_REPORT, which is not made otherwise;
 * with K = 0 how many there were, at the end.
 */
#ifndef TESTS_INJECT_SHIM_H
#define TESTS_INJECT_SHIM_H

#include <stdbool.h>

enum inject_kind {
    INJECT_NOTHING,
    INJECT_MEMORY, /* malloc and its kind, mmap, mlock: ENOMEM */
    INJECT_IO,     /* files and sockets, each with errors of its own */
};

enum inject_scope {
    INJECT_EVERYWHERE, /* OpenSSL, libcurl and libc too, but no other vendor's module */
    INJECT_OURS,       /* what our own code asks for */
};

enum { INJECT_ERRORS = 4, INJECT_FRAMES = 24 };

struct inject_plan {
    enum inject_kind kind;
    enum inject_scope scope;
    unsigned long k; /* 1: the first; 0: only count */
    unsigned error;  /* which of the errors of the function; those without so many succeed */
    bool lasts;      /* and everything after the k-th */
};

/* What came of it. */
struct inject_result {
    unsigned long count;
    bool has_struck; /* the k-th was reached */
    int frame_count; /* of the call that failed */
    void *frames[INJECT_FRAMES];
};

void inject_arm(const struct inject_plan *plan);
void inject_disarm(struct inject_result *ret_result);

/* CLOCK_REALTIME and time() are that much ahead from now on; the monotonic clock goes on. */
void inject_set_clock(long seconds);

#endif
