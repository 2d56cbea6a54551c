/* SPDX-License-Identifier: Apache-2.0 */
/* Answers, whatever the service leaves out of them. */
#include "remote/smartca/codec.h"

#include "remote/base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct codec_reply reply_of(const char *text)
{
    struct codec_reply reply = {0};
    const char *why = NULL;

    assert_int_equal(codec_parse_reply(span_text(text), &reply, &why), SCA_OK);
    return reply;
}

static void the_answer_to_sign_is_taken_apart(void **state)
{
    (void)state;
    struct codec_reply reply =
        reply_of("{\"status_code\":200,\"message\":\"sig_wait_for_user_confirm\",\"data\":"
                 "{\"transaction_id\":\"t-0002\",\"tran_code\":\"c-1\",\"expired_in\":299}}");

    assert_int_equal(reply.status_code, 200);
    assert_string_equal(reply.message, "sig_wait_for_user_confirm");
    assert_string_equal(reply.transaction_id, "t-0002");
    assert_string_equal(reply.tran_code, "c-1");
    assert_int_equal(reply.expired_in, 299);
    assert_int_equal(reply.signature_count, 0);
    codec_reply_fini(&reply);
    assert_null(reply.json);
    assert_null(reply.signatures);
}

static void signatures_are_taken_wherever_they_stand(void **state)
{
    (void)state;
    struct codec_reply reply = reply_of(
        "{\"status_code\":200,\"message\":\"SUCCESS\",\"data\":{\"transaction_id\":\"x\","
        "\"signatures\":[{\"doc_id\":\"d-1\",\"signature_value\":\"QUJD\",\"timestamp_signature\":"
        "null},{\"signature_value\":\"REVG\"}],"
        "\"signed_files\":[{\"doc_id\":\"d-3\",\"signature_value\":\"R0hJ\"}],"
        "\"signature_value\":\"SktM\"}}");
    static const struct codec_signature expected[] = {
        {"d-1", "QUJD"}, {NULL, "REVG"}, {"d-3", "R0hJ"}, {NULL, "SktM"}};

    assert_int_equal(reply.signature_count, ARRAY_LEN(expected));
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        assert_string_equal(reply.signatures[i].value, expected[i].value);
        assert_int_equal(reply.signatures[i].doc_id == NULL, expected[i].doc_id == NULL);
        if (expected[i].doc_id)
            assert_string_equal(reply.signatures[i].doc_id, expected[i].doc_id);
    }
    codec_reply_fini(&reply);
}

static void an_item_without_a_value_is_no_signature(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{\"data\":{\"signatures\":[{\"doc_id\":\"d\",\"signature_value\":\"\"}]}}",
        "{\"data\":{\"signatures\":[{\"doc_id\":\"d\",\"signature_value\":null}]}}",
        "{\"data\":{\"signatures\":[{\"doc_id\":\"d\"},null,7,\"x\",[]]}}",
        "{\"data\":{\"signatures\":[]}}",
        "{\"data\":{\"signatures\":null,\"signature_value\":\"\"}}",
        "{\"data\":{\"signatures\":\"QUJD\"}}",
        "{\"data\":{\"Signatures\":[{\"signature_value\":\"QUJD\"}]}}",
        "{\"signatures\":[{\"signature_value\":\"QUJD\"}]}",
        "{\"data\":null}",
        "{\"data\":\"x\"}",
        "{}",
    };

    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct codec_reply reply = reply_of(bodies[i]);
        if (reply.signature_count != 0)
            fail_msg("%s", bodies[i]);
        codec_reply_fini(&reply);
    }
}

static void the_status_code_may_be_text_but_must_be_a_number(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        long code;
    } rows[] = {
        {"{\"status_code\":0}", 0},
        {"{\"status_code\":65000}", 65000},
        {"{\"status_code\":\"401\"}", 401},
        {"{\"status_code\":\"\"}", CODEC_NO_STATUS},
        {"{\"status_code\":\"200 OK\"}", CODEC_NO_STATUS},
        {"{\"status_code\":\" 200\"}", CODEC_NO_STATUS},
        {"{\"status_code\":\"-1\"}", CODEC_NO_STATUS},
        {"{\"status_code\":\"99999999999999999999\"}", CODEC_NO_STATUS},
        {"{\"status_code\":200.5}", CODEC_NO_STATUS},
        {"{\"status_code\":true}", CODEC_NO_STATUS},
        {"{\"status_code\":null}", CODEC_NO_STATUS},
        {"{\"STATUS_CODE\":200}", CODEC_NO_STATUS},
        {"{}", CODEC_NO_STATUS},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct codec_reply reply = reply_of(rows[i].body);
        if (reply.status_code != rows[i].code)
            fail_msg("%s: %ld", rows[i].body, reply.status_code);
        codec_reply_fini(&reply);
    }
}

static void the_seconds_left_are_positive_and_bounded(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        long seconds;
    } rows[] = {
        {"{\"data\":{\"expired_in\":1}}", 1},
        {"{\"data\":{\"expired_in\":\"299\"}}", 299},
        {"{\"data\":{\"expired_in\":9007199254740991}}", 86400},
        {"{\"data\":{\"expired_in\":0}}", 0},
        {"{\"data\":{\"expired_in\":-5}}", 0},
        {"{\"data\":{\"expired_in\":null}}", 0},
        {"{\"data\":{}}", 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct codec_reply reply = reply_of(rows[i].body);
        if (reply.expired_in != rows[i].seconds)
            fail_msg("%s: %ld", rows[i].body, reply.expired_in);
        codec_reply_fini(&reply);
    }
}

static void an_id_that_does_not_fit_is_none(void **state)
{
    (void)state;
    char body[2 * CODEC_ID_SIZE + 100];

    (void)sprintf(body, "{\"data\":{\"transaction_id\":\"%0*d\",\"tran_code\":\"%0*d\"}}",
                  CODEC_ID_SIZE - 1, 1, CODEC_ID_SIZE, 1);
    struct codec_reply reply = reply_of(body);

    assert_int_equal(strlen(reply.transaction_id), CODEC_ID_SIZE - 1);
    assert_string_equal(reply.tran_code, "");
    codec_reply_fini(&reply);
}

static void a_long_message_is_cut_at_a_character(void **state)
{
    (void)state;
    static const struct {
        const char *prefix;
        size_t len;
    } rows[] = {{"", 255}, {"x", 253}, {"xx", 254}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char body[400];
        char *at = body + sprintf(body, "{\"message\":\"%s", rows[i].prefix);
        for (int j = 0; j < 100; j++)
            at += sprintf(at, "ễ");
        (void)sprintf(at, "\"}");
        struct codec_reply reply = reply_of(body);
        assert_int_equal(strlen(reply.message), rows[i].len);
        assert_true(utf8_is_valid(span_text(reply.message)));
        codec_reply_fini(&reply);
    }
}

static void what_is_no_envelope_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        const char *why;
    } rows[] = {
        {"", "empty"},
        {"<html/>", "not JSON"},
        {"[]", "not an object"},
        {"\"x\"", "not an object"},
        {"null", "not an object"},
        {"{\"status_code\":200,\"status_code\":401}", "a key is there twice"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct codec_reply reply;
        const char *why = NULL;
        memset(&reply, 0x5a, sizeof(reply));
        const struct codec_reply before = reply;
        assert_int_equal(codec_parse_reply(span_text(rows[i].body), &reply, &why), SCA_PROTOCOL);
        assert_string_equal(why, rows[i].why);
        assert_memory_equal(&reply, &before, sizeof(reply));
    }
}

/* prefix, then item count times with commas between, then suffix. */
static char *list_of(const char *prefix, const char *item, size_t count, const char *suffix)
{
    char *text = malloc(strlen(prefix) + (strlen(item) + 1) * count + strlen(suffix) + 1);
    assert_non_null(text);
    char *at = text + sprintf(text, "%s", prefix);

    for (size_t i = 0; i < count; i++)
        at += sprintf(at, "%s%s", i ? "," : "", item);
    (void)sprintf(at, "%s", suffix);
    return text;
}

static void signatures_have_a_limit(void **state)
{
    (void)state;
    static const char item[] = "{\"signature_value\":\"QQ==\"}";
    AUTO(freep)
    char *most = list_of("{\"data\":{\"signatures\":[", item, CODEC_SIGNATURES_MAX, "]}}");
    AUTO(freep)
    char *more = list_of("{\"data\":{\"signatures\":[", item, CODEC_SIGNATURES_MAX,
                         "],\"signed_files\":[{}]}}");
    struct codec_reply reply = reply_of(most);
    struct codec_reply refused = {0};
    const char *why = NULL;

    assert_int_equal(reply.signature_count, CODEC_SIGNATURES_MAX);
    assert_int_equal(codec_parse_reply(span_text(more), &refused, &why), SCA_PROTOCOL);
    assert_string_equal(why, "too many signatures");
    codec_reply_fini(&reply);
}

static void assert_bytes(const struct buf *buf, const char *expected)
{
    assert_int_equal(buf->len, strlen(expected));
    if (buf->len)
        assert_memory_equal(buf->ptr, expected, buf->len);
}

static struct codec_certificates list_in(const char *text, size_t expected_skipped)
{
    struct codec_certificates list = {0};
    size_t skipped = 99;
    const char *why = NULL;

    assert_int_equal(codec_parse_certificates(span_text(text), &list, &skipped, &why), SCA_OK);
    assert_int_equal(skipped, expected_skipped);
    return list;
}

static void a_full_certificate_item_is_taken_apart(void **state)
{
    (void)state;
    struct codec_certificates list = list_in(
        "{\"status_code\":200,\"message\":\"Success\",\"data\":{\"user_certificates\":[{\"service_"
        "type\":\"SMARTCA\",\"service_name\":\"SMARTCA PERSONAL "
        "PRO\",\"cert_id\":\"1\",\"cert_status\":\"Đang hoạt "
        "động\",\"cert_status_code\":\"VALID\",\"serial_number\":\"54010101AA\",\"cert_data\":"
        "\"bGVhZg==\",\"chain_data\":{\"ca_cert\":\"Y2E=\",\"root_cert\":\"cm9vdA==\"}}]}}",
        0);

    assert_int_equal(list.reply.status_code, 200);
    assert_int_equal(list.count, 1);
    assert_string_equal(list.items[0].service_type, "SMARTCA");
    assert_string_equal(list.items[0].serial_number, "54010101AA");
    assert_string_equal(list.items[0].status, "Đang hoạt động");
    assert_string_equal(list.items[0].status_code, "VALID");
    assert_bytes(&list.items[0].leaf, "leaf");
    assert_bytes(&list.items[0].ca, "ca");
    assert_bytes(&list.items[0].root, "root");
    codec_certificates_fini(&list);
    assert_int_equal(list.count, 0);
    assert_null(list.items);
}

static void a_reduced_certificate_item_is_enough(void **state)
{
    (void)state;
    struct codec_certificates list =
        list_in("{\"data\":{\"user_certificates\":[{\"cert_data\":\"bGVhZg==\","
                "\"chain_data\":{\"ca_cert\":\"Y2E=\",\"root_cert\":null}},"
                "{\"cert_data\":\"bGVhZg==\"},"
                "{\"cert_data\":\"bGVhZg==\",\"chain_data\":{\"ca_cert\":\"!\"}}]}}",
                0);

    assert_int_equal(list.count, 3);
    assert_string_equal(list.items[0].serial_number, "");
    assert_string_equal(list.items[0].service_type, "");
    assert_string_equal(list.items[0].status, "");
    assert_string_equal(list.items[0].status_code, "");
    assert_bytes(&list.items[0].ca, "ca");
    assert_bytes(&list.items[0].root, "");
    assert_bytes(&list.items[1].ca, "");
    assert_bytes(&list.items[2].leaf, "leaf");
    assert_bytes(&list.items[2].ca, "");
    codec_certificates_fini(&list);
}

static void armour_and_white_space_are_no_obstacle(void **state)
{
    (void)state;
    struct codec_certificates list =
        list_in("{\"data\":{\"user_certificates\":["
                "{\"cert_data\":\"bGVh\\r\\nZg==\\r\\n\"},"
                "{\"cert_data\":\"-----BEGIN CERTIFICATE-----\\nbGVh\\nZg==\\n-----END "
                "CERTIFICATE-----\\n\"},"
                "{\"cert_data\":\"subject=x\\n-----BEGIN CERTIFICATE-----bGVhZg==\"}]}}",
                0);

    assert_int_equal(list.count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_bytes(&list.items[i].leaf, "leaf");
    codec_certificates_fini(&list);
}

static void a_numeric_status_is_its_text(void **state)
{
    (void)state;
    struct codec_certificates list =
        list_in("{\"data\":{\"user_certificates\":[{\"cert_data\":\"bGVhZg==\",\"cert_status\":1,"
                "\"cert_status_code\":0},{\"cert_data\":\"bGVhZg==\",\"cert_status\":1.5}]}}",
                0);

    assert_string_equal(list.items[0].status, "1");
    assert_string_equal(list.items[0].status_code, "0");
    assert_string_equal(list.items[1].status, "");
    codec_certificates_fini(&list);
}

static void an_item_without_a_certificate_is_skipped_and_counted(void **state)
{
    (void)state;
    AUTO(freep)
    char *huge =
        list_of("{\"data\":{\"user_certificates\":[{\"cert_data\":\"AAAA", "AAA", 5500, "\"}]}}");
    struct codec_certificates list =
        list_in("{\"data\":{\"user_certificates\":[{},{\"cert_data\":\"\"},{\"cert_data\":null},"
                "{\"cert_data\":\"***\"},{\"cert_data\":\"bGVhZg\"},7,null,"
                "{\"cert_data\":\"bGVhZg==\",\"serial_number\":\"kept\"},{\"cert_data\":5}]}}",
                8);
    assert_int_equal(list.count, 1);
    assert_string_equal(list.items[0].serial_number, "kept");
    codec_certificates_fini(&list);

    for (char *comma = strchr(huge, ','); comma; comma = strchr(comma, ','))
        *comma = 'A';
    list = list_in(huge, 1); /* over CERTIFICATE_MAX */
    assert_int_equal(list.count, 0);
    codec_certificates_fini(&list);
}

static void no_list_is_an_empty_list(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{\"status_code\":200,\"message\":\"Success\",\"data\":null}",
        "{\"status_code\":404,\"message\":\"not found\"}",
        "{\"data\":{}}",
        "{\"data\":{\"user_certificates\":null}}",
        "{\"data\":{\"user_certificates\":[]}}",
        "{\"data\":[]}",
    };

    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct codec_certificates list = list_in(bodies[i], 0);
        assert_int_equal(list.count, 0);
        codec_certificates_fini(&list);
    }
}

static void certificates_have_a_limit(void **state)
{
    (void)state;
    static const char prefix[] = "{\"data\":{\"user_certificates\":[";
    static const char item[] = "{\"cert_data\":\"bGVhZg==\"}";
    AUTO(freep) char *most = list_of(prefix, item, CODEC_CERTIFICATES_MAX, "]}}");
    AUTO(freep) char *more = list_of(prefix, item, CODEC_CERTIFICATES_MAX + 1, "]}}");
    struct codec_certificates list = list_in(most, 0);
    struct codec_certificates refused = {0};
    size_t skipped = 99;
    const char *why = NULL;

    assert_int_equal(list.count, CODEC_CERTIFICATES_MAX);
    assert_int_equal(codec_parse_certificates(span_text(more), &refused, &skipped, &why),
                     SCA_PROTOCOL);
    assert_string_equal(why, "too many certificates");
    assert_int_equal(skipped, 99);
    assert_null(refused.items);
    codec_certificates_fini(&list);
}

/* Allocations cJSON may still make; below zero: any number. */

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_answer_to_sign_is_taken_apart),
        cmocka_unit_test(signatures_are_taken_wherever_they_stand),
        cmocka_unit_test(an_item_without_a_value_is_no_signature),
        cmocka_unit_test(the_status_code_may_be_text_but_must_be_a_number),
        cmocka_unit_test(the_seconds_left_are_positive_and_bounded),
        cmocka_unit_test(an_id_that_does_not_fit_is_none),
        cmocka_unit_test(a_long_message_is_cut_at_a_character),
        cmocka_unit_test(what_is_no_envelope_is_refused),
        cmocka_unit_test(signatures_have_a_limit),
        cmocka_unit_test(a_full_certificate_item_is_taken_apart),
        cmocka_unit_test(a_reduced_certificate_item_is_enough),
        cmocka_unit_test(armour_and_white_space_are_no_obstacle),
        cmocka_unit_test(a_numeric_status_is_its_text),
        cmocka_unit_test(an_item_without_a_certificate_is_skipped_and_counted),
        cmocka_unit_test(no_list_is_an_empty_list),
        cmocka_unit_test(certificates_have_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
