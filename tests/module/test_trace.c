/* SPDX-License-Identifier: Apache-2.0 */
/* The call trace: one line per call, with names instead of numbers and lengths instead of contents.
 */
#include <string.h>

#include "module/entry/trace.h"
#include "remote/base/cleanup.h"
#include "tests/module/stage.h"

static void assert_logged(const char *part)
{
    AUTO(freep) char *log = stage_log();
    if (!strstr(log, part))
        fail_msg("not in the log: %s", part);
}

static void calls_are_told_by_name(void **state)
{
    CK_ULONG len = 0;
    CK_BYTE out[SIGNATURE_LEN];
    CK_OBJECT_CLASS class = CKO_CERTIFICATE;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof(class)}, {0x8000abcdUL, NULL, 0}};
    (void)state;
    CK_SESSION_HANDLE session = stage_signing(FAKE_PHONE, CKM_SHA256_RSA_PKCS);

    EXPECT(CKR_OK, p11->C_Sign(session, MESSAGE, MESSAGE_LEN, NULL, &len));
    len = sizeof(out);
    EXPECT(CKR_OK, p11->C_Sign(session, MESSAGE, MESSAGE_LEN, out, &len));
    EXPECT(CKR_OK, p11->C_FindObjectsInit(session, template, 2));
    EXPECT(CKR_OK, p11->C_SignInit(session, NULL, 0));
    EXPECT(CKR_SLOT_ID_INVALID, p11->C_GetTokenInfo(0x77, NULL));

    assert_logged(" debug: C_SignInit(session 0x");
    assert_logged(", CKM_SHA256_RSA_PKCS, 0x");
    assert_logged(", 14 bytes, size query 256) -> CKR_OK");
    assert_logged(", 14 bytes, out 256) -> CKR_OK");
    assert_logged(", {CKA_CLASS 0x8000abcd}) -> CKR_OK");
    assert_logged(", no mechanism, 0x0) -> CKR_OK");
    assert_logged("C_GetTokenInfo(0x77) -> CKR_SLOT_ID_INVALID");
}

static void a_pin_is_told_as_present_or_not(void **state)
{
    CK_UTF8CHAR pin[] = FAKE_PIN_TEXT;
    (void)state;
    CK_SESSION_HANDLE session = stage_open(FAKE_PIN);

    EXPECT(CKR_OK, p11->C_Login(session, CKU_USER, pin, 6));
    EXPECT(CKR_USER_ALREADY_LOGGED_IN, p11->C_Login(session, CKU_USER, NULL, 0));

    assert_logged(", 0x1, PIN) -> CKR_OK");
    assert_logged(", 0x1, no PIN) -> CKR_USER_ALREADY_LOGGED_IN");
    AUTO(freep) char *log = stage_log();
    assert_null(strstr(log, FAKE_PIN_TEXT));
}

/* What a failing call did not write is the caller's memory, and may be anything. */
static void outputs_of_a_failed_call_are_not_read(void **state)
{
    CK_SESSION_HANDLE session = 0x5eed5eed;
    CK_OBJECT_HANDLE object = 0x5eed5eed;
    CK_ULONG count = 0x5eed5eed;
    (void)state;

    EXPECT(CKR_SLOT_ID_INVALID, p11->C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, &session));
    CK_SESSION_HANDLE live = stage_open_rw(FAKE_PHONE);
    EXPECT(CKR_TEMPLATE_INCOMPLETE, p11->C_CreateObject(live, NULL, 0, &object));
    EXPECT(CKR_OPERATION_NOT_INITIALIZED, p11->C_FindObjects(live, &object, 1, &count));

    AUTO(freep) char *log = stage_log();
    assert_null(strstr(log, "5eed"));
    assert_null(strstr(log, "1592614637"));
}

static void long_templates_are_cut(void **state)
{
    CK_ATTRIBUTE template[40];
    (void)state;
    CK_SESSION_HANDLE session = stage_open(FAKE_PHONE);
    for (size_t i = 0; i < ARRAY_LEN(template); i++)
        template[i] = (CK_ATTRIBUTE){CKA_CERTIFICATE_CATEGORY, NULL, 0};

    EXPECT(CKR_OK, p11->C_FindObjectsInit(session, template, ARRAY_LEN(template)));

    assert_logged(" CKA_CERTIFICATE_CATEGORY ...}) -> CKR_OK");
}

static void a_value_without_a_name_has_none(void **state)
{
    (void)state;

    assert_string_equal(trace_rv_name(CKR_TOKEN_RESOURCE_EXCEEDED), "CKR_TOKEN_RESOURCE_EXCEEDED");
    assert_string_equal(trace_mechanism_name(CKM_EDDSA), "CKM_EDDSA");
    assert_string_equal(trace_attribute_name(CKA_UNIQUE_ID), "CKA_UNIQUE_ID");
    assert_null(trace_rv_name(0x80000001UL));
    assert_null(trace_mechanism_name((CK_MECHANISM_TYPE)-1));
    assert_null(trace_attribute_name(0x7654321UL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON(calls_are_told_by_name),
        ON(a_pin_is_told_as_present_or_not),
        ON(outputs_of_a_failed_call_are_not_read),
        ON(long_templates_are_cut),
        ON(a_value_without_a_name_has_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
