/* SPDX-License-Identifier: Apache-2.0 */
/* Each switch, seen in the bytes of an answer. */
#include <stdio.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "tests/emulator/harness.h"
#include "tests/emulator/verify.h"

enum step { LIST, SIGN, REPEAT, STATUS_WAITING, STATUS_SIGNED, STATUS_REJECTED, STATUS_UNKNOWN };

static struct answer take(struct harness *h, enum step step)
{
    char body[1024];
    harness_sign_body(body, sizeof(body), "b", "[" FILE_OF(HASH_32, "d-1") "]");
    if (step == LIST)
        return harness_ask(h, CERTIFICATES_PATH, CERTIFICATES_BODY);
    if (step == STATUS_WAITING || step == STATUS_REJECTED)
        harness_control(h, "/control/phone",
                        step == STATUS_WAITING ? "{\"action\":\"never\"}"
                                               : "{\"action\":\"reject\"}");
    if (step == STATUS_UNKNOWN)
        return harness_status(h, "unknown");
    struct answer answer = harness_ask(h, SIGN_PATH, body);
    if (step == SIGN)
        return answer;
    harness_done(&answer);
    return step == REPEAT ? harness_ask(h, SIGN_PATH, body) : harness_status(h, "b");
}

static const struct {
    const char *behaviour;
    enum step step;
    long http_status;
    const char *present; /* in the body */
    const char *absent;
} switches[] = {
    {"{\"errors\":\"both\"}", STATUS_UNKNOWN, 404, "\"status_code\":404", "\"data\":{"},
    {"{\"errors\":\"http\"}", STATUS_UNKNOWN, 404, "not found", "status_code"},
    {"{\"errors\":\"body\"}", STATUS_UNKNOWN, 200, "\"status_code\":404", "\"data\":{"},
    {"{\"unknown_code\":62000}", STATUS_UNKNOWN, 400, "\"status_code\":62000", "\"data\":{"},
    {"{\"unknown_message\":\"Không tìm thấy\"}", STATUS_UNKNOWN, 404, "Không tìm thấy",
     "not found"},
    {"{\"exists_code\":64002}", REPEAT, 400, "\"status_code\":64002", "tran_code"},
    {"{\"exists_message\":\"Đã tồn tại\"}", REPEAT, 400, "Đã tồn tại", "tran_code"},
    {"{\"status_id\":\"tran_code\"}", STATUS_SIGNED, 404, "not found", "signature_value"},
    {"{\"status_id\":\"transaction_id\"}", STATUS_SIGNED, 200, "signature_value", "not found"},
    {"{\"waiting_signatures\":\"null\"}", STATUS_WAITING, 200, "\"signatures\":null", "[]"},
    {"{\"waiting_signatures\":\"absent\"}", STATUS_WAITING, 200, "wait_for_user", "signatures"},
    {"{\"waiting_signatures\":\"empty\"}", STATUS_WAITING, 200, "\"signatures\":[]", "null"},
    {"{\"waiting_message\":\"Chờ xác nhận\"}", STATUS_WAITING, 200, "Chờ xác nhận", "sig_wait"},
    {"{\"waiting_409\":true}", STATUS_WAITING, 409, "\"status_code\":409", "200"},
    {"{\"waiting_409\":true,\"errors\":\"body\"}", STATUS_WAITING, 409, "409", "200"},
    {"{\"signature_form\":\"direct\"}", STATUS_SIGNED, 200, "\"signature_value\":", "signatures"},
    {"{\"single_doc_id\":false}", STATUS_SIGNED, 200, "signature_value", "doc_id"},
    {"{\"signed_message\":\"Thành công\"}", STATUS_SIGNED, 200, "Thành công", "SUCCESS"},
    {"{\"signature_base64\":\"crlf\"}", STATUS_SIGNED, 200, "\\r\\n", "\\n\\n"},
    {"{\"signature_base64\":\"spaces\"}", STATUS_SIGNED, 200, "\"signature_value\":\" ", "\\n"},
    {"{\"success_code\":0}", STATUS_SIGNED, 200, "\"status_code\":0", "\"status_code\":200"},
    {"{\"success_code\":0}", LIST, 200, "\"status_code\":0", "\"status_code\":200"},
    {"{\"rejected_message\":\"Từ chối\"}", STATUS_REJECTED, 200, "Từ chối", "REJECTED"},
    {"{\"rejected_code\":403}", STATUS_REJECTED, 403, "REJECTED", "signature_value"},
    {"{\"expired_in_sign\":true}", SIGN, 200, "\"expired_in\":300", "signatures"},
    {"{\"expired_in_sign\":false}", SIGN, 200, "tran_code", "expired_in"},
    {"{\"expired_in_status\":true}", STATUS_WAITING, 200, "\"expired_in\":", "SUCCESS"},
    {"{\"reply_transaction_id\":\"other\"}", SIGN, 200, "transaction_id", "\"b\""},
    {"{\"reply_transaction_id\":\"other\"}", STATUS_SIGNED, 200, "transaction_id", "\"b\""},
    {"{\"serial_required\":true}", SIGN, 400, "serial_number is required", "tran_code"},
    {"{\"status_credentials\":true}", STATUS_SIGNED, 401, "SP_CREDENTIAL", "signature_value"},
    {"{\"documents_max\":0}", SIGN, 400, "too many", "tran_code"},
    {"{\"uppercase_messages\":true}", SIGN, 200, "SIG_WAIT_FOR_USER_CONFIRM", "sig_wait"},
    {"{\"cert_status_code\":false}", LIST, 200, "\"cert_status\":", "cert_status_code"},
    {"{\"reduced_certificate\":true}", LIST, 200, "cert_data", "cert_subject"},
    {"{\"root_cert\":false}", LIST, 200, "\"root_cert\":null", "BEGIN"},
    {"{\"cert_base64\":\"crlf\"}", LIST, 200, "\\r\\n", "BEGIN"},
    {"{\"cert_base64\":\"spaces\"}", LIST, 200, "\"cert_data\":\" MII", "BEGIN"},
    {"{\"cert_base64\":\"pem\"}", LIST, 200, "-----BEGIN CERTIFICATE-----\\nMII", "\\r"},
    {"{\"certificates_message\":\"OK\"}", LIST, 200, "\"message\":\"OK\"", "Success"},
};

static void each_switch_shows_in_the_answer(void **state)
{
    struct harness *h = *state;
    for (size_t i = 0; i < ARRAY_LEN(switches); i++) {
        harness_control(h, "/control/reset", "");
        harness_control(h, "/control/behaviour", switches[i].behaviour);

        struct answer answer = take(h, switches[i].step);

        const char *body = (const char *)answer.body.ptr;
        if (answer.status != switches[i].http_status || !strstr(body, switches[i].present) ||
            strstr(body, switches[i].absent))
            print_error("row %zu: %s: %ld %s\n", i, switches[i].behaviour, answer.status, body);
        assert_int_equal(answer.status, switches[i].http_status);
        assert_non_null(strstr(body, switches[i].present));
        assert_null(strstr(body, switches[i].absent));
        harness_done(&answer);
    }
}

static void a_disordered_signature_is_still_the_signature(void **state)
{
    static const char *const forms[] = {"{\"signature_base64\":\"crlf\"}",
                                        "{\"signature_base64\":\"spaces\"}"};
    struct harness *h = *state;
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        harness_control(h, "/control/reset", "");
        harness_control(h, "/control/behaviour", forms[i]);

        struct answer answer = take(h, STATUS_SIGNED);

        assert_true(verify_pkcs1(h, HASH_32, answer_signature(&answer, "signature_value")));
        harness_done(&answer);
    }
}

static void the_cms_form_is_one_that_openssl_accepts(void **state)
{
    struct harness *h = *state;
    harness_control(h, "/control/behaviour", "{\"signature_type\":\"cms\"}");

    struct answer answer = take(h, STATUS_SIGNED);

    const char *value = answer_signature(&answer, "signature_value");
    assert_true(verify_cms(h, "hello", value));
    assert_false(verify_cms(h, "hallo", value));
    assert_false(verify_pkcs1(h, HASH_32, value));
    harness_done(&answer);
}

static void sha1_is_signed_once_it_is_allowed(void **state)
{
    static const char sha1[] = "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d";
    struct harness *h = *state;
    char body[1024];
    harness_sign_body(body, sizeof(body), "old",
                      "[" FILE_OF("aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d", "d") "]");
    harness_control(h, "/control/behaviour", "{\"allow_sha1\":true}");

    struct answer asked = harness_ask(h, SIGN_PATH, body);
    struct answer answer = harness_status(h, "old");

    assert_int_equal(asked.status, 200);
    assert_true(verify_pkcs1(h, sha1, answer_signature(&answer, "signature_value")));
    harness_done(&asked);
    harness_done(&answer);
}

static void a_refused_set_of_switches_changes_none(void **state)
{
    struct harness *h = *state;
    struct answer before = harness_ask(h, "/control/behaviour", NULL);

    struct answer refused =
        harness_ask(h, "/control/behaviour", "{\"lifetime_s\":7,\"no_such_switch\":true}");

    struct answer after = harness_ask(h, "/control/behaviour", NULL);
    assert_int_equal(refused.status, 400);
    assert_true(cJSON_Compare(before.json, after.json, 1));
    harness_done(&before);
    harness_done(&refused);
    harness_done(&after);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(each_switch_shows_in_the_answer, harness_reset),
        cmocka_unit_test_setup(a_disordered_signature_is_still_the_signature, harness_reset),
        cmocka_unit_test_setup(the_cms_form_is_one_that_openssl_accepts, harness_reset),
        cmocka_unit_test_setup(sha1_is_signed_once_it_is_allowed, harness_reset),
        cmocka_unit_test_setup(a_refused_set_of_switches_changes_none, harness_reset),
    };
    return cmocka_run_group_tests_name("emulator: behaviour", tests, harness_group_setup,
                                       harness_group_teardown);
}
