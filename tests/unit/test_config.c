/* SPDX-License-Identifier: Apache-2.0 */
/* Which files are read, which are trusted, how they go together, and where secrets come from. */
#include "remote/config/config.h"

#include <limits.h>
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
#include "tests/unit/config_stage.h"

#define WORK "[account work]\nuser_id = 012345678901\n"

static void assert_below(const struct config_stage *stage, const char *path, const char *name)
{
    AUTO(freep) char *expected = config_stage_path(stage, name);
    assert_string_equal(path, expected);
}

static void nothing_configured_is_an_empty_configuration(void **state)
{
    struct config_stage *stage = *state;

    const struct config *config = config_stage_load(stage);

    assert_int_equal(config->account_count, 0);
    config_stage_expect(stage, "");
    assert_string_equal(config->log_target, "syslog");
    assert_int_equal(config->log_level, LOG_LEVEL_WARNING);
    assert_below(stage, config->main_file, MAIN);
    assert_below(stage, config->state_dir, ".local/state/smartca-pkcs11");
}

static void an_account_takes_what_it_does_not_say_from_smartca(void **state)
{
    struct config_stage *stage = *state;

    const struct config *config = config_stage_load_text(
        stage, "[module]\nlog = stderr ; here\nlog_level = debug\nstate_dir = /srv/state\n" SP
               "url = https://test.example/sca/\nbatch_max = 7\npoll_interval = 0.25\n"
               "[account work]\r\nuser_id = 012345678901\r\nserial = 54AB\nbatch_max = 9\n"
               "pin = required\nextra_hashes = yes\n");

    config_stage_expect(stage, "");
    assert_string_equal(config->log_target, "stderr");
    assert_int_equal(config->log_level, LOG_LEVEL_DEBUG);
    assert_string_equal(config->state_dir, "/srv/state");
    assert_int_equal(config->account_count, 1);
    const struct account_config *account = config_find_account(config, "work");
    assert_ptr_equal(account, &config->accounts[0]);
    assert_string_equal(account->user_id, "012345678901");
    assert_string_equal(account->serial, "54AB");
    assert_int_equal(account->confirm, CONFIRM_APP);
    assert_true(account->pin_required);
    assert_true(account->extra_hashes);
    assert_false(account->protected_path);
    assert_false(account->otp_login_context);
    assert_int_equal(account->password.kind, SECRET_NONE);
    assert_int_equal(account->line, 11);
    assert_below(stage, account->file, MAIN);
    assert_string_equal(account->service.url, "https://test.example/sca");
    assert_string_equal(account->service.sp_id, "shop");
    assert_int_equal(account->service.sp_password.kind, SECRET_LITERAL);
    assert_string_equal(account->service.sp_password.text, "word");
    assert_null(account->service.ca_file);
    assert_null(account->service.pinned_public_key);
    assert_null(account->service.proxy);
    assert_null(account->service.on_confirm);
    assert_int_equal(account->service.connect_timeout_ms, 10000);
    assert_int_equal(account->service.request_timeout_ms, 30000);
    assert_int_equal(account->service.confirm_timeout_ms, 290000);
    assert_int_equal(account->service.poll_interval_ms, 250);
    assert_int_equal(account->service.batch_window_ms, 0);
    assert_int_equal(account->service.batch_max, 9);
}

static void an_account_that_is_not_there_is_not_found(void **state)
{
    struct config_stage *stage = *state;

    const struct config *config = config_stage_load_text(stage, SP WORK);

    assert_non_null(config_find_account(config, "work"));
    assert_null(config_find_account(config, "wor"));
}

static void an_account_has_the_default_service(void **state)
{
    struct config_stage *stage = *state;

    const struct config *config = config_stage_load_text(stage, SP WORK);

    assert_string_equal(config->accounts[0].service.url, "https://gwsca.vnpt.vn/sca/sp769");
    assert_null(config->accounts[0].serial);
}

static void files_of_conf_d_follow_in_name_order_and_win(void **state)
{
    struct config_stage *stage = *state;

    config_stage_write(stage, MAIN, SP "batch_max = 1\n[account c]\nuser_id = 3\n", 0600);
    config_stage_write(stage, "conf.d/20.conf", "[smartca]\nbatch_max = 20\n", 0600);
    config_stage_write(stage, "conf.d/10.conf", "[smartca]\nbatch_max = 10\n", 0600);
    config_stage_write(stage, "conf.d/B.conf", "[account b]\nuser_id = 2\n", 0600);
    config_stage_write(stage, "conf.d/a.conf", "[account a]\nuser_id = 1\n", 0600);
    config_stage_write(stage, "conf.d/.hidden.conf", "[rubbish]\n", 0600);
    config_stage_write(stage, "conf.d/old.conf~", "[rubbish]\n", 0600);
    const struct config *config = config_stage_load(stage);

    config_stage_expect(stage, "");
    assert_int_equal(config->account_count, 3);
    assert_string_equal(config->accounts[0].name, "c");
    assert_string_equal(config->accounts[1].name, "b");
    assert_string_equal(config->accounts[2].name, "a");
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(config->accounts[i].service.batch_max, 20);
}

static void conf_d_is_read_where_there_is_no_main_file(void **state)
{
    struct config_stage *stage = *state;

    config_stage_write(stage, "conf.d/account-work.conf", SP WORK, 0600);
    const struct config *config = config_stage_load(stage);

    config_stage_expect(stage, "");
    assert_int_equal(config->account_count, 1);
    assert_below(stage, config->accounts[0].file, "conf.d/account-work.conf");
}

static void more_than_256_files_are_a_problem(void **state)
{
    struct config_stage *stage = *state;
    char name[32];

    for (int i = 0; i <= 256; i++) {
        (void)snprintf(name, sizeof(name), "conf.d/%03d.conf", i);
        config_stage_write(stage, name, "", 0600);
    }
    (void)config_stage_load(stage);

    config_stage_expect(stage, "conf.d:0: more than 256 files; the rest is not read, put several "
                               "accounts in one file\n");
}

static void the_file_of_the_user_is_used_without_the_variable(void **state)
{
    struct config_stage *stage = *state;
    AUTO(freep) char *folder = config_stage_path(stage, ".config");

    (void)unsetenv("SMARTCA_PKCS11_CONF");
    assert_int_equal(mkdir(folder, 0700), 0);
    config_stage_write(stage, ".config/smartca-pkcs11/" MAIN, SP WORK, 0600);
    const struct config *config = config_stage_load(stage);

    config_stage_expect(stage, "");
    assert_below(stage, config->main_file, ".config/smartca-pkcs11/" MAIN);
    assert_int_equal(config->account_count, 1);
}

static void the_xdg_folders_come_before_home(void **state)
{
    struct config_stage *stage = *state;
    AUTO(freep) char *config_home = config_stage_path(stage, "c");
    AUTO(freep) char *state_home = config_stage_path(stage, "s");

    (void)unsetenv("SMARTCA_PKCS11_CONF");
    (void)setenv("XDG_CONFIG_HOME", config_home, 1);
    (void)setenv("XDG_STATE_HOME", state_home, 1);
    const struct config *config = config_stage_load(stage);

    assert_below(stage, config->main_file, "c/smartca-pkcs11/" MAIN);
    assert_below(stage, config->state_dir, "s/smartca-pkcs11");
}

static void relative_folders_in_the_environment_are_passed_over(void **state)
{
    struct config_stage *stage = *state;

    (void)setenv("SMARTCA_PKCS11_CONF", MAIN, 1);
    (void)setenv("XDG_CONFIG_HOME", "c", 1);
    (void)setenv("XDG_STATE_HOME", "s", 1);
    const struct config *config = config_stage_load(stage);

    config_stage_expect(stage, "SMARTCA_PKCS11_CONF:0: the variable is not used: it must be an "
                               "absolute path\n");
    assert_below(stage, config->main_file, ".config/smartca-pkcs11/" MAIN);
    assert_below(stage, config->state_dir, ".local/state/smartca-pkcs11");
}

static void a_named_file_that_is_not_there_gives_way_and_says_so(void **state)
{
    struct config_stage *stage = *state;
    AUTO(freep) char *home = config_stage_path(stage, "c");
    AUTO(freep) char *used = config_stage_path(stage, "c/smartca-pkcs11/" MAIN);
    char expected[256];

    (void)mkdir(home, 0700);
    (void)setenv("XDG_CONFIG_HOME", home, 1);
    config_stage_write(stage, "c/smartca-pkcs11/" MAIN, SP WORK, 0600);
    const struct config *config = config_stage_load(stage);

    (void)snprintf(expected, sizeof(expected),
                   MAIN ":0: not there, although SMARTCA_PKCS11_CONF names it; %s is used, correct "
                        "or unset the variable\n",
                   used);
    config_stage_expect(stage, expected);
    assert_string_equal(config->main_file, used);
    assert_int_equal(config->account_count, 1);
}

static void reading_again_finds_new_sections_and_asks_no_environment(void **state)
{
    struct config_stage *stage = *state;
    struct config *again = NULL;
    const struct config *config =
        config_stage_load_text(stage, SP "[account a]\nuser_id = 1234567890\n");
    AUTO(freep) char *state_dir = strdup(config->state_dir);
    assert_non_null(state_dir);

    config_stage_write(stage, "conf.d/b.conf", "[account b]\nuser_id = 1234567891\n", 0600);
    assert_int_equal(setenv("SMARTCA_PKCS11_CONF", "/nowhere", 1), 0);
    assert_int_equal(setenv("SMARTCA_PKCS11_LOG", "debug:/nowhere", 1), 0);
    assert_int_equal(setenv("XDG_STATE_HOME", "/nowhere", 1), 0);
    assert_int_equal(config_load_again(config, &again), SCA_OK);
    (void)unsetenv("SMARTCA_PKCS11_LOG");
    (void)unsetenv("XDG_STATE_HOME");

    assert_int_equal(again->account_count, 2);
    assert_string_equal(again->accounts[1].name, "b");
    assert_string_equal(again->main_file, config->main_file);
    assert_string_equal(again->state_dir, state_dir);
    assert_string_equal(again->log_target, config->log_target);
    assert_int_equal(again->problem_count, 0);
    config_free(again);
}

static void the_variable_for_the_log_stands_above_the_file(void **state)
{
    struct config_stage *stage = *state;

    (void)setenv("SMARTCA_PKCS11_LOG", "debug:/tmp/x.log", 1);
    const struct config *config = config_stage_load_text(stage, "[module]\nlog = stderr\n");
    assert_int_equal(config->log_level, LOG_LEVEL_DEBUG);
    assert_string_equal(config->log_target, "/tmp/x.log");

    (void)setenv("SMARTCA_PKCS11_LOG", "info", 1);
    config = config_stage_load(stage);
    assert_int_equal(config->log_level, LOG_LEVEL_INFO);
    assert_string_equal(config->log_target, "stderr");
    config_stage_expect(stage, "");
}

static void a_bad_variable_for_the_log_is_a_problem(void **state)
{
    struct config_stage *stage = *state;

    (void)setenv("SMARTCA_PKCS11_LOG", "loud:x.log", 1);
    const struct config *config = config_stage_load(stage);

    config_stage_expect(stage,
                        "SMARTCA_PKCS11_LOG:0: log_level must be error, warning, info or debug\n"
                        "SMARTCA_PKCS11_LOG:0: log must be stderr, syslog or an absolute path\n");
    assert_int_equal(config->log_level, LOG_LEVEL_WARNING);
    assert_string_equal(config->log_target, "syslog");
}

static void a_file_others_may_write_is_not_read(void **state)
{
    struct config_stage *stage = *state;

    config_stage_write(stage, MAIN, SP WORK, 0600);
    config_stage_write(stage, "conf.d/group.conf", "[account g]\nuser_id = 1\n", 0660);
    config_stage_write(stage, "conf.d/other.conf", "[account o]\nuser_id = 1\n", 0602);
    const struct config *config = config_stage_load(stage);

    config_stage_expect(stage,
                        "conf.d/group.conf:0: the file is not used: writable by its group or "
                        "by others; run chmod go-w on it\n"
                        "conf.d/other.conf:0: the file is not used: writable by its group or "
                        "by others; run chmod go-w on it\n");
    assert_int_equal(config->account_count, 1);
}

static void a_folder_in_the_place_of_a_file_is_a_problem(void **state)
{
    struct config_stage *stage = *state;

    config_stage_write(stage, MAIN "/x", "", 0600);
    (void)config_stage_load(stage);

    config_stage_expect(stage, MAIN ":0: the file is not used: not a regular file\n");
}

static void a_file_over_1_mib_is_a_problem(void **state)
{
    struct config_stage *stage = *state;
    enum { TOO_MANY = 1024 * 1024 + 1 };
    char *text = malloc(TOO_MANY + 1);

    assert_non_null(text);
    memset(text, '\n', TOO_MANY);
    text[TOO_MANY] = 0;
    (void)config_stage_load_text(stage, text);
    free(text);

    config_stage_expect(stage,
                        MAIN ":0: the file is not used: it is larger than 1 MiB; divide it\n");
}

static void a_literal_secret_in_a_readable_file_takes_its_section_away(void **state)
{
    struct config_stage *stage = *state;

    config_stage_write(stage, MAIN,
                       "[smartca]\nsp_id = shop\nsp_password = env:WORD\n"
                       "[account open]\nuser_id = 1\nsp_password = word\n"
                       "[account proxy]\nuser_id = 3\nproxy = http://me:word@proxy:1\n"
                       "[account fine]\nuser_id = 2\n",
                       0644);
    const struct config *config = config_stage_load(stage);

    config_stage_expect(
        stage, MAIN ":6: sp_password is a secret in a file that others may read; run chmod 600 on "
                    "the file, or put the secret in a file of its own and write file:PATH\n" MAIN
                    ":9: proxy is a secret in a file that others may read; run chmod 600 on "
                    "the file, or put the secret in a file of its own and write file:PATH\n");
    assert_int_equal(config->account_count, 1);
    assert_string_equal(config->accounts[0].name, "fine");
}

static void the_same_name_in_two_files_is_used_from_neither(void **state)
{
    struct config_stage *stage = *state;
    char expected[256];

    config_stage_write(stage, MAIN, SP WORK "[account home]\nuser_id = 2\n", 0600);
    config_stage_write(stage, "conf.d/a.conf", WORK "[token work]\nmodule = /m.so\n", 0600);
    const struct config *config = config_stage_load(stage);

    (void)snprintf(expected, sizeof(expected),
                   "conf.d/a.conf:1: [account work] is already in %s/" MAIN
                   ":4; rename or remove one of them, neither is used\n",
                   stage->dir);
    config_stage_expect(stage, expected);
    assert_int_equal(config->account_count, 1);
    assert_string_equal(config->accounts[0].name, "home");
}

static void a_bad_default_takes_the_accounts_away_that_do_not_repeat_it(void **state)
{
    struct config_stage *stage = *state;

    const struct config *config = config_stage_load_text(
        stage, SP "poll_interval = often\n" WORK "[account own]\nuser_id = 2\npoll_interval = 3\n");

    config_stage_expect(stage, MAIN ":4: poll_interval must be seconds, from 0.000 to 60, "
                                    "such as 2 or 2.5\n");
    assert_int_equal(config->account_count, 1);
    assert_string_equal(config->accounts[0].name, "own");
    assert_int_equal(config->accounts[0].service.poll_interval_ms, 3000);
}

static void a_bad_default_is_made_good_by_a_later_file(void **state)
{
    struct config_stage *stage = *state;

    config_stage_write(stage, MAIN, SP "batch_max = 0\n" WORK, 0600);
    config_stage_write(stage, "conf.d/a.conf", "[smartca]\nbatch_max = 5\n", 0600);
    const struct config *config = config_stage_load(stage);

    config_stage_expect(stage, MAIN ":4: batch_max must be a whole number from 1 to 1000\n");
    assert_int_equal(config->account_count, 1);
    assert_int_equal(config->accounts[0].service.batch_max, 5);
}

static void an_unknown_default_takes_every_account_away(void **state)
{
    struct config_stage *stage = *state;

    const struct config *config = config_stage_load_text(stage, SP "pol_interval = 3\n" WORK);

    config_stage_expect(stage, MAIN
                        ":4: unknown key pol_interval in [smartca]; did you mean poll_interval?\n");
    assert_int_equal(config->account_count, 0);
}

static struct secret_ref ref(enum secret_kind kind, char *text)
{
    return (struct secret_ref){.kind = kind, .text = text};
}

static void assert_secret(struct secret_ref from, const char *expected)
{
    AUTO(secret_freep) struct secret *secret = NULL;
    const char *why = NULL;

    assert_int_equal(secret_ref_fetch(&from, &secret, &why), SCA_OK);
    assert_null(why);
    assert_string_equal((const char *)secret_get(secret).ptr, expected);
    assert_int_equal(secret_get(secret).len, strlen(expected));
}

static void assert_no_secret(struct secret_ref from, enum sca_status status, const char *reason)
{
    struct secret *secret = NULL;
    const char *why = NULL;

    assert_int_equal(secret_ref_fetch(&from, &secret, &why), status);
    assert_null(secret);
    assert_string_equal(why, reason);
}

static void a_secret_is_fetched_from_where_it_is(void **state)
{
    struct config_stage *stage = *state;
    AUTO(freep) char *path = config_stage_path(stage, "secret");

    (void)setenv("TEST_CONFIG_SECRET", " from env ", 1);
    assert_secret(ref(SECRET_LITERAL, (char[]){"word"}), "word");
    assert_secret(ref(SECRET_ENV, (char[]){"TEST_CONFIG_SECRET"}), " from env ");
    config_stage_write(stage, "secret", "word\n", 0600);
    assert_secret(ref(SECRET_FILE, path), "word");
    config_stage_write(stage, "secret", "word\r\n", 0400);
    assert_secret(ref(SECRET_FILE, path), "word");
    config_stage_write(stage, "secret", "word", 0600);
    assert_secret(ref(SECRET_FILE, path), "word");
}

static void an_account_without_the_phone_needs_its_secrets(void **state)
{
    static const struct {
        const char *lines;
        const char *lacks; /* NULL: nothing */
    } rows[] = {
        {"confirm = otp\n", "lacks password, which confirm = otp needs"},
        {"confirm = totp\n", "lacks password and totp_secret, which confirm = totp needs"},
        {"confirm = totp\npassword = vault:\n", "lacks totp_secret, which confirm = totp needs"},
        {"confirm = totp\ntotp_secret = vault:\n", "lacks password, which confirm = totp needs"},
        {"confirm = otp\npassword = vault:\n", NULL},
        {"confirm = totp\npassword = vault:\ntotp_secret = env:KEY\n", NULL},
    };
    struct config_stage *stage = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(freep) char *text = NULL;
        assert_true(asprintf(&text, SP WORK "%s", rows[i].lines) > 0);
        const struct config *config = config_stage_load_text(stage, text);
        assert_int_equal(config->account_count, rows[i].lacks ? 0 : 1);
        assert_int_equal(config->problem_count, rows[i].lacks ? 1 : 0);
        if (rows[i].lacks)
            assert_non_null(strstr(config->problems[0].reason, rows[i].lacks));
    }
}

static void a_secret_that_cannot_be_had_says_why(void **state)
{
    struct config_stage *stage = *state;
    AUTO(freep) char *path = config_stage_path(stage, "secret");

    (void)unsetenv("TEST_CONFIG_SECRET");
    assert_no_secret(ref(SECRET_NONE, NULL), SCA_NOT_FOUND, "no secret is configured");
    assert_no_secret(ref(SECRET_VAULT, NULL), SCA_USER_AUTH,
                     "it is in the vault: log in with the account's PIN");
    assert_no_secret(ref(SECRET_ENV, (char[]){"TEST_CONFIG_SECRET"}), SCA_INVALID,
                     "the environment variable is not set");
    assert_no_secret(ref(SECRET_FILE, path), SCA_IO, "not there");
    config_stage_write(stage, "secret", "\n", 0600);
    assert_no_secret(ref(SECRET_FILE, path), SCA_INVALID, "the secret is empty");
    config_stage_write(stage, "secret", "word", 0640);
    assert_no_secret(ref(SECRET_FILE, path), SCA_INVALID,
                     "holds a secret and is open to its group or to others; run chmod 600 on it");
    config_stage_write(stage, "secret", "word", 0620);
    assert_no_secret(ref(SECRET_FILE, path), SCA_INVALID,
                     "writable by its group or by others; run chmod go-w on it");
}

static void a_secret_is_one_line(void **state)
{
    static const char *const texts[] = {"word\n\n", "old\nnew\n", "old\nnew",
                                        "\nword",   "old\rnew\n", "word\r"};
    struct config_stage *stage = *state;
    AUTO(freep) char *path = config_stage_path(stage, "secret");

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        config_stage_write(stage, "secret", texts[i], 0600);
        (void)setenv("TEST_CONFIG_SECRET", texts[i], 1);
        assert_no_secret(ref(SECRET_FILE, path), SCA_INVALID, "the secret has more than one line");
        assert_no_secret(ref(SECRET_ENV, (char[]){"TEST_CONFIG_SECRET"}), SCA_INVALID,
                         "the secret has more than one line");
    }
    config_stage_write(stage, "secret", "word\r\n", 0600);
    assert_secret(ref(SECRET_FILE, path), "word");
}

static void the_place_of_a_secret_fits_a_message(void **state)
{
    (void)state;
    char long_path[PATH_MAX];
    char place[SECRET_PLACE_SIZE];
    memset(long_path, 'x', sizeof(long_path));
    (void)snprintf(long_path + sizeof(long_path) - 5, 5, "/end");
    long_path[0] = '/';
    const struct secret_ref of_file = ref(SECRET_FILE, long_path);
    const struct secret_ref of_variable = ref(SECRET_ENV, (char[]){"WORD"});
    const struct secret_ref of_vault = ref(SECRET_VAULT, NULL);
    const struct secret_ref of_text = ref(SECRET_LITERAL, (char[]){"word"});

    assert_string_equal(secret_ref_place(&of_variable, place), " (variable WORD)");
    assert_string_equal(secret_ref_place(&of_vault, place), "");
    assert_string_equal(secret_ref_place(&of_text, place), "");
    (void)secret_ref_place(&of_file, place);

    assert_memory_equal(place, " (...xxx", 8);
    assert_string_equal(place + strlen(place) - 6, "x/end)");
}

static void the_form_for_self_signed_certificates_has_its_defaults(void **state)
{
    struct config_stage *stage = *state;

    config_stage_write(stage, "conf.d/late.conf", "[selfsigned]\nyears = 7\n", 0600);
    const struct config *config = config_stage_load_text(
        stage, "[selfsigned]\norganization = VNPT Group\norganizational_unit = VNPT-IT2\n"
               "issued_by = VNPT eContract Certificate\nlocality = Quận 3\n"
               "state = TP Hồ Chí Minh\ncountry = VN\nyears = 5\n");

    config_stage_expect(stage, "");
    assert_string_equal(config->selfsigned.organization, "VNPT Group");
    assert_string_equal(config->selfsigned.organizational_unit, "VNPT-IT2");
    assert_string_equal(config->selfsigned.issued_by, "VNPT eContract Certificate");
    assert_string_equal(config->selfsigned.locality, "Quận 3");
    assert_string_equal(config->selfsigned.state, "TP Hồ Chí Minh");
    assert_string_equal(config->selfsigned.country, "VN");
    assert_int_equal(config->selfsigned.years, 7);
}

static void without_the_section_the_form_is_empty(void **state)
{
    struct config_stage *stage = *state;

    const struct config *config = config_stage_load_text(stage, SP WORK);

    assert_null(config->selfsigned.organization);
    assert_null(config->selfsigned.organizational_unit);
    assert_null(config->selfsigned.issued_by);
    assert_null(config->selfsigned.locality);
    assert_null(config->selfsigned.state);
    assert_null(config->selfsigned.country);
    assert_int_equal(config->selfsigned.years, 0);
}

static void a_wrong_default_of_the_form_leaves_the_others(void **state)
{
    struct config_stage *stage = *state;

    const struct config *config = config_stage_load_text(
        stage, "[selfsigned]\norganization = VNPT\ncountry = vn\nyears = 1.5\n");

    config_stage_expect(
        stage, MAIN ":3: country must be a country code of two capital letters, such as VN\n" MAIN
                    ":4: years must be a whole number from 1 to 30\n");
    assert_string_equal(config->selfsigned.organization, "VNPT");
    assert_null(config->selfsigned.country);
    assert_int_equal(config->selfsigned.years, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, config_stage_begin, config_stage_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_configured_is_an_empty_configuration),
        TEST(an_account_takes_what_it_does_not_say_from_smartca),
        TEST(an_account_that_is_not_there_is_not_found),
        TEST(an_account_has_the_default_service),
        TEST(files_of_conf_d_follow_in_name_order_and_win),
        TEST(conf_d_is_read_where_there_is_no_main_file),
        TEST(more_than_256_files_are_a_problem),
        TEST(the_file_of_the_user_is_used_without_the_variable),
        TEST(the_xdg_folders_come_before_home),
        TEST(relative_folders_in_the_environment_are_passed_over),
        TEST(a_named_file_that_is_not_there_gives_way_and_says_so),
        TEST(reading_again_finds_new_sections_and_asks_no_environment),
        TEST(the_variable_for_the_log_stands_above_the_file),
        TEST(a_bad_variable_for_the_log_is_a_problem),
        TEST(a_file_others_may_write_is_not_read),
        TEST(a_folder_in_the_place_of_a_file_is_a_problem),
        TEST(a_file_over_1_mib_is_a_problem),
        TEST(a_literal_secret_in_a_readable_file_takes_its_section_away),
        TEST(the_same_name_in_two_files_is_used_from_neither),
        TEST(a_bad_default_takes_the_accounts_away_that_do_not_repeat_it),
        TEST(a_bad_default_is_made_good_by_a_later_file),
        TEST(an_unknown_default_takes_every_account_away),
        TEST(a_secret_is_fetched_from_where_it_is),
        TEST(an_account_without_the_phone_needs_its_secrets),
        TEST(a_secret_that_cannot_be_had_says_why),
        TEST(a_secret_is_one_line),
        TEST(the_place_of_a_secret_fits_a_message),
        TEST(the_form_for_self_signed_certificates_has_its_defaults),
        TEST(without_the_section_the_form_is_empty),
        TEST(a_wrong_default_of_the_form_leaves_the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
