/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the processes of a soak say to each other: workers post what they do, through a pipe, to
 * the controller; each of their threads has a desk in shared memory, on which the controller sees
 * what it is waiting for, so that a call that never returns is noticed, too.
 */
#ifndef TESTS_SOAK_POST_H
#define TESTS_SOAK_POST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    WORKERS = 2,        /* processes that load the module */
    WORKER_SIGNERS = 4, /* threads of each on the SmartCA slot */
    SIGNERS = WORKERS * WORKER_SIGNERS,
    DESK_LOCAL = SIGNERS, /* the thread on the self-signed slot */
    DESK_TOOL,            /* the one that runs the tool */
    DESKS,
    DIGEST_LEN = 32,
    SIGNATURE_LEN = 256,
    POST_TEXT_MAX = 160
};

enum phase { PHASE_RUN, PHASE_DRAIN };

enum post_kind {
    POST_ASKED,    /* a signature of digest is about to be asked for */
    POST_ANSWERED, /* rv came, after took_ms; text: how it was asked for */
    POST_SIGNED,   /* the document is done: its signature verifies */
    POST_GIVEN_UP, /* the document is done: the person rejected it */
    POST_LOCAL,    /* one more signature of the self-signed slot, which verifies */
    POST_TOOL_BEGUN,
    POST_TOOL_ENDED, /* rv: its exit code */
    POST_BROKEN,     /* a promise was broken: text says which */
};

struct post {
    enum post_kind kind;
    unsigned desk;
    unsigned long rv;
    uint64_t took_ms;
    uint8_t digest[DIGEST_LEN];
    char text[POST_TEXT_MAX];
};

struct desk {
    atomic_ullong until_ms;     /* when the call under way is late; 0: none is */
    _Atomic(const char *) what; /* its name; the processes are forks of one image */
    atomic_bool is_answered;    /* by a short-lived child, which left the two below */
    unsigned long rv;
    uint8_t signature[SIGNATURE_LEN];
};

struct office {
    atomic_int phase;
    struct desk desks[DESKS];
};

/* Before any fork. NULL when there is no memory or pipe. */
struct office *post_open(int *ret_read_fd);

/* Without blocking: false when there is none. */
bool post_read(int fd, struct post *ret_post);
void post_send(const struct post *post);
void post_broken(unsigned desk, const char *format, ...) __attribute__((format(printf, 2, 3)));

void desk_begin(struct desk *desk, const char *what, uint64_t limit_ms);
void desk_end(struct desk *desk);

#endif
