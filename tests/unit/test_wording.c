/* SPDX-License-Identifier: Apache-2.0 */
/* Reasons in the reader's language: only where somebody translates, and whole letters only. */
#include "remote/base/wording.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "remote/base/bytes.h"
#include "remote/base/call.h"

static const char *translate(const char *text)
{
    if (!*text)
        return "the head of the translations";
    return strcmp(text, "%s is missing") == 0 ? "thiếu %s" : text;
}

/* A note of three-byte letters, one more than fit. */
static const char *translate_at_length(const char *text)
{
    static char letters[sizeof(((struct call *)NULL)->note) / 3 * 3 + 4];

    (void)text;
    for (size_t i = 0; i + 3 < sizeof(letters); i += 3)
        memcpy(letters + i, "ế", 3);
    return letters;
}

static int forget(void **state)
{
    (void)state;
    wording_use(NULL);
    return 0;
}

static void a_text_is_itself_where_nobody_translates(void **state)
{
    (void)state;

    assert_string_equal("%s is missing", wording("%s is missing"));
}

static void a_text_is_what_the_translator_says(void **state)
{
    (void)state;
    wording_use(translate);

    const char *known = wording("%s is missing");
    const char *unknown = wording("not there");

    assert_string_equal("thiếu %s", known);
    assert_string_equal("not there", unknown);
}

static void no_text_stays_no_text(void **state)
{
    (void)state;
    wording_use(translate);

    assert_string_equal("", wording(""));
}

static void a_note_is_translated_before_it_is_filled_in(void **state)
{
    struct call call;
    (void)state;
    wording_use(translate);
    call_init(&call, &clock_system, 1000);

    enum sca_status st = call_fail(&call, SCA_NOT_FOUND, "%s is missing", "sp_id");

    assert_int_equal(SCA_NOT_FOUND, st);
    assert_string_equal("thiếu sp_id", call.note);
    call_fini(&call);
}

static void a_note_that_is_too_long_ends_with_a_whole_letter(void **state)
{
    struct call call;
    (void)state;
    wording_use(translate_at_length);
    call_init(&call, &clock_system, 1000);

    (void)call_fail(&call, SCA_IO, "too long");

    assert_true(utf8_is_valid(span_text(call.note)));
    assert_in_range(strlen(call.note), sizeof(call.note) - 7, sizeof(call.note) - 1);
    call_fini(&call);
}

static void a_status_has_a_name_in_the_readers_language(void **state)
{
    (void)state;
    wording_use(translate_at_length);

    const char *name = sca_status_name(SCA_IO);

    assert_string_equal(translate_at_length(""), name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_text_is_itself_where_nobody_translates, forget),
        cmocka_unit_test_teardown(a_text_is_what_the_translator_says, forget),
        cmocka_unit_test_teardown(no_text_stays_no_text, forget),
        cmocka_unit_test_teardown(a_note_is_translated_before_it_is_filled_in, forget),
        cmocka_unit_test_teardown(a_note_that_is_too_long_ends_with_a_whole_letter, forget),
        cmocka_unit_test_teardown(a_status_has_a_name_in_the_readers_language, forget),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
