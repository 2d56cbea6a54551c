/* SPDX-License-Identifier: Apache-2.0 */
/* One thread that has documents signed through the SmartCA slot, in every manner there is. */
#ifndef TESTS_SOAK_SIGNER_H
#define TESTS_SOAK_SIGNER_H

#include <pthread.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "tests/integration/harness.h"
#include "tests/soak/dice.h"
#include "tests/soak/post.h"

enum {
    CONFIRM_MS = 10000, /* confirm_timeout of the configuration: no C_Sign lasts longer */
    REQUEST_MS = 2000,  /* request_timeout, connect_timeout */
    LATE_MS = 2000,     /* how much later than its deadline a call may come back */
    TEXT_MAX = 2048
};

/* Not of PKCS#11: the process that had asked was killed. */
#define RV_KILLED (CKR_VENDOR_DEFINED | 0x736f616bUL)

struct signer {
    const struct world *world;
    struct office *office;
    struct desk *desk;
    unsigned number; /* of the desk */
    struct dice dice;
    CK_SLOT_ID slot;
    CK_OBJECT_HANDLE key;
    CK_SESSION_HANDLE session;
    EVP_PKEY *public_key; /* borrowed */

    pthread_mutex_t lock;  /* for the two below */
    uint64_t cancel_at_ms; /* 0: not to be cancelled */
    bool was_cancelled;
};

struct document {
    char text[TEXT_MAX];
    size_t len;
    uint8_t digest[DIGEST_LEN];
};

enum manner {
    MANNER_PLAIN, /* C_Sign in the thread's session */
    MANNER_PARTS, /* C_SignUpdate, C_SignFinal */
    MANNER_CANCELLED,
    MANNER_ASYNC,
    MANNER_ASYNC_CANCELLED,
    MANNER_CHILD, /* from a process made for it */
    MANNER_CHILD_KILLED,
    MANNERS
};

const char *manner_name(enum manner manner);
enum manner manner_choose(struct dice *dice);

/* Asks once, and posts what came of it. CKR_OK: signature is there, and not looked at yet. */
CK_RV signer_ask(struct signer *signer, const struct document *document, enum manner manner,
                 uint8_t *signature);

/* From another thread: ends the call under way when its time has come. */
void signer_cancel_if_due(struct signer *signer);

/* A pause of the thread. */
void signer_rest(unsigned ms);

#endif
