/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures that nobody waits for inside a call (3.2 section 5.22): the operation stays in its
 * session, refuses every other call, and goes on whenever C_AsyncComplete looks after it.
 */
#ifndef MODULE_TOKEN_ASYNC_H
#define MODULE_TOKEN_ASYNC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "module/backend/backend.h"
#include "module/cryptoki.h"
#include "module/token/sign.h"

/* The operation of an asynchronous session waits for this. Guarded as the operation is. */
struct pending {
    const struct token_async_ops *ops; /* the job's */
    struct token_job *job;             /* owned */
    const char *function;              /* the call that returned CKR_PENDING */
    CK_BYTE *out; /* the application's, out_len of the operation; NULL after C_AsyncGetID */
    CK_ULONG id;  /* what that told, when out is NULL */
    bool is_joined;
    uint64_t login; /* as in struct sign_outcome */
    struct audit_mark mark;
};

/* Without a job. function: a string for ever. NULL without memory. */
struct pending *pending_new(const struct session *s, const char *function, CK_BYTE *out);
void pending_free(struct pending *pending); /* NULL is allowed */
void pending_freep(struct pending **pending);

/*
 * Hands the job of the borrowed operation to the backend: CKR_PENDING, and signature stays lent
 * until the operation is over. What fails at once has ended (sign_ended). outcome: all but call
 * and rv are set.
 */
CK_RV async_begin(struct session *s, const char *function, const struct sign_job *job,
                  struct sign_outcome *outcome, CK_BYTE *signature);

/* Before each question to the backend (session_wait_begin); on failure there is nothing to end. */
CK_RV async_ask_begin(struct session *s, struct call *call);

/* Borrows the session's operation if it is pending and that function's. */
CK_RV async_borrow(struct session *s, const char *function, struct operation **ret_operation);

#endif
