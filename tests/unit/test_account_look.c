/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/account_look.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char png[] = "\x89PNG\r\n\x1a\n....";
static const char jpeg[] = "\xff\xd8\xff\xe0....";

static struct span bytes_of(const char *text)
{
    return span_of(text, strlen(text));
}

static struct catalogue_view bare(void)
{
    return (struct catalogue_view){
        .display_name = "Work", .is_default = true, .signature_text = ""};
}

static struct catalogue_view with_text(const char *text)
{
    struct catalogue_view view = bare();

    view.has_appearance = true;
    view.signature_text = text;
    return view;
}

static void a_text_alone_is_shown_as_the_form_does(void **state)
{
    (void)state;
    const struct account_look look = {.text = "Ký bởi {{SubjectDN.CN}}"};
    struct catalogue_view view = bare();
    const char *why = "untouched";

    assert_true(account_look_apply(&look, &view, &why));

    assert_true(view.has_appearance);
    assert_string_equal(view.signature_text, "Ký bởi {{SubjectDN.CN}}");
    assert_int_equal(view.display_mode, DISPLAY_TEXT_IMAGE);
    assert_int_equal(view.signature_image.len, 0);
    assert_string_equal(view.display_name, "Work");
    assert_true(view.is_default);
    assert_null(why);
}

static void what_is_not_said_stays(void **state)
{
    (void)state;
    const enum display_mode mode = DISPLAY_TEXT;
    const struct account_look look = {.mode = &mode};
    struct catalogue_view view = with_text("A");
    const char *why = NULL;

    view.signature_image = bytes_of(png);
    assert_true(account_look_apply(&look, &view, &why));

    assert_string_equal(view.signature_text, "A");
    assert_int_equal(view.signature_image.len, sizeof(png) - 1);
    assert_int_equal(view.display_mode, DISPLAY_TEXT);
}

static void the_last_part_that_is_removed_removes_the_appearance(void **state)
{
    (void)state;
    const struct account_look look = {.text = ""};
    struct catalogue_view view = with_text("A");
    const char *why = NULL;

    view.display_mode = DISPLAY_TEXT;
    assert_true(account_look_apply(&look, &view, &why));

    assert_false(view.has_appearance);
    assert_string_equal(view.signature_text, "");
    assert_int_equal(view.display_mode, DISPLAY_TEXT_IMAGE);
}

static void an_image_is_removed_by_an_empty_one(void **state)
{
    (void)state;
    const struct span none = span_of(NULL, 0);
    const struct account_look look = {.image = &none};
    struct catalogue_view view = with_text("A");
    const char *why = NULL;

    view.signature_image = bytes_of(png);
    assert_true(account_look_apply(&look, &view, &why));

    assert_true(view.has_appearance);
    assert_int_equal(view.signature_image.len, 0);
}

static void a_mode_that_shows_nothing_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    const enum display_mode image = DISPLAY_IMAGE;
    const enum display_mode text = DISPLAY_TEXT;
    const struct account_look looks[] = {
        {.mode = &image},
        {.mode = &image, .text = "B"},
        {.mode = &text, .text = ""},
    };

    for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
        struct catalogue_view view = with_text("A");
        const char *why = NULL;

        assert_false(account_look_apply(&looks[i], &view, &why));

        assert_non_null(why);
        assert_string_equal(view.signature_text, "A");
        assert_int_equal(view.display_mode, DISPLAY_TEXT_IMAGE);
    }
}

static void an_image_left_behind_by_its_text_needs_another_mode(void **state)
{
    (void)state;
    const struct account_look look = {.text = ""};
    struct catalogue_view view = with_text("A");
    const char *why = NULL;

    view.signature_image = bytes_of(png);
    view.display_mode = DISPLAY_TEXT;

    assert_false(account_look_apply(&look, &view, &why));
    assert_string_equal(view.signature_text, "A");
}

static void images_are_known_by_how_they_begin(void **state)
{
    (void)state;

    assert_string_equal(account_look_image_type(bytes_of(png)), "png");
    assert_string_equal(account_look_image_type(bytes_of(jpeg)), "jpeg");
    assert_null(account_look_image_type(bytes_of("GIF89a..")));
    assert_null(account_look_image_type(span_of(png, 8)));
    assert_null(account_look_image_type(span_of(png, 4)));
    assert_null(account_look_image_type(span_of(NULL, 0)));
}

static void modes_have_the_names_of_the_form(void **state)
{
    (void)state;
    static const char *const names[] = {"text-image", "text", "image"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        enum display_mode mode = DISPLAY_TEXT_IMAGE;

        assert_true(account_look_read_mode(names[i], &mode));
        assert_string_equal(account_look_mode_name(mode), names[i]);
    }
}

static void other_modes_are_refused(void **state)
{
    (void)state;
    enum display_mode mode = DISPLAY_IMAGE;

    assert_false(account_look_read_mode("", &mode));
    assert_false(account_look_read_mode("Text", &mode));
    assert_false(account_look_read_mode("text_image", &mode));
    assert_int_equal(mode, DISPLAY_IMAGE);
}

static void a_place_that_nobody_knows_is_found(void **state)
{
    static const struct {
        const char *text;
        const char *unknown;
    } rows[] = {
        {"", ""},
        {"Ký bởi {{SubjectDN.CN}}, {{SerialNumber}}", ""},
        {"{{", ""},
        {"{{}}", ""},
        {"{{SubjectDN.CN", ""},
        {"{{{SubjectDN.C}}}", ""},
        {"{{SubjectDN.XX}}", "SubjectDN.XX"},
        {"{{SubjectDN.CN}} {{subjectDN.CN}}", "subjectDN.CN"},
        {"{{ SubjectDN.CN }}", " SubjectDN.CN "},
        {"{{ {{Tên}} }}", "Tên"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct span unknown = account_look_unknown_place(rows[i].text);

        assert_int_equal(unknown.len, strlen(rows[i].unknown));
        assert_memory_equal(unknown.ptr, rows[i].unknown, unknown.len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_alone_is_shown_as_the_form_does),
        cmocka_unit_test(what_is_not_said_stays),
        cmocka_unit_test(the_last_part_that_is_removed_removes_the_appearance),
        cmocka_unit_test(an_image_is_removed_by_an_empty_one),
        cmocka_unit_test(a_mode_that_shows_nothing_is_refused_and_changes_nothing),
        cmocka_unit_test(an_image_left_behind_by_its_text_needs_another_mode),
        cmocka_unit_test(images_are_known_by_how_they_begin),
        cmocka_unit_test(modes_have_the_names_of_the_form),
        cmocka_unit_test(other_modes_are_refused),
        cmocka_unit_test(a_place_that_nobody_knows_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
