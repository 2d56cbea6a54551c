/* SPDX-License-Identifier: Apache-2.0 */
/* Requests, as the documents have them. */
#include "remote/base/cleanup.h"
#include "tests/unit/codec_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void a_certificate_request_reads_as_documented(void **state)
{
    (void)state;
    AUTO(secret_freep) struct secret *password = secret_of("SP_SECRET");
    const struct codec_identity who = {"SP_ID", password, "012345678901"};
    struct buf body;

    assert_int_equal(codec_build_get_certificate(&who, "t-0001", &body), SCA_OK);

    assert_string_equal((const char *)body.ptr,
                        "{\"sp_id\":\"SP_ID\",\"sp_password\":\"SP_SECRET\","
                        "\"user_id\":\"012345678901\",\"serial_number\":\"\","
                        "\"transaction_id\":\"t-0001\"}");
    assert_int_equal(body.len, strlen((const char *)body.ptr));
    assert_true(body.is_sensitive);
    buf_fini(&body);
}

static void a_sign_request_reads_as_documented(void **state)
{
    (void)state;
    AUTO(secret_freep) struct secret *password = secret_of("SP_SECRET");
    const struct codec_identity who = {"SP_ID", password, "012345678901"};
    const struct codec_sign_file files[] = {file, {.digest = {digest, 48}, .doc_id = "d-2"}};
    const struct codec_sign_request request = request_of(files, 2);
    struct buf body;

    assert_int_equal(codec_build_sign(&who, &request, &body), SCA_OK);

    assert_string_equal(
        (const char *)body.ptr,
        "{\"sp_id\":\"SP_ID\",\"sp_password\":\"SP_SECRET\",\"user_id\":\"012345678901\","
        "\"transaction_id\":\"t-0002\",\"transaction_desc\":\"Sign from LibreOffice\","
        "\"serial_number\":\"54010101aa\",\"time_stamp\":\"20250101000000Z\",\"sign_files\":["
        "{\"data_to_be_signed\":"
        "\"0001abcdef000000000000000000000000000000000000000000000000000000\","
        "\"doc_id\":\"0001-ABCD\",\"file_type\":\"pdf\",\"sign_type\":\"hash\"},"
        "{\"data_to_be_signed\":"
        "\"0001abcdef0000000000000000000000000000000000000000000000000000000000000000000000"
        "0000000000000000\","
        "\"doc_id\":\"d-2\",\"file_type\":\"pdf\",\"sign_type\":\"hash\"}]}");
    assert_true(body.is_sensitive);
    buf_fini(&body);
}

static void what_a_sign_request_lacks_is_left_out(void **state)
{
    (void)state;
    AUTO(secret_freep) struct secret *password = secret_of("p");
    const struct codec_identity who = {"s", password, "u"};
    const struct codec_sign_request request = {
        .transaction_id = "t", .files = &file, .file_count = 1};
    struct buf body;

    assert_int_equal(codec_build_sign(&who, &request, &body), SCA_OK);

    assert_string_equal((const char *)body.ptr,
                        "{\"sp_id\":\"s\",\"sp_password\":\"p\",\"user_id\":\"u\","
                        "\"transaction_id\":\"t\",\"sign_files\":[{\"data_to_be_signed\":"
                        "\"0001abcdef000000000000000000000000000000000000000000000000000000\","
                        "\"doc_id\":\"0001-ABCD\",\"file_type\":\"pdf\",\"sign_type\":\"hash\"}]}");
    buf_fini(&body);
}

static void a_value_comes_through_quoting_unchanged(void **state)
{
    (void)state;
    static const char odd[] = "\"\\/\b\n\x01\x7f Nguy\xe1\xbb\x85n \xf0\x9f\x93\xb1";
    AUTO(secret_freep) struct secret *password = secret_of(odd);
    const struct codec_identity who = {odd, password, odd};
    AUTO(json_deletep) cJSON *json = NULL;
    const char *why = NULL;
    struct buf body;

    assert_int_equal(codec_build_get_certificate(&who, odd, &body), SCA_OK);

    assert_int_equal(json_parse(buf_span(&body), &json, &why), SCA_OK);
    assert_string_equal(json_text(json, "sp_id"), odd);
    assert_string_equal(json_text(json, "sp_password"), odd);
    assert_string_equal(json_text(json, "user_id"), odd);
    assert_string_equal(json_text(json, "transaction_id"), odd);
    buf_fini(&body);
}

static void a_large_batch_is_built_and_a_larger_one_refused(void **state)
{
    (void)state;
    static struct codec_sign_file files[CODEC_SIGNATURES_MAX + 1];
    static const struct {
        size_t count;
        size_t digest_len;
        enum sca_status status;
    } rows[] = {
        {1000, 32, SCA_OK},
        {CODEC_SIGNATURES_MAX, 64, SCA_INVALID}, /* over CODEC_REQUEST_MAX */
        {CODEC_SIGNATURES_MAX + 1, 32, SCA_INVALID},
        {0, 32, SCA_INVALID},
    };
    AUTO(secret_freep) struct secret *password = secret_of("p");
    const struct codec_identity who = {"s", password, "u"};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (size_t j = 0; j < rows[i].count; j++)
            files[j] = (struct codec_sign_file){{digest, rows[i].digest_len}, "0123456789ABCDEF"};
        const struct codec_sign_request request = request_of(files, rows[i].count);
        struct buf body = {0};
        enum sca_status st = codec_build_sign(&who, &request, &body);
        if (st != rows[i].status)
            fail_msg("row %zu: %s", i, sca_status_name(st));
        assert_int_equal(body.ptr != NULL, st == SCA_OK);
        buf_fini(&body);
    }
}

static void an_identity_that_lacks_something_is_refused(void **state)
{
    (void)state;
    AUTO(secret_freep) struct secret *good = secret_of("p");
    AUTO(secret_freep) struct secret *empty = secret_of("");
    AUTO(secret_freep) struct secret *invalid = secret_of("\xff");
    AUTO(secret_freep) struct secret *cut = NULL;
    assert_int_equal(secret_new(span_of("a\0b", 3), &cut), SCA_OK);
    const struct codec_identity rows[] = {
        {NULL, good, "u"}, {"", good, "u"},   {"s", NULL, "u"},    {"s", good, NULL},
        {"s", good, ""},   {"s", empty, "u"}, {"s", invalid, "u"}, {"s", cut, "u"},
    };
    const struct codec_sign_request request = request_of(&file, 1);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf body = {0};
        assert_int_equal(codec_build_get_certificate(&rows[i], "t", &body), SCA_INVALID);
        assert_int_equal(codec_build_sign(&rows[i], &request, &body), SCA_INVALID);
        assert_null(body.ptr);
    }
}

static void a_document_that_cannot_be_signed_is_refused(void **state)
{
    (void)state;
    static const struct codec_sign_file rows[] = {
        {{digest, 0}, "d"},
        {{digest, 19}, "d"},
        {{digest, 31}, "d"},
        {{digest, 33}, "d"},
        {{digest, 65}, "d"},
        {{digest, 32}, NULL},
        {{digest, 32}, "\xff"},
        {{digest, 32}, ""},
        {{digest, 32}, "0123456789012345678901234567890123456789012345678901234567890123"},
    };
    AUTO(secret_freep) struct secret *password = secret_of("p");
    const struct codec_identity who = {"s", password, "u"};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct codec_sign_request request = request_of(&rows[i], 1);
        struct buf body = {0};
        assert_int_equal(codec_build_sign(&who, &request, &body), SCA_INVALID);
        assert_null(body.ptr);
    }
}

static void a_request_without_an_id_is_refused(void **state)
{
    (void)state;
    AUTO(secret_freep) struct secret *password = secret_of("p");
    const struct codec_identity who = {"s", password, "u"};
    struct codec_sign_request request = request_of(&file, 1);
    struct buf body = {0};

    request.transaction_id = "";
    assert_int_equal(codec_build_sign(&who, &request, &body), SCA_INVALID);
    request.transaction_id = NULL;
    assert_int_equal(codec_build_sign(&who, &request, &body), SCA_INVALID);
    assert_int_equal(codec_build_get_certificate(&who, "", &body), SCA_INVALID);
    assert_int_equal(codec_build_get_certificate(&who, NULL, &body), SCA_INVALID);
    assert_null(body.ptr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_request_reads_as_documented),
        cmocka_unit_test(a_sign_request_reads_as_documented),
        cmocka_unit_test(what_a_sign_request_lacks_is_left_out),
        cmocka_unit_test(a_value_comes_through_quoting_unchanged),
        cmocka_unit_test(a_large_batch_is_built_and_a_larger_one_refused),
        cmocka_unit_test(an_identity_that_lacks_something_is_refused),
        cmocka_unit_test(a_document_that_cannot_be_signed_is_refused),
        cmocka_unit_test(a_request_without_an_id_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
