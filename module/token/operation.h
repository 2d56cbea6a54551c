/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one operation a session may have. A handler borrows it, works without a lock, and gives it
 * back: kept for the next call, or ended. While it is borrowed every other call for it is refused,
 * and C_SessionCancel or closing reaches the borrower through its struct call.
 */
#ifndef MODULE_TOKEN_OPERATION_H
#define MODULE_TOKEN_OPERATION_H

#include <stdbool.h>

#include <openssl/types.h>

#include "module/cryptoki.h"
#include "module/token/mechanism.h"
#include "module/token/snapshot.h"
#include "remote/base/secret.h"

struct pending;
struct session;
struct signer;

enum operation_kind {
    OPERATION_NONE,
    OPERATION_FIND,
    OPERATION_DIGEST,
    OPERATION_SIGN,
    OPERATION_SIGN_RECOVER,
    OPERATION_VERIFY,
    OPERATION_VERIFY_RECOVER,
    OPERATION_MESSAGE_SIGN, /* its mode: OPERATION_MULTIPART inside of a message, else fresh */
    OPERATION_MESSAGE_VERIFY,
};

/* A one-shot call after an update, or the other way round, is an error that ends the operation. */
enum operation_mode {
    OPERATION_FRESH,
    OPERATION_ONESHOT,
    OPERATION_MULTIPART,
};

/* A key object that was checked for a use, and what OpenSSL made of it; all NULL: none. */
struct ready_key {
    struct object *object; /* owned */
    struct signer *signer; /* owned; NULL: the backend signs (token_ops.sign) */
    const struct mechanism *mechanism;
    struct mechanism_parameter parameter;
    CK_FLAGS purpose;
    CK_ULONG signature_len;
};

struct operation {
    enum operation_kind kind;
    enum operation_mode mode;
    bool is_borrowed;
    bool is_cancelled; /* ends when it is given back */
    const struct mechanism *mechanism;
    struct mechanism_parameter parameter;
    EVP_MD_CTX *md; /* hashing mechanisms */
    struct ready_key key;
    struct secret *otp;      /* what a context-specific login gave for this signature */
    struct pending *pending; /* owned; C_AsyncComplete is to fetch its signature; NULL: none */
    CK_ULONG out_len;        /* length of the signature or digest */
    CK_OBJECT_HANDLE *found;
    CK_ULONG found_count;
    CK_ULONG found_next;
};

/* Starts an operation, borrowed and empty: CKR_OK, or CKR_OPERATION_ACTIVE. */
CK_RV operation_begin(struct session *s, enum operation_kind kind);

/*
 * Borrows the operation: CKR_OPERATION_NOT_INITIALIZED if the session has none of that kind,
 * CKR_OPERATION_ACTIVE if it is borrowed or pending, or if mode mixes one-shot with update (which
 * ends it).
 */
CK_RV operation_borrow(struct session *s, enum operation_kind kind, enum operation_mode mode,
                       struct operation **ret_operation);

/* Borrows a pending operation of any kind: CKR_OPERATION_NOT_INITIALIZED, CKR_OPERATION_ACTIVE. */
CK_RV operation_borrow_pending(struct session *s, struct operation **ret_operation);

/*
 * C_SignInit, C_VerifyInit and their Recover kin (key_use.c): checks key, mechanism and login in
 * the order of the standard and puts them into the borrowed operation, with a signer unless the
 * backend signs. purpose: CKF_SIGN, CKF_VERIFY, CKF_SIGN_RECOVER or CKF_VERIFY_RECOVER.
 */
CK_RV operation_set_key(struct session *s, const CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key,
                        CK_FLAGS purpose);

/* Is a login of its own needed for what this key signs (CKA_ALWAYS_AUTHENTICATE)? */
bool operation_wants_login(const struct session *s, const struct operation *operation);

/*
 * The key of the session's last operation with one, for the next on the same object with the same
 * mechanism; the caller owns it. All NULL if there is none. operation_return keeps the key of an
 * operation that ends for the next one.
 */
struct ready_key operation_take_warm(struct session *s);
void ready_key_clear(struct ready_key *key);

/* Gives it back; is_over ends it. Returns rv. */
CK_RV operation_return(struct session *s, bool is_over, CK_RV rv);

/* Ends the operation of that kind, at once or, if it is borrowed, when it comes back. */
void operation_end(struct session *s, enum operation_kind kind);

/*
 * The same for an application that asks for it (C_SessionCancel, Init without a mechanism):
 * CKR_FUNCTION_FAILED from within a notification callback (3.0 section 5.6.6), else CKR_OK.
 */
CK_RV operation_cancel(struct session *s, enum operation_kind kind);

/* Releases what the operation holds: for the last reference of a session. */
void operation_clear(struct operation *operation);

#endif
