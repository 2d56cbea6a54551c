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
    bool is_foreign;       /* another vendor's code takes part: only ours is put to the test */
    void (*prepare)(void); /* nothing fails yet; NULL: nothing to do */
    CK_RV (*act)(void);    /* here it fails */
    /* Nothing fails any more: what act returned was right, and all works on. */
    void (*judge)(CK_RV rv);
};

enum { KEPT_MAX = 1024 };

/* One of the groups of stories, ended by a row without a name. */
extern const struct story slot_stories[];
extern const struct story smartca_stories[];
extern const struct story local_stories[];
extern const struct story foreign_stories[];

struct campaign {
    unsigned step;        /* every so-many-th k; 0: a small sample */
    unsigned long first;  /* from that k on; 0: from the first */
    unsigned long end;    /* up to, but not that k */
    const char *restore;  /* a shell command: the state folder as it was */
    const char *requests; /* the service's list of requests */
};

/* All ways to fail for one story; prints a line for each way. How many runs went wrong. */
unsigned campaign_run(const struct campaign *campaign, const struct story *story);

/*
 * judge goes on in act's process, and finds its sessions there. Where OpenSSL had no memory it is
 * another one: an algorithm that could not be fetched for that reason stays unknown to OpenSSL as
 * long as the process lives. What judge wants to know of act is kept here, KEPT_MAX bytes.
 */
void *campaign_kept(void);

/* Is it memory that is lacking? A file that cannot be read takes its slot away and is logged. */
bool campaign_is_of_memory(void);

/* For stories: the view of the first, undisturbed telling, kept by the first who has one; and how
 * often this telling has asked the phone. */
uint64_t campaign_first_view(uint64_t view);
unsigned campaign_count_pushes(void);

/* A text that no other telling signs. */
const char *campaign_document(void);

#endif
