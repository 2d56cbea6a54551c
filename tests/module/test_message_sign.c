/* SPDX-License-Identifier: Apache-2.0 */
/* Message signing (3.0 section 5.14): one key and mechanism, many signatures. */
#include <string.h>

#include "remote/base/cleanup.h"
#include "tests/module/background.h"
#include "tests/module/local_stage.h"

static CK_BYTE signature[SIGNATURE_LEN];

static CK_RV message_init(CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE key)
{
    CK_MECHANISM mechanism = {.mechanism = type};
    return p11->C_MessageSignInit(session, &mechanism, key);
}

/* A session in which C_MessageSignInit was done; with login where one is needed. */
static CK_SESSION_HANDLE process_on(CK_SLOT_ID slot, CK_MECHANISM_TYPE type)
{
    CK_SESSION_HANDLE session = stage_open(slot);
    if (slot == FAKE_PIN)
        EXPECT(CKR_OK, stage_login(session, FAKE_PIN_TEXT));
    EXPECT(CKR_OK, message_init(session, type, stage_find(session, CKO_PRIVATE_KEY, FAKE_KEY)));
    return session;
}

static CK_RV sign_into(CK_SESSION_HANDLE session, CK_BYTE *out, CK_ULONG *len)
{
    return p11->C_SignMessage(session, NULL, 0, MESSAGE, MESSAGE_LEN, out, len);
}

static CK_RV sign(CK_SESSION_HANDLE session)
{
    CK_ULONG len = sizeof(signature);
    memset(signature, 0, sizeof(signature));
    return sign_into(session, signature, &len);
}

static CK_RV next(CK_SESSION_HANDLE session, size_t from, size_t len)
{
    return p11->C_SignMessageNext(session, NULL, 0, MESSAGE + from, len, NULL, NULL);
}

static CK_RV next_last(CK_SESSION_HANDLE session, size_t from, CK_BYTE *out, CK_ULONG *len)
{
    return p11->C_SignMessageNext(session, NULL, 0, MESSAGE + from, MESSAGE_LEN - from, out, len);
}

static bool is_good(void)
{
    return fake_verifies(CRYPTO_SHA256, span_of(MESSAGE, MESSAGE_LEN),
                         span_of(signature, sizeof(signature)));
}

static void many_messages_are_signed_after_one_init(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = process_on(FAKE_PHONE, CKM_SHA256_RSA_PKCS);

    for (int i = 0; i < 3; i++) {
        EXPECT(CKR_OK, sign(session));
        assert_true(is_good());
    }

    EXPECT(CKR_OK, p11->C_MessageSignFinal(session));
    EXPECT(CKR_OPERATION_NOT_INITIALIZED, sign(session));
    assert_int_equal(fake_counted().sign, 3);
    assert_int_equal(fake_counted().check, 1);
}

static void a_message_comes_in_parts_too(void **state)
{
    CK_ULONG len = sizeof(signature);
    (void)state;
    CK_SESSION_HANDLE session = process_on(FAKE_PHONE, CKM_SHA256_RSA_PKCS);

    for (int i = 0; i < 2; i++) {
        memset(signature, 0, sizeof(signature));
        EXPECT(CKR_OK, p11->C_SignMessageBegin(session, NULL, 0));
        EXPECT(CKR_OK, next(session, 0, 4));
        EXPECT(CKR_OK, p11->C_SignMessageNext(session, NULL, 0, NULL, 0, NULL, NULL));
        EXPECT(CKR_OK, next(session, 4, 6));
        EXPECT(CKR_OK, next_last(session, 10, signature, &len));
        assert_true(is_good());
    }

    EXPECT(CKR_OK, sign(session));
    assert_true(is_good());
}

static void a_last_part_may_be_empty(void **state)
{
    CK_ULONG len = sizeof(signature);
    (void)state;
    CK_SESSION_HANDLE session = process_on(FAKE_PHONE, CKM_SHA256_RSA_PKCS);
    EXPECT(CKR_OK, p11->C_SignMessageBegin(session, NULL, 0));
    EXPECT(CKR_OK, next(session, 0, MESSAGE_LEN));

    EXPECT(CKR_OK, p11->C_SignMessageNext(session, NULL, 0, NULL, 0, signature, &len));

    assert_true(is_good());
}

static void the_length_is_told_without_signing(void **state)
{
    CK_ULONG len = 0;
    (void)state;
    CK_SESSION_HANDLE session = process_on(FAKE_PHONE, CKM_SHA256_RSA_PKCS);

    EXPECT(CKR_OK, sign_into(session, NULL, &len));
    assert_int_equal(len, SIGNATURE_LEN);
    len = SIGNATURE_LEN - 1;
    EXPECT(CKR_BUFFER_TOO_SMALL, sign_into(session, signature, &len));
    assert_int_equal(len, SIGNATURE_LEN);
    EXPECT(CKR_OK, p11->C_SignMessageBegin(session, NULL, 0));
    EXPECT(CKR_OK, next(session, 0, 10));
    EXPECT(CKR_OK, next_last(session, 10, NULL, &len));
    len = 1;
    EXPECT(CKR_BUFFER_TOO_SMALL, next_last(session, 10, signature, &len));
    assert_int_equal(fake_counted().sign, 0);

    EXPECT(CKR_OK, next_last(session, 10, signature, &len)); /* the part counts once */
    assert_true(is_good());
}

static void calls_out_of_order_are_refused_and_change_nothing(void **state)
{
    CK_ULONG len = sizeof(signature);
    (void)state;
    CK_SESSION_HANDLE session = process_on(FAKE_PHONE, CKM_SHA256_RSA_PKCS);

    EXPECT(CKR_OPERATION_NOT_INITIALIZED, next(session, 0, 4));
    EXPECT(CKR_OPERATION_NOT_INITIALIZED, next_last(session, 0, signature, &len));
    EXPECT(CKR_OK, p11->C_SignMessageBegin(session, NULL, 0));
    EXPECT(CKR_OPERATION_ACTIVE, p11->C_SignMessageBegin(session, NULL, 0));
    EXPECT(CKR_OPERATION_ACTIVE, sign(session));
    EXPECT(CKR_OPERATION_ACTIVE, p11->C_MessageSignFinal(session));
    EXPECT(CKR_OPERATION_ACTIVE, stage_sign_init(session, CKM_RSA_PKCS, 1));
    EXPECT(CKR_OPERATION_ACTIVE, message_init(session, CKM_RSA_PKCS, 1));
    EXPECT(CKR_OPERATION_NOT_INITIALIZED,
           p11->C_Sign(session, MESSAGE, MESSAGE_LEN, signature, &len));
    EXPECT(CKR_OPERATION_NOT_INITIALIZED, p11->C_SignUpdate(session, MESSAGE, MESSAGE_LEN));

    EXPECT(CKR_OK, next_last(session, 0, signature, &len));
    assert_true(is_good());
    EXPECT(CKR_OK, p11->C_MessageSignFinal(session));
}

static void without_a_process_nothing_works(void **state)
{
    CK_ULONG len = sizeof(signature);
    (void)state;
    CK_SESSION_HANDLE session = stage_open(FAKE_PHONE);

    EXPECT(CKR_OPERATION_NOT_INITIALIZED, sign(session));
    EXPECT(CKR_OPERATION_NOT_INITIALIZED, p11->C_SignMessageBegin(session, NULL, 0));
    EXPECT(CKR_OPERATION_NOT_INITIALIZED, next_last(session, 0, signature, &len));
    EXPECT(CKR_OPERATION_NOT_INITIALIZED, p11->C_MessageSignFinal(session));
    CK_SESSION_HANDLE other = stage_signing(FAKE_PHONE, CKM_SHA256_RSA_PKCS);
    EXPECT(CKR_OPERATION_NOT_INITIALIZED, sign(other)); /* C_SignInit begins something else */
    assert_true(stage_was_signing(other));
}

static void a_bad_message_is_over_and_the_process_goes_on(void **state)
{
    CK_ULONG len = sizeof(signature);
    CK_BYTE parameter[4] = {0};
    (void)state;
    CK_SESSION_HANDLE s = process_on(FAKE_PHONE, CKM_SHA256_RSA_PKCS);

    EXPECT(CKR_ARGUMENTS_BAD, p11->C_SignMessage(s, NULL, 0, NULL, 5, signature, &len));
    EXPECT(CKR_ARGUMENTS_BAD, sign_into(s, signature, NULL));
    EXPECT(CKR_MECHANISM_PARAM_INVALID,
           p11->C_SignMessage(s, parameter, 4, MESSAGE, MESSAGE_LEN, signature, &len));
    EXPECT(CKR_MECHANISM_PARAM_INVALID, p11->C_SignMessageBegin(s, parameter, 4));
    EXPECT(CKR_OPERATION_NOT_INITIALIZED, next(s, 0, 4)); /* it had not begun */
    assert_int_equal(fake_counted().sign, 0);

    EXPECT(CKR_OK, sign(s));
    assert_true(is_good());
}

static void a_bad_part_ends_its_message_only(void **state)
{
    CK_ULONG len = sizeof(signature);
    CK_BYTE parameter[4] = {0};
    (void)state;
    CK_SESSION_HANDLE s = process_on(FAKE_PHONE, CKM_SHA256_RSA_PKCS);

    EXPECT(CKR_OK, p11->C_SignMessageBegin(s, NULL, 0));
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_SignMessageNext(s, NULL, 0, NULL, 5, NULL, NULL));
    EXPECT(CKR_OPERATION_NOT_INITIALIZED, next(s, 0, 4));
    EXPECT(CKR_OK, p11->C_SignMessageBegin(s, NULL, 0));
    EXPECT(CKR_MECHANISM_PARAM_INVALID,
           p11->C_SignMessageNext(s, parameter, 4, MESSAGE, 4, signature, &len));
    EXPECT(CKR_OPERATION_NOT_INITIALIZED, next(s, 0, 4));

    EXPECT(CKR_OK, p11->C_SignMessageBegin(s, NULL, 0));
    EXPECT(CKR_OK, next_last(s, 0, signature, &len)); /* nothing of the others is in it */
    assert_true(is_good());
}

static void a_rejected_message_leaves_the_process(void **state)
{
    CK_ULONG len = sizeof(signature);
    (void)state;
    CK_SESSION_HANDLE session = process_on(FAKE_PHONE, CKM_SHA256_RSA_PKCS);
    fake_play((struct fake_script){.sign_status = SCA_REJECTED});

    EXPECT(CKR_FUNCTION_REJECTED, sign(session));
    EXPECT(CKR_OK, p11->C_SignMessageBegin(session, NULL, 0));
    EXPECT(CKR_FUNCTION_REJECTED, next_last(session, 0, signature, &len));

    fake_play((struct fake_script){.sign_status = SCA_OK});
    EXPECT(CKR_OK, sign(session));
    assert_true(is_good());
}

static void init_refuses_what_c_sign_init_refuses(void **state)
{
    CK_MECHANISM with_parameter = {CKM_SHA256_RSA_PKCS, signature, 4};
    (void)state;
    CK_SESSION_HANDLE session = stage_open(FAKE_PIN);
    CK_OBJECT_HANDLE key = FAKE_PIN * 256 + 1;

    EXPECT(CKR_KEY_HANDLE_INVALID, message_init(session, CKM_SHA256_RSA_PKCS, 1));
    EXPECT(CKR_MECHANISM_INVALID, message_init(session, CKM_RSA_PKCS_PSS, key));
    EXPECT(CKR_MECHANISM_INVALID, message_init(session, CKM_SHA256, key));
    EXPECT(CKR_MECHANISM_PARAM_INVALID, p11->C_MessageSignInit(session, &with_parameter, key));
    EXPECT(CKR_USER_NOT_LOGGED_IN, message_init(session, CKM_SHA256_RSA_PKCS, key));
    fake_play((struct fake_script){.check_status = SCA_NOT_PERMITTED});
    EXPECT(CKR_OK, stage_login(session, FAKE_PIN_TEXT));
    EXPECT(CKR_KEY_FUNCTION_NOT_PERMITTED, message_init(session, CKM_SHA256_RSA_PKCS, key));

    EXPECT(CKR_OPERATION_NOT_INITIALIZED, p11->C_MessageSignFinal(session));
}

static void a_mechanism_that_does_not_hash_takes_no_parts(void **state)
{
    CK_ULONG len = sizeof(signature);
    (void)state;
    CK_SESSION_HANDLE session = process_on(FAKE_PIN, CKM_RSA_PKCS);

    EXPECT(CKR_FUNCTION_NOT_SUPPORTED, p11->C_SignMessageBegin(session, NULL, 0));

    EXPECT(CKR_OK, sign_into(session, signature, &len));
    assert_true(fake_recovers(span_of(MESSAGE, MESSAGE_LEN), span_of(signature, len)));
}

static void cancelling_ends_the_process(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = process_on(FAKE_PHONE, CKM_SHA256_RSA_PKCS);
    EXPECT(CKR_OK, p11->C_SignMessageBegin(session, NULL, 0));

    EXPECT(CKR_OK, p11->C_SessionCancel(session, CKF_SIGN | CKF_MESSAGE_VERIFY));
    EXPECT(CKR_OK, next(session, 0, 4));
    EXPECT(CKR_OK, p11->C_SessionCancel(session, CKF_MESSAGE_SIGN));

    EXPECT(CKR_OPERATION_NOT_INITIALIZED, sign(session));
    EXPECT(CKR_OK, message_init(session, CKM_SHA256_RSA_PKCS,
                                stage_find(stage_open(FAKE_PHONE), CKO_PRIVATE_KEY, FAKE_KEY)));
    EXPECT(CKR_OK, p11->C_MessageSignInit(session, NULL, 0));
    EXPECT(CKR_OPERATION_NOT_INITIALIZED, p11->C_MessageSignFinal(session));
    EXPECT(CKR_OK, p11->C_MessageSignInit(session, NULL, 0));
}

static void *run_sign(void *arg)
{
    struct background *background = arg;
    background->rv =
        sign_into(background->session, background->signature, &background->signature_len);
    return NULL;
}

static void cancelling_ends_a_message_that_waits(void **state)
{
    struct background waiting = {.signature_len = SIGNATURE_LEN};
    (void)state;
    waiting.session = process_on(FAKE_PHONE, CKM_SHA256_RSA_PKCS);
    fake_play((struct fake_script){.is_holding = true});
    assert_int_equal(pthread_create(&waiting.thread, NULL, run_sign, &waiting), 0);
    assert_true(fake_await_held(1));

    EXPECT(CKR_OPERATION_ACTIVE, sign(waiting.session));
    EXPECT(CKR_OPERATION_ACTIVE, p11->C_MessageSignFinal(waiting.session));
    EXPECT(CKR_OK, p11->C_SessionCancel(waiting.session, CKF_MESSAGE_SIGN));

    EXPECT(CKR_FUNCTION_CANCELED, background_join(&waiting));
    EXPECT(CKR_OPERATION_NOT_INITIALIZED, p11->C_MessageSignFinal(waiting.session));
}

static void logout_ends_the_process(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = process_on(FAKE_PIN, CKM_SHA256_RSA_PKCS);

    EXPECT(CKR_OK, p11->C_Logout(session));

    EXPECT(CKR_OPERATION_NOT_INITIALIZED, sign(session));
}

static void begin_with(struct fake_script script)
{
    fake_play(script);
    EXPECT(CKR_OK, p11->C_Initialize(NULL));
}

static void each_message_takes_a_one_time_password(void **state)
{
    CK_UTF8CHAR otp[] = "012345";
    CK_ULONG len = sizeof(signature);
    (void)state;
    begin_with((struct fake_script){.asks_otp = true});
    CK_SESSION_HANDLE s = process_on(FAKE_PIN, CKM_SHA256_RSA_PKCS);

    EXPECT(CKR_USER_NOT_LOGGED_IN, sign(s));
    EXPECT(CKR_OK, p11->C_Login(s, CKU_CONTEXT_SPECIFIC, otp, 6));
    EXPECT(CKR_OK, sign_into(s, NULL, &len)); /* needs none and takes none */
    EXPECT(CKR_OK, sign(s));
    assert_string_equal(fake_last_job().otp, "012345");
    EXPECT(CKR_USER_NOT_LOGGED_IN, sign(s));
    EXPECT(CKR_OK, p11->C_SignMessageBegin(s, NULL, 0));
    otp[0] = '9';
    EXPECT(CKR_OK, p11->C_Login(s, CKU_CONTEXT_SPECIFIC, otp, 6));
    EXPECT(CKR_OK, next_last(s, 0, signature, &len));

    assert_string_equal(fake_last_job().otp, "912345");
    assert_int_equal(fake_counted().sign, 2);
}

static void a_login_good_for_one_signature_is_good_for_one_message(void **state)
{
    CK_ULONG len = sizeof(signature);
    (void)state;
    begin_with((struct fake_script){.signs_once = true});
    CK_SESSION_HANDLE session = process_on(FAKE_PIN, CKM_SHA256_RSA_PKCS);

    EXPECT(CKR_OK, sign(session));
    EXPECT(CKR_USER_NOT_LOGGED_IN, sign(session));
    EXPECT(CKR_USER_NOT_LOGGED_IN, p11->C_SignMessageBegin(session, NULL, 0));
    EXPECT(CKR_OK, stage_login(session, FAKE_PIN_TEXT));
    EXPECT(CKR_OK, p11->C_SignMessageBegin(session, NULL, 0));
    EXPECT(CKR_OK, next_last(session, 0, signature, &len));

    assert_true(is_good());
    assert_int_equal(fake_counted().sign, 2);
}

static CK_RV verify(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key,
                    CK_ULONG len)
{
    CK_RV rv = p11->C_VerifyInit(session, mechanism, key);
    return rv == CKR_OK ? p11->C_Verify(session, DIGEST, DIGEST_LEN, signature, len) : rv;
}

/* With a key in this process the signer stays between the messages. */
static void every_kind_of_local_key_signs_messages(void **state)
{
    static const struct {
        enum local_kind kind;
        CK_MECHANISM_TYPE type;
        CK_MECHANISM_TYPE hash;
    } rows[] = {
        {LOCAL_RSA, CKM_SHA256_RSA_PKCS, 0}, {LOCAL_RSA, CKM_SHA256_RSA_PKCS_PSS, CKM_SHA256},
        {LOCAL_P256, CKM_ECDSA_SHA256, 0},   {LOCAL_P256, CKM_ECDSA, 0},
        {LOCAL_ED25519, CKM_EDDSA, 0},
    };
    (void)state;
    CK_SESSION_HANDLE s = disk_logged_in();
    CK_SESSION_HANDLE checking = stage_open(FAKE_DISK);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct local_mechanism room;
        CK_MECHANISM *mechanism = local_mechanism(&room, rows[i].type, rows[i].hash);
        struct disk_pair pair = local_generate(s, rows[i].kind, CK_TRUE, NULL);
        EXPECT(CKR_OK, p11->C_MessageSignInit(s, mechanism, pair.private_key));
        for (int n = 0; n < 3; n++) {
            CK_ULONG len = sizeof(signature);
            EXPECT(CKR_OK, p11->C_SignMessage(s, NULL, 0, DIGEST, DIGEST_LEN, signature, &len));
            EXPECT(CKR_OK, verify(checking, mechanism, pair.public_key, len));
        }
        EXPECT(CKR_OK, p11->C_MessageSignFinal(s));
    }
}

static void a_local_key_is_gone_with_the_login(void **state)
{
    (void)state;
    CK_SESSION_HANDLE s = disk_logged_in();
    struct disk_pair pair = disk_generate(s, "key", CK_TRUE);
    EXPECT(CKR_OK, message_init(s, CKM_ECDSA_SHA256, pair.private_key));
    EXPECT(CKR_OK, sign(s));

    EXPECT(CKR_OK, p11->C_Logout(s));

    EXPECT(CKR_OPERATION_NOT_INITIALIZED, sign(s));
    EXPECT(CKR_KEY_HANDLE_INVALID, message_init(s, CKM_ECDSA_SHA256, pair.private_key));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON(many_messages_are_signed_after_one_init),
        ON(a_message_comes_in_parts_too),
        ON(a_last_part_may_be_empty),
        ON(the_length_is_told_without_signing),
        ON(calls_out_of_order_are_refused_and_change_nothing),
        ON(without_a_process_nothing_works),
        ON(a_bad_message_is_over_and_the_process_goes_on),
        ON(a_bad_part_ends_its_message_only),
        ON(a_rejected_message_leaves_the_process),
        ON(init_refuses_what_c_sign_init_refuses),
        ON(a_mechanism_that_does_not_hash_takes_no_parts),
        ON(cancelling_ends_the_process),
        ON(cancelling_ends_a_message_that_waits),
        ON(logout_ends_the_process),
        OFF(each_message_takes_a_one_time_password),
        OFF(a_login_good_for_one_signature_is_good_for_one_message),
        disk_test(every_kind_of_local_key_signs_messages),
        disk_test(a_local_key_is_gone_with_the_login),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
