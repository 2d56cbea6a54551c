/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An application that calls any function with arguments from an input, and what must hold after
 * each call whatever they were: a code that the function may return, nothing written on failure,
 * nothing behind what was asked for, and no use of a session that was closed.
 */
#ifndef TESTS_FUZZ_CALLER_H
#define TESTS_FUZZ_CALLER_H

#include "module/cryptoki.h"
#include "tests/fuzz/feed.h"
#include "tests/fuzz/rows.h"

enum { CALLER_SESSIONS = 4, CALLER_SLOTS = 8, CALLER_OBJECTS = 32, CALLER_BLOCKS = 4096 };

struct caller_session {
    CK_SESSION_HANDLE handle; /* 0: none yet */
    CK_SLOT_ID slot;
    bool is_open; /* for all that the caller knows: its token may have gone */
};

struct caller {
    struct feed *feed;
    CK_SLOT_ID slots[CALLER_SLOTS];
    CK_ULONG slot_count;
    struct caller_session sessions[CALLER_SESSIONS];
    CK_OBJECT_HANDLE objects[CALLER_OBJECTS];
    size_t object_count;
    CK_ULONG number;     /* the last one of C_AsyncGetID */
    const char *pins[4]; /* good and bad ones */
    void *blocks[CALLER_BLOCKS];
    size_t block_count;

    /* The call as it was made; one more look at it. May be NULL. */
    void (*after)(struct caller *caller, const struct row *row, const uintptr_t *words, CK_RV rv);
};

/* C_Initialize; a session and a search in each slot; calls, until the input ends; C_Finalize. What
 * was lent to the module is released after that. */
void caller_run(struct caller *caller);

#endif
