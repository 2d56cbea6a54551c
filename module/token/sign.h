/* SPDX-License-Identifier: Apache-2.0 */
/* What the functions that sign have in common, whether they wait for the signature or not. */
#ifndef MODULE_TOKEN_SIGN_H
#define MODULE_TOKEN_SIGN_H

#include <stdint.h>

#include "module/cryptoki.h"
#include "module/token/audit.h"
#include "module/token/operation.h"
#include "module/token/session.h"
#include "remote/base/bytes.h"
#include "remote/base/call.h"

/* A signature that has ended, well or not. All is lent. */
struct sign_outcome {
    const struct operation *operation; /* one that was joined (C_AsyncJoin) has no mechanism */
    struct audit_mark mark;            /* of what was signed; zeros if it was joined */
    const struct call *call; /* the one that the backend was last asked with; NULL: it was not */
    uint64_t login;          /* the one that the backend was asked under (slot_login_number) */
    CK_RV rv;
};

/* Key, mechanism and token of the session's borrowed operation, checked for signing and put in. */
CK_RV sign_prepare(struct session *s, const CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key);

/*
 * The signature of input (a digest where the mechanism hashed, else the caller's data, which may
 * overlap signature) with the borrowed operation; signature has room for out_len. CKR_PENDING, in
 * an asynchronous session whose backend signs: the operation waits for C_AsyncComplete of function
 * (a string for ever), and signature is kept until then.
 */
CK_RV sign_produce(struct session *s, struct operation *sign, const char *function,
                   struct span input, CK_BYTE *signature);

/* Every signature ends here once, with the operation still borrowed. Returns outcome->rv. */
CK_RV sign_ended(struct session *s, const struct sign_outcome *outcome);

#endif
