/* SPDX-License-Identifier: Apache-2.0 */
/* The state machine of a session that signs: every state, every call, what comes back and what is
 * left. */
#include "remote/base/cleanup.h"
#include "tests/module/stage.h"

enum state {
    IDLE,      /* no operation */
    READY,     /* after C_SignInit */
    ASKED,     /* C_Sign was asked for the size */
    UPDATED,   /* after C_SignUpdate */
    FINISHING, /* C_SignFinal was asked for the size */
};

static const char *const state_names[] = {"idle", "ready", "asked", "updated", "finishing"};

static CK_BYTE signature[SIGNATURE_LEN];

static CK_RV sign_into(CK_SESSION_HANDLE session, CK_BYTE *out, CK_ULONG room)
{
    return p11->C_Sign(session, MESSAGE, MESSAGE_LEN, out, &room);
}

static CK_RV final_into(CK_SESSION_HANDLE session, CK_BYTE *out, CK_ULONG room)
{
    return p11->C_SignFinal(session, out, &room);
}

static CK_RV sign(CK_SESSION_HANDLE session)
{
    return sign_into(session, signature, SIGNATURE_LEN);
}

static CK_RV sign_size(CK_SESSION_HANDLE session)
{
    return sign_into(session, NULL, 0);
}

static CK_RV sign_short(CK_SESSION_HANDLE session)
{
    return sign_into(session, signature, SIGNATURE_LEN - 1);
}

static CK_RV sign_no_length(CK_SESSION_HANDLE session)
{
    return p11->C_Sign(session, MESSAGE, MESSAGE_LEN, signature, NULL);
}

static CK_RV sign_no_data(CK_SESSION_HANDLE session)
{
    CK_ULONG len = SIGNATURE_LEN;
    return p11->C_Sign(session, NULL, 5, signature, &len);
}

static CK_RV update(CK_SESSION_HANDLE session)
{
    return p11->C_SignUpdate(session, MESSAGE, MESSAGE_LEN);
}

static CK_RV update_nothing(CK_SESSION_HANDLE session)
{
    return p11->C_SignUpdate(session, NULL, 0);
}

static CK_RV update_no_data(CK_SESSION_HANDLE session)
{
    return p11->C_SignUpdate(session, NULL, 5);
}

static CK_RV final(CK_SESSION_HANDLE session)
{
    return final_into(session, signature, SIGNATURE_LEN);
}

static CK_RV final_size(CK_SESSION_HANDLE session)
{
    return final_into(session, NULL, 0);
}

static CK_RV final_short(CK_SESSION_HANDLE session)
{
    return final_into(session, signature, 1);
}

static CK_RV final_no_length(CK_SESSION_HANDLE session)
{
    return p11->C_SignFinal(session, signature, NULL);
}

static CK_RV init_again(CK_SESSION_HANDLE session)
{
    CK_RV rv = stage_sign_init(session, CKM_SHA256_RSA_PKCS, 1);
    return rv == CKR_KEY_HANDLE_INVALID ? CKR_OK : rv; /* it got as far as the key */
}

static CK_RV init_digest(CK_SESSION_HANDLE session)
{
    CK_MECHANISM sha256 = {.mechanism = CKM_SHA256};
    CK_RV rv = p11->C_DigestInit(session, &sha256);
    return rv == CKR_OK ? p11->C_DigestInit(session, NULL) : rv;
}

static CK_RV init_verify(CK_SESSION_HANDLE session)
{
    CK_MECHANISM rsa = {.mechanism = CKM_RSA_PKCS};
    CK_RV rv = p11->C_VerifyInit(session, &rsa, 1);
    return rv == CKR_KEY_HANDLE_INVALID ? CKR_OK : rv;
}

static CK_RV init_find(CK_SESSION_HANDLE session)
{
    CK_RV rv = p11->C_FindObjectsInit(session, NULL, 0);
    return rv == CKR_OK ? p11->C_FindObjectsFinal(session) : rv;
}

static CK_RV cancel(CK_SESSION_HANDLE session)
{
    return p11->C_SessionCancel(session, CKF_SIGN);
}

static CK_RV cancel_others(CK_SESSION_HANDLE session)
{
    return p11->C_SessionCancel(session, CKF_DIGEST | CKF_VERIFY | CKF_FIND_OBJECTS);
}

static CK_RV init_nothing(CK_SESSION_HANDLE session)
{
    return p11->C_SignInit(session, NULL, 0);
}

static CK_RV finish_other_kind(CK_SESSION_HANDLE session)
{
    CK_ULONG len = SIGNATURE_LEN;
    CK_RV rv = p11->C_DigestFinal(session, signature, &len);
    return rv == CKR_OPERATION_NOT_INITIALIZED ? p11->C_FindObjectsFinal(session) : rv;
}

#define ENDS(rv)  (rv), false
#define KEEPS(rv) (rv), true
#define NONE      ENDS(CKR_OPERATION_NOT_INITIALIZED)
#define MIXED     ENDS(CKR_OPERATION_ACTIVE)
#define BUSY      KEEPS(CKR_OPERATION_ACTIVE)
#define ROW(call) #call, call

/* Per state: the code, and whether an operation is left. */
static const struct {
    const char *name;
    CK_RV (*call)(CK_SESSION_HANDLE session);
    struct {
        CK_RV expected;
        bool is_left;
    } in[5];
} rows[] = {
    /* idle, ready, asked, updated, finishing */
    {ROW(sign), {{NONE}, {ENDS(CKR_OK)}, {ENDS(CKR_OK)}, {MIXED}, {MIXED}}},
    {ROW(sign_size), {{NONE}, {KEEPS(CKR_OK)}, {KEEPS(CKR_OK)}, {MIXED}, {MIXED}}},
    {ROW(sign_short),
     {{NONE}, {KEEPS(CKR_BUFFER_TOO_SMALL)}, {KEEPS(CKR_BUFFER_TOO_SMALL)}, {MIXED}, {MIXED}}},
    {ROW(sign_no_length),
     {{NONE}, {ENDS(CKR_ARGUMENTS_BAD)}, {ENDS(CKR_ARGUMENTS_BAD)}, {MIXED}, {MIXED}}},
    {ROW(sign_no_data),
     {{NONE}, {ENDS(CKR_ARGUMENTS_BAD)}, {ENDS(CKR_ARGUMENTS_BAD)}, {MIXED}, {MIXED}}},
    {ROW(update), {{NONE}, {KEEPS(CKR_OK)}, {MIXED}, {KEEPS(CKR_OK)}, {KEEPS(CKR_OK)}}},
    {ROW(update_nothing), {{NONE}, {KEEPS(CKR_OK)}, {MIXED}, {KEEPS(CKR_OK)}, {KEEPS(CKR_OK)}}},
    {ROW(update_no_data),
     {{NONE},
      {ENDS(CKR_ARGUMENTS_BAD)},
      {MIXED},
      {ENDS(CKR_ARGUMENTS_BAD)},
      {ENDS(CKR_ARGUMENTS_BAD)}}},
    {ROW(final), {{NONE}, {ENDS(CKR_OK)}, {MIXED}, {ENDS(CKR_OK)}, {ENDS(CKR_OK)}}},
    {ROW(final_size), {{NONE}, {KEEPS(CKR_OK)}, {MIXED}, {KEEPS(CKR_OK)}, {KEEPS(CKR_OK)}}},
    {ROW(final_short),
     {{NONE},
      {KEEPS(CKR_BUFFER_TOO_SMALL)},
      {MIXED},
      {KEEPS(CKR_BUFFER_TOO_SMALL)},
      {KEEPS(CKR_BUFFER_TOO_SMALL)}}},
    {ROW(final_no_length),
     {{NONE},
      {ENDS(CKR_ARGUMENTS_BAD)},
      {MIXED},
      {ENDS(CKR_ARGUMENTS_BAD)},
      {ENDS(CKR_ARGUMENTS_BAD)}}},
    {ROW(init_again), {{ENDS(CKR_OK)}, {BUSY}, {BUSY}, {BUSY}, {BUSY}}},
    {ROW(init_digest), {{ENDS(CKR_OK)}, {BUSY}, {BUSY}, {BUSY}, {BUSY}}},
    {ROW(init_verify), {{ENDS(CKR_OK)}, {BUSY}, {BUSY}, {BUSY}, {BUSY}}},
    {ROW(init_find), {{ENDS(CKR_OK)}, {BUSY}, {BUSY}, {BUSY}, {BUSY}}},
    {ROW(finish_other_kind),
     {{NONE},
      {KEEPS(CKR_OPERATION_NOT_INITIALIZED)},
      {KEEPS(CKR_OPERATION_NOT_INITIALIZED)},
      {KEEPS(CKR_OPERATION_NOT_INITIALIZED)},
      {KEEPS(CKR_OPERATION_NOT_INITIALIZED)}}},
    {ROW(cancel), {{ENDS(CKR_OK)}, {ENDS(CKR_OK)}, {ENDS(CKR_OK)}, {ENDS(CKR_OK)}, {ENDS(CKR_OK)}}},
    {ROW(init_nothing),
     {{ENDS(CKR_OK)}, {ENDS(CKR_OK)}, {ENDS(CKR_OK)}, {ENDS(CKR_OK)}, {ENDS(CKR_OK)}}},
    {ROW(cancel_others),
     {{ENDS(CKR_OK)}, {KEEPS(CKR_OK)}, {KEEPS(CKR_OK)}, {KEEPS(CKR_OK)}, {KEEPS(CKR_OK)}}},
};

static CK_SESSION_HANDLE bring_to(enum state state)
{
    if (state == IDLE)
        return stage_open(FAKE_PHONE);
    CK_SESSION_HANDLE session = stage_signing(FAKE_PHONE, CKM_SHA256_RSA_PKCS);
    if (state == ASKED)
        EXPECT(CKR_OK, sign_size(session));
    if (state == UPDATED || state == FINISHING)
        EXPECT(CKR_OK, update(session));
    if (state == FINISHING)
        EXPECT(CKR_OK, final_size(session));
    return session;
}

static bool is_as_expected(size_t row, enum state state)
{
    CK_BYTE nothing[1];
    CK_ULONG len = 0;
    CK_SESSION_HANDLE session = bring_to(state);

    CK_RV rv = rows[row].call(session);
    bool is_left = p11->C_GetOperationState(session, nothing, &len) == CKR_STATE_UNSAVEABLE;
    EXPECT(CKR_OK, p11->C_CloseSession(session));
    if (rv == rows[row].in[state].expected && is_left == rows[row].in[state].is_left)
        return true;
    print_error("%s when %s: %s, an operation is %sleft\n", rows[row].name, state_names[state],
                stage_name(rv), is_left ? "" : "not ");
    return false;
}

static void every_call_in_every_state(void **state)
{
    size_t wrong = 0;
    (void)state;

    for (size_t row = 0; row < ARRAY_LEN(rows); row++)
        for (int i = IDLE; i <= FINISHING; i++)
            wrong += !is_as_expected(row, (enum state)i);

    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON(every_call_in_every_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
