/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration files with one byte flipped, or cut short: a clean problem or a configuration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "tests/unit/config_stage.h"

static const char whole[] =
    "[module]\nlog = stderr\nlog_level = info\naudit_max = 8\n[smartca]\n"
    "url = https://test.example/sca\nsp_id = shop\nsp_password = word\npoll_interval = 0.25\n"
    "[account work]\nuser_id = 012345678901\nconfirm = totp\npassword = vault:\n"
    "totp_secret = vault:\npin = required\n[account home]\nuser_id = 012345678902\n"
    "serial = 54ab\n[token usb]\nmodule = /usr/lib/usb.so\nslots = all\n"
    "[econtract]\nurl = https://tenant.example\nusername = admin\ncompany_id = 1\n"
    "[selfsigned]\ncountry = VN\nyears = 5\n";
static const char account_file[] = "[account office]\nuser_id = 012345678903\nconfirm = app\n";

enum { ROOM = sizeof(whole) };

static bool is_text_same(const char *a, const char *b)
{
    return !a || !b ? a == b : strcmp(a, b) == 0;
}

static bool is_secret_same(const struct secret_ref *a, const struct secret_ref *b)
{
    return a->kind == b->kind && is_text_same(a->text, b->text);
}

/* The guards of a key: whose it is, who is asked, and who asks. */
static bool is_same(const struct account_config *a, const struct account_config *b)
{
    return is_text_same(a->user_id, b->user_id) && is_text_same(a->serial, b->serial) &&
           a->confirm == b->confirm && is_secret_same(&a->password, &b->password) &&
           is_secret_same(&a->totp_secret, &b->totp_secret) &&
           is_text_same(a->service.url, b->service.url) &&
           is_text_same(a->service.sp_id, b->service.sp_id) &&
           a->otp_login_context == b->otp_login_context && a->pin_required == b->pin_required &&
           a->protected_path == b->protected_path && a->extra_hashes == b->extra_hashes;
}

/* Every problem names a file of ours, one of its lines or the whole, and says something. */
static void assert_clean(const struct config_stage *stage, unsigned lines)
{
    for (size_t i = 0; i < stage->config->problem_count; i++) {
        const struct config_problem *problem = &stage->config->problems[i];
        assert_int_equal(strncmp(problem->file, stage->dir, strlen(stage->dir)), 0);
        assert_true(problem->line <= lines);
        assert_true(problem->reason && *problem->reason);
        assert_null(strchr(problem->reason, '\n'));
    }
}

static unsigned count_lines(const char *text)
{
    unsigned lines = 1;

    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

/* The account is as it was, whatever its name, or a problem says why it is not. */
static void assert_reported(const struct config *before, const struct config *after, size_t at)
{
    bool is_good = after->account_count == before->account_count;

    for (size_t i = 0; is_good && i < before->account_count; i++)
        is_good = is_same(&before->accounts[i], &after->accounts[i]);
    if (is_good || after->problem_count > 0)
        return;
    print_error("an account is another without a word: byte %zu\n", at);
    fail();
}

/* Another value is one, and what is a comment now was not meant to be one: nobody can know. */
static bool is_unknowable(const char *text, const char *damaged, size_t at)
{
    size_t begin = at;

    while (begin > 0 && text[begin - 1] != '\n')
        begin--;
    return memchr(text + begin, '=', at - begin) || damaged[begin] == '#' || damaged[begin] == ';';
}

static void load(struct config_stage *stage, const char *name, const char *text, size_t len)
{
    AUTO(freep) char *path = config_stage_path(stage, name);
    char damaged[ROOM + 1];

    (void)unlink(path); /* to write over a file makes a file system wait for its disk */
    memcpy(damaged, text, len);
    damaged[len] = 0;
    config_stage_write(stage, name, damaged, 0600);
    (void)config_stage_load(stage);
}

static void load_whole(struct config_stage *stage)
{
    config_stage_write(stage, "conf.d/account-office.conf", account_file, 0600);
    load(stage, MAIN, whole, strlen(whole));
    config_stage_expect(stage, "");
    assert_int_equal(stage->config->account_count, 3);
}

static void truncate_at_every_byte(struct config_stage *stage, const char *name, const char *text)
{
    for (size_t len = 0; len < strlen(text); len++) {
        load(stage, name, text, len);
        assert_clean(stage, count_lines(text));
    }
    load(stage, name, text, strlen(text));
    config_stage_expect(stage, "");
}

static void a_file_cut_short_anywhere_is_read_or_refused(void **state)
{
    struct config_stage *stage = *state;

    load_whole(stage);

    truncate_at_every_byte(stage, MAIN, whole);
    truncate_at_every_byte(stage, "conf.d/account-office.conf", account_file);
}

/* Every bit of every byte; a NUL ends the text where it comes. */
static void flip_every_bit(struct config_stage *stage, const struct config *before,
                           const char *name, const char *text)
{
    char damaged[ROOM];

    for (size_t at = 0; at < strlen(text); at++)
        for (unsigned bit = 0; bit < 8; bit++) {
            (void)snprintf(damaged, sizeof(damaged), "%s", text);
            damaged[at] = (char)((unsigned char)damaged[at] ^ 1U << bit);
            load(stage, name, damaged, strlen(text));
            assert_clean(stage, count_lines(text) + 1);
            if (!is_unknowable(text, damaged, at))
                assert_reported(before, stage->config, at);
        }
    load(stage, name, text, strlen(text));
    config_stage_expect(stage, "");
}

static void a_flipped_bit_outside_a_value_is_seen_or_changes_no_account(void **state)
{
    struct config_stage *stage = *state;

    load_whole(stage);
    AUTO(config_freep) struct config *before = stage->config;
    stage->config = NULL;

    flip_every_bit(stage, before, MAIN, whole);
    flip_every_bit(stage, before, "conf.d/account-office.conf", account_file);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, config_stage_begin, config_stage_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_cut_short_anywhere_is_read_or_refused),
        TEST(a_flipped_bit_outside_a_value_is_seen_or_changes_no_account),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
