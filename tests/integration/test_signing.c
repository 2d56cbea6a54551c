/* SPDX-License-Identifier: Apache-2.0 */
/* A SmartCA certificate signs, whichever of the readings of its documents the service follows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "tests/integration/harness.h"

static struct world world;

static int start(void **state)
{
    (void)state;
    world_start(&world, NULL, "poll_interval = 0.05\n");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    world_stop(&world);
    return 0;
}

static int reset(void **state)
{
    (void)state;
    world_control(&world, "reset", "{}");
    world_control(&world, "phone", "{\"action\":\"approve\"}");
    return 0;
}

static void a_document_is_signed_after_confirmation_and_verifies(void **state)
{
    (void)state;
    CK_BYTE signature[256];
    CK_SESSION_HANDLE session = world_session(&world, NULL, NULL);

    CK_RV rv = world_sign(&world, session, "hợp đồng", signature);

    assert_int_equal(rv, CKR_OK);
    assert_true(world_verifies(&world, session, "hợp đồng", signature));
    assert_false(world_verifies(&world, session, "another", signature));
    assert_int_equal(world_requests(&world, "sign"), 1);
    assert_int_equal(world.p11->C_CloseSession(session), CKR_OK);
}

static void nothing_but_a_signature_with_room_for_it_reaches_the_service(void **state)
{
    (void)state;
    CK_BYTE signature[256];
    CK_BYTE data[] = "abc";
    CK_ULONG len = 0;
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    CK_SESSION_HANDLE session = world_session(&world, NULL, NULL);
    CK_OBJECT_HANDLE key = world_key(&world, session, CKO_PRIVATE_KEY);

    assert_int_equal(world.p11->C_SignInit(session, &mechanism, key), CKR_OK);
    assert_int_equal(world.p11->C_Sign(session, data, 3, NULL, &len), CKR_OK);
    assert_int_equal(len, 256);
    len = 255;
    assert_int_equal(world.p11->C_Sign(session, data, 3, signature, &len), CKR_BUFFER_TOO_SMALL);
    assert_int_equal(len, 256);

    assert_int_equal(world_requests(&world, "sign"), 0);
    assert_int_equal(world_requests(&world, "status"), 0);
    assert_int_equal(world.p11->C_Sign(session, data, 3, signature, &len), CKR_OK);
    assert_int_equal(world_requests(&world, "sign"), 1);
    assert_int_equal(world.p11->C_CloseSession(session), CKR_OK);
}

static void what_the_phone_shows_names_program_and_control_code(void **state)
{
    (void)state;
    CK_BYTE signature[256];
    CK_SESSION_HANDLE session = world_session(&world, NULL, NULL);

    /* SHA-256 of "abc" starts with ba7816bf. */
    assert_int_equal(world_sign(&world, session, "abc", signature), CKR_OK);

    cJSON *transactions = world_ask(&world, "transactions");
    const cJSON *transaction = cJSON_GetArrayItem(transactions, 0);
    const char *description =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(transaction, "description"));
    assert_non_null(description);
    assert_non_null(strstr(description, "test_signing"));
    assert_non_null(strstr(description, "BA78-16BF"));
    cJSON_Delete(transactions);
    assert_int_equal(world.p11->C_CloseSession(session), CKR_OK);
}

/* Each is a set of switches of the emulator (tests/emulator/README.md). */
static const char *const readings[] = {
    "{\"status_id\":\"transaction_id\"}",
    "{\"status_id\":\"tran_code\"}",
    "{\"waiting_signatures\":\"absent\"}",
    "{\"waiting_signatures\":\"empty\"}",
    "{\"signature_form\":\"direct\"}",
    "{\"signature_base64\":\"crlf\"}",
    "{\"signature_base64\":\"spaces\"}",
    "{\"signature_type\":\"cms\"}",
    "{\"reply_transaction_id\":\"other\"}",
    "{\"single_doc_id\":false}",
    "{\"waiting_409\":true}",
    "{\"uppercase_messages\":true}",
    "{\"expired_in_sign\":true,\"expired_in_status\":true}",
    "{\"success_code\":0}",
    "{\"waiting_message\":\"Đang chờ xác nhận\"}",
    "{\"waiting_message\":\"PENDING\",\"signed_message\":\"\"}",
    "{\"serial_required\":true}",
};

static void every_reading_of_the_documents_leads_to_a_signature(void **state)
{
    (void)state;
    world_control(&world, "phone", "{\"action\":\"approve\",\"after_polls\":2}");
    CK_SESSION_HANDLE session = world_session(&world, NULL, NULL);

    for (size_t i = 0; i < ARRAY_LEN(readings); i++) {
        CK_BYTE signature[256];
        char text[32];
        (void)snprintf(text, sizeof(text), "reading %zu", i);
        world_control(&world, "behaviour", readings[i]);
        CK_RV rv = world_sign(&world, session, text, signature);
        if (rv != CKR_OK)
            fail_msg("%s: 0x%lx", readings[i], rv);
        assert_true(world_verifies(&world, session, text, signature));
        world_control(&world, "reset", "{}");
        world_control(&world, "phone", "{\"action\":\"approve\",\"after_polls\":2}");
    }
    assert_int_equal(world.p11->C_CloseSession(session), CKR_OK);
}

static const char *const certificate_readings[] = {
    "{\"cert_status_code\":false}", "{\"reduced_certificate\":true}", "{\"root_cert\":false}",
    "{\"cert_base64\":\"crlf\"}",   "{\"cert_base64\":\"spaces\"}",   "{\"cert_base64\":\"pem\"}",
};

static void every_form_of_certificate_becomes_the_same_slot(void **state)
{
    (void)state;
    CK_SLOT_ID slot = world_slot(&world);

    for (size_t i = 0; i < ARRAY_LEN(certificate_readings); i++) {
        char catalogue[96];
        (void)snprintf(catalogue, sizeof(catalogue), "%s/state/catalogue", world.folder);
        assert_int_equal(remove(catalogue), 0);
        world_control(&world, "behaviour", certificate_readings[i]);
        world_restart_module(&world);
        CK_SESSION_HANDLE session = world_session(&world, NULL, NULL);
        assert_int_equal(world_slot(&world), slot);
        (void)world_key(&world, session, CKO_PRIVATE_KEY);
        world_control(&world, "reset", "{}");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_document_is_signed_after_confirmation_and_verifies, reset),
        cmocka_unit_test_setup(nothing_but_a_signature_with_room_for_it_reaches_the_service, reset),
        cmocka_unit_test_setup(what_the_phone_shows_names_program_and_control_code, reset),
        cmocka_unit_test_setup(every_reading_of_the_documents_leads_to_a_signature, reset),
        cmocka_unit_test_setup(every_form_of_certificate_becomes_the_same_slot, reset),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
