/* SPDX-License-Identifier: Apache-2.0 */
/* What lines, sections, keys and values have to be, and that the sample shows them all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/config/build.h"
#include "remote/config/document.h"
#include "remote/config/schema.h"
#include "tests/unit/config_stage.h"

#define NAME_41 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* Two accounts, the first with the given lines: it is gone, the other is still there. */
struct wrong {
    const char *lines;
    const char *problem; /* what the first line's problem says */
};

static void assert_wrong(struct config_stage *stage, const struct wrong *row)
{
    char text[2048];
    char expected[512];

    print_message("%s\n", row->lines);
    (void)snprintf(text, sizeof(text),
                   SP "[account bad]\nuser_id = 1\n%s\n[account good]\n"
                      "user_id = 2\n",
                   row->lines);
    const struct config *config = config_stage_load_text(stage, text);

    (void)snprintf(expected, sizeof(expected), MAIN ":6: %s\n", row->problem);
    config_stage_expect(stage, expected);
    assert_int_equal(config->account_count, 1);
    assert_string_equal(config->accounts[0].name, "good");
}

#define MUST_URL                                                                                   \
    "url must be https://HOST[:PORT][/PATH], without user name, query or "                         \
    "white space"
#define MUST_HTTP                                                                                  \
    "url must be https://; http:// is accepted for 127.0.0.1, [::1] and localhost only"
#define MUST_PINS                                                                                  \
    "pinned_public_key must be sha256//BASE64 of a public key, several divided by ; without "      \
    "spaces"
#define MUST_PROXY   "proxy must be http://HOST:PORT or https://HOST:PORT"
#define MUST_SECONDS "connect_timeout must be seconds, from 0.010 to 300, such as 2 or 2.5"

static const struct wrong wrong_values[] = {
    {"confirm = phone", "confirm must be app, otp or totp"},
    {"sp_password = vault:x", "sp_password must have nothing after vault:"},
    {"sp_password = file:word", "sp_password must have an absolute path after file:"},
    {"sp_password = env:", "sp_password must name an environment variable after env:"},
    {"sp_password = env:1A", "sp_password must name an environment variable after env:"},
    {"sp_password = env:A-B", "sp_password must name an environment variable after env:"},
    {"pin = yes", "pin must be none or required"},
    {"otp_login = no", "otp_login must be pin or context"},
    {"protected_path = true", "protected_path must be no or yes"},
    {"extra_hashes = 1", "extra_hashes must be no or yes"},
    {"serial = 54:AB", "serial must be a certificate's serial number: at most 80 hexadecimal "
                       "digits"},
    {"sp_id = a b", "sp_id must not contain white space"},
    {"ca_file = ca.pem", "ca_file must be an absolute path, beginning with /"},
    {"on_confirm = notify-send %s",
     "on_confirm must begin with the absolute path of a program; it is run without a shell"},
    {"on_confirm = /bin/a \"%s", "on_confirm has a quotation mark without its partner"},
    {"url = http://gwsca.vnpt.vn/sca/sp769", MUST_HTTP},
    {"url = http://localhost.example", MUST_HTTP},
    {"url = http://127.0.0.1.example:1", MUST_HTTP},
    {"url = ftp://localhost", MUST_URL},
    {"url = https://", MUST_URL},
    {"url = https://user@host", MUST_URL},
    {"url = https://host:0", MUST_URL},
    {"url = https://host:65536", MUST_URL},
    {"url = https://host:", MUST_URL},
    {"url = https://[::1", MUST_URL},
    {"url = https://host/a?b", MUST_URL},
    {"proxy = proxy:3128", MUST_PROXY},
    {"proxy = socks5://proxy:3128", MUST_PROXY},
    {"proxy = http://proxy:x", MUST_PROXY},
    {"pinned_public_key = sha256//AAAA", MUST_PINS},
    {"pinned_public_key = md5//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", MUST_PINS},
    {"pinned_public_key = sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=;", MUST_PINS},
    {"connect_timeout = 0", MUST_SECONDS},
    {"connect_timeout = 0.009", MUST_SECONDS},
    {"connect_timeout = 300.001", MUST_SECONDS},
    {"connect_timeout = -1", MUST_SECONDS},
    {"connect_timeout = 1e3", MUST_SECONDS},
    {"connect_timeout = 1.", MUST_SECONDS},
    {"connect_timeout = .5", MUST_SECONDS},
    {"connect_timeout = 1,5", MUST_SECONDS},
    {"connect_timeout = 99999999999999999999", MUST_SECONDS},
    {"batch_window = 1.5", "batch_window must be a whole number from 0 to 10000"},
    {"batch_window = 10001", "batch_window must be a whole number from 0 to 10000"},
    {"batch_max = 0x10", "batch_max must be a whole number from 1 to 1000"},
};

static void a_wrong_value_takes_only_its_account_away(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(wrong_values); i++)
        assert_wrong(*state, &wrong_values[i]);
}

static void a_wrong_line_takes_only_its_account_away(void **state)
{
    static const char blank[] =
        "the line begins with white space; remove that, a value must be on one line";
    static const char neither[] =
        "the line is neither a [section], nor key = value, nor a ; comment";
    static const char control[] = "the line holds a NUL or control character; remove it";
    static const struct wrong rows[] = {
        {"colour = red", "unknown key colour in [account]; remove it, or see "
                         "smartca-pkcs11.conf(5)"},
        {"serail = 54", "unknown key serail in [account]; did you mean serial?"},
        {"log = stderr", "unknown key log in [account]; remove it, or see smartca-pkcs11.conf(5)"},
        {"= 54", "unknown key  in [account]; remove it, or see smartca-pkcs11.conf(5)"},
        {"user_id = 1", "user_id is already in line 5 of this section; remove one of them"},
        {"user_id =", "user_id is already in line 5 of this section; remove one of them"},
        {" serial = 54", blank},
        {"\tserial = 54", blank},
        {" [account x]", blank},
        {"serial", neither},
        {"serial ; = 54", neither},
        {"se\001rial = 54", control},
        {"serial = 54\rAB", control},
        {"serial = 54\177", control},
        {"serial = \xc3", "the line is not valid UTF-8; save the file as UTF-8"},
        {"[account", "a section heading must be [NAME] alone on its line"},
        {"[account x] y", "a section heading must be [NAME] alone on its line"},
    };
    struct config_stage *stage = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        bool is_heading = strchr(rows[i].lines, '[');
        if (!is_heading)
            assert_wrong(stage, &rows[i]);
        else {
            char text[512];
            char expected[512];
            (void)snprintf(text, sizeof(text), SP "\n\n%s\nuser_id = 1\nrubbish = 2\n",
                           rows[i].lines);
            assert_int_equal(config_stage_load_text(stage, text)->account_count, 0);
            (void)snprintf(expected, sizeof(expected), MAIN ":6: %s\n", rows[i].problem);
            config_stage_expect(stage, expected);
        }
    }
}

static void a_wrong_heading_is_a_problem_and_its_keys_are_passed_over(void **state)
{
    static const char named[] = "[account NAME] needs a name of 1 to 40 letters, digits, - _ . "
                                "without spaces, and not . first";
    static const struct wrong rows[] = {
        {"[account]", named},
        {"[account ]", named},
        {"[account a b]", named},
        {"[account ../x]", named},
        {"[account .x]", named},
        {"[account " NAME_41 "]", named},
        {"[acount x]", "unknown section [acount x]; did you mean [account NAME]?"},
        {"[smartCA]", "unknown section [smartCA]; did you mean [smartca]?"},
        {"[module x]", "unknown section [module x]; did you mean [module]?"},
        {"[]", "unknown section []; remove it, or see smartca-pkcs11.conf(5)"},
        {"[certificates]",
         "unknown section [certificates]; remove it, or see smartca-pkcs11.conf(5)"},
    };
    struct config_stage *stage = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[512];
        char expected[512];
        print_message("%s\n", rows[i].lines);
        (void)snprintf(text, sizeof(text),
                       "%s\nuser_id = 1\nrubbish = 2\n" SP "[account a]\n"
                       "user_id = 1\n",
                       rows[i].lines);
        assert_int_equal(config_stage_load_text(stage, text)->account_count, 1);
        (void)snprintf(expected, sizeof(expected), MAIN ":1: %s\n", rows[i].problem);
        config_stage_expect(stage, expected);
    }
}

static void a_line_has_at_most_198_bytes(void **state)
{
    struct config_stage *stage = *state;
    char longest[256];
    char text[512];

    (void)memset(longest, 'x', sizeof(longest));
    (void)memcpy(longest, "sp_id = ", 8);
    longest[198] = 0;
    (void)snprintf(text, sizeof(text), SP "[account a]\nuser_id = 1\n%s\r\n", longest);
    const struct config *config = config_stage_load_text(stage, text);
    config_stage_expect(stage, "");
    assert_string_equal(config->accounts[0].service.sp_id, longest + 8);

    longest[198] = 'x';
    longest[199] = 0;
    (void)snprintf(text, sizeof(text), SP "[account a]\nuser_id = 1\n%s\n", longest);
    config = config_stage_load_text(stage, text);
    config_stage_expect(stage, MAIN ":6: the line is too long; put a long secret in a file of its "
                                    "own and write file:PATH\n");
    assert_int_equal(config->account_count, 0);
}

static void a_nul_byte_is_a_problem(void **state)
{
    static const char text[] = "[account a]\nuser_id = 1\0\n2\n";
    struct problems problems = {0};
    struct document document = {.problems = &problems};

    (void)state;
    document_parse(&document, "file", span_of(text, sizeof(text) - 1), false);

    assert_int_equal(problems.count, 2);
    assert_int_equal(problems.items[0].line, 2);
    assert_int_equal(problems.items[1].line, 3);
    assert_true(document.sections[0].is_bad);
    document_fini(&document);
    problems_fini(&problems);
}

static void a_key_before_the_first_section_is_a_problem(void **state)
{
    struct config_stage *stage = *state;

    (void)config_stage_load_text(stage, "\xef\xbb\xbflog = stderr\n[module]\n");

    config_stage_expect(stage,
                        MAIN ":1: a key before the first [section]; put its section above it\n");
}

static void a_section_given_twice_is_not_used(void **state)
{
    struct config_stage *stage = *state;

    const struct config *config = config_stage_load_text(
        stage, SP "[account a]\nuser_id = 1\n[account b]\nuser_id = 2\n[account a]\n");

    config_stage_expect(
        stage, MAIN ":8: [account a] is already in line 4; put its keys together in one section\n");
    assert_int_equal(config->account_count, 1);
    assert_string_equal(config->accounts[0].name, "b");
}

static void missing_keys_are_named(void **state)
{
    struct config_stage *stage = *state;

    const struct config *config =
        config_stage_load_text(stage, "[account a]\nuser_id =\n[token t]\nslots = all\n");

    config_stage_expect(stage,
                        MAIN ":1: [account a] lacks sp_id; add it here or to [smartca]\n" MAIN
                             ":1: [account a] lacks sp_password; add it here or to "
                             "[smartca]\n" MAIN ":1: [account a] lacks user_id; add it\n" MAIN
                             ":3: [token t] lacks module; add it\n");
    assert_int_equal(config->account_count, 0);
}

static void right_values_are_taken_as_they_are_meant(void **state)
{
    struct config_stage *stage = *state;

    const struct config *config = config_stage_load_text(
        stage,
        SP "[account a]\nuser_id = 0100109106-001\nurl = http://[::1]:8080//\n"
           "proxy = http://me:word@proxy.example:3128\nca_file = /etc/ca.pem\n"
           "pinned_public_key = sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=;"
           "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
           "on_confirm = /bin/echo \"a; b\" \"%s\" ; comment\n"
           "connect_timeout = 0.0109\nrequest_timeout = 600\nbatch_window = 10000\n"
           "password = file:/p\ntotp_secret = env:_X1\nsp_password = a=b;c\notp_login = context\n"
           "protected_path = yes\n");

    config_stage_expect(stage, "");
    const struct account_config *account = &config->accounts[0];
    assert_string_equal(account->user_id, "0100109106-001");
    assert_string_equal(account->service.url, "http://[::1]:8080");
    assert_string_equal(account->service.proxy, "http://me:word@proxy.example:3128");
    assert_string_equal(account->service.ca_file, "/etc/ca.pem");
    assert_non_null(account->service.pinned_public_key);
    assert_string_equal(account->service.on_confirm, "/bin/echo \"a; b\" \"%s\"");
    assert_int_equal(account->service.connect_timeout_ms, 10);
    assert_int_equal(account->service.request_timeout_ms, 600000);
    assert_int_equal(account->service.batch_window_ms, 10000);
    assert_int_equal(account->password.kind, SECRET_FILE);
    assert_string_equal(account->password.text, "/p");
    assert_int_equal(account->totp_secret.kind, SECRET_ENV);
    assert_string_equal(account->totp_secret.text, "_X1");
    assert_string_equal(account->service.sp_password.text, "a=b;c");
    assert_true(account->otp_login_context);
    assert_true(account->protected_path);
}

static void rubbish_does_not_flood_the_log(void **state)
{
    struct config_stage *stage = *state;
    char text[2 * 300 + 1];

    for (size_t i = 0; i + 1 < sizeof(text); i += 2)
        (void)memcpy(text + i, "x\n", 2);
    text[sizeof(text) - 1] = 0;
    const struct config *config = config_stage_load_text(stage, text);

    assert_int_equal(config->problem_count, PROBLEMS_MAX + 1);
    assert_string_equal(config->problems[PROBLEMS_MAX].reason,
                        "further problems are not listed; mend these first");
}

/* The sample as a text; with all that is commented out ("; " begins a remark) if is_whole. */
static struct buf read_sample(bool is_whole)
{
    struct buf sample;
    const char *why = NULL;

    assert_int_equal(
        file_read_trusted(SAMPLE_FILE, FILE_ANY, DOCUMENT_FILE_MAX, false, &sample, &why), SCA_OK);
    for (size_t i = 0; is_whole && i + 1 < sample.len; i++) {
        bool begins_line = i == 0 || sample.ptr[i - 1] == '\n';
        if (begins_line && sample.ptr[i] == ';' && sample.ptr[i + 1] != ' ' &&
            sample.ptr[i + 1] != '\n')
            (void)memmove(sample.ptr + i, sample.ptr + i + 1, sample.len-- - i);
    }
    return sample;
}

static void the_sample_is_harmless_as_it_is(void **state)
{
    struct config_stage *stage = *state;
    struct buf sample = read_sample(false);

    const struct config *config = config_stage_load_text(stage, (const char *)sample.ptr);

    config_stage_expect(stage, "");
    assert_int_equal(config->account_count, 0);
    assert_string_equal(config->log_target, "syslog");
    assert_int_equal(config->log_level, LOG_LEVEL_WARNING);
    buf_fini(&sample);
}

static void the_sample_shows_every_key_with_its_default(void **state)
{
    struct config_stage *stage = *state;
    struct buf sample = read_sample(true);
    struct problems problems = {0};
    struct document document = {.problems = &problems};
    uint64_t seen = 0;
    size_t count = 0;
    const struct key_rule *rules = schema_keys(&count);

    assert_int_equal(config_stage_load_text(stage, (const char *)sample.ptr)->account_count, 1);
    config_stage_expect(stage, "");
    document_parse(&document, SAMPLE_FILE, buf_span(&sample), false);
    for (size_t i = 0; i < document.count; i++) {
        for (size_t j = 0; j < document.sections[i].count; j++) {
            const struct entry *entry = &document.sections[i].entries[j];
            const struct key_rule *rule = schema_find_key(document.sections[i].kind, entry->key);
            assert_non_null(rule);
            seen |= schema_bit(rule);
            if (rule->fallback)
                assert_string_equal(entry->text, rule->fallback);
        }
    }

    for (size_t i = 0; i < count; i++) {
        if (!(seen & schema_bit(&rules[i])))
            fail_msg("the sample lacks %s", rules[i].name);
    }
    document_fini(&document);
    problems_fini(&problems);
    buf_fini(&sample);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, config_stage_begin, config_stage_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_wrong_value_takes_only_its_account_away),
        TEST(a_wrong_line_takes_only_its_account_away),
        TEST(a_wrong_heading_is_a_problem_and_its_keys_are_passed_over),
        TEST(a_line_has_at_most_198_bytes),
        TEST(a_nul_byte_is_a_problem),
        TEST(a_key_before_the_first_section_is_a_problem),
        TEST(a_section_given_twice_is_not_used),
        TEST(missing_keys_are_named),
        TEST(right_values_are_taken_as_they_are_meant),
        TEST(rubbish_does_not_flood_the_log),
        TEST(the_sample_is_harmless_as_it_is),
        TEST(the_sample_shows_every_key_with_its_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
