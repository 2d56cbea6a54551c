/* SPDX-License-Identifier: Apache-2.0 */
/* What ends a pending signature, and what a login, a message and a child have to do with it. */
#include <string.h>

#include "remote/base/cleanup.h"
#include "tests/module/async_stage.h"
#include "tests/module/child.h"

static bool is_blank(const struct async_signature *signature)
{
    static const CK_BYTE nothing[SIGNATURE_LEN];
    return memcmp(signature->bytes, nothing, sizeof(nothing)) == 0;
}

static void cancelling_ends_it_and_leaves_the_buffer_alone(void **state)
{
    struct async_signature signature;
    (void)state;
    async_sign(&signature, FAKE_PHONE);

    EXPECT(CKR_OK, p11->C_SessionCancel(signature.session, CKF_DIGEST | CKF_MESSAGE_SIGN));
    assert_true(async_is_busy(signature.session));
    EXPECT(CKR_OK, p11->C_SessionCancel(signature.session, CKF_SIGN));

    EXPECT(CKR_OPERATION_NOT_INITIALIZED, async_complete_only(signature.session, "C_Sign"));
    assert_int_equal(fake_async_counted().live, 0);
    assert_true(is_blank(&signature));
    EXPECT(CKR_OK, stage_sign_init(signature.session, CKM_SHA256_RSA_PKCS, FAKE_PHONE * 256 + 1));
}

static void init_without_a_mechanism_ends_it_too(void **state)
{
    struct async_signature signature;
    (void)state;
    async_sign(&signature, FAKE_PHONE);

    EXPECT(CKR_OK, p11->C_SignInit(signature.session, NULL, 0));

    assert_false(async_is_busy(signature.session));
    assert_int_equal(fake_async_counted().live, 0);
}

static void closing_the_session_ends_it(void **state)
{
    struct async_signature signatures[3];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(signatures); i++)
        async_sign(&signatures[i], FAKE_PHONE);

    EXPECT(CKR_OK, p11->C_CloseSession(signatures[0].session));
    assert_int_equal(fake_async_counted().live, 2);
    EXPECT(CKR_OK, p11->C_CloseAllSessions(FAKE_PHONE));

    assert_int_equal(fake_async_counted().live, 0);
    assert_int_equal(fake_async_counted().poll, 0);
    assert_true(is_blank(&signatures[0]));
}

static void finalize_ends_it(void **state)
{
    struct async_signature signature;
    (void)state;
    async_sign(&signature, FAKE_PHONE);

    EXPECT(CKR_OK, p11->C_Finalize(NULL));

    assert_int_equal(fake_async_counted().live, 0);
    EXPECT(CKR_CRYPTOKI_NOT_INITIALIZED, async_complete_only(signature.session, "C_Sign"));
    assert_true(is_blank(&signature));
}

static void logout_ends_what_the_user_began(void **state)
{
    struct async_signature signature;
    (void)state;
    async_sign(&signature, FAKE_PIN);

    EXPECT(CKR_OK, p11->C_Logout(signature.session));

    EXPECT(CKR_OPERATION_NOT_INITIALIZED, async_complete_only(signature.session, "C_Sign"));
    assert_int_equal(fake_async_counted().live, 0);
}

static void a_login_good_for_one_signature_lasts_until_that_has_come(void **state)
{
    struct async_signature signature;
    (void)state;
    EXPECT(CKR_OK, p11->C_Finalize(NULL));
    fake_play((struct fake_script){.signs_once = true});
    EXPECT(CKR_OK, p11->C_Initialize(NULL));
    async_sign(&signature, FAKE_PIN);
    EXPECT(CKR_USER_ALREADY_LOGGED_IN, stage_login(signature.session, FAKE_PIN_TEXT));

    EXPECT(CKR_OK, async_await(&signature, "C_Sign"));

    assert_true(async_is_good(&signature));
    EXPECT(CKR_OK, stage_login(signature.session, FAKE_PIN_TEXT));
}

static void a_refused_password_is_forgotten(void **state)
{
    struct async_signature signature;
    (void)state;
    fake_play((struct fake_script){.sign_status = SCA_USER_AUTH});
    async_sign(&signature, FAKE_PIN);

    EXPECT(CKR_USER_NOT_LOGGED_IN, async_await(&signature, "C_Sign"));

    assert_int_equal(fake_counted().logout, 1);
    EXPECT(CKR_OK, stage_login(signature.session, FAKE_PIN_TEXT));
}

static void a_one_time_password_goes_along(void **state)
{
    struct async_signature signature = {.len = SIGNATURE_LEN};
    (void)state;
    EXPECT(CKR_OK, p11->C_Finalize(NULL));
    fake_play((struct fake_script){.asks_otp = true});
    EXPECT(CKR_OK, p11->C_Initialize(NULL));
    signature.session = async_signing(FAKE_PIN);

    EXPECT(CKR_OK, p11->C_Login(signature.session, CKU_CONTEXT_SPECIFIC, async_text("012345"), 6));
    EXPECT(CKR_PENDING,
           p11->C_Sign(signature.session, MESSAGE, MESSAGE_LEN, signature.bytes, &signature.len));
    EXPECT(CKR_OPERATION_ACTIVE,
           p11->C_Login(signature.session, CKU_CONTEXT_SPECIFIC, async_text("012345"), 6));

    EXPECT(CKR_OK, async_await(&signature, "C_Sign"));
    assert_string_equal(fake_last_job().otp, "012345");
}

static void messages_are_pending_one_after_another(void **state)
{
    struct async_signature signature = {.len = SIGNATURE_LEN};
    CK_MECHANISM rsa = {.mechanism = CKM_SHA256_RSA_PKCS};
    (void)state;
    signature.session = async_open(FAKE_PHONE);
    CK_SESSION_HANDLE s = signature.session;
    EXPECT(CKR_OK, p11->C_MessageSignInit(s, &rsa, stage_find(s, CKO_PRIVATE_KEY, FAKE_KEY)));

    EXPECT(CKR_PENDING,
           p11->C_SignMessage(s, NULL, 0, MESSAGE, MESSAGE_LEN, signature.bytes, &signature.len));
    EXPECT(CKR_OPERATION_ACTIVE, p11->C_MessageSignFinal(s));
    EXPECT(CKR_OPERATION_ACTIVE, p11->C_SignMessageBegin(s, NULL, 0));
    EXPECT(CKR_OPERATION_NOT_INITIALIZED, async_complete_only(s, "C_Sign"));
    EXPECT(CKR_OK, async_await(&signature, "C_SignMessage"));
    assert_true(async_is_good(&signature));

    memset(signature.bytes, 0, sizeof(signature.bytes));
    EXPECT(CKR_OK, p11->C_SignMessageBegin(s, NULL, 0));
    EXPECT(CKR_PENDING, p11->C_SignMessageNext(s, NULL, 0, MESSAGE, MESSAGE_LEN, signature.bytes,
                                               &signature.len));
    EXPECT(CKR_OK, async_await(&signature, "C_SignMessageNext"));
    assert_true(async_is_good(&signature));

    EXPECT(CKR_OK, p11->C_MessageSignFinal(s));
    assert_false(async_is_busy(s));
}

static void a_rejected_message_leaves_the_process(void **state)
{
    struct async_signature signature = {.len = SIGNATURE_LEN};
    CK_MECHANISM rsa = {.mechanism = CKM_SHA256_RSA_PKCS};
    (void)state;
    fake_play((struct fake_script){.sign_status = SCA_REJECTED});
    CK_SESSION_HANDLE s = async_open(FAKE_PHONE);
    signature.session = s;
    EXPECT(CKR_OK, p11->C_MessageSignInit(s, &rsa, stage_find(s, CKO_PRIVATE_KEY, FAKE_KEY)));
    EXPECT(CKR_PENDING,
           p11->C_SignMessage(s, NULL, 0, MESSAGE, MESSAGE_LEN, signature.bytes, &signature.len));

    EXPECT(CKR_FUNCTION_REJECTED, async_await(&signature, "C_SignMessage"));
    EXPECT(CKR_OPERATION_NOT_INITIALIZED, async_complete_only(s, "C_SignMessage"));

    EXPECT(CKR_PENDING,
           p11->C_SignMessage(s, NULL, 0, MESSAGE, MESSAGE_LEN, signature.bytes, &signature.len));
    EXPECT(CKR_OK, p11->C_SessionCancel(s, CKF_MESSAGE_SIGN));
    EXPECT(CKR_OPERATION_NOT_INITIALIZED, p11->C_MessageSignFinal(s));
    assert_int_equal(fake_async_counted().live, 0);
}

static int nothing_is_pending_in_a_child(void *arg)
{
    struct async_signature *signature = arg;
    CHECK(async_complete_only(signature->session, "C_Sign") == CKR_CRYPTOKI_NOT_INITIALIZED);
    CHECK(p11->C_Initialize(NULL) == CKR_OK);
    CHECK(async_complete_only(signature->session, "C_Sign") == CKR_SESSION_HANDLE_INVALID);
    CHECK(p11->C_Finalize(NULL) == CKR_OK);
    CHECK(fake_async_counted().live == 1); /* the parent's, which nobody touched */
    return 0;
}

static void a_child_leaves_the_parents_signature_alone(void **state)
{
    struct async_signature signature;
    (void)state;
    async_sign(&signature, FAKE_PHONE);

    assert_int_equal(child_run(nothing_is_pending_in_a_child, &signature), 0);

    EXPECT(CKR_OK, async_await(&signature, "C_Sign"));
    assert_true(async_is_good(&signature));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ASYNC(cancelling_ends_it_and_leaves_the_buffer_alone),
        ASYNC(init_without_a_mechanism_ends_it_too),
        ASYNC(closing_the_session_ends_it),
        ASYNC(finalize_ends_it),
        ASYNC(logout_ends_what_the_user_began),
        ASYNC(a_login_good_for_one_signature_lasts_until_that_has_come),
        ASYNC(a_refused_password_is_forgotten),
        ASYNC(a_one_time_password_goes_along),
        ASYNC(messages_are_pending_one_after_another),
        ASYNC(a_rejected_message_leaves_the_process),
        ASYNC(a_child_leaves_the_parents_signature_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
