/* SPDX-License-Identifier: Apache-2.0 */
/* What happens to a catalogue that is damaged, open to others, or used by several at once. */
#include "remote/catalogue/catalogue.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "tests/unit/catalogue_stage.h"

static void write_bytes(const struct catalogue_stage *stage, struct span bytes)
{
    assert_int_equal(file_replace(stage->dir, "catalogue", bytes), SCA_OK);
}

/* Whether opening it and reading all of it shows that something is wrong. */
static bool is_noticed(const struct catalogue_stage *stage)
{
    AUTO(catalogue_closep) struct catalogue *catalogue = NULL;
    struct catalogue_entry entry;
    const char *why = NULL;
    bool is_refused = false;

    if (catalogue_open(stage->dir, &catalogue, &why) == SCA_INVALID) {
        assert_non_null(why);
        return true;
    }
    assert_non_null(catalogue);
    for (size_t i = 0; i < catalogue_count(catalogue); i++)
        is_refused |= catalogue_get(catalogue, i, &entry) == SCA_INVALID;
    return is_refused;
}

/* In place, without the fsync of every step. */
static void overwrite(const struct catalogue_stage *stage, struct span bytes)
{
    AUTO(fd_closep) int fd = open(stage->file, O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(fd_write_all(fd, bytes), SCA_OK);
}

static void every_flipped_byte_is_noticed(void **state)
{
    struct catalogue_stage *stage = *state;
    static const uint8_t flips[] = {0x01, 0x80, 0xff};

    catalogue_stage_store(stage, ALICE, "01");
    catalogue_stage_store(stage, BOB, "");
    struct buf bytes = catalogue_stage_read(stage->file);
    assert_false(is_noticed(stage));

    for (size_t i = 0; i < bytes.len; i++) {
        for (size_t j = 0; j < ARRAY_LEN(flips); j++) {
            bytes.ptr[i] ^= flips[j];
            overwrite(stage, buf_span(&bytes));
            if (!is_noticed(stage))
                fail_msg("byte %zu ^ %02x", i, flips[j]);
            bytes.ptr[i] ^= flips[j];
        }
    }
    buf_fini(&bytes);
}

static void every_truncation_and_extension_is_noticed(void **state)
{
    struct catalogue_stage *stage = *state;

    catalogue_stage_store(stage, ALICE, "01");
    struct buf bytes = catalogue_stage_read(stage->file);

    for (size_t i = 0; i < bytes.len; i++) {
        overwrite(stage, span_of(bytes.ptr, i));
        if (!is_noticed(stage))
            fail_msg("cut to %zu", i);
    }
    overwrite(stage, span_of(bytes.ptr, bytes.len + 1)); /* the NUL behind it */
    assert_true(is_noticed(stage));
    buf_fini(&bytes);
}

static void two_bodies_exchanged_are_noticed(void **state)
{
    struct catalogue_stage *stage = *state;

    catalogue_stage_store(stage, ALICE, "01");
    struct buf bytes = catalogue_stage_read(stage->file);
    uint8_t *first = memmem(bytes.ptr, bytes.len, "54A0", 4);
    uint8_t *second = memmem(bytes.ptr, bytes.len, "54a1", 4);
    assert_non_null(first);
    assert_non_null(second);
    first[2] = 'a';
    first[3] = '1';
    second[2] = 'A';
    second[3] = '0';
    overwrite(stage, buf_span(&bytes));

    assert_true(is_noticed(stage));
    buf_fini(&bytes);
}

static void a_damaged_catalogue_is_set_aside_and_made_anew(void **state)
{
    struct catalogue_stage *stage = *state;
    char aside[128];

    (void)snprintf(aside, sizeof(aside), "%s.damaged", stage->file);
    write_bytes(stage, span_text("rubbish"));
    catalogue_stage_refused(stage, SCA_INVALID, "it is shorter than its header");
    catalogue_stage_store(stage, ALICE, "0");

    catalogue_stage_entries(stage, "1:1:s0");
    struct buf kept = catalogue_stage_read(aside);
    assert_string_equal((const char *)kept.ptr, "rubbish");
    buf_fini(&kept);

    overwrite(stage, span_text(""));
    catalogue_stage_refused(stage, SCA_INVALID, "it is empty, or larger than any catalogue");
    catalogue_stage_store(stage, BOB, "1");
    catalogue_stage_entries(stage, "1:2:s1");
    kept = catalogue_stage_read(aside);
    assert_int_equal(kept.len, 0);
    buf_fini(&kept);
}

static void slot_ids_outlive_a_damaged_index(void **state)
{
    struct catalogue_stage *stage = *state;
    enum { IN_THE_INDEX = 60 };

    catalogue_stage_store(stage, ALICE, "012");
    struct buf bytes = catalogue_stage_read(stage->file);
    bytes.ptr[IN_THE_INDEX] ^= 1;
    overwrite(stage, buf_span(&bytes));
    catalogue_stage_refused(stage, SCA_INVALID, "its index is damaged");
    catalogue_stage_store(stage, ALICE, "0");

    catalogue_stage_entries(stage, "4:1:s0");
    buf_fini(&bytes);
}

static void one_damaged_body_costs_only_its_own_entry(void **state)
{
    struct catalogue_stage *stage = *state;
    char aside[128];

    (void)snprintf(aside, sizeof(aside), "%s.damaged", stage->file);
    catalogue_stage_store(stage, ALICE, "01");
    catalogue_stage_store(stage, BOB, "2");
    struct buf bytes = catalogue_stage_read(stage->file);
    uint8_t *at = memmem(bytes.ptr, bytes.len, "54A0", 4);
    assert_non_null(at);
    *at ^= 1;
    overwrite(stage, buf_span(&bytes));
    catalogue_stage_store(stage, BOB, "23");

    catalogue_stage_entries(stage, "2:1:s1 3:2:s2 4:2:s3");
    struct buf kept = catalogue_stage_read(aside);
    assert_true(span_equal(buf_span(&kept), buf_span(&bytes)));
    buf_fini(&kept);
    buf_fini(&bytes);
}

static void a_catalogue_open_to_others_is_refused_and_left_alone(void **state)
{
    struct catalogue_stage *stage = *state;
    struct fetched_certificate item = catalogue_stage_fetched(1);

    catalogue_stage_store(stage, ALICE, "0");
    assert_int_equal(chmod(stage->file, 0660), 0);
    catalogue_stage_refused(stage, SCA_IO,
                            "writable by its group or by others; run chmod go-w on it");
    assert_int_equal(catalogue_store(stage->dir, URL, ALICE, NOW, &item, 1), SCA_IO);
    assert_int_equal(catalogue_forget(stage->dir, URL, ALICE), SCA_IO);
    assert_int_equal(chmod(stage->file, 0600), 0);

    catalogue_stage_entries(stage, "1:1:s0");
}

struct writer {
    pthread_t thread;
    const struct catalogue_stage *stage;
    char user_id[16];
    bool is_fine;
};

static void *write_often(void *arg)
{
    struct writer *writer = arg;
    struct fetched_certificate items[] = {catalogue_stage_fetched(0), catalogue_stage_fetched(1)};
    const char *why = NULL;

    writer->is_fine = true;
    for (size_t i = 0; i < 10; i++) {
        AUTO(catalogue_closep) struct catalogue *catalogue = NULL;
        struct catalogue_entry entry;
        writer->is_fine &= catalogue_store(writer->stage->dir, URL, writer->user_id, NOW, items,
                                           1 + i % 2) == SCA_OK;
        writer->is_fine &= catalogue_open(writer->stage->dir, &catalogue, &why) == SCA_OK;
        for (size_t j = 0; writer->is_fine && j < catalogue_count(catalogue); j++)
            writer->is_fine &= catalogue_get(catalogue, j, &entry) == SCA_OK;
    }
    return NULL;
}

static void several_writers_lose_nothing(void **state)
{
    struct catalogue_stage *stage = *state;
    struct writer writers[4];
    bool has_slot[256] = {false};
    struct catalogue_entry entry;

    for (size_t i = 0; i < ARRAY_LEN(writers); i++) {
        writers[i].stage = stage;
        (void)snprintf(writers[i].user_id, sizeof(writers[i].user_id), "user-%zu", i);
        assert_int_equal(pthread_create(&writers[i].thread, NULL, write_often, &writers[i]), 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(writers); i++)
        assert_int_equal(pthread_join(writers[i].thread, NULL), 0);

    AUTO(catalogue_closep) struct catalogue *catalogue = catalogue_stage_open(stage);
    for (size_t i = 0; i < ARRAY_LEN(writers); i++)
        assert_true(writers[i].is_fine);
    assert_int_equal(catalogue_count(catalogue), 2 * ARRAY_LEN(writers));
    for (size_t i = 0; i < catalogue_count(catalogue); i++) {
        assert_int_equal(catalogue_get(catalogue, i, &entry), SCA_OK);
        assert_in_range(entry.slot_id, 1, 255);
        assert_false(has_slot[entry.slot_id]);
        has_slot[entry.slot_id] = true;
    }
}

static void *read_all(void *arg)
{
    const struct catalogue *catalogue = arg;
    struct catalogue_entry entry;
    uintptr_t good = 0;

    for (size_t i = 0; i < catalogue_count(catalogue); i++)
        good += catalogue_get(catalogue, i, &entry) == SCA_OK;
    return (void *)good;
}

static void several_threads_read_one_catalogue(void **state)
{
    struct catalogue_stage *stage = *state;
    pthread_t threads[4];

    catalogue_stage_store(stage, ALICE, "01234567");
    AUTO(catalogue_closep) struct catalogue *catalogue = catalogue_stage_open(stage);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_all, catalogue), 0);

    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        void *good = NULL;
        assert_int_equal(pthread_join(threads[i], &good), 0);
        assert_int_equal((uintptr_t)good, 8);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, catalogue_stage_begin, catalogue_stage_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_flipped_byte_is_noticed),
        TEST(every_truncation_and_extension_is_noticed),
        TEST(two_bodies_exchanged_are_noticed),
        TEST(a_damaged_catalogue_is_set_aside_and_made_anew),
        TEST(slot_ids_outlive_a_damaged_index),
        TEST(one_damaged_body_costs_only_its_own_entry),
        TEST(a_catalogue_open_to_others_is_refused_and_left_alone),
        TEST(several_writers_lose_nothing),
        TEST(several_threads_read_one_catalogue),
    };
    return cmocka_run_group_tests(tests, catalogue_stage_certificates, NULL);
}
