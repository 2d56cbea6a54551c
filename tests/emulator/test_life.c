/* SPDX-License-Identifier: Apache-2.0 */
/* An account on its way from VNeID to a certificate that signs, and past it. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "remote/base/cleanup.h"
#include "tests/emulator/harness.h"

#define PERSON    "079000111222"
#define LIST_BODY "{" SP_MEMBERS ",\"user_id\":\"" PERSON "\",\"transaction_id\":\"l\"}"
#define SIGN_BODY(id)                                                                              \
    "{" SP_MEMBERS ",\"user_id\":\"" PERSON "\",\"transaction_id\":\"" id                          \
    "\",\"sign_files\":[" FILE_OF(HASH_32, "d") "]}"

static void set_stage(struct harness *h, const char *stage)
{
    char body[128];
    (void)snprintf(body, sizeof(body), "{\"user_id\":\"" PERSON "\",\"stage\":\"%s\"}", stage);
    harness_control(h, "/control/user", body);
}

static const cJSON *certificates_of(const struct answer *answer)
{
    return cJSON_GetObjectItemCaseSensitive(answer_object(answer), "user_certificates");
}

static const char *text_of(const cJSON *object, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return text ? text : "";
}

static void each_stage_shows_and_signs_what_it_should(void **state)
{
    static const struct {
        const char *stage;
        int listed;
        const char *status, *code;
        int sign_code;
    } rows[] = {
        {"requested", -1, "", "", 401},
        {"account_created", 0, "", "", 403},
        {"package_chosen", 0, "", "", 403},
        {"paid", 0, "", "", 403},
        {"contract_signed", 0, "", "", 403},
        {"approved", 0, "", "", 403},
        {"issued", 1, "Chưa kích hoạt", "NOT_ACTIVATED", 403},
        {"active", 1, "Đang hoạt động", "VALID", 200},
        {"visible", 1, "Đang hoạt động", "VALID", 400}, /* that id is used */
        {"package_used_up", 1, "Đang hoạt động", "VALID", 65000},
        {"expired", 1, "Hết hạn", "EXPIRED", 403},
        {"revoked", 1, "Đã thu hồi", "REVOKED", 403},
    };
    struct harness *h = *state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        set_stage(h, rows[i].stage);

        struct answer list = harness_ask(h, CERTIFICATES_PATH, LIST_BODY);
        struct answer asked = harness_ask(h, SIGN_PATH, SIGN_BODY("life"));
        struct answer shown = harness_ask(h, "/control/users", NULL);

        const cJSON *certificates = certificates_of(&list);
        const cJSON *first = cJSON_GetArrayItem(certificates, 0);
        char stage[64];
        (void)snprintf(stage, sizeof(stage), "\"stage\":\"%s\"", rows[i].stage);
        if (answer_code(&asked) != rows[i].sign_code)
            print_error("%s: %s\n", rows[i].stage, (const char *)asked.body.ptr);
        assert_int_equal(cJSON_IsArray(certificates) ? cJSON_GetArraySize(certificates) : -1,
                         rows[i].listed);
        assert_string_equal(text_of(first, "cert_status"), rows[i].status);
        assert_string_equal(text_of(first, "cert_status_code"), rows[i].code);
        assert_int_equal(answer_code(&asked), rows[i].sign_code);
        assert_non_null(strstr((const char *)shown.body.ptr, stage));
        harness_done(&list);
        harness_done(&asked);
        harness_done(&shown);
    }
}

static void somebody_nobody_knows_is_an_error_or_has_nothing(void **state)
{
    static const char *const bodies[] = {LIST_BODY, "{" SP_MEMBERS
                                                    ",\"user_id\":\"4\",\"transaction_id\":\"l\"}"};
    struct harness *h = *state;
    set_stage(h, "requested");
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        harness_control(h, "/control/behaviour", "{\"unknown_user\":\"error\"}");
        struct answer refused = harness_ask(h, CERTIFICATES_PATH, bodies[i]);
        harness_control(h, "/control/behaviour", "{\"unknown_user\":\"empty\"}");
        struct answer empty = harness_ask(h, CERTIFICATES_PATH, bodies[i]);

        assert_int_equal(refused.status, 401);
        assert_string_equal(answer_message(&refused), "SP_CREDENTIAL_INVALID: user not found");
        assert_int_equal(empty.status, 200);
        assert_true(cJSON_IsArray(certificates_of(&empty)));
        assert_int_equal(cJSON_GetArraySize(certificates_of(&empty)), 0);
        harness_done(&refused);
        harness_done(&empty);
    }
}

static void a_used_up_package_may_refuse_the_list_too(void **state)
{
    struct harness *h = *state;
    set_stage(h, "package_used_up");
    harness_control(h, "/control/behaviour", "{\"used_up_refuses_list\":true}");

    struct answer answer = harness_ask(h, CERTIFICATES_PATH, LIST_BODY);

    assert_int_equal(answer_code(&answer), 65000);
    assert_null(certificates_of(&answer));
    harness_done(&answer);
}

static void an_expired_certificate_is_past_its_own_time(void **state)
{
    struct harness *h = *state;
    char now[32];
    char valid_to[64];
    time_t seconds = time(NULL);
    struct tm parts;
    assert_non_null(gmtime_r(&seconds, &parts));
    assert_true(strftime(now, sizeof(now), "%Y-%m-%dT%H:%M:%SZ", &parts) > 0);

    set_stage(h, "expired");
    harness_certificate_text(h, PERSON, "valid_to", valid_to, sizeof(valid_to));
    assert_true(strcmp(valid_to, now) < 0);

    set_stage(h, "active");
    struct answer list = harness_ask(h, CERTIFICATES_PATH, LIST_BODY);
    harness_certificate_text(h, PERSON, "valid_to", valid_to, sizeof(valid_to));
    assert_true(strcmp(valid_to, now) > 0);
    assert_int_equal(cJSON_GetArraySize(certificates_of(&list)), 1);
    harness_done(&list);
}

static void a_certificate_keeps_its_serial_on_the_way(void **state)
{
    static const char *const stages[] = {"issued", "active", "package_used_up", "revoked"};
    struct harness *h = *state;
    char first[64];
    char now[64];
    set_stage(h, "requested");
    harness_certificate_text(h, PERSON, "serial_number", first, sizeof(first));
    for (size_t i = 0; i < ARRAY_LEN(stages); i++) {
        set_stage(h, stages[i]);
        harness_certificate_text(h, PERSON, "serial_number", now, sizeof(now));
        assert_string_equal(now, first);
    }
}

static void somebody_new_may_start_at_any_stage(void **state)
{
    static const char list[] = "{" SP_MEMBERS ",\"user_id\":\"555666\",\"transaction_id\":\"l\"}";
    struct harness *h = *state;
    harness_control(h, "/control/user",
                    "{\"user_id\":\"555666\",\"stage\":\"paid\",\"add_certificates\":0}");
    struct answer before = harness_ask(h, CERTIFICATES_PATH, list);

    harness_control(h, "/control/user",
                    "{\"user_id\":\"555666\",\"stage\":\"issued\",\"add_certificates\":1}");

    struct answer after = harness_ask(h, CERTIFICATES_PATH, list);
    assert_int_equal(before.status, 200);
    assert_int_equal(cJSON_GetArraySize(certificates_of(&before)), 0);
    assert_int_equal(cJSON_GetArraySize(certificates_of(&after)), 1);
    harness_done(&before);
    harness_done(&after);
}

static void a_stage_that_is_none_changes_nothing(void **state)
{
    struct harness *h = *state;
    struct answer before = harness_ask(h, "/control/users", NULL);

    struct answer refused =
        harness_ask(h, "/control/user", "{\"user_id\":\"" PERSON "\",\"stage\":\"dreaming\"}");
    struct answer number =
        harness_ask(h, "/control/user", "{\"user_id\":\"" PERSON "\",\"stage\":3}");

    struct answer after = harness_ask(h, "/control/users", NULL);
    assert_int_equal(refused.status, 400);
    assert_int_equal(number.status, 400);
    assert_true(cJSON_Compare(before.json, after.json, 1));
    harness_done(&before);
    harness_done(&refused);
    harness_done(&number);
    harness_done(&after);
}

static void a_reset_makes_everybody_active(void **state)
{
    struct harness *h = *state;
    set_stage(h, "revoked");

    harness_control(h, "/control/reset", "");

    struct answer asked = harness_ask(h, SIGN_PATH, SIGN_BODY("after-reset"));
    assert_int_equal(asked.status, 200);
    harness_done(&asked);
}

/* The person stays for all tests. */
static int group_setup(void **state)
{
    int result = harness_group_setup(state);
    harness_control(*state, "/control/user",
                    "{\"user_id\":\"" PERSON "\",\"name\":\"Phạm Minh Sống\"}");
    return result;
}

#define TEST(name) cmocka_unit_test_setup(name, harness_reset)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(each_stage_shows_and_signs_what_it_should),
        TEST(somebody_nobody_knows_is_an_error_or_has_nothing),
        TEST(a_used_up_package_may_refuse_the_list_too),
        TEST(an_expired_certificate_is_past_its_own_time),
        TEST(a_certificate_keeps_its_serial_on_the_way),
        TEST(somebody_new_may_start_at_any_stage),
        TEST(a_stage_that_is_none_changes_nothing),
        TEST(a_reset_makes_everybody_active),
    };
    return cmocka_run_group_tests_name("emulator: life", tests, group_setup,
                                       harness_group_teardown);
}
