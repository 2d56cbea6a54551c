/* SPDX-License-Identifier: Apache-2.0 */
/* The code that smartca-pkcs11(7) gives each outcome, against the emulated service. */
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
    world_start(&world, NULL,
                "poll_interval = 0.05\nconfirm_timeout = 3\nrequest_timeout = 1\n"
                "connect_timeout = 2\n");
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

/* What the service is told to do, and what the application gets. pushes: transactions accepted. */
static const struct outcome {
    const char *path;
    const char *json;
    CK_RV rv;
    unsigned pushes;
} outcomes[] = {
    {"phone", "{\"action\":\"reject\"}", CKR_FUNCTION_REJECTED, 1},
    {"phone", "{\"action\":\"expire\"}", CKR_FUNCTION_FAILED, 1},
    {"phone", "{\"action\":\"never\"}", CKR_FUNCTION_FAILED, 1},
    {"phone", "{\"action\":\"fail\"}", CKR_DEVICE_ERROR, 1},
    {"fault", "{\"endpoint\":\"sign\",\"kind\":\"status\",\"status\":401}", CKR_DEVICE_ERROR, 0},
    {"fault", "{\"endpoint\":\"sign\",\"kind\":\"status\",\"status\":403}",
     CKR_KEY_FUNCTION_NOT_PERMITTED, 0},
    {"fault", "{\"endpoint\":\"sign\",\"kind\":\"status\",\"status\":200,\"code\":65000}",
     CKR_TOKEN_RESOURCE_EXCEEDED, 0},
    {"fault", "{\"endpoint\":\"sign\",\"kind\":\"status\",\"status\":400}", CKR_DEVICE_ERROR, 0},
    {"fault", "{\"endpoint\":\"sign\",\"kind\":\"redirect\"}", CKR_DEVICE_ERROR, 0},
    {"fault", "{\"endpoint\":\"sign\",\"kind\":\"reset_before\"}", CKR_DEVICE_ERROR, 0},
    {"fault", "{\"endpoint\":\"status\",\"kind\":\"other_hash\"}", CKR_DEVICE_ERROR, 1},
    /* Several: making the other key may take the emulator longer than the client waits. */
    {"fault", "{\"endpoint\":\"status\",\"kind\":\"other_key\",\"count\":9}", CKR_DEVICE_ERROR, 1},
    {"fault", "{\"endpoint\":\"status\",\"kind\":\"status\",\"status\":403}",
     CKR_KEY_FUNCTION_NOT_PERMITTED, 1},
    /* An answer that cannot be read, after the service took the request: its id is asked for. */
    {"fault", "{\"endpoint\":\"sign\",\"kind\":\"drop_reply\"}", CKR_OK, 1},
    {"fault", "{\"endpoint\":\"sign\",\"kind\":\"bad_json\"}", CKR_OK, 1},
    {"fault", "{\"endpoint\":\"sign\",\"kind\":\"deep_json\"}", CKR_OK, 1},
    {"fault", "{\"endpoint\":\"sign\",\"kind\":\"invalid_utf8\"}", CKR_OK, 1},
    {"fault", "{\"endpoint\":\"sign\",\"kind\":\"truncated\"}", CKR_OK, 1},
    {"fault", "{\"endpoint\":\"sign\",\"kind\":\"huge\"}", CKR_OK, 1},
    {"fault", "{\"endpoint\":\"sign\",\"kind\":\"gzip\"}", CKR_OK, 1},
    {"fault", "{\"endpoint\":\"sign\",\"kind\":\"status\",\"status\":500,\"processed\":true}",
     CKR_OK, 1},
    {"fault", "{\"endpoint\":\"sign\",\"kind\":\"status\",\"status\":429,\"retry_after\":0}",
     CKR_OK, 1},
    /* Trouble while polling is waited out. */
    {"fault", "{\"endpoint\":\"status\",\"kind\":\"status\",\"status\":500,\"count\":2}", CKR_OK,
     1},
    {"fault", "{\"endpoint\":\"status\",\"kind\":\"reset_before\"}", CKR_OK, 1},
    {"fault", "{\"endpoint\":\"status\",\"kind\":\"drop_reply\"}", CKR_OK, 1},
    {"fault", "{\"endpoint\":\"status\",\"kind\":\"hang\"}", CKR_OK, 1},
    {"fault", "{\"endpoint\":\"status\",\"kind\":\"trickle\"}", CKR_OK, 1},
    {"fault", "{\"endpoint\":\"status\",\"kind\":\"missing_signature\"}", CKR_OK, 1},
    {"fault", "{\"endpoint\":\"status\",\"kind\":\"wrong_id\"}", CKR_OK, 1},
    {"fault", "{\"endpoint\":\"status\",\"kind\":\"duplicate\"}", CKR_OK, 1},
};

static void every_outcome_has_its_code_and_at_most_one_push(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(outcomes); i++) {
        const struct outcome *row = &outcomes[i];
        CK_BYTE signature[256] = {0};
        static const CK_BYTE untouched[256];
        char text[32];
        (void)reset(state);
        (void)snprintf(text, sizeof(text), "outcome %zu", i);
        world_control(&world, row->path, row->json);
        CK_SESSION_HANDLE session = world_session(&world, NULL, NULL);

        CK_RV rv = world_sign(&world, session, text, signature);

        unsigned pushes = world_transactions(&world);
        if (rv != row->rv || pushes != row->pushes)
            fail_msg("%s %s: 0x%lx with %u pushes, not 0x%lx with %u", row->path, row->json, rv,
                     pushes, row->rv, row->pushes);
        if (rv == CKR_OK)
            assert_true(world_verifies(&world, session, text, signature));
        else
            assert_memory_equal(signature, untouched, sizeof(signature));
        assert_int_equal(world.p11->C_CloseSession(session), CKR_OK);
    }
}

static void the_device_error_is_the_services_own_code(void **state)
{
    (void)state;
    CK_BYTE signature[256];
    CK_SESSION_INFO info;
    CK_SESSION_HANDLE session = world_session(&world, NULL, NULL);
    world_control(&world, "fault",
                  "{\"endpoint\":\"sign\",\"kind\":\"status\",\"status\":200,\"code\":65000}");

    assert_int_equal(world_sign(&world, session, "a", signature), CKR_TOKEN_RESOURCE_EXCEEDED);
    assert_int_equal(world.p11->C_GetSessionInfo(session, &info), CKR_OK);
    assert_int_equal(info.ulDeviceError, 65000);

    assert_int_equal(world_sign(&world, session, "b", signature), CKR_OK);
    assert_int_equal(world.p11->C_GetSessionInfo(session, &info), CKR_OK);
    assert_int_equal(info.ulDeviceError, 0);
    assert_int_equal(world.p11->C_CloseSession(session), CKR_OK);
}

static void a_digest_that_the_service_cannot_sign_is_refused_here(void **state)
{
    (void)state;
    static const struct {
        CK_ULONG len;
        CK_RV rv;
    } rows[] = {{32, CKR_DATA_INVALID}, {36, CKR_DATA_INVALID}, {246, CKR_DATA_LEN_RANGE}};
    CK_BYTE data[256] = {0};
    CK_MECHANISM mechanism = {CKM_RSA_PKCS, NULL, 0};
    CK_SESSION_HANDLE session = world_session(&world, NULL, NULL);
    CK_OBJECT_HANDLE key = world_key(&world, session, CKO_PRIVATE_KEY);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CK_BYTE signature[256];
        CK_ULONG len = sizeof(signature);
        assert_int_equal(world.p11->C_SignInit(session, &mechanism, key), CKR_OK);
        assert_int_equal(world.p11->C_Sign(session, data, rows[i].len, signature, &len),
                         rows[i].rv);
    }

    assert_int_equal(world_requests(&world, "sign"), 0);
    assert_int_equal(world.p11->C_CloseSession(session), CKR_OK);
}

static void no_secret_is_in_the_log(void **state)
{
    (void)state;
    char path[96];
    char line[2048];
    (void)snprintf(path, sizeof(path), "%s/log", world.folder);
    FILE *log = fopen(path, "re");
    assert_non_null(log);
    unsigned lines = 0;

    for (; fgets(line, sizeof(line), log); lines++) {
        assert_null(strstr(line, "test-password"));
        assert_null(strstr(line, "012345678901"));
    }

    fclose(log);
    assert_true(lines > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_outcome_has_its_code_and_at_most_one_push),
        cmocka_unit_test_setup(the_device_error_is_the_services_own_code, reset),
        cmocka_unit_test_setup(a_digest_that_the_service_cannot_sign_is_refused_here, reset),
        cmocka_unit_test(no_secret_is_in_the_log),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
