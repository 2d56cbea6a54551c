/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/catalogue/catalogue.h"

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

static void no_file_is_an_empty_catalogue(void **state)
{
    struct catalogue_stage *stage = *state;

    catalogue_stage_entries(stage, "");
    struct catalogue_stage none;
    (void)snprintf(none.dir, sizeof(none.dir), "%.50s/none", stage->dir);
    catalogue_stage_entries(&none, "");
}

static void an_entry_comes_back_as_it_was_stored(void **state)
{
    struct catalogue_stage *stage = *state;
    struct catalogue_entry entry;
    struct fetched_certificate item = catalogue_stage_fetched(1);
    struct stat info;

    item.state = CERTIFICATE_REVOKED;
    assert_int_equal(catalogue_store(stage->dir, URL, ALICE, NOW, &item, 1), SCA_OK);
    AUTO(catalogue_closep) struct catalogue *catalogue = catalogue_stage_open(stage);

    assert_int_equal(catalogue_count(catalogue), 1);
    assert_int_equal(catalogue_get(catalogue, 0, &entry), SCA_OK);
    assert_int_equal(entry.slot_id, 1);
    assert_string_equal(entry.url, URL);
    assert_string_equal(entry.user_id, ALICE);
    assert_true(entry.has_certificate);
    assert_true(entry.fetched_at == NOW);
    assert_string_equal(entry.service_serial, "54a1");
    assert_string_equal(entry.service_status, "ACTIVE");
    assert_int_equal(entry.state, CERTIFICATE_REVOKED);
    catalogue_stage_same(&entry.leaf, &catalogue_stage_leaves[1]);
    assert_int_equal(entry.chain_len, 2);
    catalogue_stage_same(&entry.chain[0], &catalogue_stage_issuer);
    catalogue_stage_same(&entry.chain[1], &catalogue_stage_root);
    assert_int_equal(catalogue_get(catalogue, 1, &entry), SCA_INVALID);
    assert_int_equal(stat(stage->file, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
}

static void what_was_never_fetched_has_a_placeholder(void **state)
{
    struct catalogue_stage *stage = *state;
    struct catalogue_entry entry;

    assert_int_equal(catalogue_store(stage->dir, URL, ALICE, 0, NULL, 0), SCA_OK);
    assert_int_equal(catalogue_store(stage->dir, URL, ALICE, 0, NULL, 0), SCA_OK);
    AUTO(catalogue_closep) struct catalogue *catalogue = catalogue_stage_open(stage);

    assert_int_equal(catalogue_count(catalogue), 1);
    assert_int_equal(catalogue_get(catalogue, 0, &entry), SCA_OK);
    assert_int_equal(entry.slot_id, 1);
    assert_false(entry.has_certificate);
    assert_true(entry.fetched_at == 0);
    assert_string_equal(entry.service_serial, "");
    assert_string_equal(entry.service_status, "");
    assert_int_equal(entry.leaf.der.len, 0);
    assert_int_equal(entry.chain_len, 0);
}

static void a_placeholder_gives_its_slot_to_the_first_certificate(void **state)
{
    struct catalogue_stage *stage = *state;

    assert_int_equal(catalogue_store(stage->dir, URL, ALICE, 0, NULL, 0), SCA_OK);
    catalogue_stage_store(stage, BOB, "7");
    catalogue_stage_store(stage, ALICE, "01");

    catalogue_stage_entries(stage, "1:1:s0 3:1:s1 2:2:s7");
}

static void making_sure_of_a_placeholder_changes_nothing_else(void **state)
{
    struct catalogue_stage *stage = *state;

    catalogue_stage_store(stage, ALICE, "01");
    assert_int_equal(catalogue_store(stage->dir, URL, ALICE, 0, NULL, 0), SCA_OK);

    catalogue_stage_entries(stage, "1:1:s0 2:1:s1");
}

static void known_certificates_keep_slot_and_place(void **state)
{
    struct catalogue_stage *stage = *state;

    catalogue_stage_store(stage, ALICE, "012");
    catalogue_stage_store(stage, BOB, "0");
    catalogue_stage_store(stage, ALICE, "3201");

    catalogue_stage_entries(stage, "1:1:s0 2:1:s1 3:1:s2 5:1:s3 4:2:s0");
}

static void slot_ids_are_never_given_twice(void **state)
{
    struct catalogue_stage *stage = *state;

    catalogue_stage_store(stage, ALICE, "012");
    catalogue_stage_store(stage, ALICE, "0");
    catalogue_stage_store(stage, ALICE, "03");
    catalogue_stage_entries(stage, "1:1:s0 4:1:s3");

    catalogue_stage_store(stage, ALICE, "");
    catalogue_stage_entries(stage, "5:1:-");
    catalogue_stage_store(stage, ALICE, "");
    catalogue_stage_entries(stage, "5:1:-");
    assert_int_equal(catalogue_forget(stage->dir, URL, ALICE), SCA_OK);
    catalogue_stage_entries(stage, "");
    catalogue_stage_store(stage, ALICE, "0");
    catalogue_stage_entries(stage, "6:1:s0");
}

static void a_certificate_named_twice_has_one_slot(void **state)
{
    struct catalogue_stage *stage = *state;

    catalogue_stage_store(stage, ALICE, "0010");
    catalogue_stage_entries(stage, "1:1:s0 2:1:s1");
    catalogue_stage_store(stage, ALICE, "0010");

    catalogue_stage_entries(stage, "1:1:s0 2:1:s1");
}

/* Whoever signed with the slot's key shall not sign with another one without noticing. */
static void another_key_or_issuer_under_a_known_number_is_another_certificate(void **state)
{
    struct catalogue_stage *stage = *state;
    struct fetched_certificate item = catalogue_stage_fetched(0);
    struct certificate other = *item.leaf;

    catalogue_stage_store(stage, ALICE, "0");
    other.spki = span_text("[spki another 65537]");
    item.leaf = &other;
    assert_int_equal(catalogue_store(stage->dir, URL, ALICE, NOW, &item, 1), SCA_OK);
    catalogue_stage_entries(stage, "2:1:s0");

    other.issuer = span_text("[another issuer]");
    assert_int_equal(catalogue_store(stage->dir, URL, ALICE, NOW, &item, 1), SCA_OK);
    catalogue_stage_entries(stage, "3:1:s0");

    struct fetched_certificate both[] = {item, catalogue_stage_fetched(0)};
    assert_int_equal(catalogue_store(stage->dir, URL, ALICE, NOW, both, 2), SCA_OK);
    catalogue_stage_entries(stage, "3:1:s0 4:1:s0");
}

static void the_same_user_of_another_service_is_another_account(void **state)
{
    struct catalogue_stage *stage = *state;
    struct catalogue_entry entry;
    struct fetched_certificate item = catalogue_stage_fetched(0);

    assert_int_equal(catalogue_store(stage->dir, URL, ALICE, NOW, &item, 1), SCA_OK);
    assert_int_equal(catalogue_store(stage->dir, URL "x", ALICE, NOW, &item, 1), SCA_OK);
    AUTO(catalogue_closep) struct catalogue *catalogue = catalogue_stage_open(stage);

    assert_int_equal(catalogue_count(catalogue), 2);
    assert_int_equal(catalogue_get(catalogue, 1, &entry), SCA_OK);
    assert_int_equal(entry.slot_id, 2);
    assert_string_equal(entry.url, URL "x");
}

static void forgetting_leaves_the_others(void **state)
{
    struct catalogue_stage *stage = *state;

    catalogue_stage_store(stage, ALICE, "01");
    catalogue_stage_store(stage, BOB, "2");
    assert_int_equal(catalogue_forget(stage->dir, URL, ALICE), SCA_OK);
    assert_int_equal(catalogue_forget(stage->dir, URL, ALICE), SCA_OK);

    catalogue_stage_entries(stage, "3:2:s2");
}

static void forgetting_where_there_is_nothing_makes_nothing(void **state)
{
    struct catalogue_stage *stage = *state;
    char none[128];

    (void)snprintf(none, sizeof(none), "%s/none", stage->dir);
    assert_int_equal(catalogue_forget(none, URL, ALICE), SCA_OK);
    assert_int_equal(catalogue_forget(stage->dir, URL, ALICE), SCA_OK);

    assert_int_equal(access(none, F_OK), -1);
    assert_int_equal(access(stage->file, F_OK), -1);
}

static void an_open_catalogue_does_not_change(void **state)
{
    struct catalogue_stage *stage = *state;
    struct catalogue_entry entry;

    catalogue_stage_store(stage, ALICE, "0");
    AUTO(catalogue_closep) struct catalogue *before = catalogue_stage_open(stage);
    catalogue_stage_store(stage, ALICE, "1");

    assert_int_equal(catalogue_count(before), 1);
    assert_int_equal(catalogue_get(before, 0, &entry), SCA_OK);
    catalogue_stage_same(&entry.leaf, &catalogue_stage_leaves[0]);
}
static void too_long_a_chain_is_cut(void **state)
{
    struct catalogue_stage *stage = *state;
    struct catalogue_entry entry;
    struct fetched_certificate item = catalogue_stage_fetched(0);

    item.chain_len = CATALOGUE_CHAIN_MAX + 1;
    for (size_t i = 0; i < CATALOGUE_CHAIN_MAX; i++)
        item.chain[i] = &catalogue_stage_leaves[i + 1];
    assert_int_equal(catalogue_store(stage->dir, URL, ALICE, NOW, &item, 1), SCA_OK);
    AUTO(catalogue_closep) struct catalogue *catalogue = catalogue_stage_open(stage);

    assert_int_equal(catalogue_get(catalogue, 0, &entry), SCA_OK);
    assert_int_equal(entry.chain_len, CATALOGUE_CHAIN_MAX);
    for (size_t i = 0; i < CATALOGUE_CHAIN_MAX; i++)
        catalogue_stage_same(&entry.chain[i], &catalogue_stage_leaves[i + 1]);
}

static void too_large_a_text_is_refused_and_nothing_changes(void **state)
{
    struct catalogue_stage *stage = *state;
    struct fetched_certificate item = catalogue_stage_fetched(1);
    enum { TOO_LARGE = 300 * 1024 };
    AUTO(freep) char *text = malloc(TOO_LARGE + 1);

    assert_non_null(text);
    (void)memset(text, 'x', TOO_LARGE);
    text[TOO_LARGE] = 0;
    catalogue_stage_store(stage, ALICE, "0");
    item.service_status = text;
    assert_int_equal(catalogue_store(stage->dir, URL, ALICE, NOW, &item, 1), SCA_INVALID);

    catalogue_stage_entries(stage, "1:1:s0");
}

static void a_folder_that_cannot_be_made_is_an_error(void **state)
{
    struct catalogue_stage *stage = *state;
    char below[128];

    catalogue_stage_store(stage, ALICE, "0");
    (void)snprintf(below, sizeof(below), "%s/state", stage->file);

    assert_int_equal(catalogue_store(below, URL, ALICE, NOW, NULL, 0), SCA_IO);
}
static void ten_thousand_certificates_share_their_issuers(void **state)
{
    struct catalogue_stage *stage = *state;
    enum { MANY = 10000 };
    AUTO(freep) struct certificate *many = calloc(MANY, sizeof(*many));
    AUTO(freep) struct fetched_certificate *items = calloc(MANY, sizeof(*items));
    AUTO(freep) char(*serials)[16] = calloc(MANY, sizeof(*serials));
    struct catalogue_entry entry;
    struct stat info;

    for (size_t i = 0; i < MANY; i++) {
        (void)snprintf(serials[i], sizeof(serials[i]), "%zu", i);
        many[i] = catalogue_stage_certificate(serials[i]);
        items[i] = catalogue_stage_fetched(0);
        items[i].leaf = &many[i];
    }
    assert_int_equal(catalogue_store(stage->dir, URL, ALICE, NOW, items, MANY), SCA_OK);
    assert_int_equal(catalogue_store(stage->dir, URL, ALICE, NOW, items, MANY), SCA_OK);
    AUTO(catalogue_closep) struct catalogue *catalogue = catalogue_stage_open(stage);

    assert_int_equal(catalogue_count(catalogue), MANY);
    assert_int_equal(stat(stage->file, &info), 0);
    assert_in_range(info.st_size, MANY * 200, MANY * 400);
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(catalogue_get(catalogue, i, &entry), SCA_OK);
        assert_int_equal(entry.slot_id, i + 1);
        catalogue_stage_same(&entry.leaf, &many[i]);
        catalogue_stage_same(&entry.chain[1], &catalogue_stage_root);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, catalogue_stage_begin, catalogue_stage_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(no_file_is_an_empty_catalogue),
        TEST(an_entry_comes_back_as_it_was_stored),
        TEST(what_was_never_fetched_has_a_placeholder),
        TEST(a_placeholder_gives_its_slot_to_the_first_certificate),
        TEST(making_sure_of_a_placeholder_changes_nothing_else),
        TEST(known_certificates_keep_slot_and_place),
        TEST(slot_ids_are_never_given_twice),
        TEST(a_certificate_named_twice_has_one_slot),
        TEST(another_key_or_issuer_under_a_known_number_is_another_certificate),
        TEST(the_same_user_of_another_service_is_another_account),
        TEST(forgetting_leaves_the_others),
        TEST(forgetting_where_there_is_nothing_makes_nothing),
        TEST(an_open_catalogue_does_not_change),
        TEST(too_long_a_chain_is_cut),
        TEST(too_large_a_text_is_refused_and_nothing_changes),
        TEST(a_folder_that_cannot_be_made_is_an_error),
        TEST(ten_thousand_certificates_share_their_issuers),
    };
    return cmocka_run_group_tests(tests, catalogue_stage_certificates, NULL);
}
