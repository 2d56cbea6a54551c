/* SPDX-License-Identifier: Apache-2.0 */
/* Message verification (3.0 section 5.16), with the public key of any token. */
#include <string.h>

#include "remote/base/cleanup.h"
#include "tests/module/stage.h"

/* A process that verifies, and a signature of MESSAGE. */
struct process {
    CK_SESSION_HANDLE session;
    CK_BYTE signature[SIGNATURE_LEN];
};

static CK_RV init(CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type)
{
    CK_MECHANISM mechanism = {.mechanism = type};
    CK_SESSION_HANDLE looking = stage_open(FAKE_PHONE);
    CK_OBJECT_HANDLE key = stage_find(looking, CKO_PUBLIC_KEY, FAKE_KEY);
    EXPECT(CKR_OK, p11->C_CloseSession(looking));
    return p11->C_MessageVerifyInit(session, &mechanism, key);
}

static void begin(struct process *process)
{
    CK_ULONG len = sizeof(process->signature);
    process->session = stage_signing(FAKE_PHONE, CKM_SHA256_RSA_PKCS);
    EXPECT(CKR_OK, p11->C_Sign(process->session, MESSAGE, MESSAGE_LEN, process->signature, &len));
    EXPECT(CKR_OK, init(process->session, CKM_SHA256_RSA_PKCS));
}

static CK_RV verify(struct process *process)
{
    return p11->C_VerifyMessage(process->session, NULL, 0, MESSAGE, MESSAGE_LEN, process->signature,
                                sizeof(process->signature));
}

static CK_RV next(struct process *process, size_t from, size_t len)
{
    return p11->C_VerifyMessageNext(process->session, NULL, 0, MESSAGE + from, len, NULL, 0);
}

static CK_RV next_last(struct process *process, size_t from)
{
    return p11->C_VerifyMessageNext(process->session, NULL, 0, MESSAGE + from, MESSAGE_LEN - from,
                                    process->signature, sizeof(process->signature));
}

static void many_messages_are_verified_after_one_init(void **state)
{
    struct process process;
    (void)state;
    begin(&process);

    EXPECT(CKR_OK, verify(&process));
    EXPECT(CKR_OK, verify(&process));

    EXPECT(CKR_OK, p11->C_MessageVerifyFinal(process.session));
    EXPECT(CKR_OPERATION_NOT_INITIALIZED, verify(&process));
}

static void a_message_comes_in_parts_too(void **state)
{
    struct process process;
    (void)state;
    begin(&process);

    for (int i = 0; i < 2; i++) {
        EXPECT(CKR_OK, p11->C_VerifyMessageBegin(process.session, NULL, 0));
        EXPECT(CKR_OK, next(&process, 0, 3));
        EXPECT(CKR_OK, next(&process, 3, 4));
        EXPECT(CKR_OK, next_last(&process, 7));
    }
}

static void a_wrong_signature_is_told_and_the_process_goes_on(void **state)
{
    struct process process;
    (void)state;
    begin(&process);
    process.signature[100] ^= 1;

    EXPECT(CKR_SIGNATURE_INVALID, verify(&process));
    EXPECT(CKR_OK, p11->C_VerifyMessageBegin(process.session, NULL, 0));
    EXPECT(CKR_SIGNATURE_INVALID, next_last(&process, 0));
    EXPECT(CKR_SIGNATURE_LEN_RANGE,
           p11->C_VerifyMessage(process.session, NULL, 0, MESSAGE, MESSAGE_LEN, process.signature,
                                sizeof(process.signature) - 1));

    process.signature[100] ^= 1;
    EXPECT(CKR_OK, verify(&process));
}

static void calls_out_of_order_are_refused_and_change_nothing(void **state)
{
    struct process process;
    (void)state;
    begin(&process);

    EXPECT(CKR_OPERATION_NOT_INITIALIZED, next(&process, 0, 3));
    EXPECT(CKR_OK, p11->C_VerifyMessageBegin(process.session, NULL, 0));
    EXPECT(CKR_OPERATION_ACTIVE, p11->C_VerifyMessageBegin(process.session, NULL, 0));
    EXPECT(CKR_OPERATION_ACTIVE, verify(&process));
    EXPECT(CKR_OPERATION_ACTIVE, p11->C_MessageVerifyFinal(process.session));
    EXPECT(CKR_OPERATION_ACTIVE, init(process.session, CKM_SHA256_RSA_PKCS));
    EXPECT(CKR_OPERATION_NOT_INITIALIZED, p11->C_MessageSignFinal(process.session));

    EXPECT(CKR_OK, next_last(&process, 0));
}

static void a_bad_message_is_over_and_the_process_goes_on(void **state)
{
    struct process process;
    CK_BYTE parameter[4] = {0};
    (void)state;
    begin(&process);
    CK_SESSION_HANDLE s = process.session;

    EXPECT(CKR_ARGUMENTS_BAD, p11->C_VerifyMessage(s, NULL, 0, NULL, 5, process.signature, 256));
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_VerifyMessage(s, NULL, 0, MESSAGE, 5, NULL, 256));
    EXPECT(CKR_MECHANISM_PARAM_INVALID,
           p11->C_VerifyMessage(s, parameter, 4, MESSAGE, 5, process.signature, 256));
    EXPECT(CKR_MECHANISM_PARAM_INVALID, p11->C_VerifyMessageBegin(s, parameter, 4));
    EXPECT(CKR_OK, p11->C_VerifyMessageBegin(s, NULL, 0));
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_VerifyMessageNext(s, NULL, 0, NULL, 5, NULL, 0));
    EXPECT(CKR_OPERATION_NOT_INITIALIZED, next(&process, 0, 3));
    EXPECT(CKR_OK, p11->C_VerifyMessageBegin(s, NULL, 0));
    EXPECT(CKR_MECHANISM_PARAM_INVALID,
           p11->C_VerifyMessageNext(s, parameter, 4, MESSAGE, 5, NULL, 0));
    EXPECT(CKR_OPERATION_NOT_INITIALIZED, next(&process, 0, 3));

    EXPECT(CKR_OK, verify(&process));
}

static void a_mechanism_that_does_not_hash_takes_no_parts(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = stage_open(FAKE_PHONE);
    EXPECT(CKR_OK, init(session, CKM_RSA_PKCS));

    EXPECT(CKR_FUNCTION_NOT_SUPPORTED, p11->C_VerifyMessageBegin(session, NULL, 0));

    EXPECT(CKR_OK, p11->C_MessageVerifyFinal(session));
}

static void cancelling_ends_the_process(void **state)
{
    struct process process;
    (void)state;
    begin(&process);

    EXPECT(CKR_OK, p11->C_SessionCancel(process.session, CKF_VERIFY | CKF_MESSAGE_SIGN));
    EXPECT(CKR_OK, verify(&process));
    EXPECT(CKR_OK, p11->C_SessionCancel(process.session, CKF_MESSAGE_VERIFY));
    EXPECT(CKR_OPERATION_NOT_INITIALIZED, verify(&process));
    EXPECT(CKR_OK, init(process.session, CKM_SHA256_RSA_PKCS));
    EXPECT(CKR_OK, p11->C_MessageVerifyInit(process.session, NULL, 0));
    EXPECT(CKR_OPERATION_NOT_INITIALIZED, p11->C_MessageVerifyFinal(process.session));
}

static void a_private_key_verifies_nothing(void **state)
{
    CK_MECHANISM rsa = {.mechanism = CKM_SHA256_RSA_PKCS};
    (void)state;
    CK_SESSION_HANDLE session = stage_open(FAKE_PHONE);
    CK_OBJECT_HANDLE key = stage_find(session, CKO_PRIVATE_KEY, FAKE_KEY);

    EXPECT(CKR_KEY_FUNCTION_NOT_PERMITTED, p11->C_MessageVerifyInit(session, &rsa, key));
    EXPECT(CKR_KEY_HANDLE_INVALID, p11->C_MessageVerifyInit(session, &rsa, 1));
    EXPECT(CKR_OPERATION_NOT_INITIALIZED, p11->C_MessageVerifyFinal(session));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON(many_messages_are_verified_after_one_init),
        ON(a_message_comes_in_parts_too),
        ON(a_wrong_signature_is_told_and_the_process_goes_on),
        ON(calls_out_of_order_are_refused_and_change_nothing),
        ON(a_bad_message_is_over_and_the_process_goes_on),
        ON(a_mechanism_that_does_not_hash_takes_no_parts),
        ON(cancelling_ends_the_process),
        ON(a_private_key_verifies_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
