/* SPDX-License-Identifier: Apache-2.0 */
/* The one place that asks "initialised, in this process?", finds the session and logs the outcome.
 */
#ifndef MODULE_ENTRY_GATE_H
#define MODULE_ENTRY_GATE_H

#include "module/cryptoki.h"
#include "module/token/failure.h"

struct session;

/* What every call has on its stack. */
struct gate_frame {
    int cancel_state;
    struct failure_note note;
};

/*
 * A thread that is cancelled (pthread_cancel) ends at its next cancellation point after the call,
 * not inside of it, where it would leave locks behind that others wait for, and a signature that
 * nobody fetches. C_SessionCancel and C_Finalize end a call that waits.
 */
void gate_hold(struct gate_frame *frame);
void gate_release(const struct gate_frame *frame);

/* CKR_OK, or CKR_CRYPTOKI_NOT_INITIALIZED. Every success needs its gate_leave. */
CK_RV gate_enter(void);

/* The same, and a reference to the live session of that handle, or CKR_SESSION_HANDLE_INVALID. */
CK_RV gate_enter_session(const char *name, CK_SESSION_HANDLE handle, struct session **ret_session);

/*
 * Undoes gate_enter (is_inside: it said CKR_OK) and releases session, which may be NULL. Writes
 * the one line of a failure that left a note. Returns rv.
 */
CK_RV gate_leave(const char *name, CK_BBOOL is_inside, struct session *session, CK_RV rv);

#endif
