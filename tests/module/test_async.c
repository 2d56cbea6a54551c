/* SPDX-License-Identifier: Apache-2.0 */
/* Asynchronous sessions (3.2 section 5.22): what is pending, what C_AsyncComplete tells. */
#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "tests/module/async_stage.h"

static CK_FLAGS token_flags(CK_SLOT_ID slot)
{
    CK_TOKEN_INFO info;
    EXPECT(CKR_OK, p11->C_GetTokenInfo(slot, &info));
    return info.flags;
}

static CK_ULONG device_error(CK_SESSION_HANDLE session)
{
    CK_SESSION_INFO info;
    EXPECT(CKR_OK, p11->C_GetSessionInfo(session, &info));
    return info.ulDeviceError;
}

static void a_session_is_asynchronous_where_the_token_can(void **state)
{
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    CK_SESSION_INFO info;
    (void)state;

    EXPECT(
        CKR_SESSION_ASYNC_NOT_SUPPORTED,
        p11->C_OpenSession(FAKE_ODD, CKF_SERIAL_SESSION | CKF_ASYNC_SESSION, NULL, NULL, &session));
    EXPECT(CKR_SESSION_PARALLEL_NOT_SUPPORTED,
           p11->C_OpenSession(FAKE_PHONE, CKF_ASYNC_SESSION, NULL, NULL, &session));
    assert_int_equal(session, CK_INVALID_HANDLE);
    session = async_open(FAKE_PHONE);
    EXPECT(CKR_OK, p11->C_GetSessionInfo(session, &info));
    assert_int_equal(info.flags, CKF_SERIAL_SESSION | CKF_ASYNC_SESSION);
}

static void the_token_flag_shows_only_where_it_was_asked_for(void **state)
{
    (void)state;

    assert_true(token_flags(FAKE_PHONE) & CKF_ASYNC_SESSION_SUPPORTED);
    assert_false(token_flags(FAKE_PIN) & CKF_ASYNC_SESSION_SUPPORTED);

    (void)async_open(FAKE_PIN);
}

static void a_signature_is_pending_until_a_look_finds_it(void **state)
{
    struct async_signature signature;
    CK_ASYNC_DATA result = {0, NULL, 77, 88, 99};
    const CK_ASYNC_DATA untouched = result;
    (void)state;
    async_play_pendings(2);
    async_sign(&signature, FAKE_PHONE);

    for (int i = 0; i < 2; i++) {
        EXPECT(CKR_PENDING, p11->C_AsyncComplete(signature.session, async_text("C_Sign"), &result));
        assert_memory_equal(&result, &untouched, sizeof(result));
    }
    EXPECT(CKR_OK, p11->C_AsyncComplete(signature.session, async_text("C_Sign"), &result));

    assert_ptr_equal(result.pValue, signature.bytes);
    assert_int_equal(result.ulVersion, 0);
    assert_int_equal(result.ulValue, SIGNATURE_LEN);
    assert_int_equal(result.hObject, CK_INVALID_HANDLE);
    assert_int_equal(result.hAdditionalObject, CK_INVALID_HANDLE);
    assert_true(async_is_good(&signature));
    assert_false(async_is_busy(signature.session));
    assert_int_equal(fake_async_counted().begin, 1);
    assert_int_equal(fake_async_counted().poll, 3);
    assert_int_equal(fake_counted().sign, 0);
}

static void a_synchronous_session_of_the_same_token_waits(void **state)
{
    CK_BYTE bytes[SIGNATURE_LEN];
    CK_ULONG len = sizeof(bytes);
    (void)state;
    CK_SESSION_HANDLE session = stage_signing(FAKE_PHONE, CKM_SHA256_RSA_PKCS);

    EXPECT(CKR_OK, p11->C_Sign(session, MESSAGE, MESSAGE_LEN, bytes, &len));

    assert_int_equal(fake_async_counted().begin, 0);
    EXPECT(CKR_OPERATION_NOT_INITIALIZED, async_complete_only(session, "C_Sign"));
}

static void the_length_is_told_at_once(void **state)
{
    CK_BYTE bytes[SIGNATURE_LEN];
    CK_ULONG len = 0;
    (void)state;
    CK_SESSION_HANDLE session = async_signing(FAKE_PHONE);

    EXPECT(CKR_OK, p11->C_Sign(session, MESSAGE, MESSAGE_LEN, NULL, &len));
    assert_int_equal(len, SIGNATURE_LEN);
    len = SIGNATURE_LEN - 1;
    EXPECT(CKR_BUFFER_TOO_SMALL, p11->C_Sign(session, MESSAGE, MESSAGE_LEN, bytes, &len));
    assert_int_equal(len, SIGNATURE_LEN);

    EXPECT(CKR_OPERATION_NOT_INITIALIZED, async_complete_only(session, "C_Sign"));
    assert_int_equal(fake_async_counted().begin, 0);
    EXPECT(CKR_PENDING, p11->C_Sign(session, MESSAGE, MESSAGE_LEN, bytes, &len));
}

static void data_that_cannot_be_signed_is_refused_at_once(void **state)
{
    CK_BYTE bytes[SIGNATURE_LEN];
    CK_ULONG len = sizeof(bytes);
    (void)state;
    CK_SESSION_HANDLE session = async_open(FAKE_PHONE);
    EXPECT(CKR_OK,
           stage_sign_init(session, CKM_RSA_PKCS, stage_find(session, CKO_PRIVATE_KEY, FAKE_KEY)));

    EXPECT(CKR_DATA_INVALID, p11->C_Sign(session, MESSAGE, MESSAGE_LEN, bytes, &len));

    assert_false(async_is_busy(session));
    assert_int_equal(fake_async_counted().begin, 0);
}

static void what_the_backend_refuses_at_once_is_never_pending(void **state)
{
    CK_BYTE bytes[SIGNATURE_LEN];
    CK_ULONG len = sizeof(bytes);
    (void)state;
    fake_async_play(
        (struct fake_async_script){.is_offered = true, .begin_status = SCA_NOT_PERMITTED});
    CK_SESSION_HANDLE session = async_signing(FAKE_PHONE);

    EXPECT(CKR_KEY_FUNCTION_NOT_PERMITTED, p11->C_Sign(session, MESSAGE, MESSAGE_LEN, bytes, &len));

    assert_false(async_is_busy(session));
    EXPECT(CKR_OPERATION_NOT_INITIALIZED, async_complete_only(session, "C_Sign"));
}

static void the_data_may_change_once_the_call_has_returned(void **state)
{
    struct async_signature signature = {.len = SIGNATURE_LEN};
    CK_BYTE data[MESSAGE_LEN + 1];
    (void)state;
    memcpy(data, MESSAGE, MESSAGE_LEN);
    signature.session = async_signing(FAKE_PHONE);

    EXPECT(CKR_PENDING,
           p11->C_Sign(signature.session, data, MESSAGE_LEN, signature.bytes, &signature.len));
    memset(data, 0, sizeof(data));

    EXPECT(CKR_OK, async_await(&signature, "C_Sign"));
    assert_true(async_is_good(&signature));
}

static void data_and_signature_may_share_their_memory(void **state)
{
    struct async_signature signature = {.len = SIGNATURE_LEN};
    (void)state;
    memcpy(signature.bytes, MESSAGE, MESSAGE_LEN);
    signature.session = async_signing(FAKE_PHONE);

    EXPECT(CKR_PENDING, p11->C_Sign(signature.session, signature.bytes, MESSAGE_LEN,
                                    signature.bytes, &signature.len));

    EXPECT(CKR_OK, async_await(&signature, "C_Sign"));
    assert_true(async_is_good(&signature));
}

static void the_last_of_several_parts_is_pending(void **state)
{
    struct async_signature signature = {.len = SIGNATURE_LEN};
    (void)state;
    signature.session = async_signing(FAKE_PHONE);
    EXPECT(CKR_OK, p11->C_SignUpdate(signature.session, MESSAGE, 5));
    EXPECT(CKR_OK, p11->C_SignUpdate(signature.session, MESSAGE + 5, MESSAGE_LEN - 5));
    EXPECT(CKR_OK, p11->C_SignFinal(signature.session, NULL, &signature.len));

    EXPECT(CKR_PENDING, p11->C_SignFinal(signature.session, signature.bytes, &signature.len));

    EXPECT(CKR_OPERATION_NOT_INITIALIZED, async_complete_only(signature.session, "C_Sign"));
    EXPECT(CKR_OK, async_await(&signature, "C_SignFinal"));
    assert_true(async_is_good(&signature));
}

static void a_look_at_something_else_changes_nothing(void **state)
{
    static const char *const names[] = {"",           "C_SignFinal", "C_SignMessage",
                                        "C_SignInit", "Sign",        "C_Signature"};
    struct async_signature signature;
    CK_ASYNC_DATA result = {0};
    (void)state;
    async_sign(&signature, FAKE_PHONE);

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        EXPECT(CKR_OPERATION_NOT_INITIALIZED, async_complete_only(signature.session, names[i]));
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_AsyncComplete(signature.session, NULL, &result));
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_AsyncComplete(signature.session, async_text("C_Sign"), NULL));
    EXPECT(CKR_SESSION_HANDLE_INVALID, async_complete_only(0, "C_Sign"));
    assert_int_equal(fake_async_counted().poll, 0);

    EXPECT(CKR_OK, async_await(&signature, "C_Sign"));
    EXPECT(CKR_OPERATION_NOT_INITIALIZED, async_complete_only(signature.session, "C_Sign"));
}

static void nothing_else_is_done_in_the_session_meanwhile(void **state)
{
    struct async_signature signature;
    CK_BYTE out[SIGNATURE_LEN];
    CK_ULONG len = sizeof(out);
    CK_MECHANISM sha256 = {.mechanism = CKM_SHA256};
    CK_MECHANISM rsa = {.mechanism = CKM_SHA256_RSA_PKCS};
    CK_SESSION_INFO info;
    (void)state;
    async_sign(&signature, FAKE_PHONE);
    CK_SESSION_HANDLE s = signature.session;

    EXPECT(CKR_OPERATION_ACTIVE, p11->C_Sign(s, MESSAGE, MESSAGE_LEN, out, &len));
    EXPECT(CKR_OPERATION_ACTIVE, p11->C_Sign(s, MESSAGE, MESSAGE_LEN, NULL, &len));
    EXPECT(CKR_OPERATION_ACTIVE, p11->C_SignUpdate(s, MESSAGE, MESSAGE_LEN));
    EXPECT(CKR_OPERATION_ACTIVE, p11->C_SignFinal(s, out, &len));
    EXPECT(CKR_OPERATION_ACTIVE, stage_sign_init(s, CKM_RSA_PKCS, 1));
    EXPECT(CKR_OPERATION_ACTIVE, p11->C_MessageSignInit(s, &rsa, 1));
    EXPECT(CKR_OPERATION_ACTIVE, p11->C_VerifyInit(s, &rsa, 1));
    EXPECT(CKR_OPERATION_ACTIVE, p11->C_DigestInit(s, &sha256));
    EXPECT(CKR_OPERATION_ACTIVE, p11->C_FindObjectsInit(s, NULL, 0));
    EXPECT(CKR_STATE_UNSAVEABLE, p11->C_GetOperationState(s, NULL, &len));
    EXPECT(CKR_OK, p11->C_GetSessionInfo(s, &info));

    EXPECT(CKR_OK, async_await(&signature, "C_Sign"));
    assert_true(async_is_good(&signature));
    assert_int_equal(fake_async_counted().begin, 1);
}

static void an_outcome_has_the_code_of_c_sign(void **state)
{
    static const struct {
        enum sca_status status;
        CK_RV expected;
    } rows[] = {
        {SCA_NOMEM, CKR_HOST_MEMORY},
        {SCA_NETWORK, CKR_DEVICE_ERROR},
        {SCA_PROTOCOL, CKR_DEVICE_ERROR},
        {SCA_USER_AUTH, CKR_USER_NOT_LOGGED_IN},
        {SCA_REJECTED, CKR_FUNCTION_REJECTED},
        {SCA_CANCELLED, CKR_FUNCTION_CANCELED},
        {SCA_UNCONFIRMED, CKR_FUNCTION_FAILED},
        {SCA_NOT_PERMITTED, CKR_KEY_FUNCTION_NOT_PERMITTED},
        {SCA_EXHAUSTED, CKR_TOKEN_RESOURCE_EXCEEDED},
        {SCA_MISMATCH, CKR_DEVICE_ERROR},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct async_signature signature;
        CK_ASYNC_DATA result = {0, NULL, 77, 88, 99};
        fake_play((struct fake_script){.sign_status = rows[i].status, .device_error = 60000 + i});
        async_sign(&signature, FAKE_PHONE);
        EXPECT(rows[i].expected,
               p11->C_AsyncComplete(signature.session, async_text("C_Sign"), &result));
        assert_ptr_equal(result.pValue, signature.bytes); /* so that it can be freed */
        assert_int_equal(result.ulValue, 0);
        assert_int_equal(device_error(signature.session), 60000 + i);
        assert_false(async_is_busy(signature.session));
        EXPECT(CKR_OK, p11->C_CloseSession(signature.session));
    }
}

static size_t lines_with(const char *text)
{
    AUTO(freep) char *log = stage_log();
    size_t count = 0;
    for (const char *at = log; (at = strstr(at, text)) != NULL; at++)
        count++;
    return count;
}

static void a_failure_is_one_line_and_waiting_is_none(void **state)
{
    struct async_signature signature;
    (void)state;
    async_play_pendings(3);
    fake_play((struct fake_script){.sign_status = SCA_REJECTED, .note = "the person said no"});
    async_sign(&signature, FAKE_PHONE);

    EXPECT(CKR_FUNCTION_REJECTED, async_await(&signature, "C_Sign"));

    assert_int_equal(lines_with("CKR_FUNCTION_REJECTED: the person said no"), 1);
    assert_int_equal(lines_with("CKR_PENDING: "), 0);
    assert_int_equal(lines_with("-> CKR_PENDING"), 1 + 3); /* the trace: C_Sign and three looks */
}

static void ten_signatures_of_one_thread_are_begun_before_any_is_looked_for(void **state)
{
    enum { COUNT = 10 };
    struct async_signature signatures[COUNT];
    (void)state;
    async_play_pendings(1);

    for (size_t i = 0; i < COUNT; i++)
        async_sign(&signatures[i], FAKE_PHONE);
    assert_int_equal(fake_async_counted().begin, COUNT);
    assert_int_equal(fake_async_counted().poll, 0);

    for (size_t i = 0; i < COUNT; i++) {
        EXPECT(CKR_OK, async_await(&signatures[i], "C_Sign"));
        assert_true(async_is_good(&signatures[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ASYNC(a_session_is_asynchronous_where_the_token_can),
        ASYNC(the_token_flag_shows_only_where_it_was_asked_for),
        ASYNC(a_signature_is_pending_until_a_look_finds_it),
        ASYNC(a_synchronous_session_of_the_same_token_waits),
        ASYNC(the_length_is_told_at_once),
        ASYNC(data_that_cannot_be_signed_is_refused_at_once),
        ASYNC(what_the_backend_refuses_at_once_is_never_pending),
        ASYNC(the_data_may_change_once_the_call_has_returned),
        ASYNC(data_and_signature_may_share_their_memory),
        ASYNC(the_last_of_several_parts_is_pending),
        ASYNC(a_look_at_something_else_changes_nothing),
        ASYNC(nothing_else_is_done_in_the_session_meanwhile),
        ASYNC(an_outcome_has_the_code_of_c_sign),
        ASYNC(a_failure_is_one_line_and_waiting_is_none),
        ASYNC(ten_signatures_of_one_thread_are_begun_before_any_is_looked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
