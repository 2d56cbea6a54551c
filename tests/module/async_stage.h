/* SPDX-License-Identifier: Apache-2.0 */
/* stage.h on tokens with asynchronous sessions. */
#ifndef TESTS_MODULE_ASYNC_STAGE_H
#define TESTS_MODULE_ASYNC_STAGE_H

#include "tests/module/fake_async.h"
#include "tests/module/stage.h"

/* A fixture: tokens that can, and looks that find the signature at once. */
int async_begin_stage(void **state);
#define ASYNC(test) cmocka_unit_test_setup_teardown(test, async_begin_stage, async_end_stage)

/* Also: every job was freed, none touched by two threads, nothing asked under a lock. */
int async_end_stage(void **state);

/* Looks that find nothing, this many for each job, from now on. */
void async_play_pendings(unsigned pendings);

/* A signature that C_AsyncComplete is to fetch. */
struct async_signature {
    CK_SESSION_HANDLE session;
    CK_BYTE bytes[SIGNATURE_LEN];
    CK_ULONG len;
};

CK_SESSION_HANDLE async_open(CK_SLOT_ID slot);

/* C_SignInit in a new asynchronous session; with login where one is needed. */
CK_SESSION_HANDLE async_signing(CK_SLOT_ID slot);

/* C_Sign of MESSAGE there, which is pending. */
void async_sign(struct async_signature *signature, CK_SLOT_ID slot);

CK_UTF8CHAR *async_text(const char *text);

/* C_AsyncComplete with a result that nobody reads. */
CK_RV async_complete_only(CK_SESSION_HANDLE session, const char *function);

/* The same, until it is not CKR_PENDING; the result must be in the buffer. */
CK_RV async_await(struct async_signature *signature, const char *function);

/* Is it that of MESSAGE? */
bool async_is_good(const struct async_signature *signature);

/* Has the session any operation? */
bool async_is_busy(CK_SESSION_HANDLE session);

#endif
