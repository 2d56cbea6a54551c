/* SPDX-License-Identifier: Apache-2.0 */
/* The program itself: command line, TLS, a folder used again. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "remote/base/cleanup.h"
#include "tests/emulator/harness.h"
#include "tests/emulator/verify.h"

static void wrong_usage_ends_with_2(void **state)
{
    static const char *const lines[][5] = {
        {NULL},
        {"--dir", NULL},
        {"--dir", "", NULL},
        {"--no-such-option", NULL},
        {"--dir", "/tmp/unused", "too-many", NULL},
        {"--dir", "/tmp/unused", "--port", "65536", NULL},
        {"--dir", "/tmp/unused", "--port", "-1", NULL},
        {"--dir", "/tmp/unused", "--delay-ms", "soon", NULL},
        {"--dir", "/tmp/unused", "--behaviour", "errors", NULL},
        {"--dir", "/tmp/unused", "--behaviour", "errors=none", NULL},
        {"--dir", "/tmp/unused", "--behaviour", "no=thing", NULL},
        {"--dir", "/tmp/unused", "--user", ",name", NULL},
        {"--dir", "/tmp/unused", "--sp-password-file", "/nowhere", NULL},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        assert_int_equal(harness_run(lines[i]), 2);
}

static void what_cannot_start_ends_with_1(void **state)
{
    static const char *const lines[][5] = {
        {"--dir", "/nowhere/at/all", NULL},
        {"--dir", "/dev/null", NULL},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        assert_int_equal(harness_run(lines[i]), 1);
}

static void help_and_version_are_successes(void **state)
{
    static const char *const help[] = {"--help", NULL};
    static const char *const version[] = {"--version", NULL};
    (void)state;

    assert_int_equal(harness_run(help), 0);
    assert_int_equal(harness_run(version), 0);
}

static void a_folder_used_again_shows_the_same_certificates(void **state)
{
    static const char *const args[] = {"--user", "012345678901,Lê, Thị \xc3\x81nh,2", "--user",
                                       "0101234567,Công ty Thử nghiệm", NULL};
    struct harness h;
    (void)state;
    harness_start(&h, args);
    struct answer before = harness_ask(&h, "/control/users", NULL);

    harness_restart(&h, args);

    struct answer after = harness_ask(&h, "/control/users", NULL);
    const cJSON *person = cJSON_GetArrayItem(after.json, 0);
    assert_true(cJSON_Compare(before.json, after.json, 1));
    assert_int_equal(cJSON_GetArraySize(after.json), 2);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(person, "certificates")),
                     2);
    assert_non_null(strstr((char *)after.body.ptr, "CN=Lê\\\\, Thị \xc3\x81nh"));
    assert_non_null(strstr((char *)after.body.ptr, "UID=MST:0101234567"));
    harness_sign(&h, "again");
    struct answer signed_answer = harness_status(&h, "again");
    assert_true(verify_pkcs1(&h, HASH_32, answer_signature(&signed_answer, "signature_value")));
    harness_done(&before);
    harness_done(&after);
    harness_done(&signed_answer);
    harness_stop(&h);
}

static void bad_tls_is_refused_by_a_careful_client(void **state)
{
    static const struct {
        const char *kind;
        CURLcode result;
    } rows[] = {
        {"good", CURLE_OK},
        {"self-signed", CURLE_PEER_FAILED_VERIFICATION},
        {"wrong-host", CURLE_PEER_FAILED_VERIFICATION},
        {"expired", CURLE_PEER_FAILED_VERIFICATION},
        {"tls1.1", CURLE_SSL_CONNECT_ERROR},
    };
    struct harness h;
    (void)state;
    harness_start(&h, NULL);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *const args[] = {"--tls", rows[i].kind, NULL};
        harness_restart(&h, args);

        struct answer answer = harness_ask(&h, "/control/counters", NULL);

        if (answer.result != rows[i].result)
            print_error("%s: %s\n", rows[i].kind, curl_easy_strerror(answer.result));
        assert_int_equal(answer.result, rows[i].result);
        harness_done(&answer);
    }
    harness_stop(&h);
}

static void plain_http_and_a_delay_serve_benchmarks(void **state)
{
    static const char *const args[] = {
        "--plain-http", "--delay-ms", "1", "--behaviour", "certificates_message=slow", NULL};
    struct harness h;
    (void)state;
    harness_start(&h, args);

    struct answer answer = harness_ask(&h, CERTIFICATES_PATH, CERTIFICATES_BODY);

    assert_int_equal(answer.status, 200);
    assert_string_equal(answer_message(&answer), "slow");
    harness_done(&answer);
    harness_stop(&h);
}

static void it_ends_at_once_though_a_request_hangs(void **state)
{
    struct harness h;
    char url[128];
    int running = 0;
    (void)state;
    harness_start(&h, NULL);
    harness_control(&h, "/control/fault", "{\"kind\":\"hang\"}");
    CURL *hanging = curl_easy_init();
    CURLM *multi = curl_multi_init();
    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%u" SIGN_PATH, h.port);
    (void)curl_easy_setopt(hanging, CURLOPT_URL, url);
    (void)curl_easy_setopt(hanging, CURLOPT_SSL_VERIFYPEER, 0L); /* not what is tested here */
    (void)curl_easy_setopt(hanging, CURLOPT_NOPROXY, "*");
    (void)curl_easy_setopt(hanging, CURLOPT_POSTFIELDS, "{}");
    (void)curl_multi_add_handle(multi, hanging);
    while (harness_counter(&h, "sign") == 0)
        (void)curl_multi_perform(multi, &running);
    time_t start = time(NULL);

    harness_stop(&h);

    assert_true(time(NULL) - start < 20);
    assert_int_equal(running, 1);
    (void)curl_multi_remove_handle(multi, hanging);
    (void)curl_multi_cleanup(multi);
    curl_easy_cleanup(hanging);
}

static int set_up(void **state)
{
    (void)state;
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    curl_global_cleanup();
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_usage_ends_with_2),
        cmocka_unit_test(what_cannot_start_ends_with_1),
        cmocka_unit_test(help_and_version_are_successes),
        cmocka_unit_test(a_folder_used_again_shows_the_same_certificates),
        cmocka_unit_test(bad_tls_is_refused_by_a_careful_client),
        cmocka_unit_test(it_ends_at_once_though_a_request_hangs),
        cmocka_unit_test(plain_http_and_a_delay_serve_benchmarks),
    };
    return cmocka_run_group_tests_name("emulator: program", tests, set_up, tear_down);
}
