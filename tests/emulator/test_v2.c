/* SPDX-License-Identifier: Apache-2.0 */
/* Signing with password and one-time password, without the phone. */
#include <stdio.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "tests/emulator/v2_client.h"
#include "tests/emulator/verify.h"

#define OTHER_USER "999000111222"
#define WRONG_OTP  "987654321012345"

static void password_and_otp_sign_without_the_phone(void **state)
{
    struct harness *h = *state;

    struct answer asked = v2_sign(h, (struct v2_ask){.id = "a"});
    struct answer answer = v2_confirm(h, "a", answer_data(&asked, "sad"));

    const char *sad = answer_data(&asked, "sad");
    assert_int_equal(asked.status, 200);
    assert_string_equal(answer_message(&asked), "sig_wait_for_user_confirm");
    assert_string_equal(answer_data(&asked, "transaction_id"), "a");
    assert_int_equal(strlen(answer_data(&asked, "tran_code")), 36);
    assert_int_equal(answer_number(answer_object(&asked), "expired_in"), 299);
    assert_int_equal(strncmp(sad, "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.", 37), 0);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer_message(&answer), "Success");
    assert_string_equal(answer_data(&answer, "transaction_id"), "a");
    assert_in_range(answer_number(answer_object(&answer), "expired_in"), 280, 299);
    assert_string_equal(answer_signature(&answer, "doc_id"), "d-1");
    assert_true(verify_pkcs1(h, HASH_32, answer_signature(&answer, "signature_value")));
    assert_int_equal(harness_counter(h, "pushes"), 0);
    assert_int_equal(harness_counter(h, "sign2"), 1);
    assert_int_equal(harness_counter(h, "confirm"), 1);
    harness_done(&asked);
    harness_done(&answer);
}

static void one_otp_signs_a_whole_batch(void **state)
{
    static const char *const hashes[] = {HASH_32, HASH_32B};
    struct harness *h = *state;

    struct answer asked = v2_sign(
        h, (struct v2_ask){.id = "b",
                           .files = "[" FILE_OF(HASH_32, "d-1") "," FILE_OF(HASH_32B, "d-2") "]"});
    struct answer answer = v2_confirm(h, "b", answer_data(&asked, "sad"));

    const cJSON *list = cJSON_GetObjectItemCaseSensitive(answer_object(&answer), "signatures");
    assert_int_equal(cJSON_GetArraySize(list), 2);
    for (int i = 0; i < 2; i++) {
        const cJSON *item = cJSON_GetArrayItem(list, i);
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(item, "signature_value");
        assert_true(verify_pkcs1(h, hashes[i], cJSON_GetStringValue(value)));
    }
    harness_done(&asked);
    harness_done(&answer);
}

static void a_bad_sign_request_is_refused_and_leaves_no_transaction(void **state)
{
    static const struct {
        struct v2_ask ask;
        long status;
        int code;
        const char *message;
    } rows[] = {
        {{.id = ""}, 400, 400, "BAD_REQUEST: transaction_id is required"},
        {{.id = "r", .password = ""}, 400, 400, "BAD_REQUEST: password is required"},
        {{.id = "r", .otp = ""}, 400, 400, "BAD_REQUEST: otp is required"},
        {{.id = "r", .serial = ""}, 400, 400, "BAD_REQUEST: serial_number is required"},
        {{.id = "r", .files = "[]"}, 400, 400, "BAD_REQUEST: sign_files is required"},
        {{.id = "r", .user = "4", .otp = "123456", .serial = "54"},
         401,
         401,
         "SP_CREDENTIAL_INVALID: user not found"},
        {{.id = "r", .password = "wrong"}, 401, 401, "user password invalid"},
        {{.id = "r", .otp = "12345"}, 400, 1003, "otp invalid"},
        {{.id = "r", .otp = "1234567"}, 400, 1003, "otp invalid"},
        {{.id = "r", .serial = "5401"},
         403,
         403,
         "CREDENTIAL_STATUS_INVALID: no such certificate of this user"},
    };
    struct harness *h = *state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        v2_assert_refused(v2_sign(h, rows[i].ask), rows[i].status, rows[i].code, rows[i].message);

    struct answer get = harness_ask(h, V2_SIGN_PATH, NULL);
    assert_int_equal(get.status, 405);
    assert_int_equal(harness_counter(h, "transactions"), 0);
    harness_done(&get);
}

static void a_confirmation_lacks_nothing(void **state)
{
#define ALL_BUT(name, rest) "{" rest "}", "BAD_REQUEST: " name " is required"
#define CONFIRM_REST        ",\"user_id\":\"" HARNESS_USER "\""
    static const struct {
        const char *body, *message;
    } rows[] = {
        {ALL_BUT("sp_id", "\"sp_password\":\"test-password\"")},
        {ALL_BUT("user_id", SP_MEMBERS)},
        {ALL_BUT("password", SP_MEMBERS CONFIRM_REST)},
        {ALL_BUT("sad", SP_MEMBERS CONFIRM_REST ",\"password\":\"user-password\"")},
        {ALL_BUT("transaction_id",
                 SP_MEMBERS CONFIRM_REST ",\"password\":\"user-password\",\"sad\":\"x\"")},
    };
    struct harness *h = *state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        v2_assert_refused(harness_ask(h, V2_CONFIRM_PATH, rows[i].body), 400, 400, rows[i].message);

    struct answer get = harness_ask(h, V2_CONFIRM_PATH, NULL);
    assert_int_equal(get.status, 405);
    harness_done(&get);
}

static void a_sad_is_good_for_its_own_transaction_in_time(void **state)
{
    struct harness *h = *state;
    char sad_a[V2_SAD_SIZE];
    char sad_b[V2_SAD_SIZE];
    v2_begin(h, "s-a", sad_a);
    v2_begin(h, "s-b", sad_b);

    v2_assert_refused(v2_confirm(h, "s-a", sad_b), 401, 401, "sad invalid");
    v2_assert_refused(v2_confirm(h, "s-a", "eyJ.x.y"), 401, 401, "sad invalid");
    v2_assert_refused(v2_confirm(h, "s-unknown", sad_a), 404, 404, "Transaction not found");
    harness_control(h, "/control/behaviour", "{\"sad_lifetime_s\":0}");
    v2_assert_refused(v2_confirm(h, "s-a", sad_a), 401, 401, "sad expired");
    harness_control(h, "/control/behaviour", "{\"sad_lifetime_s\":299}");

    struct answer answer = v2_confirm(h, "s-a", sad_a);
    assert_int_equal(answer.status, 200);
    harness_done(&answer);
}

static void a_transaction_is_confirmed_by_its_own_user_and_password(void **state)
{
    struct harness *h = *state;
    char sad[V2_SAD_SIZE];
    harness_control(h, "/control/user", "{\"user_id\":\"" OTHER_USER "\"}");
    v2_begin(h, "mine", sad);

    v2_assert_refused(v2_confirm_as(h, OTHER_USER, "mine", sad), 404, 404, "Transaction not found");
    v2_assert_refused(v2_confirm_as(h, "4", "mine", sad), 401, 401,
                      "SP_CREDENTIAL_INVALID: user not found");
    harness_control(h, "/control/user",
                    "{\"user_id\":\"" HARNESS_USER "\",\"password\":\"changed\"}");
    v2_assert_refused(v2_confirm(h, "mine", sad), 401, 401, "user password invalid");
}

static void a_lost_confirmation_is_found_by_status(void **state)
{
    struct harness *h = *state;
    char sad[V2_SAD_SIZE];
    v2_begin(h, "lost", sad);
    struct answer before = harness_status(h, "lost");
    harness_control(h, "/control/fault", "{\"endpoint\":\"confirm\",\"kind\":\"drop_reply\"}");

    struct answer lost = v2_confirm_alone(h, "lost", sad);

    struct answer after = harness_status(h, "lost");
    assert_string_equal(answer_message(&before), "sig_wait_for_user_confirm");
    assert_int_not_equal(lost.result, CURLE_OK);
    assert_string_equal(answer_message(&after), "SUCCESS");
    assert_true(verify_pkcs1(h, HASH_32, answer_signature(&after, "signature_value")));
    harness_done(&before);
    harness_done(&lost);
    harness_done(&after);
}

static void an_unconfirmed_transaction_expires(void **state)
{
    struct harness *h = *state;
    char sad[V2_SAD_SIZE];
    harness_control(h, "/control/behaviour", "{\"lifetime_s\":0}");
    v2_begin(h, "old", sad);

    v2_assert_refused(v2_confirm(h, "old", sad), 200, 200, "EXPIRED");
    v2_assert_refused(harness_status(h, "old"), 200, 200, "EXPIRED");
}

static void a_second_confirmation_gets_the_same_signatures_or_an_error(void **state)
{
    struct harness *h = *state;
    char sad[V2_SAD_SIZE];
    v2_begin(h, "again", sad);
    struct answer first = v2_confirm(h, "again", sad);

    struct answer second = v2_confirm(h, "again", sad);

    assert_string_equal(answer_signature(&first, "signature_value"),
                        answer_signature(&second, "signature_value"));
    harness_control(h, "/control/behaviour", "{\"confirm_again\":\"error\"}");
    v2_assert_refused(v2_confirm(h, "again", sad), 400, 400, "Transaction was confirmed already");
    struct answer shown = harness_ask(h, "/control/transactions", NULL);
    const cJSON *item = cJSON_GetArrayItem(shown.json, 0);
    assert_int_equal(cJSON_GetArraySize(shown.json), 1);
    assert_int_equal(answer_number(item, "confirms"), 2);
    assert_int_equal(answer_number(item, "version"), 2);
    assert_int_equal(answer_number(item, "pushes"), 0);
    harness_done(&first);
    harness_done(&second);
    harness_done(&shown);
}

static void a_known_id_is_an_error_or_gets_another_sad(void **state)
{
    struct harness *h = *state;
    char sad[V2_SAD_SIZE];
    v2_begin(h, "known", sad);

    v2_assert_refused(v2_sign(h, (struct v2_ask){.id = "known"}), 400, 400, "Transaction exist");
    harness_control(h, "/control/behaviour", "{\"v2_exists\":\"sad\"}");
    v2_assert_refused(v2_sign(h, (struct v2_ask){.id = "known", .otp = "1"}), 400, 1003,
                      "otp invalid");
    v2_assert_refused(
        v2_sign(h, (struct v2_ask){.id = "known", .files = "[" FILE_OF(HASH_32B, "d-1") "]"}), 400,
        400, "Transaction exist");
    struct answer answer = v2_sign(h, (struct v2_ask){.id = "known"});

    assert_int_equal(answer.status, 200);
    assert_string_not_equal(answer_data(&answer, "sad"), sad);
    v2_assert_refused(v2_confirm(h, "known", sad), 401, 401, "sad invalid");
    struct answer confirmed = v2_confirm(h, "known", answer_data(&answer, "sad"));
    assert_true(verify_pkcs1(h, HASH_32, answer_signature(&confirmed, "signature_value")));
    v2_assert_refused(v2_sign(h, (struct v2_ask){.id = "known"}), 400, 400, "Transaction exist");
    assert_int_equal(harness_counter(h, "transactions"), 1);
    harness_done(&answer);
    harness_done(&confirmed);
}

static void the_two_versions_share_their_ids(void **state)
{
    struct harness *h = *state;
    char sad[V2_SAD_SIZE];
    char body[1024];
    v2_begin(h, "shared", sad);
    harness_sign_body(body, sizeof(body), "shared", V2_ONE_FILE);

    v2_assert_refused(harness_ask(h, SIGN_PATH, body), 400, 400, "Transaction exist");
    harness_sign(h, "of-v1");
    harness_control(h, "/control/behaviour", "{\"v2_exists\":\"sad\"}");
    v2_assert_refused(v2_sign(h, (struct v2_ask){.id = "of-v1"}), 400, 400, "Transaction exist");
    v2_assert_refused(v2_confirm(h, "of-v1", "x"), 401, 401, "sad invalid");
}

static void without_a_sad_it_is_the_phones_turn(void **state)
{
    struct harness *h = *state;
    harness_control(h, "/control/behaviour", "{\"v2_no_sad\":true}");
    harness_control(h, "/control/phone", "{\"action\":\"approve\",\"after_polls\":1}");

    struct answer asked = v2_sign(h, (struct v2_ask){.id = "phone"});

    struct answer waiting = harness_status(h, "phone");
    struct answer answer = harness_status(h, "phone");
    assert_int_equal(asked.status, 200);
    assert_null(answer_data(&asked, "sad"));
    assert_int_equal(harness_counter(h, "pushes"), 1);
    assert_string_equal(answer_message(&waiting), "sig_wait_for_user_confirm");
    assert_true(verify_pkcs1(h, HASH_32, answer_signature(&answer, "signature_value")));
    harness_done(&asked);
    harness_done(&waiting);
    harness_done(&answer);
}

static void an_unusable_certificate_neither_starts_nor_ends_a_transaction(void **state)
{
    static const struct {
        const char *change, *message;
        long status;
        int code;
    } rows[] = {
        {"{\"user_id\":\"" HARNESS_USER "\",\"status\":\"revoked\"}", "CREDENTIAL_STATUS_INVALID",
         403, 403},
        {"{\"user_id\":\"" HARNESS_USER "\",\"package_used_up\":true}",
         "Gói dịch vụ đã hết lượt ký", 400, 65000},
    };
    struct harness *h = *state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char sad[V2_SAD_SIZE];
        harness_control(h, "/control/reset", "");
        v2_begin(h, "begun", sad);
        harness_control(h, "/control/user", rows[i].change);

        v2_assert_refused(v2_confirm(h, "begun", sad), rows[i].status, rows[i].code,
                          rows[i].message);
        v2_assert_refused(v2_sign(h, (struct v2_ask){.id = "new"}), rows[i].status, rows[i].code,
                          rows[i].message);
        assert_int_equal(harness_counter(h, "transactions"), 1);
    }
}

static void the_id_that_sign_showed_is_good_for_confirm(void **state)
{
    struct harness *h = *state;
    harness_control(h, "/control/behaviour", "{\"reply_transaction_id\":\"other\"}");
    struct answer asked = v2_sign(h, (struct v2_ask){.id = "own"});
    const char *shown = answer_data(&asked, "transaction_id");

    struct answer by_shown = v2_confirm(h, shown, answer_data(&asked, "sad"));
    struct answer by_own = v2_confirm(h, "own", answer_data(&asked, "sad"));

    assert_string_not_equal(shown, "own");
    assert_string_equal(answer_data(&by_shown, "transaction_id"), shown);
    assert_true(cJSON_Compare(by_shown.json, by_own.json, 1));
    harness_done(&asked);
    harness_done(&by_shown);
    harness_done(&by_own);
}

static void a_confirmation_can_be_falsified_like_a_status(void **state)
{
    static const struct {
        const char *fault;
        int signatures;
        bool is_right;
    } rows[] = {
        {"{\"kind\":\"other_hash\",\"endpoint\":\"confirm\"}", 1, false},
        {"{\"kind\":\"other_key\"}", 1, false},
        {"{\"kind\":\"swap\"}", 1, false},
        {"{\"kind\":\"replay\"}", 1, false},
        {"{\"kind\":\"missing_signature\"}", 0, false},
        {"{\"kind\":\"duplicate\"}", 2, true},
        {"{\"kind\":\"unknown_document\"}", 2, true},
        {"{\"kind\":\"wrong_id\"}", 1, true},
    };
    struct harness *h = *state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char sad[V2_SAD_SIZE];
        harness_control(h, "/control/reset", "");
        harness_control(h, "/control/fault",
                        rows[i].fault); /* lets sign pass: nothing to falsify */
        v2_begin(h, "lie", sad);

        struct answer lie = v2_confirm(h, "lie", sad);
        struct answer truth = v2_confirm(h, "lie", sad);

        const cJSON *list = cJSON_GetObjectItemCaseSensitive(answer_object(&lie), "signatures");
        bool is_right = verify_pkcs1(h, HASH_32, answer_signature(&lie, "signature_value"));
        bool is_same_id = strcmp(answer_data(&lie, "transaction_id"), "lie") == 0;
        if (is_right != rows[i].is_right)
            print_error("row %zu: %s\n", i, (const char *)lie.body.ptr);
        assert_int_equal(cJSON_GetArraySize(list), rows[i].signatures);
        assert_int_equal(is_right, rows[i].is_right);
        assert_int_equal(is_same_id, i != ARRAY_LEN(rows) - 1);
        assert_true(verify_pkcs1(h, HASH_32, answer_signature(&truth, "signature_value")));
        harness_done(&lie);
        harness_done(&truth);
    }
}

static void faults_of_both_calls_have_their_names(void **state)
{
    struct harness *h = *state;
    char sad[V2_SAD_SIZE];
    harness_control(h, "/control/fault",
                    "{\"endpoint\":\"confirm\",\"kind\":\"status\",\"status\":503}");
    harness_control(h, "/control/fault", "{\"endpoint\":\"sign2\",\"kind\":\"wrong_id\"}");
    v2_begin(h, "f", sad);

    struct answer broken = v2_confirm(h, "f", sad);

    struct answer left = harness_ask(h, "/control/faults", NULL);
    struct answer log = harness_ask(h, "/control/requests", NULL);
    assert_int_equal(broken.status, 503);
    assert_int_equal(cJSON_GetArraySize(left.json), 0);
    assert_non_null(strstr((const char *)log.body.ptr, "\"endpoint\":\"sign2\""));
    assert_non_null(strstr((const char *)log.body.ptr, "\"fault\":\"wrong_id\""));
    assert_non_null(strstr((const char *)log.body.ptr, "\"endpoint\":\"confirm\""));
    harness_done(&broken);
    harness_done(&left);
    harness_done(&log);
}

static void the_message_of_a_confirmation_can_be_another(void **state)
{
    struct harness *h = *state;
    char sad[V2_SAD_SIZE];
    harness_control(h, "/control/behaviour", "{\"confirm_message\":\"Thành công\"}");
    v2_begin(h, "said", sad);

    struct answer answer = v2_confirm(h, "said", sad);

    assert_string_equal(answer_message(&answer), "Thành công");
    harness_done(&answer);
}

static void the_request_log_has_no_secret(void **state)
{
    struct harness *h = *state;
    char sad[V2_SAD_SIZE];
    char path[128];
    char lines[8192] = "";
    v2_begin(h, "logged", sad);
    v2_assert_refused(v2_sign(h, (struct v2_ask){.id = "wrong", .otp = WRONG_OTP}), 400, 1003,
                      "otp invalid");
    struct answer confirmed = v2_confirm(h, "logged", sad);
    (void)snprintf(path, sizeof(path), "%s/requests.jsonl", h->dir);

    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_true(fread(lines, 1, sizeof(lines) - 1, file) > 0);
    (void)fclose(file);

    assert_non_null(strstr(lines, "\"transaction_id\":\"logged\""));
    assert_null(strstr(lines, "user-password"));
    assert_null(strstr(lines, strrchr(sad, '.')));
    assert_null(strstr(lines, WRONG_OTP));
    assert_null(strstr(lines, "eyJ"));
    harness_done(&confirmed);
}

#define TEST(name) cmocka_unit_test_setup(name, harness_reset)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(password_and_otp_sign_without_the_phone),
        TEST(one_otp_signs_a_whole_batch),
        TEST(a_bad_sign_request_is_refused_and_leaves_no_transaction),
        TEST(a_confirmation_lacks_nothing),
        TEST(a_sad_is_good_for_its_own_transaction_in_time),
        TEST(a_transaction_is_confirmed_by_its_own_user_and_password),
        TEST(a_lost_confirmation_is_found_by_status),
        TEST(an_unconfirmed_transaction_expires),
        TEST(a_second_confirmation_gets_the_same_signatures_or_an_error),
        TEST(a_known_id_is_an_error_or_gets_another_sad),
        TEST(the_two_versions_share_their_ids),
        TEST(without_a_sad_it_is_the_phones_turn),
        TEST(an_unusable_certificate_neither_starts_nor_ends_a_transaction),
        TEST(the_id_that_sign_showed_is_good_for_confirm),
        TEST(a_confirmation_can_be_falsified_like_a_status),
        TEST(faults_of_both_calls_have_their_names),
        TEST(the_message_of_a_confirmation_can_be_another),
        TEST(the_request_log_has_no_secret),
    };
    return cmocka_run_group_tests_name("emulator: v2", tests, harness_group_setup,
                                       harness_group_teardown);
}
