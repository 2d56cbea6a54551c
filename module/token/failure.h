/* SPDX-License-Identifier: Apache-2.0 */
/* From statuses below the backends to CK_RV, and the note that explains a failure. */
#ifndef MODULE_TOKEN_FAILURE_H
#define MODULE_TOKEN_FAILURE_H

#include <stdbool.h>

#include "module/cryptoki.h"
#include "remote/base/call.h"
#include "remote/base/status.h"

/*
 * Where the note of a call is kept, on the stack of its entry: what a library that is loaded late
 * has for each thread is scarce (.cmake/Flags.cmake).
 */
struct failure_note {
    struct failure_note *outer; /* of the call whose callback made this one */
    bool is_set;
    char text[256];
};

/* Notes of this thread go here, until failure_end of the same note. */
void failure_begin(struct failure_note *note);
void failure_end(const struct failure_note *note);

/* Leaves a note for the gate's one log line and returns rv. */
CK_RV failure(CK_RV rv, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The code that is told for a status, with the call's note taken over. call may be NULL. */
CK_RV failure_of(enum sca_status status, const struct call *call);

/* This call's note, which is forgotten by that; "" if there is none. Valid until the next one, or
 * failure_end. */
const char *failure_take(void);

#endif
