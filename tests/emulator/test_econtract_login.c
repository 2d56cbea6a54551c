/* SPDX-License-Identifier: Apache-2.0 */
/* eContract: who may come in, and what tests may change in it. */
#include <stdio.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "tests/emulator/econtract_client.h"

static void a_user_of_several_companies_chooses_one(void **state)
{
    static const char *const bodies[] = {"{" ECONTRACT_ADMIN ",\"companyId\":2}",
                                         "{" ECONTRACT_ADMIN ",\"companyId\":\"2\"}"};
    struct harness *h = *state;
    char header[ECONTRACT_BEARER_SIZE];

    struct answer choice = harness_ask(h, ECONTRACT_LOGIN_PATH, "{" ECONTRACT_ADMIN "}");

    const cJSON *first = cJSON_GetArrayItem(answer_object(&choice), 0);
    const cJSON *second = cJSON_GetArrayItem(answer_object(&choice), 1);
    econtract_assert_good(&choice);
    assert_int_equal(cJSON_GetArraySize(answer_object(&choice)), 2);
    assert_int_equal(answer_number(first, "id"), 1);
    assert_string_equal(econtract_text(first, "name"), "VNPT IT2");
    assert_int_equal(answer_number(second, "id"), 2);
    assert_string_equal(econtract_text(second, "name"), "VNPT Hà Nội");
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        econtract_log_in(h, bodies[i], header);
        struct answer users = harness_ask_with(h, ECONTRACT_USERS_PATH, NULL, header);
        const cJSON *item = cJSON_GetArrayItem(econtract_member(answer_object(&users), "items"), 0);
        assert_int_equal(answer_number(item, "comId"), 2);
        harness_done(&users);
    }
    harness_done(&choice);
}

static void a_user_of_one_company_gets_a_token_at_once(void **state)
{
    struct harness *h = *state;

    struct answer answer = harness_ask(h, ECONTRACT_LOGIN_PATH, "{" ECONTRACT_SOLO "}");

    const char *token = cJSON_GetStringValue(answer_object(&answer));
    econtract_assert_good(&answer);
    assert_non_null(token);
    assert_int_equal(strncmp(token, "eyJ", 3), 0);
    assert_non_null(strchr(token, '.'));
    assert_ptr_not_equal(strchr(token, '.'), strrchr(token, '.'));
    harness_done(&answer);
}

static void a_login_that_is_not_right_gets_no_token(void **state)
{
    static const char wrong[] = "Tên đăng nhập hoặc mật khẩu không đúng";
    static const char company[] = "Tài khoản không thuộc công ty này";
    struct harness *h = *state;

    econtract_assert_bad(harness_ask(h, ECONTRACT_LOGIN_PATH, "{}"), 401, 401, wrong);
    econtract_assert_bad(
        harness_ask(h, ECONTRACT_LOGIN_PATH, "{\"username\":\"admin\",\"password\":\"x\"}"), 401,
        401, wrong);
    econtract_assert_bad(harness_ask(h, ECONTRACT_LOGIN_PATH,
                                     "{\"username\":\"solo\",\"password\":\"econtract-password\"}"),
                         401, 401, wrong);
    econtract_assert_bad(
        harness_ask(h, ECONTRACT_LOGIN_PATH, "{" ECONTRACT_SOLO ",\"companyId\":2}"), 200, 0,
        company);
    econtract_assert_bad(
        harness_ask(h, ECONTRACT_LOGIN_PATH, "{" ECONTRACT_ADMIN ",\"companyId\":3}"), 200, 0,
        company);
    econtract_assert_bad(
        harness_ask(h, ECONTRACT_LOGIN_PATH, "{" ECONTRACT_ADMIN ",\"companyId\":true}"), 200, 0,
        company);
    econtract_assert_bad(harness_ask(h, ECONTRACT_LOGIN_PATH, "[]"), 400, 0,
                         "BAD_REQUEST: the body is not a JSON object");
    econtract_assert_bad(
        harness_ask_as(h, ECONTRACT_LOGIN_PATH, "{" ECONTRACT_SOLO "}", "text/plain"), 400, 0,
        "BAD_REQUEST: Content-Type is not application/json");
}

static void an_otp_is_asked_for_where_it_is_switched_on(void **state)
{
    struct harness *h = *state;
    char header[ECONTRACT_BEARER_SIZE];
    harness_control(h, "/control/behaviour", "{\"econtract_otp\":true}");

    econtract_assert_bad(harness_ask(h, ECONTRACT_LOGIN_PATH, "{" ECONTRACT_SOLO "}"), 200, 100,
                         "OTP confirmation required");
    econtract_assert_bad(
        harness_ask(h, ECONTRACT_LOGIN_PATH, "{" ECONTRACT_SOLO ",\"otp\":\"000000\"}"), 200, 100,
        "Mã OTP không đúng");
    econtract_assert_bad(
        harness_ask(h, ECONTRACT_LOGIN_PATH,
                    "{\"username\":\"solo\",\"password\":\"x\",\"otp\":\"123456\"}"),
        401, 401, "Tên đăng nhập hoặc mật khẩu không đúng");

    econtract_log_in(h, "{" ECONTRACT_SOLO ",\"otp\":\"123456\"}", header);
}

static void nothing_is_shown_without_a_token_that_lives(void **state)
{
    static const struct {
        const char *path, *body;
    } rows[] = {{ECONTRACT_USERS_PATH, NULL},
                {ECONTRACT_ADD_PATH, "{}"},
                {ECONTRACT_UPDATE_PATH, "{}"},
                {ECONTRACT_DELETE_PATH, "{}"}};
    struct harness *h = *state;
    char header[ECONTRACT_BEARER_SIZE];
    econtract_log_in(h, "{" ECONTRACT_SOLO "}", header);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        harness_control(h, "/control/behaviour", "{\"econtract_token_s\":86400}");
        econtract_assert_bad(harness_ask(h, rows[i].path, rows[i].body), 401, 401,
                             "Unauthenticated");
        econtract_assert_bad(
            harness_ask_with(h, rows[i].path, rows[i].body, "Authorization: Bearer eyJ.a.b"), 401,
            401, "Unauthenticated");
        harness_control(h, "/control/behaviour", "{\"econtract_token_s\":0}");
        econtract_assert_bad(harness_ask_with(h, rows[i].path, rows[i].body, header), 401, 401,
                             "Phiên đăng nhập đã hết hạn");
    }
    harness_control(h, "/control/behaviour", "{\"econtract_token_s\":86400}");
    harness_control(h, "/control/econtract", "{\"forget_tokens\":true}");
    econtract_assert_bad(harness_ask_with(h, ECONTRACT_USERS_PATH, NULL, header), 401, 401,
                         "Unauthenticated");
}

static void faults_speak_as_econtract_does(void **state)
{
    struct harness *h = *state;
    harness_control(h, "/control/fault",
                    "{\"endpoint\":\"econtract\",\"kind\":\"status\",\"status\":502}");
    harness_control(h, "/control/fault", "{\"endpoint\":\"econtract\",\"kind\":\"invalid_utf8\"}");

    econtract_assert_bad(harness_ask(h, ECONTRACT_LOGIN_PATH, "{" ECONTRACT_SOLO "}"), 502, 502,
                         "emulated failure");
    struct answer garbled = harness_ask(h, ECONTRACT_LOGIN_PATH, "{" ECONTRACT_SOLO "}");
    struct answer good = harness_ask(h, ECONTRACT_LOGIN_PATH, "{" ECONTRACT_SOLO "}");

    assert_non_null(strstr((const char *)garbled.body.ptr, "\"messages\":\"\xff"));
    econtract_assert_good(&good);
    assert_int_equal(harness_counter(h, "econtract"), 3);
    harness_done(&garbled);
    harness_done(&good);
}

static void what_is_in_it_can_be_set_and_is_reset(void **state)
{
    struct harness *h = *state;
    struct answer before = harness_ask(h, "/control/econtract", NULL);
    harness_control(h, "/control/econtract",
                    "{\"companies\":[\"Một\",\"Hai\",\"Ba\"],\"users\":40,\"otp\":\"654321\","
                    "\"password\":\"changed\",\"user_id\":39,\"signature_text\":\"Đã ký\"}");
    harness_control(h, "/control/behaviour", "{\"econtract_otp\":true}");

    struct answer choice =
        harness_ask(h, ECONTRACT_LOGIN_PATH,
                    "{\"username\":\"admin\",\"password\":\"changed\",\"otp\":\"654321\"}");
    struct answer shown = harness_ask(h, "/control/econtract", NULL);

    econtract_assert_good(&choice);
    assert_int_equal(cJSON_GetArraySize(answer_object(&choice)), 3);
    assert_int_equal(cJSON_GetArraySize(econtract_member(shown.json, "users")), 40);
    assert_string_equal(
        econtract_text(cJSON_GetArrayItem(econtract_member(shown.json, "users"), 38),
                       "signatureText"),
        "Đã ký");
    harness_control(h, "/control/reset", "");
    struct answer after = harness_ask(h, "/control/econtract", NULL);
    assert_true(cJSON_Compare(before.json, after.json, 1));
    harness_done(&before);
    harness_done(&choice);
    harness_done(&shown);
    harness_done(&after);
}

static void a_control_request_with_a_mistake_is_refused(void **state)
{
    static const char *const bodies[] = {
        "{\"company\":[]}",           "{\"companies\":[]}",
        "{\"companies\":[1]}",        "{\"companies\":\"A\"}",
        "{\"users\":1001}",           "{\"users\":-1}",
        "{\"otp\":123456}",           "{\"forget_tokens\":1}",
        "{\"signature_text\":\"x\"}", "{\"signature_text\":\"x\",\"user_id\":26}",
    };
    struct harness *h = *state;
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct answer answer = harness_ask(h, "/control/econtract", bodies[i]);
        if (answer.status != 400)
            print_error("%s\n", bodies[i]);
        assert_int_equal(answer.status, 400);
        harness_done(&answer);
    }
}

static void the_request_log_has_no_secret(void **state)
{
    struct harness *h = *state;
    char header[ECONTRACT_BEARER_SIZE];
    econtract_log_in(h, "{" ECONTRACT_ADMIN ",\"companyId\":1,\"otp\":\"987654321012345\"}",
                     header);
    struct answer users =
        harness_ask_with(h, ECONTRACT_USERS_PATH "?search=Tr%E1%BA%A7n", NULL, header);

    struct answer log = harness_ask(h, "/control/requests", NULL);

    const char *text = (const char *)log.body.ptr;
    assert_non_null(strstr(text, "\"path\":\"" ECONTRACT_LOGIN_PATH "\""));
    assert_non_null(strstr(text, "\"endpoint\":\"econtract\""));
    assert_null(strstr(text, "econtract-password"));
    assert_null(strstr(text, "987654321012345"));
    assert_null(strstr(text, strrchr(header, '.')));
    assert_null(strstr(text, "eyJ"));
    harness_done(&users);
    harness_done(&log);
}

#define TEST(name) cmocka_unit_test_setup(name, harness_reset)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(a_user_of_several_companies_chooses_one),
        TEST(a_user_of_one_company_gets_a_token_at_once),
        TEST(a_login_that_is_not_right_gets_no_token),
        TEST(an_otp_is_asked_for_where_it_is_switched_on),
        TEST(nothing_is_shown_without_a_token_that_lives),
        TEST(faults_speak_as_econtract_does),
        TEST(what_is_in_it_can_be_set_and_is_reset),
        TEST(a_control_request_with_a_mistake_is_refused),
        TEST(the_request_log_has_no_secret),
    };
    return cmocka_run_group_tests_name("emulator: econtract_login", tests, harness_group_setup,
                                       harness_group_teardown);
}
