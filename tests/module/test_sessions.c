/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "module/token/session.h"
#include "remote/base/cleanup.h"
#include "tests/module/stage.h"

static void opening_checks_slot_pointer_and_flags(void **state)
{
    enum { RO = CKF_SERIAL_SESSION, RW = CKF_SERIAL_SESSION | CKF_RW_SESSION };
    static const struct {
        CK_SLOT_ID slot;
        CK_FLAGS flags;
        bool has_handle;
        CK_RV expected;
    } rows[] = {
        {FAKE_PHONE, RO, true, CKR_OK},
        {FAKE_PHONE, RW, true, CKR_OK}, /* write-protected, but ssh and Java open it so */
        {0, RO, true, CKR_SLOT_ID_INVALID},
        {0, 0, false, CKR_SLOT_ID_INVALID},
        {FAKE_EMPTY, RO, true, CKR_TOKEN_NOT_PRESENT},
        {FAKE_PHONE, RO, false, CKR_ARGUMENTS_BAD},
        {FAKE_PHONE, 0, true, CKR_SESSION_PARALLEL_NOT_SUPPORTED},
        {FAKE_PHONE, CKF_RW_SESSION, true, CKR_SESSION_PARALLEL_NOT_SUPPORTED},
        {FAKE_PHONE, RO | CKF_ASYNC_SESSION, true, CKR_SESSION_ASYNC_NOT_SUPPORTED},
        {FAKE_PHONE, RW | CKF_ASYNC_SESSION, true, CKR_SESSION_ASYNC_NOT_SUPPORTED},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
        CK_RV rv = p11->C_OpenSession(rows[i].slot, rows[i].flags, NULL, NULL,
                                      rows[i].has_handle ? &session : NULL);
        if (rv != rows[i].expected)
            fail_msg("row %zu: %s", i, stage_name(rv));
        assert_int_equal(session != CK_INVALID_HANDLE, rv == CKR_OK);
    }
}

static void session_info_tells_slot_flags_and_state(void **state)
{
    CK_SESSION_INFO info;
    (void)state;
    CK_SESSION_HANDLE ro = stage_open(FAKE_PIN);
    CK_SESSION_HANDLE rw = stage_open_rw(FAKE_PIN);

    EXPECT(CKR_ARGUMENTS_BAD, p11->C_GetSessionInfo(ro, NULL));
    EXPECT(CKR_OK, p11->C_GetSessionInfo(ro, &info));
    assert_int_equal(info.slotID, FAKE_PIN);
    assert_int_equal(info.state, CKS_RO_PUBLIC_SESSION);
    assert_int_equal(info.flags, CKF_SERIAL_SESSION);
    assert_int_equal(info.ulDeviceError, 0);
    EXPECT(CKR_OK, p11->C_GetSessionInfo(rw, &info));
    assert_int_equal(info.state, CKS_RW_PUBLIC_SESSION);
    assert_int_equal(info.flags, CKF_SERIAL_SESSION | CKF_RW_SESSION);
}

static void a_closed_session_is_gone(void **state)
{
    CK_SESSION_INFO info;
    (void)state;
    CK_SESSION_HANDLE session = stage_open(FAKE_PHONE);

    EXPECT(CKR_OK, p11->C_CloseSession(session));

    EXPECT(CKR_SESSION_HANDLE_INVALID, p11->C_CloseSession(session));
    EXPECT(CKR_SESSION_HANDLE_INVALID, p11->C_GetSessionInfo(session, &info));
}

static void a_handle_is_not_used_again_soon(void **state)
{
    enum { ROUNDS = 5000 };
    AUTO(freep) CK_SESSION_HANDLE *seen = calloc(ROUNDS, sizeof(*seen));
    CK_SESSION_INFO info;
    (void)state;
    assert_non_null(seen);

    for (size_t i = 0; i < ROUNDS; i++) {
        seen[i] = stage_open(FAKE_PHONE);
        assert_in_range(seen[i], 1, 0x7fffffff); /* for applications that keep it in an int */
        EXPECT(CKR_OK, p11->C_CloseSession(seen[i]));
    }

    CK_SESSION_HANDLE now = stage_open(FAKE_PHONE);
    for (size_t i = 0; i < ROUNDS; i++) {
        assert_int_not_equal(seen[i], now);
        EXPECT(CKR_SESSION_HANDLE_INVALID, p11->C_GetSessionInfo(seen[i], &info));
    }
}

static void ten_thousand_sessions_are_the_limit(void **state)
{
    AUTO(freep) CK_SESSION_HANDLE *sessions = calloc(SESSIONS_MAX, sizeof(*sessions));
    CK_SESSION_HANDLE one_more = CK_INVALID_HANDLE;
    CK_TOKEN_INFO info;
    (void)state;
    assert_non_null(sessions);
    for (size_t i = 0; i < SESSIONS_MAX; i++)
        EXPECT(CKR_OK, p11->C_OpenSession(i % 2 ? FAKE_PHONE : FAKE_PIN, CKF_SERIAL_SESSION, NULL,
                                          NULL, &sessions[i]));

    EXPECT(CKR_SESSION_COUNT,
           p11->C_OpenSession(FAKE_PHONE, CKF_SERIAL_SESSION, NULL, NULL, &one_more));
    assert_int_equal(one_more, CK_INVALID_HANDLE);
    EXPECT(CKR_OK, p11->C_GetTokenInfo(FAKE_PHONE, &info));
    assert_int_equal(info.ulSessionCount, SESSIONS_MAX / 2);

    EXPECT(CKR_OK, p11->C_CloseSession(sessions[17]));
    EXPECT(CKR_OK, p11->C_OpenSession(FAKE_PHONE, CKF_SERIAL_SESSION, NULL, NULL, &one_more));
    assert_int_equal(SESSIONS_MAX, 10000);
}

static void closing_all_sessions_closes_those_of_the_slot(void **state)
{
    CK_SESSION_INFO info;
    (void)state;
    CK_SESSION_HANDLE first = stage_open(FAKE_PHONE);
    CK_SESSION_HANDLE second = stage_open_rw(FAKE_PHONE);
    CK_SESSION_HANDLE other = stage_open(FAKE_PIN);

    EXPECT(CKR_SLOT_ID_INVALID, p11->C_CloseAllSessions(0));
    EXPECT(CKR_OK, p11->C_CloseAllSessions(FAKE_PHONE));
    EXPECT(CKR_OK, p11->C_CloseAllSessions(FAKE_PHONE)); /* with none open */
    EXPECT(CKR_OK, p11->C_CloseAllSessions(FAKE_EMPTY));

    EXPECT(CKR_SESSION_HANDLE_INVALID, p11->C_GetSessionInfo(first, &info));
    EXPECT(CKR_SESSION_HANDLE_INVALID, p11->C_GetSessionInfo(second, &info));
    EXPECT(CKR_OK, p11->C_GetSessionInfo(other, &info));
}

static void the_state_of_an_operation_cannot_be_saved(void **state)
{
    CK_BYTE bytes[16];
    CK_ULONG len = sizeof(bytes);
    (void)state;
    CK_SESSION_HANDLE session = stage_open(FAKE_PHONE);

    EXPECT(CKR_ARGUMENTS_BAD, p11->C_GetOperationState(session, bytes, NULL));
    EXPECT(CKR_OPERATION_NOT_INITIALIZED, p11->C_GetOperationState(session, bytes, &len));
    EXPECT(CKR_SAVED_STATE_INVALID, p11->C_SetOperationState(session, bytes, 16, 0, 0));
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_SetOperationState(session, NULL, 16, 0, 0));

    session = stage_signing(FAKE_PHONE, CKM_SHA256_RSA_PKCS);
    EXPECT(CKR_STATE_UNSAVEABLE, p11->C_GetOperationState(session, bytes, &len));
    EXPECT(CKR_STATE_UNSAVEABLE, p11->C_GetOperationState(session, NULL, &len));
    assert_true(stage_was_signing(session)); /* asking ended nothing */
}

static void cancelling_ends_the_operations_of_the_flags(void **state)
{
    static const CK_FLAGS others = CKF_DIGEST | CKF_VERIFY | CKF_FIND_OBJECTS | CKF_ENCRYPT;
    (void)state;
    CK_SESSION_HANDLE session = stage_signing(FAKE_PHONE, CKM_SHA256_RSA_PKCS);

    EXPECT(CKR_OK, p11->C_SessionCancel(session, 0));
    EXPECT(CKR_OK, p11->C_SessionCancel(session, others)); /* idle ones, ignored */
    assert_true(stage_was_signing(session));

    session = stage_signing(FAKE_PHONE, CKM_SHA256_RSA_PKCS);
    EXPECT(CKR_OK, p11->C_SessionCancel(session, CKF_SIGN | others));
    assert_false(stage_was_signing(session));
    EXPECT(CKR_OK, p11->C_SessionCancel(session, CKF_SIGN));
    EXPECT(CKR_SESSION_HANDLE_INVALID, p11->C_SessionCancel(0, CKF_SIGN));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON(opening_checks_slot_pointer_and_flags),
        ON(session_info_tells_slot_flags_and_state),
        ON(a_closed_session_is_gone),
        ON(a_handle_is_not_used_again_soon),
        ON(ten_thousand_sessions_are_the_limit),
        ON(closing_all_sessions_closes_those_of_the_slot),
        ON(the_state_of_an_operation_cannot_be_saved),
        ON(cancelling_ends_the_operations_of_the_flags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
