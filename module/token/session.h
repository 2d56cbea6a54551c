/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions: found by handles with generations, kept alive by references, so that closing one in
 * another thread only unlinks it and wakes whoever waits in it.
 */
#ifndef MODULE_TOKEN_SESSION_H
#define MODULE_TOKEN_SESSION_H

#include <stdatomic.h>
#include <stdbool.h>

#include "module/cryptoki.h"
#include "module/token/operation.h"
#include "module/token/slot.h"
#include "remote/base/call.h"
#include "remote/base/lock.h"

enum { SESSIONS_MAX = 10000 };

/* Threads with a session each must not share a cache line. */
enum { SESSION_ALIGN = 64 };

struct session {
    _Alignas(SESSION_ALIGN) atomic_uint refs;
    CK_SESSION_HANDLE handle;
    struct slot *slot;
    CK_FLAGS flags;
    CK_NOTIFY notify;
    void *application;
    struct lock lock; /* guards the rest; the borrower of the operation needs no lock for it */
    bool is_closed;
    struct operation operation;
    struct ready_key warm; /* of the last operation, for the next one */
    struct call *waiting;  /* a call that can be interrupted */
    CK_RV interrupted;     /* what that call shall return, CKR_OK if it goes on */
    CK_ULONG device_error; /* of the last call that asked a service */
};

void session_start(void);
void session_stop(void); /* closes all; no call may be inside */

/* Forgets all sessions without touching them (see slot_abandon_all). */
void session_abandon_all(void);

/* Wakes every waiting call; each returns rv. */
void session_cancel_all(CK_RV rv);

/* Logout: what the user began to sign, nobody else may finish (2.40 section 5.6, C_Logout), and no
 * session keeps a key. */
void session_end_signing(struct slot *slot);

/* A reference to the live session of that handle, or NULL. */
struct session *session_find(CK_SESSION_HANDLE handle);
void session_unref(struct session *s);
CK_SESSION_HANDLE session_handle(const struct session *s);

bool session_is_rw(const struct session *s);
bool session_is_closed(struct session *s);

/*
 * Around a wait on the caller's own thread: from here to session_wait_end the call can be
 * interrupted, and the session's notify callback is asked about once a second whether to go on.
 * session_wait_end returns rv, or what the interrupter wants when the call was cancelled.
 * CKR_OPERATION_ACTIVE, and nothing to end, when another thread waits in the session already.
 */
CK_RV session_wait_begin(struct session *s, struct call *call);
CK_RV session_wait_end(struct session *s, struct call *call, CK_RV rv);

/* True on a thread that is inside a notification callback. */
bool session_is_notifying(void);

/* In a child that was forked inside of one: that callback was the parent's. */
void session_forget_notifying(void);

/* Interrupts a waiting call, if there is one. */
void session_interrupt_locked(struct session *s, CK_RV rv) REQUIRES(s->lock);

#endif
