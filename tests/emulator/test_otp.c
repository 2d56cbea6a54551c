/* SPDX-License-Identifier: Apache-2.0 */
/* One-time passwords, and the person's other secrets. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "remote/base/cleanup.h"
#include "tests/emulator/otp.h"
#include "tests/emulator/v2_client.h"

static void the_codes_are_those_of_the_standard(void **state)
{
    /* RFC 6238 appendix B, the last six of its eight digits. */
    static const struct {
        int64_t time;
        const char *code;
    } rows[] = {{59, "287082"},         {1111111109, "081804"}, {1111111111, "050471"},
                {1234567890, "005924"}, {2000000000, "279037"}, {20000000000, "353130"}};
    struct otp otp;
    char code[OTP_LEN + 1];
    (void)state;
    otp_reset(&otp, "1");
    assert_true(otp_set_secret(&otp, "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA="));

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        otp_show(&otp, rows[i].time, 0, code);
        assert_string_equal(code, rows[i].code);
    }
    assert_int_equal(otp_seconds_left(&otp, 59), 1);
    assert_false(otp_set_secret(&otp, "not base64!"));
    assert_false(otp_set_secret(&otp, ""));
}

static void an_otp_is_taken_once_unless_told_otherwise(void **state)
{
    struct harness *h = *state;
    char otp[8];
    harness_control(h, "/control/user", "{\"user_id\":\"" HARNESS_USER "\",\"totp_period\":3600}");
    harness_otp(h, HARNESS_USER, 0, otp);
    struct answer first = v2_sign(h, (struct v2_ask){.id = "o-1", .otp = otp});
    assert_int_equal(first.status, 200);
    harness_done(&first);

    v2_assert_refused(v2_sign(h, (struct v2_ask){.id = "o-2", .otp = otp}), 400, 1003,
                      "otp already used");
    harness_control(h, "/control/behaviour", "{\"otp_wrong_code\":401}");
    v2_assert_refused(v2_sign(h, (struct v2_ask){.id = "o-2", .otp = otp}), 401, 401,
                      "otp already used");

    harness_control(h, "/control/behaviour", "{\"otp_reuse\":\"allow\"}");
    struct answer again = v2_sign(h, (struct v2_ask){.id = "o-2", .otp = otp});
    assert_int_equal(again.status, 200);
    harness_done(&again);
}

static void a_wrong_password_does_not_use_up_the_otp(void **state)
{
    struct harness *h = *state;
    char otp[8];
    harness_otp(h, HARNESS_USER, 0, otp);

    v2_assert_refused(v2_sign(h, (struct v2_ask){.id = "w", .otp = otp, .password = "wrong"}), 401,
                      401, "user password invalid");

    struct answer answer = v2_sign(h, (struct v2_ask){.id = "w", .otp = otp});
    assert_int_equal(answer.status, 200);
    harness_done(&answer);
}

static void codes_of_neighbouring_steps_are_taken_as_far_as_told(void **state)
{
    static const struct {
        const char *behaviour;
        int steps;
        long status;
    } rows[] = {
        {"{\"otp_steps\":1}", -1, 200}, {"{\"otp_steps\":1}", 1, 200},
        {"{\"otp_steps\":1}", -2, 400}, {"{\"otp_steps\":1}", 2, 400},
        {"{\"otp_steps\":0}", 1, 400},  {"{\"otp_steps\":5}", -5, 200},
    };
    struct harness *h = *state;
    /* so long that no step ends while a row is tried */
    harness_control(h, "/control/user", "{\"user_id\":\"" HARNESS_USER "\",\"totp_period\":3600}");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char otp[8];
        char id[16];
        harness_control(h, "/control/behaviour", rows[i].behaviour);
        harness_otp(h, HARNESS_USER, rows[i].steps, otp);
        (void)snprintf(id, sizeof(id), "n-%zu", i);

        struct answer answer = v2_sign(h, (struct v2_ask){.id = id, .otp = otp});

        if (answer.status != rows[i].status)
            print_error("row %zu\n", i);
        assert_int_equal(answer.status, rows[i].status);
        harness_done(&answer);
    }
}

static size_t find_date(char *line, size_t size, size_t count, void *context)
{
    size_t len = size * count;
    if (len > 6 && strncmp(line, "Date: ", 6) == 0)
        (void)snprintf(context, 64, "%.*s", (int)(len - 8), line + 6);
    return len;
}

static void the_services_clock_can_be_off_and_its_date_says_so(void **state)
{
    struct harness *h = *state;
    char true_otp[8];
    char date[64] = "";
    harness_otp(h, HARNESS_USER, 0, true_otp);
    harness_control(h, "/control/behaviour", "{\"otp_offset_s\":-300}");

    v2_assert_refused(v2_sign(h, (struct v2_ask){.id = "c", .otp = true_otp}), 400, 1003,
                      "otp invalid");
    (void)curl_easy_setopt(h->curl, CURLOPT_HEADERFUNCTION, find_date);
    (void)curl_easy_setopt(h->curl, CURLOPT_HEADERDATA, date);
    struct answer answer = v2_sign(h, (struct v2_ask){.id = "c"});
    (void)curl_easy_setopt(h->curl, CURLOPT_HEADERFUNCTION, NULL);
    (void)curl_easy_setopt(h->curl, CURLOPT_HEADERDATA, NULL);

    time_t now = time(NULL);
    time_t told = curl_getdate(date, NULL);
    assert_int_equal(answer.status, 200);
    assert_in_range(now - told, 299, 330);
    harness_done(&answer);
}

static void a_persons_secrets_can_be_set_and_are_reset(void **state)
{
    struct harness *h = *state;
    struct answer before = harness_ask(h, "/control/users", NULL);

    harness_control(h, "/control/user",
                    "{\"user_id\":\"" HARNESS_USER "\",\"password\":\"new\",\"totp_secret\":"
                    "\"MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=\",\"totp_period\":60,\"business\":true}");

    struct answer changed = harness_ask(h, "/control/users", NULL);
    const char *text = (const char *)changed.body.ptr;
    struct answer answer = v2_sign(h, (struct v2_ask){.id = "p", .password = "new"});
    assert_int_equal(answer.status, 200);
    assert_non_null(strstr(text, "\"password\":\"new\""));
    assert_non_null(strstr(text, "\"totp_secret\":\"MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=\""));
    assert_non_null(strstr(text, "\"totp_period\":60"));
    assert_non_null(strstr(text, "\"business\":true"));
    harness_control(h, "/control/reset", "");
    struct answer after = harness_ask(h, "/control/users", NULL);
    assert_true(cJSON_Compare(before.json, after.json, 1));
    harness_done(&before);
    harness_done(&changed);
    harness_done(&answer);
    harness_done(&after);
}

static void a_control_request_with_a_mistake_is_refused(void **state)
{
    static const struct {
        const char *path, *body;
    } rows[] = {
        {"/control/user", "{\"user_id\":\"" HARNESS_USER "\",\"password\":1}"},
        {"/control/user", "{\"user_id\":\"" HARNESS_USER "\",\"totp_secret\":\"not base64!\"}"},
        {"/control/user", "{\"user_id\":\"" HARNESS_USER "\",\"totp_secret\":\"\"}"},
        {"/control/user", "{\"user_id\":\"" HARNESS_USER "\",\"totp_period\":0}"},
        {"/control/user", "{\"user_id\":\"" HARNESS_USER "\",\"business\":\"yes\"}"},
        {"/control/behaviour", "{\"otp_offset_s\":-1000001}"},
        {"/control/behaviour", "{\"otp_reuse\":\"never\"}"},
        {"/control/fault", "{\"kind\":\"swap\",\"endpoint\":\"sign2\"}"},
        {"/control/otp", NULL},
        {"/control/otp?user_id=4", NULL},
    };
    struct harness *h = *state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct answer answer = harness_ask(h, rows[i].path, rows[i].body);

        if (answer.status != 400)
            print_error("row %zu\n", i);
        assert_int_equal(answer.status, 400);
        assert_non_null(cJSON_GetObjectItemCaseSensitive(answer.json, "error"));
        harness_done(&answer);
    }
}

#define TEST(name) cmocka_unit_test_setup(name, harness_reset)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(the_codes_are_those_of_the_standard),
        TEST(an_otp_is_taken_once_unless_told_otherwise),
        TEST(a_wrong_password_does_not_use_up_the_otp),
        TEST(codes_of_neighbouring_steps_are_taken_as_far_as_told),
        TEST(the_services_clock_can_be_off_and_its_date_says_so),
        TEST(a_persons_secrets_can_be_set_and_are_reset),
        TEST(a_control_request_with_a_mistake_is_refused),
    };
    return cmocka_run_group_tests_name("emulator: otp", tests, harness_group_setup,
                                       harness_group_teardown);
}
