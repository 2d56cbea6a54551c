/* SPDX-License-Identifier: Apache-2.0 */
/* The client: who logs in when, what is sent, and what is said of a failure. */
#include "tests/unit/econtract_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"

#define TOKEN(text) "{\"data\":\"" text "\",\"success\":true,\"code\":0,\"messages\":[]}"
#define ONE_USER    "{\"data\":{\"items\":[{\"id\":7}],\"totalCount\":1},\"success\":true,\"code\":0}"
#define COMPANIES                                                                                  \
    "{\"data\":[{\"id\":1,\"name\":\"Shop\"},{\"id\":\"two\",\"name\":\"B\"}],\"success\":true}"
#define NO(code, message)                                                                          \
    "{\"data\":null,\"success\":false,\"code\":" code ",\"messages\":[\"" message "\"]}"
#define LOGIN_BODY "{\"username\":\"ann@shop.vn\",\"password\":\"pass\\u0022word\""

static void assert_request(const struct econtract_stage *stage, size_t index, const char *path,
                           const char *body, const char *bearer)
{
    char url[STAGE_TEXT_MAX];

    assert_true(index < stage->request_count);
    (void)snprintf(url, sizeof(url), "%s%s", STAGE_URL, path);
    assert_string_equal(stage->requests[index].url, url);
    assert_string_equal(stage->requests[index].body, body);
    assert_string_equal(stage->requests[index].bearer, bearer);
    assert_int_equal(stage->requests[index].method, *body ? HTTP_POST : HTTP_GET);
}

static enum sca_status login(struct econtract_stage *stage, const char *company, const char *otp)
{
    struct econtract_companies companies = {.count = 0};
    enum sca_status st = econtract_stage_login(stage, company, otp, &companies);

    assert_int_equal(companies.count, 0);
    return st;
}

static void a_login_gives_a_token_that_the_next_run_still_has(void **state)
{
    struct econtract_stage *stage = *state;
    size_t count = 0;
    TELL(stage, {200, TOKEN("ey.1")}, {200, ONE_USER});

    assert_int_equal(login(stage, NULL, NULL), SCA_OK);
    econtract_stage_restart(stage);
    assert_int_equal(econtract_stage_list(stage, &count), SCA_OK);

    assert_int_equal(stage->request_count, 2);
    assert_request(stage, 0, "/api/auth/password-login", LOGIN_BODY "}", "");
    assert_request(stage, 1, "/api/users?page=1&pageSize=10", "", "ey.1");
    assert_true(stage->requests[1].is_repeatable);
    assert_int_equal(count, 1);
}

static void a_token_lies_in_a_private_file_that_does_not_show_it(void **state)
{
    struct econtract_stage *stage = *state;
    char path[STAGE_TEXT_MAX];
    char bytes[4096];
    struct stat info;
    TELL(stage, {200, TOKEN("ey.canary")});

    assert_int_equal(login(stage, NULL, NULL), SCA_OK);

    assert_int_equal(stat(econtract_stage_ticket(stage, path), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    size_t len = fread(bytes, 1, sizeof(bytes), file);
    (void)fclose(file);
    assert_null(memmem(bytes, len, "canary", 6));
    *strrchr(path, '/') = 0;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0700);
}

static void without_a_token_a_question_logs_in_first(void **state)
{
    struct econtract_stage *stage = *state;
    size_t count = 0;
    TELL(stage, {200, TOKEN("ey.1")}, {200, ONE_USER}, {200, ONE_USER});

    assert_int_equal(econtract_stage_list(stage, &count), SCA_OK);
    assert_int_equal(econtract_stage_list(stage, &count), SCA_OK);

    assert_int_equal(stage->request_count, 3);
    assert_request(stage, 0, "/api/auth/password-login", LOGIN_BODY "}", "");
    assert_request(stage, 2, "/api/users?page=1&pageSize=10", "", "ey.1");
}

static void a_token_is_good_for_a_day_less_five_minutes(void **state)
{
    struct econtract_stage *stage = *state;
    size_t count = 0;
    TELL(stage, {200, TOKEN("ey.1")}, {200, ONE_USER}, {200, TOKEN("ey.2")}, {200, ONE_USER});
    assert_int_equal(login(stage, NULL, NULL), SCA_OK);

    stage->now_s += 24 * 3600 - 301;
    econtract_stage_restart(stage);
    assert_int_equal(econtract_stage_list(stage, &count), SCA_OK);
    stage->now_s++;
    econtract_stage_restart(stage);
    assert_int_equal(econtract_stage_list(stage, &count), SCA_OK);

    assert_string_equal(stage->requests[1].bearer, "ey.1");
    assert_string_equal(stage->requests[3].bearer, "ey.2");
}

static void a_token_of_the_future_is_not_used(void **state)
{
    struct econtract_stage *stage = *state;
    size_t count = 0;
    TELL(stage, {200, TOKEN("ey.1")}, {200, TOKEN("ey.2")}, {200, ONE_USER});
    assert_int_equal(login(stage, NULL, NULL), SCA_OK);

    stage->now_s--;
    econtract_stage_restart(stage);
    assert_int_equal(econtract_stage_list(stage, &count), SCA_OK);

    assert_string_equal(stage->requests[2].bearer, "ey.2");
}

static void a_token_that_is_refused_is_renewed_once(void **state)
{
    static const struct reply refusals[] = {
        {401, ""},
        {401, NO("401", "Unauthenticated")},
        {200, NO("401", "Unauthenticated")},
        {200, NO("\"401\"", "Unauthenticated")},
    };
    struct econtract_stage *stage = *state;

    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        size_t count = 0;
        TELL(stage, {200, TOKEN("ey.1")}, refusals[i], {200, TOKEN("ey.2")}, {200, ONE_USER});
        assert_int_equal(login(stage, NULL, NULL), SCA_OK);
        assert_int_equal(econtract_stage_list(stage, &count), SCA_OK);

        assert_int_equal(stage->request_count, 4);
        assert_string_equal(stage->requests[1].bearer, "ey.1");
        assert_string_equal(stage->requests[3].bearer, "ey.2");
        assert_int_equal(count, 1);
    }
}

static void a_new_token_that_is_refused_as_well_is_a_failure(void **state)
{
    struct econtract_stage *stage = *state;
    size_t count = 0;
    TELL(stage, {200, TOKEN("ey.1")}, {401, NO("401", "No")}, {200, TOKEN("ey.2")},
         {401, NO("401", "Hết phiên")});
    assert_int_equal(login(stage, NULL, NULL), SCA_OK);

    enum sca_status status = econtract_stage_list(stage, &count);

    assert_int_equal(status, SCA_USER_AUTH);
    assert_int_equal(stage->request_count, 4);
    assert_string_equal(stage->note, "eContract: code 401: Hết phiên: run smartca econtract login");
}

static void a_token_just_given_is_not_asked_for_again(void **state)
{
    struct econtract_stage *stage = *state;
    size_t count = 0;
    TELL(stage, {200, TOKEN("ey.1")}, {401, NO("401", "No")});

    enum sca_status status = econtract_stage_list(stage, &count);

    assert_int_equal(status, SCA_USER_AUTH);
    assert_int_equal(stage->request_count, 2);
}

static void a_wrong_password_is_said_in_the_services_words(void **state)
{
    struct econtract_stage *stage = *state;
    TELL(stage, {401, NO("401", "Sai mật khẩu\\u001b[2J")});

    enum sca_status status = login(stage, NULL, NULL);

    assert_int_equal(status, SCA_USER_AUTH);
    assert_string_equal(stage->note, "eContract: code 401: Sai mật khẩu [2J: check username and "
                                     "password in [econtract]");
    const struct econtract_verdict *verdict = econtract_verdict(stage->econtract);
    assert_int_equal(verdict->http_status, 401);
    assert_int_equal(verdict->code, 401);
    assert_false(verdict->success);
    assert_string_equal(verdict->messages, "Sai mật khẩu [2J");
    assert_null(strstr(stage->note, "pass\"word"));
}

static void an_otp_is_asked_for_and_then_sent(void **state)
{
    struct econtract_stage *stage = *state;
    TELL(stage, {200, NO("100", "OTP confirmation required")}, {200, TOKEN("ey.1")});

    assert_int_equal(login(stage, NULL, NULL), SCA_NOT_FOUND);
    assert_int_equal(econtract_verdict(stage->econtract)->code, ECONTRACT_OTP_NEEDED);
    assert_int_equal(login(stage, NULL, "123456"), SCA_OK);

    assert_request(stage, 1, "/api/auth/password-login", LOGIN_BODY ",\"otp\":\"123456\"}", "");
    assert_true(stage->requests[0].is_repeatable);
    assert_false(stage->requests[1].is_repeatable);
}

static void a_question_that_needs_an_otp_to_log_in_says_what_to_do(void **state)
{
    struct econtract_stage *stage = *state;
    size_t count = 0;
    TELL(stage, {200, NO("100", "OTP confirmation required")});

    enum sca_status status = econtract_stage_list(stage, &count);

    assert_int_equal(status, SCA_NOT_FOUND);
    assert_string_equal(stage->note,
                        "eContract: code 100: OTP confirmation required: run smartca econtract "
                        "login and give the one-time password");
}

static void several_companies_are_there_to_choose_from(void **state)
{
    struct econtract_stage *stage = *state;
    AUTO(econtract_companies_fini) struct econtract_companies companies = {.count = 0};
    TELL(stage, {200, COMPANIES}, {200, TOKEN("ey.1")}, {200, TOKEN("ey.2")});

    assert_int_equal(econtract_stage_login(stage, NULL, NULL, &companies), SCA_OK);
    assert_int_equal(login(stage, "1", NULL), SCA_OK);
    assert_int_equal(login(stage, "two", NULL), SCA_OK);

    assert_int_equal(companies.count, 2);
    assert_string_equal(companies.items[0].id, "1");
    assert_string_equal(companies.items[0].name, "Shop");
    assert_string_equal(companies.items[1].id, "two");
    assert_request(stage, 1, "/api/auth/password-login", LOGIN_BODY ",\"companyId\":1}", "");
    assert_request(stage, 2, "/api/auth/password-login", LOGIN_BODY ",\"companyId\":\"two\"}", "");
}

static void a_question_does_not_choose_the_company(void **state)
{
    struct econtract_stage *stage = *state;
    size_t count = 0;
    TELL(stage, {200, COMPANIES});

    enum sca_status status = econtract_stage_list(stage, &count);

    assert_int_equal(status, SCA_INVALID);
    assert_non_null(strstr(stage->note, "put company_id into [econtract]"));
}

static void the_company_that_was_chosen_is_asked_for_again(void **state)
{
    struct econtract_stage *stage = *state;
    size_t count = 0;
    TELL(stage, {200, TOKEN("ey.1")}, {200, TOKEN("ey.2")}, {200, ONE_USER});
    assert_int_equal(login(stage, "1", NULL), SCA_OK);

    stage->now_s += 24 * 3600;
    econtract_stage_restart(stage);
    assert_int_equal(econtract_stage_list(stage, &count), SCA_OK);

    assert_request(stage, 1, "/api/auth/password-login", LOGIN_BODY ",\"companyId\":1}", "");
}

static void a_token_of_another_company_is_none(void **state)
{
    struct econtract_stage *stage = *state;
    size_t count = 0;
    TELL(stage, {200, TOKEN("ey.1")}, {200, TOKEN("ey.2")}, {200, ONE_USER});
    assert_int_equal(login(stage, "1", NULL), SCA_OK);

    (void)strcpy(stage->company, "2");
    stage->config.company_id = stage->company;
    econtract_stage_restart(stage);
    assert_int_equal(econtract_stage_list(stage, &count), SCA_OK);

    assert_request(stage, 1, "/api/auth/password-login", LOGIN_BODY ",\"companyId\":2}", "");
    assert_string_equal(stage->requests[2].bearer, "ey.2");
}

static void what_adds_changes_and_deletes_is_sent_as_documented_and_once(void **state)
{
    static const char done[] = "{\"data\":{\"id\":7,\"defaultSmartCa\":{\"id\":12}},"
                               "\"success\":true,\"code\":0}";
    struct econtract_stage *stage = *state;
    struct econtract_user users[4] = {{.id = 0}};
    struct call call;
    TELL(stage, {200, TOKEN("ey.1")}, {200, done}, {200, done}, {200, done}, {200, done});
    econtract_stage_call(stage, &call);

    assert_int_equal(econtract_add(stage->econtract, &call, 7, "012345678901", "54ab", &users[0]),
                     SCA_OK);
    assert_int_equal(econtract_add(stage->econtract, &call, 7, "012345678901", NULL, &users[1]),
                     SCA_OK);
    assert_int_equal(econtract_update(stage->econtract, &call, 11, 7, true, "Chữ ký", &users[2]),
                     SCA_OK);
    assert_int_equal(econtract_delete(stage->econtract, &call, 11, 7, &users[3]), SCA_OK);
    (void)econtract_stage_ended(stage, &call, SCA_OK);

    assert_request(stage, 1, "/api/users/smart-ca/add",
                   "{\"userId\":7,\"userName\":\"012345678901\",\"serialNumber\":\"54ab\"}",
                   "ey.1");
    assert_request(stage, 2, "/api/users/smart-ca/add",
                   "{\"userId\":7,\"userName\":\"012345678901\",\"serialNumber\":\"\"}", "ey.1");
    assert_request(stage, 3, "/api/users/smart-ca/update",
                   "{\"id\":11,\"userId\":7,\"isSetDefault\":true,\"name\":\"Chữ ký\"}", "ey.1");
    assert_request(stage, 4, "/api/users/smart-ca/delete", "{\"id\":11,\"userId\":7}", "ey.1");
    for (size_t i = 0; i < ARRAY_LEN(users); i++) {
        assert_false(stage->requests[i + 1].is_repeatable);
        assert_int_equal(users[i].default_id, 12);
        econtract_user_fini(&users[i]);
    }
}

static const struct {
    struct reply reply;
    enum sca_status status;
    const char *note;
} failures[] = {
    {{200, NO("0", "Không tìm thấy")},
     SCA_INVALID,
     "eContract: code 0: Không tìm thấy: correct what it complains of"},
    {{200, NO("65000", "x")},
     SCA_INVALID,
     "eContract: code 65000: x: correct what it complains of"},
    {{200, NO("403", "No right")},
     SCA_NOT_PERMITTED,
     "eContract: code 403: No right: the user of [econtract] lacks the right to do this"},
    {{404, NO("0", "x")},
     SCA_NOT_FOUND,
     "eContract: HTTP 404: x: check the numbers with smartca econtract users, and url"},
    {{502, NO("0", "x")},
     SCA_NETWORK,
     "eContract: HTTP 502: x: the service has trouble: try again later"},
    {{502, "<html>"}, SCA_NETWORK, "eContract: HTTP 502: the service has trouble: try again later"},
    {{200, "<html>"},
     SCA_PROTOCOL,
     "eContract: HTTP 200 with an answer that cannot be read (not JSON): check url in "
     "[econtract]"},
    {{200, "[]"},
     SCA_PROTOCOL,
     "eContract: HTTP 200 with an answer that cannot be read (no envelope): check url in "
     "[econtract]"},
    {{200, "{\"data\":{},\"success\":true}"},
     SCA_PROTOCOL,
     "eContract: HTTP 200 with an answer that cannot be read (no list of users): check url in "
     "[econtract]"},
    {{500, ONE_USER},
     SCA_NETWORK,
     "eContract: HTTP 500: no message: the service has trouble: try again later"},
    {{0, ""}, SCA_NETWORK, "the connection broke"},
};

static void a_failure_says_what_the_service_said_and_what_to_do(void **state)
{
    struct econtract_stage *stage = *state;
    size_t count = 0;
    TELL(stage, {200, TOKEN("ey.canary")});
    assert_int_equal(login(stage, NULL, NULL), SCA_OK);

    for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
        TELL(stage, failures[i].reply);
        assert_int_equal(econtract_stage_list(stage, &count), failures[i].status);
        assert_string_equal(stage->note, failures[i].note);
    }
}

static void a_login_that_brings_neither_token_nor_company_is_no_login(void **state)
{
    static const char *const bodies[] = {TOKEN(""),
                                         TOKEN("a b"),
                                         TOKEN("a\\nb"),
                                         "{\"data\":null,\"success\":true}",
                                         "{\"data\":[],\"success\":true}",
                                         "{\"data\":[{\"name\":\"x\"}],\"success\":true}"};
    struct econtract_stage *stage = *state;

    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        TELL(stage, {200, bodies[i]});
        assert_int_equal(login(stage, NULL, NULL), SCA_PROTOCOL);
    }
}

static void long_messages_leave_room_for_the_advice(void **state)
{
    struct econtract_stage *stage = *state;
    char body[1200];
    char words[900];
    memset(words, 'x', sizeof(words));
    words[sizeof(words) - 1] = 0;
    (void)snprintf(body, sizeof(body), NO("401", "%s"), words);
    TELL(stage, {401, body});

    assert_int_equal(login(stage, NULL, NULL), SCA_USER_AUTH);

    assert_non_null(strstr(stage->note, "xxx...: check username and password in [econtract]"));
    assert_int_equal(strlen(econtract_verdict(stage->econtract)->messages),
                     ECONTRACT_MESSAGE_SIZE - 1);
}

static void without_a_password_nothing_is_sent(void **state)
{
    struct econtract_stage *stage = *state;
    size_t count = 0;
    TELL(stage, {0, ""});
    stage->config.password = (struct secret_ref){SECRET_NONE, NULL};

    assert_int_equal(login(stage, NULL, NULL), SCA_INVALID);
    assert_int_equal(econtract_stage_list(stage, &count), SCA_INVALID);

    assert_int_equal(stage->request_count, 0);
    assert_string_equal(stage->note, "eContract: password: no secret is configured: give it in "
                                     "[econtract], or with --password-file");
}

static void a_value_that_is_no_text_is_not_sent(void **state)
{
    struct econtract_stage *stage = *state;
    struct econtract_user user = {.id = 0};
    struct call call;
    TELL(stage, {0, ""});
    econtract_stage_call(stage, &call);

    enum sca_status status =
        econtract_update(stage->econtract, &call, 11, 7, false, "\xff\xfe", &user);

    assert_int_equal(econtract_stage_ended(stage, &call, status), SCA_INVALID);
    assert_int_equal(stage->request_count, 0);
}

static void a_folder_that_cannot_be_written_fails_a_login_but_no_question(void **state)
{
    struct econtract_stage *stage = *state;
    char path[STAGE_TEXT_MAX];
    size_t count = 0;
    *strrchr(strcpy(path, econtract_stage_ticket(stage, path)), '/') = 0;
    FILE *file = fopen(path, "we"); /* where the folder should be */
    assert_non_null(file);
    (void)fclose(file);
    TELL(stage, {200, TOKEN("ey.1")}, {200, TOKEN("ey.2")}, {200, ONE_USER});

    assert_int_equal(login(stage, NULL, NULL), SCA_IO);
    assert_non_null(strstr(stage->note, "/vault/econtract cannot be written"));
    econtract_stage_restart(stage);
    assert_int_equal(econtract_stage_list(stage, &count), SCA_OK);

    assert_string_equal(stage->requests[2].bearer, "ey.2");
}

static void a_password_that_is_given_goes_before_the_configurations(void **state)
{
    struct econtract_stage *stage = *state;
    struct secret *password = NULL;
    size_t count = 0;
    stage->config.password.kind = SECRET_NONE;
    econtract_stage_restart(stage);
    assert_int_equal(secret_new(span_text("given"), &password), SCA_OK);
    econtract_use_password(stage->econtract, password);
    TELL(stage, {200, TOKEN("ey.1")}, {200, ONE_USER});

    assert_int_equal(econtract_stage_list(stage, &count), SCA_OK);

    assert_request(stage, 0, "/api/auth/password-login",
                   "{\"username\":\"ann@shop.vn\",\"password\":\"given\"}", "");
}

static void a_configuration_without_url_or_user_is_refused(void **state)
{
    struct econtract_stage *stage = *state;
    struct econtract *econtract = NULL;
    struct econtract_config config = stage->config;

    config.username = NULL;
    assert_int_equal(econtract_new(&config, stage->dir, &stage->transport, &econtract),
                     SCA_INVALID);
    config = stage->config;
    config.url = NULL;
    assert_int_equal(econtract_new(&config, stage->dir, &stage->transport, &econtract),
                     SCA_INVALID);
    assert_null(econtract);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, econtract_stage_begin, econtract_stage_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_login_gives_a_token_that_the_next_run_still_has),
        TEST(a_token_lies_in_a_private_file_that_does_not_show_it),
        TEST(without_a_token_a_question_logs_in_first),
        TEST(a_token_is_good_for_a_day_less_five_minutes),
        TEST(a_token_of_the_future_is_not_used),
        TEST(a_token_that_is_refused_is_renewed_once),
        TEST(a_new_token_that_is_refused_as_well_is_a_failure),
        TEST(a_token_just_given_is_not_asked_for_again),
        TEST(a_wrong_password_is_said_in_the_services_words),
        TEST(an_otp_is_asked_for_and_then_sent),
        TEST(a_question_that_needs_an_otp_to_log_in_says_what_to_do),
        TEST(several_companies_are_there_to_choose_from),
        TEST(a_question_does_not_choose_the_company),
        TEST(the_company_that_was_chosen_is_asked_for_again),
        TEST(a_token_of_another_company_is_none),
        TEST(what_adds_changes_and_deletes_is_sent_as_documented_and_once),
        TEST(a_failure_says_what_the_service_said_and_what_to_do),
        TEST(a_login_that_brings_neither_token_nor_company_is_no_login),
        TEST(long_messages_leave_room_for_the_advice),
        TEST(without_a_password_nothing_is_sent),
        TEST(a_value_that_is_no_text_is_not_sent),
        TEST(a_folder_that_cannot_be_written_fails_a_login_but_no_question),
        TEST(a_password_that_is_given_goes_before_the_configurations),
        TEST(a_configuration_without_url_or_user_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
