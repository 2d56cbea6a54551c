/* SPDX-License-Identifier: Apache-2.0 */
/* C_AsyncGetID and C_AsyncJoin: a signature that outlives its session and its process. */
#include <string.h>

#include "remote/base/cleanup.h"
#include "tests/module/async_stage.h"

static CK_ULONG take_id(const struct async_signature *signature)
{
    CK_ULONG id = 0;
    EXPECT(CKR_OK, p11->C_AsyncGetID(signature->session, async_text("C_Sign"), &id));
    assert_int_not_equal(id, 0);
    return id;
}

/* In a new session, with a buffer of its own. */
static CK_RV join(struct async_signature *signature, const char *function, CK_ULONG id)
{
    *signature = (struct async_signature){.session = async_open(FAKE_PHONE)};
    return p11->C_AsyncJoin(signature->session, async_text(function), id, signature->bytes,
                            sizeof(signature->bytes));
}

static void another_session_fetches_the_signature(void **state)
{
    struct async_signature signature;
    struct async_signature joined;
    (void)state;
    async_play_pendings(2);
    async_sign(&signature, FAKE_PHONE);
    CK_ULONG id = take_id(&signature);

    EXPECT(CKR_OK, join(&joined, "C_Sign", id));

    EXPECT(CKR_OPERATION_ACTIVE, stage_sign_init(joined.session, CKM_SHA256_RSA_PKCS, 1));
    EXPECT(CKR_OK, async_await(&joined, "C_Sign"));
    assert_true(async_is_good(&joined));
    assert_false(async_is_busy(joined.session));
    assert_int_equal(fake_async_counted().begin, 1);
}

static void it_is_there_after_the_session_and_the_library_have_gone(void **state)
{
    struct async_signature signature;
    struct async_signature joined;
    (void)state;
    async_sign(&signature, FAKE_PHONE);
    CK_ULONG id = take_id(&signature);
    EXPECT(CKR_OK, p11->C_CloseSession(signature.session));
    EXPECT(CKR_OK, p11->C_Finalize(NULL));
    assert_int_equal(fake_async_counted().live, 0);
    EXPECT(CKR_OK, p11->C_Initialize(NULL));

    EXPECT(CKR_OK, join(&joined, "C_Sign", id));

    EXPECT(CKR_OK, async_await(&joined, "C_Sign"));
    assert_true(async_is_good(&joined));
}

static void the_buffer_is_the_applications_once_the_id_is_known(void **state)
{
    static const CK_BYTE nothing[SIGNATURE_LEN];
    struct async_signature signature;
    (void)state;
    async_sign(&signature, FAKE_PHONE);
    CK_ULONG id = take_id(&signature);

    EXPECT(CKR_OPERATION_NOT_INITIALIZED, async_complete_only(signature.session, "C_Sign"));

    assert_memory_equal(signature.bytes, nothing, sizeof(nothing));
    assert_int_equal(fake_async_counted().poll, 0);
    assert_int_equal(take_id(&signature), id); /* and it stays the same */
    assert_int_equal(fake_async_counted().get_id, 1);
}

static void the_session_that_asked_joins_with_a_new_buffer(void **state)
{
    struct async_signature signature;
    CK_BYTE bytes[SIGNATURE_LEN];
    CK_ASYNC_DATA result = {0};
    (void)state;
    async_sign(&signature, FAKE_PHONE);
    CK_ULONG id = take_id(&signature);
    CK_SESSION_HANDLE s = signature.session;

    EXPECT(CKR_OPERATION_ACTIVE,
           p11->C_AsyncJoin(s, async_text("C_Sign"), id + 1, bytes, sizeof(bytes)));
    EXPECT(CKR_OPERATION_ACTIVE,
           p11->C_AsyncJoin(s, async_text("C_SignFinal"), id, bytes, sizeof(bytes)));
    EXPECT(CKR_BUFFER_TOO_SMALL,
           p11->C_AsyncJoin(s, async_text("C_Sign"), id, bytes, sizeof(bytes) - 1));
    EXPECT(CKR_OK, p11->C_AsyncJoin(s, async_text("C_Sign"), id, bytes, sizeof(bytes)));
    EXPECT(CKR_OPERATION_ACTIVE,
           p11->C_AsyncJoin(s, async_text("C_Sign"), id, bytes, sizeof(bytes)));

    EXPECT(CKR_OK, p11->C_AsyncComplete(s, async_text("C_Sign"), &result));
    assert_ptr_equal(result.pValue, bytes);
    assert_true(fake_verifies(CRYPTO_SHA256, span_of(MESSAGE, MESSAGE_LEN),
                              span_of(bytes, result.ulValue)));
    assert_int_equal(fake_async_counted().join, 0);
}

static void an_id_that_is_nobodys_is_an_invalid_state(void **state)
{
    struct async_signature signature;
    struct async_signature joined;
    (void)state;
    async_sign(&signature, FAKE_PHONE);
    CK_ULONG id = take_id(&signature);
    const CK_ULONG ids[] = {0, id + 1, (CK_ULONG)-1};

    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        EXPECT(CKR_SAVED_STATE_INVALID, join(&joined, "C_Sign", ids[i]));
        assert_false(async_is_busy(joined.session));
    }
    EXPECT(CKR_SAVED_STATE_INVALID, join(&joined, "C_Encrypt", id));
    EXPECT(CKR_OK, join(&joined, "C_Sign", id));
    EXPECT(CKR_OK, async_await(&joined, "C_Sign"));
    EXPECT(CKR_SAVED_STATE_INVALID, join(&joined, "C_Sign", id)); /* it was handed out */
}

static void joining_checks_its_arguments_first(void **state)
{
    struct async_signature signature;
    CK_BYTE bytes[SIGNATURE_LEN];
    CK_UTF8CHAR *c_sign = async_text("C_Sign");
    (void)state;
    async_sign(&signature, FAKE_PHONE);
    CK_ULONG id = take_id(&signature);
    CK_SESSION_HANDLE s = async_open(FAKE_PHONE);
    CK_SESSION_HANDLE synchronous = stage_open(FAKE_PHONE);

    EXPECT(CKR_ARGUMENTS_BAD, p11->C_AsyncJoin(s, NULL, id, bytes, sizeof(bytes)));
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_AsyncJoin(s, c_sign, id, NULL, sizeof(bytes)));
    EXPECT(CKR_BUFFER_TOO_SMALL, p11->C_AsyncJoin(s, c_sign, id, NULL, 0));
    EXPECT(CKR_BUFFER_TOO_SMALL, p11->C_AsyncJoin(s, c_sign, id, bytes, sizeof(bytes) - 1));
    EXPECT(CKR_SESSION_ASYNC_NOT_SUPPORTED,
           p11->C_AsyncJoin(synchronous, c_sign, id, bytes, sizeof(bytes)));

    assert_int_equal(fake_async_counted().join, 0);
    assert_false(async_is_busy(s));
    EXPECT(CKR_OK, p11->C_AsyncJoin(s, c_sign, id, bytes, sizeof(bytes)));
}

static void a_session_with_something_to_do_does_not_join(void **state)
{
    struct async_signature signature;
    struct async_signature other;
    (void)state;
    async_sign(&signature, FAKE_PHONE);
    CK_ULONG id = take_id(&signature);
    CK_SESSION_HANDLE busy = async_signing(FAKE_PHONE);
    async_sign(&other, FAKE_PHONE);

    EXPECT(CKR_OPERATION_ACTIVE,
           p11->C_AsyncJoin(busy, async_text("C_Sign"), id, other.bytes, sizeof(other.bytes)));
    EXPECT(CKR_OPERATION_ACTIVE, p11->C_AsyncJoin(other.session, async_text("C_Sign"), id,
                                                  signature.bytes, sizeof(signature.bytes)));

    EXPECT(CKR_OK, async_await(&other, "C_Sign"));
}

static void joining_needs_the_login_that_signing_needs(void **state)
{
    struct async_signature signature;
    CK_BYTE bytes[SIGNATURE_LEN];
    (void)state;
    async_sign(&signature, FAKE_PIN);
    CK_ULONG id = take_id(&signature);
    EXPECT(CKR_OK, p11->C_CloseSession(signature.session));
    CK_SESSION_HANDLE s = async_open(FAKE_PIN);

    EXPECT(CKR_USER_NOT_LOGGED_IN,
           p11->C_AsyncJoin(s, async_text("C_Sign"), id, bytes, sizeof(bytes)));

    EXPECT(CKR_OK, stage_login(s, FAKE_PIN_TEXT));
    EXPECT(CKR_OK, p11->C_AsyncJoin(s, async_text("C_Sign"), id, bytes, sizeof(bytes)));
}

static void a_service_that_does_not_answer_leaves_the_session_free(void **state)
{
    struct async_signature signature;
    struct async_signature joined;
    (void)state;
    async_sign(&signature, FAKE_PHONE);
    CK_ULONG id = take_id(&signature);
    fake_async_play((struct fake_async_script){.is_offered = true, .join_status = SCA_NETWORK});

    EXPECT(CKR_DEVICE_ERROR, join(&joined, "C_Sign", id));

    assert_false(async_is_busy(joined.session));
    async_play_pendings(0);
    EXPECT(CKR_OK, p11->C_AsyncJoin(joined.session, async_text("C_Sign"), id, joined.bytes,
                                    sizeof(joined.bytes)));
}

static void what_is_not_pending_has_no_id(void **state)
{
    struct async_signature signature;
    CK_ULONG id = 7;
    (void)state;
    CK_SESSION_HANDLE ready = async_signing(FAKE_PHONE);
    CK_SESSION_HANDLE synchronous = stage_signing(FAKE_PHONE, CKM_SHA256_RSA_PKCS);
    async_sign(&signature, FAKE_PHONE);

    EXPECT(CKR_OPERATION_NOT_INITIALIZED, p11->C_AsyncGetID(ready, async_text("C_Sign"), &id));
    EXPECT(CKR_OPERATION_NOT_INITIALIZED,
           p11->C_AsyncGetID(synchronous, async_text("C_Sign"), &id));
    EXPECT(CKR_OPERATION_NOT_INITIALIZED,
           p11->C_AsyncGetID(signature.session, async_text("C_SignFinal"), &id));
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_AsyncGetID(signature.session, NULL, &id));
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_AsyncGetID(signature.session, async_text("C_Sign"), NULL));

    assert_int_equal(id, 7);
    assert_int_equal(fake_async_counted().get_id, 0);
}

static void without_an_id_the_signature_is_still_completed(void **state)
{
    static const struct {
        enum sca_status status;
        CK_RV expected;
    } rows[] = {
        {SCA_UNSUPPORTED, CKR_STATE_UNSAVEABLE},
        {SCA_NETWORK, CKR_DEVICE_ERROR},
        {SCA_NOMEM, CKR_HOST_MEMORY},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct async_signature signature;
        CK_ULONG id = 7;
        async_sign(&signature, FAKE_PHONE);
        fake_async_play(
            (struct fake_async_script){.is_offered = true, .id_status = rows[i].status});
        EXPECT(rows[i].expected, p11->C_AsyncGetID(signature.session, async_text("C_Sign"), &id));
        assert_int_equal(id, 7);
        EXPECT(CKR_OK, async_await(&signature, "C_Sign"));
        assert_true(async_is_good(&signature));
    }
}

static void cancelling_ends_also_one_whose_id_is_known(void **state)
{
    struct async_signature signature;
    struct async_signature joined;
    (void)state;
    async_sign(&signature, FAKE_PHONE);
    CK_ULONG id = take_id(&signature);
    EXPECT(CKR_OK, join(&joined, "C_Sign", id));

    EXPECT(CKR_OK, p11->C_SessionCancel(signature.session, CKF_SIGN));
    EXPECT(CKR_OK, p11->C_SessionCancel(joined.session, CKF_SIGN));

    assert_false(async_is_busy(signature.session));
    assert_false(async_is_busy(joined.session));
    assert_int_equal(fake_async_counted().live, 0);
}

static void a_joined_message_is_over_when_it_has_come(void **state)
{
    struct async_signature signature = {.len = SIGNATURE_LEN};
    struct async_signature joined;
    CK_MECHANISM rsa = {.mechanism = CKM_SHA256_RSA_PKCS};
    CK_ULONG id = 0;
    (void)state;
    CK_SESSION_HANDLE s = async_open(FAKE_PHONE);
    EXPECT(CKR_OK, p11->C_MessageSignInit(s, &rsa, stage_find(s, CKO_PRIVATE_KEY, FAKE_KEY)));
    EXPECT(CKR_PENDING,
           p11->C_SignMessage(s, NULL, 0, MESSAGE, MESSAGE_LEN, signature.bytes, &signature.len));
    EXPECT(CKR_OK, p11->C_AsyncGetID(s, async_text("C_SignMessage"), &id));

    EXPECT(CKR_OK, join(&joined, "C_SignMessage", id));
    EXPECT(CKR_OPERATION_ACTIVE, p11->C_MessageSignFinal(joined.session));

    EXPECT(CKR_OK, async_await(&joined, "C_SignMessage"));
    assert_true(async_is_good(&joined));
    EXPECT(CKR_OPERATION_NOT_INITIALIZED, p11->C_MessageSignFinal(joined.session));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ASYNC(another_session_fetches_the_signature),
        ASYNC(it_is_there_after_the_session_and_the_library_have_gone),
        ASYNC(the_buffer_is_the_applications_once_the_id_is_known),
        ASYNC(the_session_that_asked_joins_with_a_new_buffer),
        ASYNC(an_id_that_is_nobodys_is_an_invalid_state),
        ASYNC(joining_checks_its_arguments_first),
        ASYNC(a_session_with_something_to_do_does_not_join),
        ASYNC(joining_needs_the_login_that_signing_needs),
        ASYNC(a_service_that_does_not_answer_leaves_the_session_free),
        ASYNC(what_is_not_pending_has_no_id),
        ASYNC(without_an_id_the_signature_is_still_completed),
        ASYNC(cancelling_ends_also_one_whose_id_is_known),
        ASYNC(a_joined_message_is_over_when_it_has_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
