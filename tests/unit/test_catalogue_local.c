/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens on this computer in the catalogue, and the empty slot. */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "tests/unit/catalogue_stage.h"

static void add(const struct catalogue_stage *stage, const char *name, uint32_t slot_id)
{
    assert_int_equal(catalogue_add_local(stage->dir, name, slot_id), SCA_OK);
}

/* Asserts "slot:name" of every local entry, "slot:-" of the others, and the empty slot at the end.
 */
static void shows(const struct catalogue_stage *stage, const char *expected)
{
    AUTO(catalogue_closep) struct catalogue *catalogue = catalogue_stage_open(stage);
    char found[512] = "";
    size_t len = 0;

    for (size_t i = 0; i < catalogue_count(catalogue); i++) {
        struct catalogue_entry entry;
        assert_int_equal(catalogue_get(catalogue, i, &entry), SCA_OK);
        bool is_local = strcmp(entry.url, CATALOGUE_LOCAL) == 0;
        assert_int_equal(entry.has_certificate, !is_local);
        len += (size_t)snprintf(found + len, sizeof(found) - len, "%u:%s ", entry.slot_id,
                                is_local ? entry.user_id : "-");
    }
    (void)snprintf(found + len, sizeof(found) - len, "+%u", catalogue_spare_slot_id(catalogue));
    assert_string_equal(found, expected);
}

static void the_empty_slot_is_number_0_where_there_is_nothing(void **state)
{
    struct catalogue_stage *stage = *state;

    shows(stage, "+0");

    assert_int_equal(access(stage->file, F_OK), -1);
}

static void a_token_gets_the_empty_slot_and_there_is_a_new_one(void **state)
{
    struct catalogue_stage *stage = *state;

    add(stage, "a", 0);
    shows(stage, "0:a +1");
    add(stage, "b", 1);

    shows(stage, "0:a 1:b +2");
}

static void a_slot_that_is_not_the_empty_one_is_gone(void **state)
{
    struct catalogue_stage *stage = *state;

    assert_int_equal(catalogue_add_local(stage->dir, "a", 1), SCA_GONE);
    assert_int_equal(access(stage->file, F_OK), -1);
    add(stage, "a", 0);
    assert_int_equal(catalogue_add_local(stage->dir, "b", 0), SCA_GONE);
    assert_int_equal(catalogue_add_local(stage->dir, "b", 2), SCA_GONE);
    assert_int_equal(catalogue_add_local(stage->dir, "a", 1), SCA_GONE);

    shows(stage, "0:a +1");
}

static void a_token_that_was_adopted_meanwhile_is_added_where_it_is(void **state)
{
    struct catalogue_stage *stage = *state;
    static const char *const names[] = {"a", "b"};
    static const uint32_t ids[] = {0, 0};

    assert_int_equal(catalogue_adopt_local(stage->dir, names, ids, 2), SCA_OK);
    shows(stage, "0:a 2:b +1");
    add(stage, "a", 0);
    assert_int_equal(catalogue_add_local(stage->dir, "b", 0), SCA_GONE);
    assert_int_equal(catalogue_forget(stage->dir, CATALOGUE_LOCAL, "b"), SCA_OK);

    shows(stage, "0:a +1");
}

static void no_certificate_gets_the_slot_of_a_token_or_the_empty_one(void **state)
{
    struct catalogue_stage *stage = *state;

    catalogue_stage_store(stage, ALICE, "0");
    add(stage, "a", 0);
    catalogue_stage_store(stage, BOB, "1");
    catalogue_stage_store(stage, ALICE, "023");
    add(stage, "b", 2);
    catalogue_stage_store(stage, BOB, "4");

    shows(stage, "1:- 4:- 5:- 0:a 7:- 2:b +6");
}

static void forgetting_an_account_leaves_tokens_and_the_empty_slot(void **state)
{
    struct catalogue_stage *stage = *state;

    catalogue_stage_store(stage, ALICE, "0");
    add(stage, "a", 0);
    assert_int_equal(catalogue_forget(stage->dir, URL, ALICE), SCA_OK);

    shows(stage, "0:a +2");
}

static void adopted_tokens_keep_the_slots_they_had(void **state)
{
    struct catalogue_stage *stage = *state;
    static const char *const names[] = {"c", "a", "b"};
    static const uint32_t ids[] = {7, 0, 3};

    assert_int_equal(catalogue_adopt_local(stage->dir, names, ids, 3), SCA_OK);
    shows(stage, "0:a 3:b 7:c +8");
    catalogue_stage_store(stage, ALICE, "0");

    shows(stage, "0:a 3:b 7:c 9:- +8");
}

static void without_a_token_in_it_the_empty_slot_stays_where_it_is(void **state)
{
    struct catalogue_stage *stage = *state;
    static const char *const names[] = {"a"};
    static const uint32_t ids[] = {5};

    assert_int_equal(catalogue_adopt_local(stage->dir, names, ids, 1), SCA_OK);

    shows(stage, "5:a +0");
}

static void ids_that_are_not_free_are_replaced_when_tokens_are_adopted(void **state)
{
    struct catalogue_stage *stage = *state;
    static const char *const names[] = {"x", "a", "c", "b", "d"};
    static const uint32_t ids[] = {UINT32_MAX, 1, 4, 4, 0x400000};

    catalogue_stage_store(stage, ALICE, "0");
    assert_int_equal(catalogue_adopt_local(stage->dir, names, ids, 5), SCA_OK);

    shows(stage, "1:- 5:a 4:b 6:c 7:d 8:x +0");
}

static void adopting_again_changes_nothing(void **state)
{
    struct catalogue_stage *stage = *state;
    static const char *const names[] = {"b", "a"};
    static const uint32_t ids[] = {9, 9};

    add(stage, "a", 0);
    add(stage, "b", 1);
    struct buf before = catalogue_stage_read(stage->file);
    assert_int_equal(catalogue_adopt_local(stage->dir, names, ids, 2), SCA_OK);
    assert_int_equal(catalogue_adopt_local(stage->dir, NULL, NULL, 0), SCA_OK);

    struct buf after = catalogue_stage_read(stage->file);
    assert_true(span_equal(buf_span(&after), buf_span(&before)));
    buf_fini(&before);
    buf_fini(&after);
}

static void a_token_is_not_added_to_a_damaged_catalogue(void **state)
{
    struct catalogue_stage *stage = *state;

    assert_int_equal(file_replace(stage->dir, "catalogue", span_text("rubbish")), SCA_OK);
    assert_int_equal(catalogue_add_local(stage->dir, "a", 0), SCA_INVALID);

    struct buf kept = catalogue_stage_read(stage->file);
    assert_string_equal((const char *)kept.ptr, "rubbish");
    buf_fini(&kept);
}

static void adopting_makes_a_damaged_catalogue_anew(void **state)
{
    struct catalogue_stage *stage = *state;
    static const char *const names[] = {"a"};
    static const uint32_t ids[] = {0};
    char aside[128];

    (void)snprintf(aside, sizeof(aside), "%s.damaged", stage->file);
    assert_int_equal(file_replace(stage->dir, "catalogue", span_text("rubbish")), SCA_OK);
    assert_int_equal(catalogue_adopt_local(stage->dir, names, ids, 1), SCA_OK);

    shows(stage, "0:a +1");
    struct buf kept = catalogue_stage_read(aside);
    assert_string_equal((const char *)kept.ptr, "rubbish");
    buf_fini(&kept);
}

static void the_empty_slot_outlives_a_damaged_index(void **state)
{
    struct catalogue_stage *stage = *state;
    static const char *const names[] = {"a", "b"};
    static const uint32_t ids[] = {0, 1};
    enum { IN_THE_INDEX = 60 };

    add(stage, "a", 0);
    add(stage, "b", 1);
    struct buf bytes = catalogue_stage_read(stage->file);
    bytes.ptr[IN_THE_INDEX] ^= 1;
    assert_int_equal(file_replace(stage->dir, "catalogue", buf_span(&bytes)), SCA_OK);
    buf_fini(&bytes);
    assert_int_equal(catalogue_adopt_local(stage->dir, names, ids, 2), SCA_OK);

    shows(stage, "0:a 1:b +2");
}

static void every_flipped_byte_of_local_entries_is_noticed(void **state)
{
    struct catalogue_stage *stage = *state;

    add(stage, "a", 0);
    struct buf bytes = catalogue_stage_read(stage->file);
    for (size_t i = 0; i < bytes.len; i++) {
        AUTO(catalogue_closep) struct catalogue *catalogue = NULL;
        struct catalogue_entry entry;
        const char *why = NULL;
        bytes.ptr[i] ^= 1;
        AUTO(fd_closep) int fd = open(stage->file, O_WRONLY | O_TRUNC | O_CLOEXEC);
        assert_int_equal(fd_write_all(fd, buf_span(&bytes)), SCA_OK);
        bytes.ptr[i] ^= 1;
        if (catalogue_open(stage->dir, &catalogue, &why) == SCA_OK &&
            catalogue_get(catalogue, 0, &entry) == SCA_OK)
            fail_msg("byte %zu", i);
    }
    buf_fini(&bytes);
}

struct taker {
    pthread_t thread;
    const struct catalogue_stage *stage;
    char name[8];
    uint32_t slot_id;
    enum sca_status st;
};

static void *take(void *arg)
{
    struct taker *taker = arg;
    taker->st = catalogue_add_local(taker->stage->dir, taker->name, taker->slot_id);
    return NULL;
}

static void of_many_one_gets_the_empty_slot(void **state)
{
    struct catalogue_stage *stage = *state;
    struct taker takers[6];
    unsigned winners = 0;
    char expected[32];

    for (size_t i = 0; i < ARRAY_LEN(takers); i++) {
        takers[i] = (struct taker){.stage = stage};
        (void)snprintf(takers[i].name, sizeof(takers[i].name), "t%zu", i);
        assert_int_equal(pthread_create(&takers[i].thread, NULL, take, &takers[i]), 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(takers); i++) {
        assert_int_equal(pthread_join(takers[i].thread, NULL), 0);
        if (takers[i].st == SCA_OK) {
            winners++;
            (void)snprintf(expected, sizeof(expected), "0:%s +1", takers[i].name);
        } else {
            assert_int_equal(takers[i].st, SCA_GONE);
        }
    }

    assert_int_equal(winners, 1);
    shows(stage, expected);
}

static void ten_thousand_tokens_are_adopted_at_once(void **state)
{
    struct catalogue_stage *stage = *state;
    enum { MANY = 10000 };
    AUTO(freep) char(*texts)[33] = calloc(MANY, sizeof(*texts));
    AUTO(freep) const char **names = calloc(MANY, sizeof(*names));
    AUTO(freep) uint32_t *ids = calloc(MANY, sizeof(*ids));

    assert_true(texts && names && ids);
    for (uint32_t i = 0; i < MANY; i++) {
        (void)snprintf(texts[i], sizeof(texts[i]), "%032x", i * 2654435761u);
        names[i] = texts[i];
        ids[i] = i;
    }
    assert_int_equal(catalogue_adopt_local(stage->dir, names, ids, MANY), SCA_OK);
    AUTO(catalogue_closep) struct catalogue *catalogue = catalogue_stage_open(stage);

    assert_int_equal(catalogue_count(catalogue), MANY);
    assert_int_equal(catalogue_spare_slot_id(catalogue), MANY);
    for (uint32_t i = 0; i < MANY; i++) {
        struct catalogue_entry entry;
        assert_int_equal(catalogue_get(catalogue, i, &entry), SCA_OK);
        assert_int_equal(entry.slot_id, i);
        assert_string_equal(entry.user_id, names[i]);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, catalogue_stage_begin, catalogue_stage_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_empty_slot_is_number_0_where_there_is_nothing),
        TEST(a_token_gets_the_empty_slot_and_there_is_a_new_one),
        TEST(a_slot_that_is_not_the_empty_one_is_gone),
        TEST(a_token_that_was_adopted_meanwhile_is_added_where_it_is),
        TEST(no_certificate_gets_the_slot_of_a_token_or_the_empty_one),
        TEST(forgetting_an_account_leaves_tokens_and_the_empty_slot),
        TEST(adopted_tokens_keep_the_slots_they_had),
        TEST(without_a_token_in_it_the_empty_slot_stays_where_it_is),
        TEST(ids_that_are_not_free_are_replaced_when_tokens_are_adopted),
        TEST(adopting_again_changes_nothing),
        TEST(a_token_is_not_added_to_a_damaged_catalogue),
        TEST(adopting_makes_a_damaged_catalogue_anew),
        TEST(the_empty_slot_outlives_a_damaged_index),
        TEST(every_flipped_byte_of_local_entries_is_noticed),
        TEST(of_many_one_gets_the_empty_slot),
        TEST(ten_thousand_tokens_are_adopted_at_once),
    };
    return cmocka_run_group_tests(tests, catalogue_stage_certificates, NULL);
}
