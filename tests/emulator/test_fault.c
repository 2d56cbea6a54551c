/* SPDX-License-Identifier: Apache-2.0 */
/* Each fault, as a client meets it. */
#include <stdio.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "tests/emulator/harness.h"
#include "tests/emulator/verify.h"

static void sign_body(char out[1024], const char *id)
{
    harness_sign_body(out, 1024, id, "[" FILE_OF(HASH_32, "d-1") "]");
}

static void a_reset_before_handling_leaves_no_trace_at_the_service(void **state)
{
    struct harness *h = *state;
    char body[1024];
    sign_body(body, "f");
    harness_control(h, "/control/fault", "{\"endpoint\":\"sign\",\"kind\":\"reset_before\"}");

    struct answer answer = harness_ask_as(h, SIGN_PATH, body, "application/json");

    assert_int_not_equal(answer.result, CURLE_OK);
    assert_int_equal(answer.status, 0);
    assert_int_equal(harness_counter(h, "sign"), 1);
    assert_int_equal(harness_counter(h, "pushes"), 0);
    harness_done(&answer);
}

static void a_dropped_reply_leaves_a_transaction_that_can_be_asked_for(void **state)
{
    struct harness *h = *state;
    char body[1024];
    sign_body(body, "f");
    harness_control(h, "/control/fault", "{\"endpoint\":\"sign\",\"kind\":\"drop_reply\"}");

    struct answer lost = harness_ask_as(h, SIGN_PATH, body, "application/json");

    struct answer status = harness_status(h, "f");
    assert_int_not_equal(lost.result, CURLE_OK);
    assert_int_equal(harness_counter(h, "pushes"), 1);
    assert_true(verify_pkcs1(h, HASH_32, answer_signature(&status, "signature_value")));
    harness_done(&lost);
    harness_done(&status);
}

static void a_hanging_request_is_not_handled_and_ends_with_the_client(void **state)
{
    struct harness *h = *state;
    char body[1024];
    char url[128];
    sign_body(body, "f");
    harness_control(h, "/control/fault", "{\"endpoint\":\"sign\",\"kind\":\"hang\"}");
    CURL *curl = curl_easy_init();
    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%u" SIGN_PATH, h->port);
    (void)curl_easy_setopt(curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L); /* not what is tested here */
    (void)curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 300L);
    (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);

    CURLcode result = curl_easy_perform(curl);

    curl_easy_cleanup(curl);
    assert_int_equal(result, CURLE_OPERATION_TIMEDOUT);
    assert_int_equal(harness_counter(h, "pushes"), 0);
}

static void each_broken_answer_breaks_in_its_own_way(void **state)
{
    static const struct {
        const char *fault;
        CURLcode result;
        long status;
        const char *present;
    } rows[] = {
        {"{\"kind\":\"status\",\"status\":503}", CURLE_OK, 503, "\"status_code\":503"},
        {"{\"kind\":\"status\",\"status\":429,\"body\":false}", CURLE_OK, 429, ""},
        {"{\"kind\":\"status\",\"status\":502,\"body\":\"<html>\"}", CURLE_OK, 502, "<html>"},
        {"{\"kind\":\"status\",\"status\":409,\"code\":64002}", CURLE_OK, 409, "64002"},
        {"{\"kind\":\"status\",\"status\":64002}", CURLE_OK, 400, "64002"},
        {"{\"kind\":\"body_text\",\"body\":\"{}\"}", CURLE_OK, 200, "{}"},
        {"{\"kind\":\"redirect\"}", CURLE_OK, 302, ""},
        {"{\"kind\":\"trickle\",\"every_ms\":1,\"size\":64}", CURLE_OK, 200,
         "\"message\":\"Success\""},
        {"{\"kind\":\"truncated\"}", CURLE_PARTIAL_FILE, 200, "{\"status_code\":200"},
        {"{\"kind\":\"short_length\"}", CURLE_OK, 200, "{\"status_code\":200"},
        {"{\"kind\":\"bad_json\"}", CURLE_OK, 200, "{\"status_code\":200"},
        {"{\"kind\":\"deep_json\",\"size\":5000}", CURLE_OK, 200, "[[[[[["},
        {"{\"kind\":\"invalid_utf8\"}", CURLE_OK, 200, "\"message\":\"\xff\xc0\xaf"},
        {"{\"kind\":\"huge\"}", CURLE_WRITE_ERROR, 200, "000000000000"},
        {"{\"kind\":\"gzip\",\"size\":1000000}", CURLE_OK, 200, "\x1f\x8b"},
        {"{\"kind\":\"delay\",\"delay_ms\":1}", CURLE_OK, 200, "\"message\":\"Success\""},
    };
    struct harness *h = *state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        harness_control(h, "/control/fault", rows[i].fault);

        struct answer answer =
            harness_ask_as(h, CERTIFICATES_PATH, CERTIFICATES_BODY, "application/json");
        struct answer next = harness_ask(h, CERTIFICATES_PATH, CERTIFICATES_BODY);

        const char *body = answer.body.ptr ? (const char *)answer.body.ptr : "";
        if (answer.result != rows[i].result || answer.status != rows[i].status)
            print_error("row %zu: %s: %d %ld %.200s\n", i, rows[i].fault, answer.result,
                        answer.status, body);
        assert_int_equal(answer.result, rows[i].result);
        assert_int_equal(answer.status, rows[i].status);
        assert_non_null(strstr(body, rows[i].present));
        assert_int_equal(next.status, 200);
        assert_non_null(next.json);
        harness_done(&answer);
        harness_done(&next);
    }
}

static size_t find_retry_after(char *line, size_t size, size_t count, void *context)
{
    size_t len = size * count;
    if (len > 13 && strncmp(line, "Retry-After: ", 13) == 0)
        (void)snprintf(context, 32, "%.*s", (int)(len - 13), line + 13);
    return len;
}

static void retry_after_is_sent_as_told(void **state)
{
    static const struct {
        const char *path, *body, *present;
    } rows[] = {
        {"/control/fault", "{\"kind\":\"status\",\"status\":429,\"retry_after\":5}", "5\r\n"},
        {"/control/fault", "{\"kind\":\"status\",\"status\":429,\"retry_after\":\"soon\"}",
         "soon\r\n"},
        {"/control/behaviour", "{\"retry_after\":\"999999\"}", "999999\r\n"},
    };
    struct harness *h = *state;
    harness_control(h, "/control/phone", "{\"action\":\"never\"}");
    harness_sign(h, "r");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char found[32] = "";
        harness_control(h, rows[i].path, rows[i].body);
        (void)curl_easy_setopt(h->curl, CURLOPT_HEADERFUNCTION, find_retry_after);
        (void)curl_easy_setopt(h->curl, CURLOPT_HEADERDATA, found);

        struct answer answer = harness_status(h, "r");

        (void)curl_easy_setopt(h->curl, CURLOPT_HEADERFUNCTION, NULL);
        (void)curl_easy_setopt(h->curl, CURLOPT_HEADERDATA, NULL);
        assert_string_equal(found, rows[i].present);
        harness_done(&answer);
    }
}

static void a_false_signature_does_not_verify(void **state)
{
    static const char *const kinds[] = {"other_hash", "other_key", "replay", "swap"};
    struct harness *h = *state;
    char fault[128];
    char id[16];
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        (void)snprintf(fault, sizeof(fault), "{\"kind\":\"%s\"}", kinds[i]);
        (void)snprintf(id, sizeof(id), "lie%zu", i);
        harness_control(h, "/control/reset", "");
        harness_sign(h, id);
        harness_control(h, "/control/fault", fault);

        struct answer lie = harness_status(h, id);
        struct answer truth = harness_status(h, id);

        assert_string_equal(answer_message(&lie), "SUCCESS");
        assert_false(verify_pkcs1(h, HASH_32, answer_signature(&lie, "signature_value")));
        assert_true(verify_pkcs1(h, HASH_32, answer_signature(&truth, "signature_value")));
        harness_done(&lie);
        harness_done(&truth);
    }
}

static void two_documents_are_swapped(void **state)
{
#define HASH_B "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9"
    struct harness *h = *state;
    char body[2048];
    harness_sign_body(body, sizeof(body), "two",
                      "[" FILE_OF(HASH_32, "a") "," FILE_OF(HASH_B, "b") "]");
    struct answer asked = harness_ask(h, SIGN_PATH, body);
    harness_control(h, "/control/fault", "{\"kind\":\"swap\",\"endpoint\":\"status\"}");

    struct answer answer = harness_status(h, "two");

    assert_string_equal(answer_signature(&answer, "doc_id"), "a");
    assert_true(verify_pkcs1(h, HASH_B, answer_signature(&answer, "signature_value")));
    assert_false(verify_pkcs1(h, HASH_32, answer_signature(&answer, "signature_value")));
    harness_done(&asked);
    harness_done(&answer);
}

static void a_replay_is_an_older_transactions_answer(void **state)
{
    struct harness *h = *state;
    char body[1024];
    harness_sign_body(body, sizeof(body), "older", "[" FILE_OF(HASH_B, "d-0") "]");
    struct answer asked = harness_ask(h, SIGN_PATH, body);
    struct answer first = harness_status(h, "older");
    harness_sign(h, "newer");
    harness_control(h, "/control/fault", "{\"kind\":\"replay\"}");

    struct answer answer = harness_status(h, "newer");

    assert_string_equal(answer_data(&answer, "transaction_id"), "older");
    assert_string_equal(answer_signature(&answer, "doc_id"), "d-0");
    assert_true(cJSON_Compare(first.json, answer.json, 1));
    harness_done(&asked);
    harness_done(&first);
    harness_done(&answer);
}

static void what_surrounds_a_signature_can_be_false_too(void **state)
{
    static const struct {
        const char *fault;
        int signatures;
        const char *present;
    } rows[] = {
        {"{\"kind\":\"wrong_id\"}", 1, "d-1"},
        {"{\"kind\":\"missing_signature\"}", 0, "\"signatures\":null"},
        {"{\"kind\":\"duplicate\"}", 2, "d-1"},
        {"{\"kind\":\"unknown_document\"}", 2, "a-document-nobody-sent"},
    };
    struct harness *h = *state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        harness_control(h, "/control/reset", "");
        harness_control(h, "/control/fault", rows[i].fault);
        harness_sign(h, "s");

        struct answer answer = harness_status(h, "s");

        const cJSON *data = cJSON_GetObjectItemCaseSensitive(answer.json, "data");
        const cJSON *list = cJSON_GetObjectItemCaseSensitive(data, "signatures");
        bool is_same_id = strcmp(answer_data(&answer, "transaction_id"), "s") == 0;
        assert_string_equal(answer_message(&answer), "SUCCESS");
        assert_int_equal(cJSON_GetArraySize(list), rows[i].signatures);
        assert_non_null(strstr((const char *)answer.body.ptr, rows[i].present));
        assert_int_equal(is_same_id, i != 0);
        harness_done(&answer);
    }
}

static void faults_come_in_order_and_only_to_their_endpoint(void **state)
{
    static const long expected[] = {200, 503, 503, 500, 200};
    struct harness *h = *state;
    harness_control(h, "/control/fault",
                    "{\"endpoint\":\"get_certificate\",\"kind\":\"status\",\"status\":503,"
                    "\"skip\":1,\"count\":2}");
    harness_control(h, "/control/fault", "{\"endpoint\":\"any\",\"kind\":\"status\"}");
    harness_control(h, "/control/fault",
                    "{\"endpoint\":\"sign\",\"kind\":\"status\",\"status\":403}");

    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        struct answer answer = harness_ask(h, CERTIFICATES_PATH, CERTIFICATES_BODY);
        assert_int_equal(answer.status, expected[i]);
        harness_done(&answer);
    }
    struct answer left = harness_ask(h, "/control/faults", NULL);
    assert_int_equal(cJSON_GetArraySize(left.json), 1);
    harness_done(&left);
}

static void no_fault_is_left_when_none_is_asked_for(void **state)
{
    struct harness *h = *state;
    harness_control(h, "/control/fault", "{\"kind\":\"hang\",\"count\":9}");
    harness_control(h, "/control/fault", "{\"endpoint\":\"sign\",\"kind\":\"status\"}");

    harness_control(h, "/control/fault", "{\"kind\":\"none\"}");

    struct answer faults = harness_ask(h, "/control/faults", NULL);
    assert_int_equal(cJSON_GetArraySize(faults.json), 0);
    harness_sign(h, "unharmed");
    harness_done(&faults);
}

static void a_failure_after_the_work_is_done_can_be_asked_for(void **state)
{
    struct harness *h = *state;
    char body[1024];
    sign_body(body, "done");
    harness_control(
        h, "/control/fault",
        "{\"endpoint\":\"sign\",\"kind\":\"status\",\"status\":500,\"processed\":true}");

    struct answer answer = harness_ask(h, SIGN_PATH, body);

    assert_int_equal(answer.status, 500);
    assert_int_equal(harness_counter(h, "pushes"), 1);
    harness_done(&answer);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_reset_before_handling_leaves_no_trace_at_the_service,
                               harness_reset),
        cmocka_unit_test_setup(a_dropped_reply_leaves_a_transaction_that_can_be_asked_for,
                               harness_reset),
        cmocka_unit_test_setup(a_hanging_request_is_not_handled_and_ends_with_the_client,
                               harness_reset),
        cmocka_unit_test_setup(each_broken_answer_breaks_in_its_own_way, harness_reset),
        cmocka_unit_test_setup(retry_after_is_sent_as_told, harness_reset),
        cmocka_unit_test_setup(a_false_signature_does_not_verify, harness_reset),
        cmocka_unit_test_setup(two_documents_are_swapped, harness_reset),
        cmocka_unit_test_setup(a_replay_is_an_older_transactions_answer, harness_reset),
        cmocka_unit_test_setup(what_surrounds_a_signature_can_be_false_too, harness_reset),
        cmocka_unit_test_setup(faults_come_in_order_and_only_to_their_endpoint, harness_reset),
        cmocka_unit_test_setup(no_fault_is_left_when_none_is_asked_for, harness_reset),
        cmocka_unit_test_setup(a_failure_after_the_work_is_done_can_be_asked_for, harness_reset),
    };
    return cmocka_run_group_tests_name("emulator: fault", tests, harness_group_setup,
                                       harness_group_teardown);
}
