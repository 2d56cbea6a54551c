/* SPDX-License-Identifier: Apache-2.0 */
/* One call before it is made: which function, and what it is given. */
#ifndef TESTS_FUZZ_ATTEMPT_H
#define TESTS_FUZZ_ATTEMPT_H

#include "tests/fuzz/caller.h"

enum { ATTEMPT_UNTOUCHED = 0xa5, ATTEMPT_OUTPUTS_MAX = 3 };

struct attempt {
    const struct row *row;
    uintptr_t words[ROW_WORDS_MAX];
    unsigned word_count;
    struct output {
        char kind;     /* as in a format of rules.h */
        uint8_t *room; /* all ATTEMPT_UNTOUCHED; NULL: none was given */
        size_t size;
        CK_ULONG *len; /* NULL: none was given */
        CK_ULONG given;
    } outputs[ATTEMPT_OUTPUTS_MAX];
    unsigned output_count;
    struct caller_session *session; /* NULL: a handle that nobody ever had */
    struct caller_session before;   /* what it was before the call */
};

/* From the caller's input. All memory is the caller's: the module may write it later. */
void attempt_make(struct caller *caller, struct attempt *ret_attempt);

#endif
