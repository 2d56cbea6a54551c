/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of every document that somebody wants signed, from both sides: what its worker was
 * told, and in which transactions of the service it was. A document that was over some time ago is
 * judged a last time and forgotten.
 */
#ifndef TESTS_SOAK_BOOK_H
#define TESTS_SOAK_BOOK_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "tests/soak/post.h"
#include "tests/soak/story.h"

enum { BROKEN_MAX = 320, FAULT_KINDS_MAX = 40, ANSWERS_MAX = 16 };

struct tally {
    char name[40];
    unsigned count;
};

struct book {
    struct story *rows[STORY_ROWS]; /* by digest */
    struct falsified *falsified;
    char broken[BROKEN_MAX]; /* the first promise that was broken; "": none */

    unsigned known_transactions; /* the first ones, that need not be read again */
    unsigned seen_transactions;
    unsigned long known_requests;
    unsigned requests;
    unsigned pushes; /* of documents, one for each transaction that one was in */
    unsigned signatures;
    unsigned refused_pushes;   /* rejected, expired, failed */
    unsigned falsified_pushes; /* signed, but the answer was made false */
    unsigned given_up;
    unsigned kills;
    unsigned lost; /* signatures, with processes that were killed */
    unsigned local_signatures;
    unsigned tool_runs;
    unsigned tool_good;
    unsigned tool_pushes;
    uint64_t slowest_ms;
    struct tally answers[ANSWERS_MAX];
    struct tally faults[FAULT_KINDS_MAX];
};

/* Notes the first breach; later ones are its consequences. */
void book_break(struct book *book, const char *format, ...) __attribute__((format(printf, 2, 3)));
void book_post(struct book *book, const struct post *post, uint64_t now_ms);

/* Answers of /control/requests and then of /control/transactions, of which the latter was asked
 * for first: so that every falsified answer is known before what came of it. */
void book_requests(struct book *book, const cJSON *requests);
void book_transactions(struct book *book, const cJSON *transactions);

/* Judges what was over before that time, and forgets it. */
void book_forget(struct book *book, uint64_t over_before_ms);

/* At the end: nothing is open any more. Frees everything. */
void book_close(struct book *book);

#endif
