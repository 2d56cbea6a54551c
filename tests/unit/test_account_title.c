/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/account_title.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "remote/cli/account_file.h"

static const struct account_title title = {
    .old_name = "work",
    .new_name = "office",
    .old_password_file = "/etc/x/sp-password-work",
    .new_password_file = "/etc/x/sp-password-office",
};

static void assert_becomes(const char *from, const char *to)
{
    AUTO(buf_fini) struct buf text = {.ptr = NULL};

    enum sca_status st = account_title_change(span_text(from), &title, &text);

    assert_int_equal(st, SCA_OK);
    assert_string_equal((const char *)text.ptr, to);
}

static void assert_refused(const char *from, enum sca_status expected)
{
    struct buf text = {.ptr = NULL, .len = 7};

    enum sca_status st = account_title_change(span_text(from), &title, &text);

    assert_int_equal(st, expected);
    assert_int_equal(text.len, 7);
}

static void what_account_add_writes_gets_the_new_name_everywhere(void **state)
{
    (void)state;
    const struct account_text keys = {
        .name = "work",
        .user_id = "012345678901",
        .confirm = "totp",
        .password = ACCOUNT_IN_VAULT,
        .totp_secret = "/run/credentials/sign.service/key",
        .sp_password = "/etc/x/sp-password-work",
    };
    AUTO(buf_fini) struct buf written = {.ptr = NULL};
    assert_int_equal(account_text_make(&keys, &written), SCA_OK);

    assert_becomes((const char *)written.ptr,
                   "; Written by smartca account add; smartca account remove office removes it.\n"
                   "[account office]\n"
                   "user_id = 012345678901\n"
                   "confirm = totp\n"
                   "password = vault:\n"
                   "totp_secret = file:/run/credentials/sign.service/key\n"
                   "sp_password = file:/etc/x/sp-password-office\n");
}

static void what_its_owner_added_stays_byte_for_byte(void **state)
{
    (void)state;

    assert_becomes("; mine\r\n\n[account  work ]\nserial=ab ; work\n\tpin = required\r\n",
                   "; mine\r\n\n[account office]\nserial=ab ; work\n\tpin = required\r\n");
}

static void a_heading_that_ends_the_file_is_found(void **state)
{
    (void)state;

    assert_becomes("[account work]", "[account office]\n");
}

static void a_password_somewhere_else_stays_there(void **state)
{
    (void)state;

    assert_becomes("[account work]\nsp_password = file:/etc/x/sp-password-work2\n",
                   "[account office]\nsp_password = file:/etc/x/sp-password-work2\n");
    assert_becomes("[account work]\nsp_password = env:P\npassword = file:/etc/x/sp-password-work\n",
                   "[account office]\nsp_password = env:P\npassword = "
                   "file:/etc/x/sp-password-work\n");
}

static void without_a_password_file_no_line_of_one_is_changed(void **state)
{
    (void)state;
    const struct account_title bare = {.old_name = "work", .new_name = "office"};
    AUTO(buf_fini) struct buf text = {.ptr = NULL};

    enum sca_status st = account_title_change(
        span_text("[account work]\nsp_password = file:/etc/x/sp-password-work\n"), &bare, &text);

    assert_int_equal(st, SCA_OK);
    assert_string_equal((const char *)text.ptr,
                        "[account office]\nsp_password = file:/etc/x/sp-password-work\n");
}

static void another_account_is_not_taken_for_it(void **state)
{
    (void)state;

    assert_refused("[account worker]\n", SCA_NOT_FOUND);
    assert_refused("[account wor]\n", SCA_NOT_FOUND);
    assert_refused("[accountwork]\n", SCA_NOT_FOUND);
    assert_refused("[account work\n", SCA_NOT_FOUND);
    assert_refused("; [account work]\n", SCA_NOT_FOUND);
    assert_refused("", SCA_NOT_FOUND);
}

static void a_text_that_would_grow_over_the_limit_is_refused(void **state)
{
    (void)state;
    char text[ACCOUNT_TEXT_MAX + 1];
    memset(text, ';', sizeof(text) - 1);
    text[sizeof(text) - 1] = 0;
    memcpy(text, "[account work]\n", strlen("[account work]\n"));

    assert_refused(text, SCA_PROTOCOL);
}

static void values_that_would_be_two_are_not_safe(void **state)
{
    (void)state;

    assert_true(account_text_is_safe("/etc/a b;c"));
    assert_false(account_text_is_safe(""));
    assert_false(account_text_is_safe(" a"));
    assert_false(account_text_is_safe("a "));
    assert_false(account_text_is_safe("a ;b"));
    assert_false(account_text_is_safe("a\"b"));
    assert_false(account_text_is_safe("a\nb"));
    assert_false(account_text_is_safe("\xff"));
}

static void no_value_gets_a_line_of_its_own(void **state)
{
    (void)state;
    const char *bad = "54ab\non_confirm = /usr/bin/touch /tmp/x";
    const struct account_text rows[] = {
        {.name = "a", .user_id = bad},     {.name = "a", .serial = bad},
        {.name = "a", .confirm = bad},     {.name = "a", .password = bad},
        {.name = "a", .totp_secret = bad}, {.name = "a", .url = bad},
        {.name = "a", .sp_id = bad},       {.name = "a", .sp_password = bad},
        {.name = "a", .ca_file = "/a\nb"}, {.name = "a", .serial = "5\r"},
        {.name = "a\n[b]", .serial = "5"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf text = {.ptr = NULL, .len = 7};
        assert_int_equal(account_text_make(&rows[i], &text), SCA_INVALID);
        assert_int_equal(text.len, 7);
    }
}

static void the_notification_is_always_the_same(void **state)
{
    (void)state;
    AUTO(buf_fini) struct buf text = {.ptr = NULL};
    const struct account_text keys = {.name = "a", .user_id = "1", .notifies = true};

    enum sca_status st = account_text_make(&keys, &text);

    assert_int_equal(st, SCA_OK);
    assert_string_equal((const char *)text.ptr,
                        ACCOUNT_REMARK "a" ACCOUNT_REMARK_END "\n[account a]\nuser_id = 1\n"
                                       "on_confirm = /usr/bin/notify-send \"SmartCA\" \"%s\"\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_account_add_writes_gets_the_new_name_everywhere),
        cmocka_unit_test(what_its_owner_added_stays_byte_for_byte),
        cmocka_unit_test(a_heading_that_ends_the_file_is_found),
        cmocka_unit_test(a_password_somewhere_else_stays_there),
        cmocka_unit_test(without_a_password_file_no_line_of_one_is_changed),
        cmocka_unit_test(another_account_is_not_taken_for_it),
        cmocka_unit_test(a_text_that_would_grow_over_the_limit_is_refused),
        cmocka_unit_test(values_that_would_be_two_are_not_safe),
        cmocka_unit_test(no_value_gets_a_line_of_its_own),
        cmocka_unit_test(the_notification_is_always_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
