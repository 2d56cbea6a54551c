/* SPDX-License-Identifier: Apache-2.0 */
/* What a token's outcome becomes for the application: code, device error, log line, login. */
#include <string.h>

#include "remote/base/cleanup.h"
#include "tests/module/stage.h"

static const struct {
    enum sca_status status;
    CK_RV expected;
} outcomes[] = {
    {SCA_OK, CKR_OK},
    {SCA_NOMEM, CKR_HOST_MEMORY},
    {SCA_INVALID, CKR_DEVICE_ERROR},
    {SCA_NOT_FOUND, CKR_DEVICE_ERROR},
    {SCA_IO, CKR_DEVICE_ERROR},
    {SCA_NETWORK, CKR_DEVICE_ERROR},
    {SCA_PROTOCOL, CKR_DEVICE_ERROR},
    {SCA_SERVICE_AUTH, CKR_DEVICE_ERROR},
    {SCA_USER_AUTH, CKR_USER_NOT_LOGGED_IN},
    {SCA_REJECTED, CKR_FUNCTION_REJECTED},
    {SCA_CANCELLED, CKR_FUNCTION_CANCELED},
    {SCA_UNCONFIRMED, CKR_FUNCTION_FAILED},
    {SCA_NOT_PERMITTED, CKR_KEY_FUNCTION_NOT_PERMITTED},
    {SCA_EXHAUSTED, CKR_TOKEN_RESOURCE_EXCEEDED},
    {SCA_MISMATCH, CKR_DEVICE_ERROR},
    {SCA_UNSUPPORTED, CKR_FUNCTION_NOT_SUPPORTED},
    {SCA_PIN_LOCKED, CKR_PIN_LOCKED},
    {SCA_NO_SPACE, CKR_DEVICE_MEMORY},
    {SCA_GONE, CKR_DEVICE_REMOVED},
    {SCA_BUSY, CKR_DEVICE_ERROR},
    {SCA_DEVICE, CKR_DEVICE_ERROR},
    {SCA_PENDING, CKR_PENDING},
};

static CK_RV sign(CK_SESSION_HANDLE session)
{
    CK_BYTE signature[SIGNATURE_LEN];
    CK_ULONG len = sizeof(signature);
    return p11->C_Sign(session, MESSAGE, MESSAGE_LEN, signature, &len);
}

static CK_ULONG device_error(CK_SESSION_HANDLE session)
{
    CK_SESSION_INFO info;
    EXPECT(CKR_OK, p11->C_GetSessionInfo(session, &info));
    return info.ulDeviceError;
}

static void every_status_has_its_code(void **state)
{
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(outcomes); i++) {
        fake_play((struct fake_script){.sign_status = outcomes[i].status});
        CK_SESSION_HANDLE session = stage_signing(FAKE_PHONE, CKM_SHA256_RSA_PKCS);
        CK_RV rv = sign(session);
        if (rv != outcomes[i].expected)
            fail_msg("%s: %s", sca_status_name(outcomes[i].status), stage_name(rv));
        assert_false(stage_was_signing(session)); /* all of these end the operation */
    }
    assert_int_equal(ARRAY_LEN(outcomes), SCA_STATUS_COUNT);
}

static void the_parts_end_with_the_same_codes(void **state)
{
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(outcomes); i++) {
        CK_BYTE signature[SIGNATURE_LEN];
        CK_ULONG len = sizeof(signature);
        fake_play((struct fake_script){.sign_status = outcomes[i].status});
        CK_SESSION_HANDLE session = stage_signing(FAKE_PHONE, CKM_SHA256_RSA_PKCS);
        EXPECT(CKR_OK, p11->C_SignUpdate(session, MESSAGE, MESSAGE_LEN));
        EXPECT(outcomes[i].expected, p11->C_SignFinal(session, signature, &len));
        assert_false(stage_was_signing(session));
    }
}

static void the_device_error_is_the_services_until_a_success(void **state)
{
    (void)state;
    CK_SESSION_HANDLE other = stage_open(FAKE_PHONE);
    fake_play((struct fake_script){.sign_status = SCA_EXHAUSTED, .device_error = 65000});
    CK_SESSION_HANDLE session = stage_signing(FAKE_PHONE, CKM_SHA256_RSA_PKCS);
    CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;

    EXPECT(CKR_TOKEN_RESOURCE_EXCEEDED, sign(session));
    assert_int_equal(device_error(session), 65000);
    assert_int_equal(device_error(other), 0);

    key = stage_find(session, CKO_PRIVATE_KEY, FAKE_KEY);
    fake_play((struct fake_script){.sign_status = SCA_OK, .device_error = 7});
    EXPECT(CKR_OK, stage_sign_init(session, CKM_SHA256_RSA_PKCS, key));
    assert_int_equal(device_error(session), 65000); /* nobody was asked yet */
    EXPECT(CKR_OK, sign(session));
    assert_int_equal(device_error(session), 0);
}

static void refused_credentials_forget_the_login(void **state)
{
    CK_SESSION_INFO info;
    (void)state;
    CK_SESSION_HANDLE session = stage_signing(FAKE_PIN, CKM_SHA256_RSA_PKCS);
    fake_play((struct fake_script){.sign_status = SCA_USER_AUTH});

    EXPECT(CKR_USER_NOT_LOGGED_IN, sign(session));

    EXPECT(CKR_OK, p11->C_GetSessionInfo(session, &info));
    assert_int_equal(info.state, CKS_RO_PUBLIC_SESSION);
    assert_int_equal(fake_counted().logout, 1);
    EXPECT(CKR_OK, stage_login(session, FAKE_PIN_TEXT)); /* and it can be done again */
}

static void other_failures_keep_the_login(void **state)
{
    CK_SESSION_INFO info;
    (void)state;
    CK_SESSION_HANDLE session = stage_signing(FAKE_PIN, CKM_SHA256_RSA_PKCS);
    fake_play((struct fake_script){.sign_status = SCA_SERVICE_AUTH});

    EXPECT(CKR_DEVICE_ERROR, sign(session));

    EXPECT(CKR_OK, p11->C_GetSessionInfo(session, &info));
    assert_int_equal(info.state, CKS_RO_USER_FUNCTIONS);
}

static void nobody_confirming_before_the_deadline_is_a_failure(void **state)
{
    (void)state;
    fake_play((struct fake_script){.is_holding = true, .has_no_patience = true});

    EXPECT(CKR_FUNCTION_FAILED, sign(stage_signing(FAKE_PHONE, CKM_SHA256_RSA_PKCS)));
}

static void a_failure_is_one_line_that_says_why(void **state)
{
    const char *why = "the package is used up; buy more signatures";
    size_t lines = 0;
    (void)state;
    fake_play((struct fake_script){.sign_status = SCA_EXHAUSTED, .note = why});

    EXPECT(CKR_TOKEN_RESOURCE_EXCEEDED, sign(stage_signing(FAKE_PHONE, CKM_SHA256_RSA_PKCS)));

    AUTO(freep) char *log = stage_log();
    for (const char *at = log; (at = strstr(at, why)) != NULL; at++)
        lines++;
    assert_int_equal(lines, 1);
    assert_non_null(strstr(log, " warning: C_Sign(session 0x"));
    assert_non_null(strstr(log, ") -> CKR_TOKEN_RESOURCE_EXCEEDED: the package"));
}

static void a_failure_without_a_note_is_named(void **state)
{
    (void)state;
    fake_play((struct fake_script){.sign_status = SCA_NETWORK});

    EXPECT(CKR_DEVICE_ERROR, sign(stage_signing(FAKE_PHONE, CKM_SHA256_RSA_PKCS)));

    AUTO(freep) char *log = stage_log();
    assert_non_null(strstr(log, "-> CKR_DEVICE_ERROR: network failure"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON(every_status_has_its_code),
        ON(the_parts_end_with_the_same_codes),
        ON(the_device_error_is_the_services_until_a_success),
        ON(refused_credentials_forget_the_login),
        ON(other_failures_keep_the_login),
        ON(nobody_confirming_before_the_deadline_is_a_failure),
        ON(a_failure_is_one_line_that_says_why),
        ON(a_failure_without_a_note_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
