/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of transactions: the person with the phone, and time. */
#include <stdio.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "tests/emulator/harness.h"

#define WAITING "sig_wait_for_user_confirm"

static void assert_state(struct harness *h, const char *id, int code, const char *message)
{
    struct answer answer = harness_status(h, id);
    assert_int_equal(answer_code(&answer), code);
    assert_string_equal(answer_message(&answer), message);
    if (strcmp(message, "SUCCESS") == 0)
        assert_non_null(answer_signature(&answer, "signature_value"));
    else
        assert_null(answer_signature(&answer, "signature_value"));
    harness_done(&answer);
}

static void the_phone_approves_after_so_many_polls(void **state)
{
    struct harness *h = *state;
    harness_control(h, "/control/phone", "{\"action\":\"approve\",\"after_polls\":2}");
    harness_sign(h, "p");

    assert_state(h, "p", 200, WAITING);
    assert_state(h, "p", 200, WAITING);
    assert_state(h, "p", 200, "SUCCESS");
    assert_state(h, "p", 200, "SUCCESS");
}

static void the_phone_takes_its_time(void **state)
{
    struct harness *h = *state;
    harness_control(h, "/control/phone", "{\"action\":\"approve\",\"after_ms\":600000}");
    harness_sign(h, "p");

    assert_state(h, "p", 200, WAITING);
}

static void each_refusal_has_its_own_answer(void **state)
{
    static const struct {
        const char *rule, *message;
        int code;
    } rows[] = {
        {"{\"action\":\"reject\"}", "REJECTED", 200},
        {"{\"action\":\"expire\"}", "EXPIRED", 200},
        {"{\"action\":\"fail\"}", "FAILED", 500},
        {"{\"action\":\"never\"}", WAITING, 200},
    };
    struct harness *h = *state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char id[16];
        (void)snprintf(id, sizeof(id), "p%zu", i);
        harness_control(h, "/control/phone", rows[i].rule);
        harness_sign(h, id);

        assert_state(h, id, rows[i].code, rows[i].message);
    }
}

static void a_transaction_does_not_outlive_its_time(void **state)
{
    struct harness *h = *state;
    harness_control(h, "/control/behaviour", "{\"lifetime_s\":0}");
    harness_sign(h, "p");

    assert_state(h, "p", 200, "EXPIRED");
}

static void a_decision_now_is_final(void **state)
{
    struct harness *h = *state;
    harness_control(h, "/control/phone", "{\"action\":\"never\"}");
    harness_sign(h, "p");
    assert_state(h, "p", 200, WAITING);

    harness_control(h, "/control/decide", "{\"transaction_id\":\"p\",\"action\":\"reject\"}");

    struct answer late =
        harness_ask(h, "/control/decide", "{\"transaction_id\":\"p\",\"action\":\"approve\"}");
    assert_state(h, "p", 200, "REJECTED");
    assert_int_equal(late.status, 409);
    harness_done(&late);
}

static void queued_outcomes_come_one_by_one_and_before_the_users_habit(void **state)
{
    static const char *const messages[] = {"REJECTED", "SUCCESS", "EXPIRED"};
    struct harness *h = *state;
    harness_control(h, "/control/phone", "{\"action\":\"never\"}");
    harness_control(h, "/control/phone",
                    "{\"user_id\":\"" HARNESS_USER "\",\"action\":\"expire\","
                    "\"queue\":[{\"action\":\"reject\"},{\"action\":\"approve\"}]}");

    for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
        char id[16];
        (void)snprintf(id, sizeof(id), "q%zu", i);
        harness_sign(h, id);
        assert_state(h, id, 200, messages[i]);
    }
}

static void a_control_request_with_a_typing_error_is_refused(void **state)
{
    static const struct {
        const char *path, *body;
    } rows[] = {
        {"/control/phone", "{\"action\":\"aprove\"}"},
        {"/control/phone", "{\"acton\":\"approve\"}"},
        {"/control/phone", "{}"},
        {"/control/phone", "{\"action\":\"approve\",\"after_ms\":-1}"},
        {"/control/phone", "{\"action\":\"approve\",\"after_polls\":\"2\"}"},
        {"/control/phone", "{\"action\":\"approve\",\"user_id\":\"nobody\"}"},
        {"/control/phone", "{\"queue\":[]}"},
        {"/control/phone", "{\"user_id\":\"" HARNESS_USER "\",\"queue\":[{}]}"},
        {"/control/decide", "{\"transaction_id\":\"p\"}"},
        {"/control/behaviour", "{\"lifetime\":1}"},
        {"/control/behaviour", "{\"lifetime_s\":-1}"},
        {"/control/behaviour", "{\"errors\":\"none\"}"},
        {"/control/behaviour", "{\"errors\":null}"},
        {"/control/behaviour", "{\"expired_in_sign\":\"maybe\"}"},
        {"/control/fault", "{}"},
        {"/control/fault", "{\"kind\":\"earthquake\"}"},
        {"/control/fault", "{\"kind\":\"hang\",\"endpoint\":\"control\"}"},
        {"/control/fault", "{\"kind\":\"hang\",\"count\":0}"},
        {"/control/fault", "{\"kind\":\"status\",\"status\":99}"},
        {"/control/fault", "{\"kind\":\"status\",\"retry_after\":-5}"},
        {"/control/fault", "{\"kind\":\"body_text\"}"},
        {"/control/fault", "{\"kind\":\"swap\",\"endpoint\":\"sign\"}"},
        {"/control/user", "{}"},
        {"/control/user", "{\"user_id\":\"../x\"}"},
        {"/control/user", "{\"user_id\":\"" HARNESS_USER "\",\"status\":\"lost\"}"},
        {"/control/user", "{\"user_id\":\"" HARNESS_USER "\",\"replace\":\"yes\"}"},
        {"/control/user", "{\"user_id\":\"" HARNESS_USER "\",\"serial_number\":\"5401\"}"},
    };
    struct harness *h = *state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct answer answer = harness_ask(h, rows[i].path, rows[i].body);

        if (answer.status != 400)
            print_error("row %zu: %s\n", i, rows[i].body);
        assert_int_equal(answer.status, 400);
        assert_non_null(cJSON_GetObjectItemCaseSensitive(answer.json, "error"));
        harness_done(&answer);
    }
}

static void transactions_are_shown_with_their_history(void **state)
{
    struct harness *h = *state;
    harness_control(h, "/control/phone", "{\"action\":\"approve\",\"after_polls\":1}");
    harness_sign(h, "seen");
    assert_state(h, "seen", 200, WAITING);

    struct answer answer = harness_ask(h, "/control/transactions", NULL);

    static const struct {
        const char *name, *text;
    } texts[] = {{"transaction_id", "seen"},
                 {"user_id", HARNESS_USER},
                 {"state", "waiting"},
                 {"description", "a test"}};
    const cJSON *item = cJSON_GetArrayItem(answer.json, 0);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_string_equal(
            cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, texts[i].name)),
            texts[i].text);
    assert_int_equal(cJSON_GetArraySize(answer.json), 1);
    assert_int_equal(cJSON_GetObjectItemCaseSensitive(item, "polls")->valueint, 1);
    assert_int_equal(cJSON_GetObjectItemCaseSensitive(item, "pushes")->valueint, 1);
    assert_int_equal(cJSON_GetObjectItemCaseSensitive(item, "documents")->valueint, 1);
    harness_done(&answer);
}

static void the_transactions_from_one_on_are_shown_with_their_digests(void **state)
{
    struct harness *h = *state;
    harness_sign(h, "first");
    harness_sign(h, "second");

    struct answer answer = harness_ask(h, "/control/transactions?after=1", NULL);
    struct answer none = harness_ask(h, "/control/transactions?after=2", NULL);

    const cJSON *item = cJSON_GetArrayItem(answer.json, 0);
    const cJSON *digests = cJSON_GetObjectItemCaseSensitive(item, "digests");
    assert_int_equal(cJSON_GetArraySize(answer.json), 1);
    assert_string_equal(
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, "transaction_id")), "second");
    assert_int_equal(cJSON_GetArraySize(digests), 1);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetArrayItem(digests, 0)), HASH_32);
    assert_int_equal(cJSON_GetArraySize(none.json), 0);
    harness_done(&answer);
    harness_done(&none);
}

static void a_thousand_transactions_wait_side_by_side(void **state)
{
    enum { COUNT = 1000 };
    struct harness *h = *state;
    char id[16];
    harness_control(h, "/control/phone", "{\"action\":\"approve\",\"after_polls\":1}");

    for (int i = 0; i < COUNT; i++) {
        (void)snprintf(id, sizeof(id), "many-%d", i);
        harness_sign(h, id);
    }

    assert_int_equal(harness_counter(h, "pushes"), COUNT);
    assert_state(h, "many-0", 200, WAITING);
    assert_state(h, "many-999", 200, WAITING);
    assert_state(h, "many-0", 200, "SUCCESS");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_phone_approves_after_so_many_polls, harness_reset),
        cmocka_unit_test_setup(the_phone_takes_its_time, harness_reset),
        cmocka_unit_test_setup(each_refusal_has_its_own_answer, harness_reset),
        cmocka_unit_test_setup(a_transaction_does_not_outlive_its_time, harness_reset),
        cmocka_unit_test_setup(a_decision_now_is_final, harness_reset),
        cmocka_unit_test_setup(queued_outcomes_come_one_by_one_and_before_the_users_habit,
                               harness_reset),
        cmocka_unit_test_setup(a_control_request_with_a_typing_error_is_refused, harness_reset),
        cmocka_unit_test_setup(transactions_are_shown_with_their_history, harness_reset),
        cmocka_unit_test_setup(the_transactions_from_one_on_are_shown_with_their_digests,
                               harness_reset),
        cmocka_unit_test_setup(a_thousand_transactions_wait_side_by_side, harness_reset),
    };
    return cmocka_run_group_tests_name("emulator: phone", tests, harness_group_setup,
                                       harness_group_teardown);
}
