/* SPDX-License-Identifier: Apache-2.0 */
/* What the emulated service answers, and what it refuses. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "tests/emulator/harness.h"
#include "tests/emulator/verify.h"

#define HASH_48 HASH_32 "00112233445566778899aabbccddeeff"
#define HASH_64 HASH_32 HASH_32

static const cJSON *first_certificate(const struct answer *answer)
{
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(answer->json, "data");
    return cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(data, "user_certificates"), 0);
}

static const char *text_of(const cJSON *object, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return text ? text : "";
}

static void a_certificate_is_listed_with_everything_the_document_names(void **state)
{
    struct harness *h = *state;

    struct answer answer = harness_ask(h, CERTIFICATES_PATH, CERTIFICATES_BODY);

    const cJSON *certificate = first_certificate(&answer);
    assert_int_equal(answer.status, 200);
    assert_int_equal(answer_code(&answer), 200);
    assert_string_equal(answer_message(&answer), "Success");
    assert_string_equal(text_of(certificate, "service_type"), "SMARTCA");
    assert_string_equal(text_of(certificate, "cert_status_code"), "VALID");
    assert_string_equal(text_of(certificate, "transaction_id"), "list-1");
    assert_string_equal(text_of(certificate, "cert_subject"),
                        "UID=CCCD:012345678901,CN=Nguyễn Văn Ánh,L=Quận 3,"
                        "ST=Thành phố Hồ Chí Minh,C=VN");
    assert_int_equal(strlen(text_of(certificate, "serial_number")), 32);
    assert_int_equal(strncmp(text_of(certificate, "serial_number"), "54010101", 8), 0);
    assert_true(verify_chain(h));
    harness_done(&answer);
}

static void the_version_2_path_lists_the_same(void **state)
{
    struct harness *h = *state;

    struct answer v1 = harness_ask(h, CERTIFICATES_PATH, CERTIFICATES_BODY);
    struct answer v2 =
        harness_ask(h, "/sca/sp769/v2/credentials/get_certificate", CERTIFICATES_BODY);

    assert_true(cJSON_Compare(v1.json, v2.json, 1));
    harness_done(&v1);
    harness_done(&v2);
}

static void another_serial_lists_nothing(void **state)
{
    struct harness *h = *state;

    struct answer answer = harness_ask(h, CERTIFICATES_PATH,
                                       "{" SP_MEMBERS ",\"user_id\":\"" HARNESS_USER
                                       "\",\"transaction_id\":\"t\",\"serial_number\":\"5401\"}");

    assert_int_equal(answer.status, 200);
    assert_null(first_certificate(&answer));
    harness_done(&answer);
}

static void a_confirmed_hash_of_each_length_gets_a_valid_signature(void **state)
{
    static const struct {
        const char *id, *hash, *files;
    } rows[] = {
        {"s-32", HASH_32, "[" FILE_OF(HASH_32, "d") "]"},
        {"s-48", HASH_48, "[" FILE_OF(HASH_48, "d") "]"},
        {"s-64", HASH_64, "[" FILE_OF(HASH_64, "d") "]"},
    };
    struct harness *h = *state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char body[1024];
        harness_sign_body(body, sizeof(body), rows[i].id, rows[i].files);

        struct answer asked = harness_ask(h, SIGN_PATH, body);
        struct answer answer = harness_status(h, rows[i].id);

        assert_string_equal(answer_message(&asked), "sig_wait_for_user_confirm");
        assert_string_equal(answer_data(&asked, "transaction_id"), rows[i].id);
        assert_string_equal(answer_message(&answer), "SUCCESS");
        assert_string_equal(answer_signature(&answer, "doc_id"), "d");
        assert_true(verify_pkcs1(h, rows[i].hash, answer_signature(&answer, "signature_value")));
        harness_done(&asked);
        harness_done(&answer);
    }
}

static void a_batch_is_pushed_once_and_signed_whole(void **state)
{
    struct harness *h = *state;
    char body[2048];
    harness_sign_body(
        body, sizeof(body), "batch",
        "[" FILE_OF(HASH_32, "a") "," FILE_OF(HASH_48, "b") "," FILE_OF(HASH_64, "c") "]");

    struct answer asked = harness_ask(h, SIGN_PATH, body);
    struct answer answer = harness_status(h, "batch");

    const cJSON *data = cJSON_GetObjectItemCaseSensitive(answer.json, "data");
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(data, "signatures");
    static const char *const hashes[] = {HASH_32, HASH_48, HASH_64};
    static const char *const doc_ids[] = {"a", "b", "c"};
    assert_int_equal(cJSON_GetArraySize(list), 3);
    for (int i = 0; i < 3; i++) {
        const cJSON *item = cJSON_GetArrayItem(list, i);
        assert_string_equal(text_of(item, "doc_id"), doc_ids[i]);
        assert_true(verify_pkcs1(h, hashes[i], text_of(item, "signature_value")));
    }
    assert_int_equal(harness_counter(h, "pushes"), 1);
    harness_done(&asked);
    harness_done(&answer);
}

static void a_status_is_found_by_either_id_and_without_a_body(void **state)
{
    struct harness *h = *state;
    char body[1024];
    char path[256];
    harness_sign_body(body, sizeof(body), "either", "[" FILE_OF(HASH_32, "d") "]");
    struct answer asked = harness_ask(h, SIGN_PATH, body);
    (void)snprintf(path, sizeof(path), SIGN_PATH "/%s/status", answer_data(&asked, "tran_code"));

    struct answer by_code = harness_ask(h, path, "");

    assert_int_equal(by_code.status, 200);
    assert_string_equal(answer_data(&by_code, "transaction_id"), "either");
    harness_done(&asked);
    harness_done(&by_code);
}

static void a_bad_sign_request_is_refused_and_never_pushed(void **state)
{
#define START "{" SP_MEMBERS ",\"user_id\":\"" HARNESS_USER "\","
#define FILES ",\"sign_files\":"
#define GOOD  "[" FILE_OF(HASH_32, "d") "]"
    static const struct {
        const char *body;
        int code;
    } rows[] = {
        {"", 400},
        {"[]", 400},
        {"{} x", 400},
        {"{\"sp_id\":\"\xff\"}", 400},
        {"{}", 400},
        {START "\"transaction_id\":\"r\"}", 400},
        {START "\"transaction_id\":\"\"" FILES GOOD "}", 400},
        {START "\"transaction_id\":7" FILES GOOD "}", 400},
        {START "\"transaction_id\":\"a/b\"" FILES GOOD "}", 400},
        {START "\"transaction_id\":\"r\"" FILES "[]}", 400},
        {START "\"transaction_id\":\"r\"" FILES "[1]}", 400},
        {START "\"transaction_id\":\"r\",\"transaction_desc\":1" FILES GOOD "}", 400},
        {START "\"transaction_id\":\"r\"" FILES "[" FILE_OF("ABCD", "d") "]}", 400},
        {START "\"transaction_id\":\"r\"" FILES "[" FILE_OF("2CF24DBA5FB0A30E26E83B2AC5B9E29E"
                                                            "1B161E5C1FA7425E73043362938B9824",
                                                            "d") "]}",
         400},
        {START "\"transaction_id\":\"r\"" FILES "[" FILE_OF(HASH_32 " ", "d") "]}", 400},
        {START "\"transaction_id\":\"r\"" FILES
               "[" FILE_OF("da39a3ee5e6b4b0d3255bfef95601890afd80709", "d") "]}",
         400},
        {START "\"transaction_id\":\"r\"" FILES "[" FILE_OF(HASH_32, "") "]}", 400},
        {START "\"transaction_id\":\"r\"" FILES
               "[" FILE_OF(HASH_32, "d") "," FILE_OF(HASH_64, "d") "]}",
         400},
        {START "\"transaction_id\":\"r\"" FILES "[{\"data_to_be_signed\":\"" HASH_32
               "\",\"doc_id\":\"d\",\"file_type\":\"pdf\",\"sign_type\":\"file\"}]}",
         400},
        {START "\"transaction_id\":\"r\"" FILES "[{\"data_to_be_signed\":\"" HASH_32
               "\",\"doc_id\":\"d\",\"file_type\":\"\",\"sign_type\":\"hash\"}]}",
         400},
        {START "\"transaction_id\":\"r\",\"serial_number\":\"5401\"" FILES GOOD "}", 403},
        {"{" SP_MEMBERS ",\"user_id\":\"999\",\"transaction_id\":\"r\"" FILES GOOD "}", 401},
        {"{\"sp_id\":\"x\",\"sp_password\":\"test-password\",\"user_id\":\"" HARNESS_USER
         "\",\"transaction_id\":\"r\"" FILES GOOD "}",
         401},
        {"{\"sp_id\":\"4184-637127995547330633.apps.signserviceapi.com\",\"sp_password\":\"no\","
         "\"user_id\":\"" HARNESS_USER "\",\"transaction_id\":\"r\"" FILES GOOD "}",
         401},
    };
    struct harness *h = *state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct answer answer = harness_ask(h, SIGN_PATH, rows[i].body);

        if (answer.status != rows[i].code)
            print_error("row %zu: %s\n", i, rows[i].body);
        assert_int_equal(answer.status, rows[i].code);
        assert_int_equal(answer_code(&answer), rows[i].code);
        harness_done(&answer);
    }
    assert_int_equal(harness_counter(h, "pushes"), 0);
    assert_int_equal(harness_counter(h, "transactions"), 0);
}

static void another_content_type_is_refused(void **state)
{
    struct harness *h = *state;

    struct answer answer = harness_ask_as(h, CERTIFICATES_PATH, CERTIFICATES_BODY, "text/plain");

    assert_int_equal(answer.status, 400);
    harness_done(&answer);
}

static void the_wrong_method_is_405_and_an_unknown_path_404(void **state)
{
    struct harness *h = *state;

    struct answer status = harness_ask(h, SIGN_PATH "/t/status", NULL);
    struct answer nowhere = harness_ask(h, "/sca/sp769/v1/elsewhere", "{}");
    struct answer nobody = harness_status(h, "nobody-asked");

    assert_int_equal(status.status, 405);
    assert_int_equal(nowhere.status, 404);
    assert_int_equal(nobody.status, 404);
    assert_string_equal(answer_message(&nobody), "Transaction not found");
    harness_done(&status);
    harness_done(&nowhere);
    harness_done(&nobody);
}

static void a_used_transaction_id_is_refused_without_a_second_push(void **state)
{
    struct harness *h = *state;
    char body[1024];
    harness_sign_body(body, sizeof(body), "twice", "[" FILE_OF(HASH_32, "d") "]");
    harness_sign(h, "twice");

    struct answer answer = harness_ask(h, SIGN_PATH, body);

    assert_int_equal(answer.status, 400);
    assert_string_equal(answer_message(&answer), "Transaction exist");
    assert_int_equal(harness_counter(h, "pushes"), 1);
    harness_done(&answer);
}

static void an_unusable_certificate_does_not_sign(void **state)
{
    static const struct {
        const char *change;
        int code;
    } rows[] = {
        {"{\"user_id\":\"" HARNESS_USER "\",\"status\":\"revoked\"}", 403},
        {"{\"user_id\":\"" HARNESS_USER "\",\"status\":\"not_activated\"}", 403},
        {"{\"user_id\":\"" HARNESS_USER "\",\"status\":\"expired\"}", 403},
        {"{\"user_id\":\"" HARNESS_USER "\",\"package_used_up\":true}", 65000},
    };
    struct harness *h = *state;
    char body[1024];
    harness_sign_body(body, sizeof(body), "unusable", "[" FILE_OF(HASH_32, "d") "]");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        harness_control(h, "/control/reset", "");
        harness_control(h, "/control/user", rows[i].change);

        struct answer answer = harness_ask(h, SIGN_PATH, body);

        assert_int_equal(answer_code(&answer), rows[i].code);
        assert_int_equal(answer.status, rows[i].code == 403 ? 403 : 400);
        assert_int_equal(harness_counter(h, "pushes"), 0);
        harness_done(&answer);
    }
}

static void a_replaced_certificate_is_another_one_and_the_old_one_is_gone(void **state)
{
    struct harness *h = *state;
    harness_control(h, "/control/user", "{\"user_id\":\"777\",\"name\":\"Trần Thị Bé\"}");
    static const char list[] = "{" SP_MEMBERS ",\"user_id\":\"777\",\"transaction_id\":\"t\"}";
    struct answer before = harness_ask(h, CERTIFICATES_PATH, list);

    harness_control(
        h, "/control/user",
        "{\"user_id\":\"777\",\"replace\":\"renewed\",\"from_days\":-9,\"to_days\":-2}");

    struct answer after = harness_ask(h, CERTIFICATES_PATH, list);
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(after.json, "data");
    const cJSON *certificates = cJSON_GetObjectItemCaseSensitive(data, "user_certificates");
    assert_int_equal(cJSON_GetArraySize(certificates), 1);
    assert_string_not_equal(text_of(first_certificate(&before), "serial_number"),
                            text_of(first_certificate(&after), "serial_number"));
    struct answer refused =
        harness_ask(h, SIGN_PATH,
                    "{" SP_MEMBERS ",\"user_id\":\"777\",\"transaction_id\":\"t\"" FILES GOOD "}");
    assert_int_equal(refused.status, 403);
    harness_done(&before);
    harness_done(&after);
    harness_done(&refused);
}

static void the_request_log_tells_all_but_the_password(void **state)
{
    struct harness *h = *state;
    struct answer listed = harness_ask(h, CERTIFICATES_PATH, CERTIFICATES_BODY);
    harness_sign(h, "logged");

    struct answer log = harness_ask(h, "/control/requests", NULL);

    const cJSON *sign = cJSON_GetArrayItem(log.json, 1);
    char path[128];
    char line[4096] = "";
    (void)snprintf(path, sizeof(path), "%s/requests.jsonl", h->dir);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_true(fread(line, 1, sizeof(line) - 1, file) > 0);
    (void)fclose(file);
    assert_int_equal(cJSON_GetArraySize(log.json), 2);
    assert_string_equal(text_of(sign, "endpoint"), "sign");
    assert_string_equal(text_of(sign, "transaction_id"), "logged");
    assert_true(cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(sign, "body_ok")));
    assert_non_null(strstr(line, "\"transaction_id\":\"logged\""));
    assert_null(strstr(line, "test-password"));
    assert_null(strstr((const char *)log.body.ptr, "test-password"));
    harness_done(&listed);
    harness_done(&log);
}

static void the_requests_after_one_are_told_alone(void **state)
{
    struct harness *h = *state;
    harness_sign(h, "one");
    harness_sign(h, "two");

    struct answer log = harness_ask(h, "/control/requests?after=1", NULL);
    struct answer none = harness_ask(h, "/control/requests?after=2", NULL);

    const cJSON *entry = cJSON_GetArrayItem(log.json, 0);
    assert_int_equal(cJSON_GetArraySize(log.json), 1);
    assert_int_equal(cJSON_GetObjectItemCaseSensitive(entry, "n")->valueint, 2);
    assert_string_equal(text_of(entry, "transaction_id"), "two");
    assert_int_equal(cJSON_GetArraySize(none.json), 0);
    harness_done(&log);
    harness_done(&none);
}

struct client {
    struct harness h; /* a copy of the emulator's address, with a connection of its own */
    pthread_t thread;
    int number;
    int good;
};

/* Asserts nothing: cmocka's assertions work in the main thread only. */
static void *sign_many(void *context)
{
    struct client *client = context;
    char body[1024];
    char id[32];
    for (int i = 0; i < 10; i++) {
        (void)snprintf(id, sizeof(id), "client-%d-%d", client->number, i);
        harness_sign_body(body, sizeof(body), id, "[" FILE_OF(HASH_32, "d") "]");
        struct answer asked = harness_ask(&client->h, SIGN_PATH, body);
        struct answer answer = harness_status(&client->h, id);
        const char *found = answer_data(&answer, "transaction_id");
        client->good +=
            found && strcmp(found, id) == 0 &&
            verify_pkcs1(&client->h, HASH_32, answer_signature(&answer, "signature_value"));
        harness_done(&asked);
        harness_done(&answer);
    }
    return NULL;
}

static void many_clients_at_once_get_their_own_answers(void **state)
{
    const struct harness *h = *state;
    struct client clients[8];
    for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
        clients[i] = (struct client){.h = *h, .number = (int)i};
        clients[i].h.curl = curl_easy_init();
        (void)curl_easy_setopt(clients[i].h.curl, CURLOPT_NOSIGNAL, 1L);
    }

    for (size_t i = 0; i < ARRAY_LEN(clients); i++)
        assert_int_equal(pthread_create(&clients[i].thread, NULL, sign_many, &clients[i]), 0);
    for (size_t i = 0; i < ARRAY_LEN(clients); i++)
        assert_int_equal(pthread_join(clients[i].thread, NULL), 0);

    for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
        curl_easy_cleanup(clients[i].h.curl);
        assert_int_equal(clients[i].good, 10);
    }
    assert_int_equal(harness_counter(*state, "pushes"), 80);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_certificate_is_listed_with_everything_the_document_names,
                               harness_reset),
        cmocka_unit_test_setup(the_version_2_path_lists_the_same, harness_reset),
        cmocka_unit_test_setup(another_serial_lists_nothing, harness_reset),
        cmocka_unit_test_setup(a_confirmed_hash_of_each_length_gets_a_valid_signature,
                               harness_reset),
        cmocka_unit_test_setup(a_batch_is_pushed_once_and_signed_whole, harness_reset),
        cmocka_unit_test_setup(a_status_is_found_by_either_id_and_without_a_body, harness_reset),
        cmocka_unit_test_setup(a_bad_sign_request_is_refused_and_never_pushed, harness_reset),
        cmocka_unit_test_setup(another_content_type_is_refused, harness_reset),
        cmocka_unit_test_setup(the_wrong_method_is_405_and_an_unknown_path_404, harness_reset),
        cmocka_unit_test_setup(a_used_transaction_id_is_refused_without_a_second_push,
                               harness_reset),
        cmocka_unit_test_setup(an_unusable_certificate_does_not_sign, harness_reset),
        cmocka_unit_test_setup(a_replaced_certificate_is_another_one_and_the_old_one_is_gone,
                               harness_reset),
        cmocka_unit_test_setup(many_clients_at_once_get_their_own_answers, harness_reset),
        cmocka_unit_test_setup(the_request_log_tells_all_but_the_password, harness_reset),
        cmocka_unit_test_setup(the_requests_after_one_are_told_alone, harness_reset),
    };
    return cmocka_run_group_tests_name("emulator: service", tests, harness_group_setup,
                                       harness_group_teardown);
}
