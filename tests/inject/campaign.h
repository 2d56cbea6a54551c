/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A story is told again and again, each time in a child of its own, and each time the next
 * allocation or system call fails, until one is told to its end without reaching it.
 */
#ifndef TESTS_INJECT_CAMPAIGN_H
#define TESTS_INJECT_CAMPAIGN_H

#include <stdbool.h>
#include <stdint.h>

#include "module/cryptoki.h"

struct story {
    const char *name;
    bool is_foreign;         /* another vendor's code takes part: only ours is put to the test */
    void (*prepare)(void);   /* nothing fails yet; NULL: nothing to do */
    CK_RV (*act)(void);      /* here it fails */
    void (*judge)(CK_RV rv); /* nothing fails any more: what act returned was right, all works on */
};

/* One of the groups of stories, ended by a row without a name. */
extern const struct story slot_stories[];
extern const struct story smartca_stories[];
extern const struct story local_stories[];
extern const struct story foreign_stories[];

struct campaign {
    bool is_whole;        /* every k; otherwise a sample of them */
    const char *restore;  /* a shell command: the state folder as it was */
    const char *requests; /* the service's list of requests */
};

/* All ways to fail for one story; prints a line for each way. How many runs went wrong. */
unsigned campaign_run(const struct campaign *campaign, const struct story *story);

/* For stories: the view of the first, undisturbed telling, kept by the first who has one; and how
 * often this telling has asked the phone. */
uint64_t campaign_first_view(uint64_t view);
unsigned campaign_count_pushes(void);

/* A text that no other telling signs. */
const char *campaign_document(void);

#endif
