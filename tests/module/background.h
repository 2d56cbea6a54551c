/* SPDX-License-Identifier: Apache-2.0 */
/* A call that waits on a thread of its own, while the test does something else. */
#ifndef TESTS_MODULE_BACKGROUND_H
#define TESTS_MODULE_BACKGROUND_H

#include <pthread.h>

#include "tests/module/stage.h"

struct background {
    pthread_t thread;
    CK_SESSION_HANDLE session;
    CK_SLOT_ID slot;
    CK_BYTE signature[SIGNATURE_LEN];
    CK_ULONG signature_len;
    CK_RV rv;
};

/* C_Sign of MESSAGE in a session where C_SignInit was done. */
void background_sign(struct background *background, CK_SESSION_HANDLE session);

/* C_Login with FAKE_PIN_TEXT. */
void background_login(struct background *background, CK_SESSION_HANDLE session);

/* C_WaitForSlotEvent without CKF_DONT_BLOCK; slot is what it tells. */
void background_wait(struct background *background);

/* Waits for its end; returns what the call returned. */
CK_RV background_join(struct background *background);

#endif
