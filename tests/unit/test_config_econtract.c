/* SPDX-License-Identifier: Apache-2.0 */
/* [econtract]: all of it, or nothing of it. */
#include "remote/config/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "tests/unit/config_stage.h"

#define HEAD "[econtract]\nurl = https://tenant.example\nusername = ann\n"

static void assert_nothing(const struct econtract_config *econtract)
{
    static const struct econtract_config nothing;
    assert_memory_equal(econtract, &nothing, sizeof(nothing));
}

static void everything_that_is_said_holds(void **state)
{
    struct config_stage *stage = *state;

    const struct config *config = config_stage_load_text(
        stage, "[econtract]\nurl = https://tenant.example/econtract//\nusername = ann@shop.vn\n"
               "password = file:/srv/econtract\ncompany_id = 17\nca_file = /srv/ca.pem\n"
               "pinned_public_key = sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
               "proxy = http://proxy.example:3128\nconnect_timeout = 0.5\nrequest_timeout = 7\n");

    config_stage_expect(stage, "");
    const struct econtract_config *econtract = &config->econtract;
    assert_string_equal(econtract->url, "https://tenant.example/econtract");
    assert_string_equal(econtract->username, "ann@shop.vn");
    assert_int_equal(econtract->password.kind, SECRET_FILE);
    assert_string_equal(econtract->password.text, "/srv/econtract");
    assert_string_equal(econtract->company_id, "17");
    assert_string_equal(econtract->ca_file, "/srv/ca.pem");
    assert_string_equal(econtract->pinned_public_key,
                        "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    assert_string_equal(econtract->proxy, "http://proxy.example:3128");
    assert_int_equal(econtract->connect_timeout_ms, 500);
    assert_int_equal(econtract->request_timeout_ms, 7000);
}

static void what_is_not_said_has_a_default_or_is_nothing(void **state)
{
    struct config_stage *stage = *state;

    const struct config *config = config_stage_load_text(stage, HEAD);

    config_stage_expect(stage, "");
    const struct econtract_config *econtract = &config->econtract;
    assert_string_equal(econtract->url, "https://tenant.example");
    assert_int_equal(econtract->password.kind, SECRET_NONE);
    assert_null(econtract->company_id);
    assert_null(econtract->ca_file);
    assert_null(econtract->pinned_public_key);
    assert_null(econtract->proxy);
    assert_int_equal(econtract->connect_timeout_ms, 10000);
    assert_int_equal(econtract->request_timeout_ms, 30000);
}

static void without_the_section_there_is_no_econtract(void **state)
{
    struct config_stage *stage = *state;

    const struct config *config = config_stage_load_text(stage, "[module]\nlog = stderr\n");

    config_stage_expect(stage, "");
    assert_nothing(&config->econtract);
}

static void nothing_is_taken_from_smartca(void **state)
{
    struct config_stage *stage = *state;

    const struct config *config = config_stage_load_text(
        stage, SP "proxy = http://proxy.example:3128\nrequest_timeout = 7\n" HEAD);

    config_stage_expect(stage, "");
    assert_null(config->econtract.proxy);
    assert_int_equal(config->econtract.request_timeout_ms, 30000);
}

static void a_later_file_completes_it_and_wins(void **state)
{
    struct config_stage *stage = *state;

    config_stage_write(stage, "conf.d/late.conf", "[econtract]\nusername = bob\ncompany_id = 2\n",
                       0600);
    const struct config *config = config_stage_load_text(
        stage, "[econtract]\nurl = https://tenant.example\ncompany_id = 1\n");

    config_stage_expect(stage, "");
    assert_string_equal(config->econtract.url, "https://tenant.example");
    assert_string_equal(config->econtract.username, "bob");
    assert_string_equal(config->econtract.company_id, "2");
}

static void what_it_lacks_is_a_problem(void **state)
{
    struct config_stage *stage = *state;

    const struct config *config =
        config_stage_load_text(stage, "[module]\nlog = stderr\n[econtract]\ncompany_id = 1\n");

    config_stage_expect(stage, MAIN ":3: [econtract] lacks url; add it\n" MAIN
                                    ":3: [econtract] lacks username; add it\n");
    assert_nothing(&config->econtract);
}

static const struct {
    const char *line;
    const char *problem;
} wrong[] = {
    {"company_id = a b", "company_id must not contain white space"},
    {"password = vault:", "password = vault: is not for this key: no PIN opens it; use file:PATH"},
    {"password = file:word", "password must have an absolute path after file:"},
    {"ca_file = ca.pem", "ca_file must be an absolute path, beginning with /"},
    {"proxy = tcp://x:1", "proxy must be http://HOST:PORT or https://HOST:PORT"},
    {"connect_timeout = 0", "connect_timeout must be seconds, from 0.010 to 300, such as 2 or 2.5"},
    {"confirm_timeout = 1",
     "unknown key confirm_timeout in [econtract]; remove it, or see smartca-pkcs11.conf(5)"},
    {"usrname = x", "unknown key usrname in [econtract]; did you mean username?"},
    {"username = bob", "username is already in line 3 of this section; remove one of them"},
};

static void a_mistake_takes_all_of_it_away_and_nothing_else(void **state)
{
    struct config_stage *stage = *state;

    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        char text[400];
        char expected[200];
        (void)snprintf(text, sizeof(text), "%s%s\n%s[account work]\nuser_id = 012345678901\n", HEAD,
                       wrong[i].line, SP);
        (void)snprintf(expected, sizeof(expected), MAIN ":4: %s\n", wrong[i].problem);

        const struct config *config = config_stage_load_text(stage, text);

        config_stage_expect(stage, expected);
        assert_nothing(&config->econtract);
        assert_int_equal(config->account_count, 1);
    }
}

static void plain_http_is_for_this_computer_only(void **state)
{
    struct config_stage *stage = *state;

    const struct config *config =
        config_stage_load_text(stage, "[econtract]\nurl = http://tenant.example\nusername = ann\n");

    config_stage_expect(stage, MAIN ":2: url must be https://; http:// is accepted for 127.0.0.1, "
                                    "[::1] and localhost only\n");
    assert_nothing(&config->econtract);
}

static void a_password_is_refused_where_others_may_read(void **state)
{
    struct config_stage *stage = *state;

    config_stage_write(stage, MAIN, HEAD "password = word\n", 0644);
    const struct config *config = config_stage_load(stage);

    assert_int_equal(config->problem_count, 1);
    assert_non_null(
        strstr(config->problems[0].reason, "password is a secret in a file that others may read"));
    assert_null(strstr(config->problems[0].reason, "word;"));
    assert_nothing(&config->econtract);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, config_stage_begin, config_stage_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(everything_that_is_said_holds),
        TEST(what_is_not_said_has_a_default_or_is_nothing),
        TEST(without_the_section_there_is_no_econtract),
        TEST(nothing_is_taken_from_smartca),
        TEST(a_later_file_completes_it_and_wins),
        TEST(what_it_lacks_is_a_problem),
        TEST(a_mistake_takes_all_of_it_away_and_nothing_else),
        TEST(plain_http_is_for_this_computer_only),
        TEST(a_password_is_refused_where_others_may_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
