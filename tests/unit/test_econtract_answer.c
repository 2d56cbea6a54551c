/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of eContract, whole, thin and hostile; questions byte by byte. */
#include "remote/econtract/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "remote/econtract/member.h"
#include "remote/econtract/question.h"

#define GOOD(data) "{\"data\":" data ",\"success\":true,\"code\":0,\"messages\":[]}"

static enum sca_status parse(const char *text, struct answer *ret_answer)
{
    const char *why = NULL;
    enum sca_status st = answer_parse(span_text(text), 200, ret_answer, &why);

    assert_int_equal(st != SCA_OK, why != NULL);
    return st;
}

static void parse_ok(const char *text, struct answer *ret_answer)
{
    assert_int_equal(parse(text, ret_answer), SCA_OK);
}

static const char whole_users[] = GOOD(
    "{\"items\":[{\"id\":7,\"code\":\"NV01\",\"name\":\"Nguyễn Văn An\",\"email\":\"an@shop.vn\","
    "\"signatureText\":\"{{SubjectDN.CN}}\\nGiám đốc\",\"defaultSmartCa\":{\"id\":\"12\"},"
    "\"userCertificates\":[{\"id\":11,\"name\":\"Cũ\",\"commonName\":\"AN\",\"uid\":\"CCCD:1\","
    "\"validFrom\":\"2025-01-01T00:00:00\",\"validTo\":\"2026-01-01T00:00:00\","
    "\"serialNumber\":\"54ab\",\"subjectDN\":\"CN=AN\","
    "\"status\":{\"value\":1,\"description\":\"Active\"},\"smartCaUsername\":\"012345678901\","
    "\"isValid\":true,\"isBusinessSmartCaAccount\":true,\"provider\":1},"
    "{\"id\":\"12\",\"status\":2}]},{\"id\":8,\"smartCaId\":13}],\"totalCount\":\"31\","
    "\"pageCount\":4,"
    "\"hasNextPage\":true}");

static void users_are_read_with_their_certificates(void **state)
{
    (void)state;
    AUTO(answer_fini) struct answer answer;
    AUTO(econtract_users_fini) struct econtract_users users = {.count = 0};
    const char *why = NULL;
    parse_ok(whole_users, &answer);

    assert_int_equal(answer_users(&answer, &users, &why), SCA_OK);

    assert_int_equal(users.count, 2);
    assert_int_equal(users.total, 31);
    assert_true(users.has_next);
    const struct econtract_user *user = &users.items[0];
    assert_int_equal(user->id, 7);
    assert_string_equal(user->code, "NV01");
    assert_string_equal(user->name, "Nguyễn Văn An");
    assert_string_equal(user->email, "an@shop.vn");
    assert_string_equal(user->signature_text, "{{SubjectDN.CN}}\nGiám đốc");
    assert_int_equal(user->default_id, 12);
    assert_int_equal(user->certificate_count, 2);
    const struct econtract_certificate *certificate = &user->certificates[0];
    assert_int_equal(certificate->id, 11);
    assert_string_equal(certificate->name, "Cũ");
    assert_string_equal(certificate->common_name, "AN");
    assert_string_equal(certificate->uid, "CCCD:1");
    assert_string_equal(certificate->serial_number, "54ab");
    assert_string_equal(certificate->subject_dn, "CN=AN");
    assert_string_equal(certificate->valid_from, "2025-01-01T00:00:00");
    assert_string_equal(certificate->valid_to, "2026-01-01T00:00:00");
    assert_string_equal(certificate->smart_ca_username, "012345678901");
    assert_int_equal(certificate->status, 1);
    assert_true(certificate->is_valid);
    assert_true(certificate->is_business);
    certificate = &user->certificates[1];
    assert_int_equal(certificate->id, 12);
    assert_string_equal(certificate->name, "");
    assert_string_equal(certificate->serial_number, "");
    assert_int_equal(certificate->status, 2);
    assert_false(certificate->is_valid);
    assert_string_equal(users.items[1].name, "");
    assert_int_equal(users.items[1].default_id, 13);
    assert_null(users.items[1].certificates);
}

static void whoever_has_no_id_is_left_out(void **state)
{
    (void)state;
    AUTO(answer_fini) struct answer answer;
    AUTO(econtract_users_fini) struct econtract_users users = {.count = 0};
    const char *why = NULL;
    parse_ok(GOOD("[{\"name\":\"a\"},3,null,{\"id\":\"7x\"},{\"id\":1.5},{\"id\":null},"
                  "{\"id\":7,\"userCertificates\":[{\"name\":\"b\"},{\"id\":11}]}]"),
             &answer);

    assert_int_equal(answer_users(&answer, &users, &why), SCA_OK);

    assert_int_equal(users.count, 1);
    assert_int_equal(users.items[0].id, 7);
    assert_int_equal(users.items[0].certificate_count, 1);
    assert_int_equal(users.items[0].certificates[0].id, 11);
    assert_int_equal(users.total, 1);
    assert_false(users.has_next);
}

static void a_user_may_be_missing_from_the_answer(void **state)
{
    (void)state;
    static const char *const bodies[] = {GOOD("null"), GOOD("true"), GOOD("{}"), GOOD("\"x\""),
                                         "{\"success\":true}"};
    static const struct econtract_user nobody;

    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        AUTO(answer_fini) struct answer answer;
        struct econtract_user user = {.id = 1};
        const char *why = NULL;
        parse_ok(bodies[i], &answer);
        assert_int_equal(answer_user(&answer, &user, &why), SCA_OK);
        assert_memory_equal(&user, &nobody, sizeof(user));
    }
}

static void what_is_no_envelope_is_refused(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "",
        "null",
        "[]",
        "{}",
        "\"ok\"",
        "{\"data\":{}}",
        "{\"success\":true",
        "{\"success\":true} x",
        "{\"success\":true,\"success\":false}",
        "{\"success\":true,\"messages\":[\"\xff\"]}",
        "{\"success\":true,\"messages\":[\"\\u0000\"]}",
        "{\"success\":true,\"data\":[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]}",
    };

    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct answer answer;
        if (parse(bodies[i], &answer) != SCA_PROTOCOL)
            fail_msg("accepted: %s", bodies[i]);
        assert_null(answer.json);
        assert_int_equal(answer.verdict.http_status, 200);
    }
}

static const struct {
    const char *body;
    bool is_good;
    long code;
    const char *messages;
} verdicts[] = {
    {"{\"success\":true}", true, 0, ""},
    {"{\"code\":0}", true, 0, ""},
    {"{\"code\":\"0\",\"messages\":\"Xong\"}", true, 0, "Xong"},
    {"{\"success\":true,\"code\":0,\"messages\":[\"a\",null,\"\",\"b\"]}", true, 0, "a; b"},
    {"{\"success\":true,\"code\":100}", false, 100, ""},
    {"{\"success\":false,\"code\":\"401\",\"messages\":[\"x\\ny\\u007f\"]}", false, 401, "x y "},
    {"{\"code\":5,\"message\":\"m\"}", false, 5, "m"},
    {"{\"success\":\"true\",\"code\":1}", false, 1, ""},
    {"{\"success\":false,\"messages\":[\"x\\u009b31m\"]}", false, 0, "x??31m"},
    {"{\"success\":false,\"messages\":{}}", false, 0, ""},
};

static void a_verdict_is_what_the_envelope_says(void **state)
{
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(verdicts); i++) {
        AUTO(answer_fini) struct answer answer;
        parse_ok(verdicts[i].body, &answer);
        assert_int_equal(answer_is_good(&answer), verdicts[i].is_good);
        assert_int_equal(answer.verdict.code, verdicts[i].code);
        assert_string_equal(answer.verdict.messages, verdicts[i].messages);
    }
}

static void a_token_is_not_left_in_the_answer(void **state)
{
    (void)state;
    static const char *const bodies[] = {GOOD("\"ey.canary\""), GOOD("{\"token\":\"ey.canary\"}"),
                                         GOOD("{\"accessToken\":\"ey.canary\"}")};

    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        AUTO(answer_fini) struct answer answer;
        AUTO(secret_freep) struct secret *token = NULL;
        struct econtract_companies companies = {.count = 0};
        const char *why = NULL;
        parse_ok(bodies[i], &answer);
        assert_int_equal(answer_take_login(&answer, &token, &companies, &why), SCA_OK);
        assert_true(span_equal(secret_get(token), span_text("ey.canary")));
        char *left = cJSON_PrintUnformatted(answer.json);
        assert_null(strstr(left, "canary"));
        cJSON_free(left);
    }
}

static void companies_come_in_several_spellings(void **state)
{
    (void)state;
    AUTO(answer_fini) struct answer answer;
    AUTO(econtract_companies_fini) struct econtract_companies companies = {.count = 0};
    struct secret *token = NULL;
    const char *why = NULL;
    parse_ok(GOOD("{\"companies\":[{\"companyId\":3,\"companyName\":\"A\"},{\"name\":\"x\"},"
                  "{\"comId\":\"4\"}]}"),
             &answer);

    assert_int_equal(answer_take_login(&answer, &token, &companies, &why), SCA_OK);

    assert_null(token);
    assert_int_equal(companies.count, 2);
    assert_string_equal(companies.items[0].id, "3");
    assert_string_equal(companies.items[0].name, "A");
    assert_string_equal(companies.items[1].id, "4");
    assert_string_equal(companies.items[1].name, "");
}

static char *repeat(const char *before, const char *item, size_t count, const char *after)
{
    struct buf text;
    buf_init(&text, HTTP_BODY_MAX, false);
    assert_int_equal(buf_append(&text, span_text(before)), SCA_OK);
    for (size_t i = 0; i < count; i++) {
        if (i)
            assert_int_equal(buf_append(&text, span_text(",")), SCA_OK);
        assert_int_equal(buf_append(&text, span_text(item)), SCA_OK);
    }
    assert_int_equal(buf_append(&text, span_text(after)), SCA_OK);
    return (char *)text.ptr;
}

static void too_many_of_anything_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *before;
        size_t max;
        const char *after;
    } rows[] = {
        {"{\"success\":true,\"data\":[", ANSWER_USERS_MAX, "]}"},
        {"{\"success\":true,\"data\":[{\"id\":1,\"userCertificates\":[", ANSWER_CERTIFICATES_MAX,
         "]}]}"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (size_t more = 0; more <= 1; more++) {
            AUTO(freep)
            char *body = repeat(rows[i].before, "{\"id\":1}", rows[i].max + more, rows[i].after);
            AUTO(answer_fini) struct answer answer;
            AUTO(econtract_users_fini) struct econtract_users users = {.count = 0};
            const char *why = NULL;
            parse_ok(body, &answer);
            assert_int_equal(answer_users(&answer, &users, &why), more ? SCA_PROTOCOL : SCA_OK);
            assert_int_equal(users.count > 0, !more);
        }
    }
}

static void a_long_text_is_cut_at_a_character(void **state)
{
    (void)state;
    AUTO(freep)
    char *body = repeat("{\"success\":true,\"data\":{\"id\":1,\"name\":\"x", "é", 2000, "\"}}");
    AUTO(answer_fini) struct answer answer;
    struct econtract_user user;
    const char *why = NULL;
    parse_ok(body, &answer);

    assert_int_equal(answer_user(&answer, &user, &why), SCA_OK);

    assert_true(strlen(user.name) <= MEMBER_TEXT_MAX);
    assert_true(utf8_is_valid(span_text(user.name)));
    econtract_user_fini(&user);
}

static void a_page_is_asked_for_by_its_address(void **state)
{
    (void)state;
    static const struct {
        const char *search;
        const char *expected;
    } rows[] = {
        {NULL, "https://x/api/users?page=2&pageSize=50"},
        {"", "https://x/api/users?page=2&pageSize=50"},
        {"a b&c=d/é%+#", "https://x/api/users?page=2&pageSize=50&search="
                         "a%20b%26c%3Dd%2F%C3%A9%25%2B%23"},
        {"A-z_0.9~", "https://x/api/users?page=2&pageSize=50&search=A-z_0.9~"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct question_page page = {rows[i].search, 2, 50};
        AUTO(buf_fini) struct buf address;
        assert_int_equal(question_users("https://x", &page, &address), SCA_OK);
        assert_string_equal((const char *)address.ptr, rows[i].expected);
    }
}

static void a_question_of_no_text_is_not_made(void **state)
{
    (void)state;
    const struct question_page page = {"\xff", 1, 50};
    struct buf bytes;
    AUTO(freep) char *endless = repeat("", "x", QUESTION_MAX / 2, "");
    AUTO(secret_freep) struct secret *binary = NULL;
    assert_int_equal(secret_new(span_of("a\0b", 3), &binary), SCA_OK);
    const struct question_login login = {.username = "ann", .password = binary};

    assert_int_equal(question_users("https://x", &page, &bytes), SCA_INVALID);
    assert_null(bytes.ptr);
    assert_int_equal(question_add(1, endless, NULL, &bytes), SCA_INVALID);
    assert_null(bytes.ptr);
    assert_int_equal(question_login(&login, &bytes), SCA_INVALID);
    assert_null(bytes.ptr);
}

static void texts_are_escaped_as_json_wants_it(void **state)
{
    (void)state;
    AUTO(buf_fini) struct buf body;
    const struct question_update update = {1, 2, false, "a\"b\\c\nd\x01/é"};

    assert_int_equal(question_update(&update, &body), SCA_OK);

    assert_string_equal((const char *)body.ptr, "{\"id\":1,\"userId\":2,\"isSetDefault\":false,"
                                                "\"name\":\"a\\u0022b\\u005cc\\u000ad\\u0001/é\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(users_are_read_with_their_certificates),
        cmocka_unit_test(whoever_has_no_id_is_left_out),
        cmocka_unit_test(a_user_may_be_missing_from_the_answer),
        cmocka_unit_test(what_is_no_envelope_is_refused),
        cmocka_unit_test(a_verdict_is_what_the_envelope_says),
        cmocka_unit_test(a_token_is_not_left_in_the_answer),
        cmocka_unit_test(companies_come_in_several_spellings),
        cmocka_unit_test(too_many_of_anything_is_refused),
        cmocka_unit_test(a_long_text_is_cut_at_a_character),
        cmocka_unit_test(a_page_is_asked_for_by_its_address),
        cmocka_unit_test(a_question_of_no_text_is_not_made),
        cmocka_unit_test(texts_are_escaped_as_json_wants_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
