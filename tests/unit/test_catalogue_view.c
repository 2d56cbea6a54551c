/* SPDX-License-Identifier: Apache-2.0 */
/* What owners chose to see: how it is changed, kept, inherited, and refused when it is damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/catalogue/body.h"
#include "remote/catalogue/image.h"
#include "tests/unit/catalogue_stage.h"

static const struct catalogue_view appearance = {
    .has_appearance = true,
    .signature_text = "Ký bởi {{SubjectDN.CN}}",
    .display_mode = DISPLAY_IMAGE,
    .signature_image = {.ptr = (const uint8_t *)"\x89PNG\0x", .len = 6},
};

/* The view of the certificate with that slot id. */
static void expect(const struct catalogue_stage *stage, uint32_t slot_id,
                   const struct catalogue_view *expected)
{
    AUTO(catalogue_closep) struct catalogue *catalogue = catalogue_stage_open(stage);
    struct catalogue_entry entry = {.slot_id = 0};

    for (size_t i = 0; i < catalogue_count(catalogue) && entry.slot_id != slot_id; i++)
        assert_int_equal(catalogue_get(catalogue, i, &entry), SCA_OK);
    assert_int_equal(entry.slot_id, slot_id);
    assert_string_equal(entry.view.display_name,
                        expected->display_name ? expected->display_name : "");
    assert_string_equal(entry.view.signature_text,
                        expected->signature_text ? expected->signature_text : "");
    assert_int_equal(entry.view.is_default, expected->is_default);
    assert_int_equal(entry.view.has_appearance, expected->has_appearance);
    assert_int_equal(entry.view.display_mode, expected->display_mode);
    assert_true(span_equal(entry.view.signature_image, expected->signature_image));
}

static enum sca_status set(const struct catalogue_stage *stage, const char *user_id,
                           const char *serial, unsigned parts, const struct catalogue_view *view)
{
    return catalogue_set_view(stage->dir, URL, user_id, serial, parts, view);
}

static void a_certificate_starts_with_an_empty_view(void **state)
{
    struct catalogue_stage *stage = *state;

    catalogue_stage_store(stage, ALICE, "0");

    expect(stage, 1, &(struct catalogue_view){.is_default = false});
}

static void only_the_parts_that_are_named_change(void **state)
{
    struct catalogue_stage *stage = *state;
    struct catalogue_view view = appearance;
    catalogue_stage_store(stage, ALICE, "01");

    view.display_name = "Chị Hoa";
    view.is_default = true;
    assert_int_equal(set(stage, ALICE, "54A1", VIEW_NAME, &view), SCA_OK);
    expect(stage, 2, &(struct catalogue_view){.display_name = "Chị Hoa"});
    assert_int_equal(set(stage, ALICE, "54A1", VIEW_APPEARANCE, &appearance), SCA_OK);
    view.is_default = false;
    expect(stage, 2, &view);
    expect(stage, 1, &(struct catalogue_view){.is_default = false});

    assert_int_equal(set(stage, ALICE, "54a1", VIEW_APPEARANCE,
                         &(struct catalogue_view){.signature_text = "not kept"}),
                     SCA_OK);
    expect(stage, 2, &(struct catalogue_view){.display_name = "Chị Hoa"});
}

static void without_a_serial_all_of_the_account_are_meant(void **state)
{
    struct catalogue_stage *stage = *state;
    catalogue_stage_store(stage, ALICE, "01");
    catalogue_stage_store(stage, BOB, "2");

    assert_int_equal(set(stage, ALICE, NULL, VIEW_APPEARANCE, &appearance), SCA_OK);

    expect(stage, 1, &appearance);
    expect(stage, 2, &appearance);
    expect(stage, 3, &(struct catalogue_view){.is_default = false});
}

static void one_certificate_is_the_default_at_most(void **state)
{
    const struct catalogue_view chosen = {.is_default = true};
    const struct catalogue_view other = {.is_default = false};
    struct catalogue_stage *stage = *state;
    catalogue_stage_store(stage, ALICE, "01");
    catalogue_stage_store(stage, BOB, "2");

    assert_int_equal(set(stage, ALICE, NULL, VIEW_DEFAULT, &chosen), SCA_OK);
    expect(stage, 1, &chosen);
    expect(stage, 2, &other);
    assert_int_equal(set(stage, BOB, "54A2", VIEW_DEFAULT, &chosen), SCA_OK);
    expect(stage, 1, &other);
    expect(stage, 3, &chosen);
    assert_int_equal(set(stage, ALICE, NULL, VIEW_DEFAULT, &other), SCA_OK);
    expect(stage, 3, &chosen);
    assert_int_equal(set(stage, BOB, NULL, VIEW_DEFAULT, &other), SCA_OK);
    expect(stage, 3, &other);
}

static void fetching_anew_keeps_views_and_a_new_certificate_inherits(void **state)
{
    struct catalogue_stage *stage = *state;
    struct catalogue_view known = appearance;
    known.display_name = "a";
    known.is_default = true;
    catalogue_stage_store(stage, ALICE, "0");
    assert_int_equal(set(stage, ALICE, NULL, VIEW_NAME | VIEW_DEFAULT | VIEW_APPEARANCE, &known),
                     SCA_OK);

    catalogue_stage_store(stage, ALICE, "10");
    catalogue_stage_store(stage, BOB, "2");

    expect(stage, 1, &known);
    expect(stage, 2, &appearance);
    expect(stage, 3, &(struct catalogue_view){.is_default = false});
}

static void an_appearance_outlives_the_last_certificate(void **state)
{
    struct catalogue_stage *stage = *state;
    catalogue_stage_store(stage, ALICE, "0");
    assert_int_equal(set(stage, ALICE, NULL, VIEW_APPEARANCE, &appearance), SCA_OK);

    catalogue_stage_store(stage, ALICE, "");
    catalogue_stage_store(stage, ALICE, "1");

    catalogue_stage_entries(stage, "2:1:s1");
    expect(stage, 2, &appearance);
}

static void what_is_not_there_has_no_view(void **state)
{
    struct catalogue_stage *stage = *state;
    char none[96];
    (void)snprintf(none, sizeof(none), "%s/none", stage->dir);

    assert_int_equal(catalogue_set_view(none, URL, ALICE, NULL, VIEW_NAME, &appearance),
                     SCA_NOT_FOUND);
    assert_int_equal(access(none, F_OK), -1);
    assert_int_equal(set(stage, ALICE, NULL, VIEW_NAME, &appearance), SCA_NOT_FOUND);
    assert_int_equal(access(stage->file, F_OK), -1);
    catalogue_stage_store(stage, ALICE, "0");
    catalogue_stage_store(stage, BOB, "");

    assert_int_equal(
        set(stage, ALICE, "54A1", VIEW_DEFAULT, &(struct catalogue_view){.is_default = true}),
        SCA_NOT_FOUND);
    assert_int_equal(set(stage, BOB, NULL, VIEW_APPEARANCE, &appearance), SCA_NOT_FOUND);
    assert_int_equal(catalogue_set_view(stage->dir, URL "x", ALICE, NULL, VIEW_NAME, &appearance),
                     SCA_NOT_FOUND);
    expect(stage, 1, &(struct catalogue_view){.is_default = false});
}

static void a_view_over_its_limits_is_refused(void **state)
{
    struct catalogue_stage *stage = *state;
    AUTO(freep) char *text = calloc(1, CATALOGUE_IMAGE_MAX + 2);
    assert_non_null(text);
    memset(text, 'x', CATALOGUE_IMAGE_MAX + 1);
    const char *too_long_name = text + CATALOGUE_IMAGE_MAX - CATALOGUE_NAME_MAX;
    const char *too_long_text = text + CATALOGUE_IMAGE_MAX - CATALOGUE_TEXT_MAX;
    const struct catalogue_view bad[] = {
        {.display_name = too_long_name},
        {.display_name = "\xff"},
        {.signature_text = too_long_text},
        {.signature_text = "\xc3"},
        {.display_mode = (enum display_mode)3},
        {.signature_image = span_of(text, CATALOGUE_IMAGE_MAX + 1)},
    };
    catalogue_stage_store(stage, ALICE, "0");

    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (set(stage, ALICE, NULL, VIEW_NAME, &bad[i]) != SCA_INVALID)
            fail_msg("view %zu", i);

    const struct catalogue_view good = {.display_name = too_long_name + 1,
                                        .has_appearance = true,
                                        .signature_text = too_long_text + 1,
                                        .signature_image = span_of(text, CATALOGUE_IMAGE_MAX)};
    assert_int_equal(set(stage, ALICE, NULL, VIEW_NAME | VIEW_APPEARANCE, &good), SCA_OK);
    expect(stage, 1, &good);
}

/* The body of an entry with that view, the numbers of which are at ret_numbers. */
static void put_body(struct buf *body, const struct catalogue_view *view, size_t *ret_numbers)
{
    const struct catalogue_entry entry = {.url = URL, .user_id = ALICE, .view = *view};
    const uint32_t shared[CATALOGUE_CHAIN_MAX] = {0};

    buf_init(body, IMAGE_BODY_MAX, false);
    assert_int_equal(body_put_entry(body, &entry, shared), SCA_OK);
    *ret_numbers = body->len - view->signature_image.len - 4 * sizeof(uint32_t);
}

static void a_damaged_view_takes_its_entry_away(void **state)
{
    static const uint32_t bad[][4] = {
        {2, 0, 0, 0}, {0, 2, 0, 0}, {0, 0, 3, 0}, {0, 0, 0, 1}, {0, 0, 0, UINT32_MAX}};
    static const uint32_t good[4] = {1, 1, DISPLAY_TEXT, 0};
    const struct catalogue_view plain = {.display_name = "n"};
    uint32_t shared[CATALOGUE_CHAIN_MAX];
    struct catalogue_entry entry;
    struct buf body;
    size_t numbers = 0;
    (void)state;
    put_body(&body, &plain, &numbers);

    memcpy(body.ptr + numbers, good, sizeof(good));
    assert_int_equal(body_get_entry(buf_span(&body), &entry, shared), SCA_OK);
    assert_true(entry.view.is_default && entry.view.has_appearance);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        memcpy(body.ptr + numbers, bad[i], sizeof(bad[i]));
        if (body_get_entry(buf_span(&body), &entry, shared) != SCA_INVALID)
            fail_msg("numbers %zu", i);
    }
    memcpy(body.ptr + numbers, good, sizeof(good));
    *(uint8_t *)memmem(body.ptr, body.len, "n", 2) = 0xff;
    assert_int_equal(body_get_entry(buf_span(&body), &entry, shared), SCA_INVALID);
    buf_fini(&body);
}

/* The file as the first version of the format had it: bodies without views. */
static void make_plain(const struct catalogue_stage *stage)
{
    enum { EMPTY_VIEW = 2 * (4 + 1) + 4 * 4 };
    struct buf old = catalogue_stage_read(stage->file);
    AUTO(buf_fini) struct buf bodies;
    AUTO(buf_fini) struct buf records;
    AUTO(buf_fini) struct buf file;
    struct image image;
    const char *why = NULL;

    buf_init(&bodies, IMAGE_FILE_MAX, false);
    buf_init(&records, IMAGE_FILE_MAX, false);
    buf_init(&file, IMAGE_FILE_MAX, false);
    assert_int_equal(image_check(buf_span(&old), &image, &why), SCA_OK);
    for (size_t i = 0; i < (size_t)image.header.entry_count + image.header.shared_count; i++) {
        struct image_record record = image_record(&image, i);
        struct span body = image_body(&image, &record);
        size_t start = bodies.len;
        if (i < image.header.entry_count) {
            AUTO(buf_fini) struct buf leaf;
            buf_init(&leaf, IMAGE_BODY_MAX, false);
            assert_int_equal(body_put_certificate(&leaf, &catalogue_stage_leaves[i]), SCA_OK);
            size_t at = body.len - leaf.len;
            assert_int_equal(buf_append(&bodies, span_of(body.ptr, at - EMPTY_VIEW)), SCA_OK);
            assert_int_equal(buf_append(&bodies, span_of(body.ptr + at, leaf.len)), SCA_OK);
        } else {
            assert_int_equal(buf_append(&bodies, body), SCA_OK);
        }
        record.len = (uint32_t)(bodies.len - start);
        record.offset = start;
        record.checksum = image_checksum(span_of(bodies.ptr + start, record.len));
        assert_int_equal(buf_append(&records, span_of(&record, sizeof(record))), SCA_OK);
    }
    image.header.version = 1;
    image.header.bodies_len = bodies.len;
    image.header.records_checksum = image_checksum(buf_span(&records));
    image.header.header_checksum =
        image_checksum(span_of(&image.header, offsetof(struct image_header, header_checksum)));
    assert_int_equal(buf_append(&file, span_of(&image.header, sizeof(image.header))), SCA_OK);
    assert_int_equal(buf_append(&file, buf_span(&records)), SCA_OK);
    assert_int_equal(buf_append(&file, buf_span(&bodies)), SCA_OK);
    assert_int_equal(file_replace(stage->dir, "catalogue", buf_span(&file)), SCA_OK);
    buf_fini(&old);
}

static uint32_t version_of(const struct catalogue_stage *stage)
{
    struct image_header header;
    struct buf bytes = catalogue_stage_read(stage->file);
    memcpy(&header, bytes.ptr, sizeof(header));
    buf_fini(&bytes);
    return header.version;
}

static void a_file_from_before_there_were_views_keeps_its_slots(void **state)
{
    struct catalogue_stage *stage = *state;
    catalogue_stage_store(stage, BOB, "7");
    assert_int_equal(catalogue_forget(stage->dir, URL, BOB), SCA_OK);
    catalogue_stage_store(stage, ALICE, "01");
    make_plain(stage);

    assert_int_equal(version_of(stage), 1);
    catalogue_stage_entries(stage, "2:1:s0 3:1:s1");
    expect(stage, 2, &(struct catalogue_view){.is_default = false});
    assert_int_equal(set(stage, ALICE, "54A0", VIEW_APPEARANCE, &appearance), SCA_OK);
    catalogue_stage_store(stage, ALICE, "012");

    assert_int_equal(version_of(stage), 2);
    catalogue_stage_entries(stage, "2:1:s0 3:1:s1 4:1:s2");
    expect(stage, 2, &appearance);
    expect(stage, 3, &(struct catalogue_view){.is_default = false});
    expect(stage, 4, &appearance);
}

static void a_file_of_a_later_version_is_refused(void **state)
{
    struct catalogue_stage *stage = *state;
    struct image_header header;
    catalogue_stage_store(stage, ALICE, "0");
    struct buf bytes = catalogue_stage_read(stage->file);

    memcpy(&header, bytes.ptr, sizeof(header));
    header.version = 3;
    header.header_checksum =
        image_checksum(span_of(&header, offsetof(struct image_header, header_checksum)));
    memcpy(bytes.ptr, &header, sizeof(header));
    assert_int_equal(file_replace(stage->dir, "catalogue", buf_span(&bytes)), SCA_OK);

    catalogue_stage_refused(stage, SCA_INVALID, "it was written by another version");
    buf_fini(&bytes);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, catalogue_stage_begin, catalogue_stage_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_certificate_starts_with_an_empty_view),
        TEST(only_the_parts_that_are_named_change),
        TEST(without_a_serial_all_of_the_account_are_meant),
        TEST(one_certificate_is_the_default_at_most),
        TEST(fetching_anew_keeps_views_and_a_new_certificate_inherits),
        TEST(an_appearance_outlives_the_last_certificate),
        TEST(what_is_not_there_has_no_view),
        TEST(a_view_over_its_limits_is_refused),
        TEST(a_damaged_view_takes_its_entry_away),
        TEST(a_file_from_before_there_were_views_keeps_its_slots),
        TEST(a_file_of_a_later_version_is_refused),
    };
    return cmocka_run_group_tests(tests, catalogue_stage_certificates, NULL);
}
