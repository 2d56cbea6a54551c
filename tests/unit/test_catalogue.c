/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/catalogue/catalogue.h"

#include <fcntl.h>
#include <ftw.h>
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

#define URL   "https://service.test/sca/sp769"
#define ALICE "012345678901"
#define BOB   "012345678902"

enum { NOW = 1780000000, FILE_MAX = 8 * 1024 * 1024 };

struct stage {
    char dir[64];
    char file[80];
};

static int begin(void **state)
{
    struct stage *stage = calloc(1, sizeof(*stage));

    assert_non_null(stage);
    (void)strcpy(stage->dir, "/tmp/catalogue.XXXXXX");
    assert_non_null(mkdtemp(stage->dir));
    (void)snprintf(stage->file, sizeof(stage->file), "%s/catalogue", stage->dir);
    *state = stage;
    return 0;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)kind;
    (void)walk;
    return remove(path);
}

static int end(void **state)
{
    struct stage *stage = *state;

    (void)nftw(stage->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(stage);
    return 0;
}

/* A made-up certificate: some parts are found in its DER, some are not. */
static struct certificate certificate(const char *serial)
{
    return (struct certificate){
        .der = span_text("[subject][issuer][spki modulus 65537][signature]"),
        .subject = span_text("[subject]"),
        .issuer = span_text("[issuer]"),
        .serial = span_text(serial),
        .spki = span_text("[spki modulus 65537]"),
        .id = span_text("01234567890123456789"),
        .modulus = span_text("modulus"),
        .exponent = span_text("65537"),
        .common_name = span_text("Nguyễn Văn A"),
        .not_before = -1,
        .not_after = INT64_C(1) << 40,
    };
}

static struct certificate issuer;
static struct certificate root;
static struct certificate leaves[8];

static int make_certificates(void **state)
{
    static const char *const serials[] = {"s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(leaves); i++)
        leaves[i] = certificate(serials[i]);
    issuer = certificate("issuer");
    issuer.modulus = issuer.exponent = span_of(NULL, 0);
    root = certificate("root");
    return 0;
}

static struct fetched_certificate fetched(size_t leaf)
{
    static const char *const names[] = {"54A0", "54a1", "54A2", "54A3",
                                        "54A4", "54A5", "54A6", "54A7"};
    return (struct fetched_certificate){
        .service_serial = names[leaf],
        .service_status = "ACTIVE",
        .state = CERTIFICATE_ACTIVE,
        .leaf = &leaves[leaf],
        .chain = {&issuer, &root},
        .chain_len = 2,
    };
}

static struct catalogue *open_catalogue(const struct stage *stage)
{
    struct catalogue *catalogue = NULL;
    const char *why = "";

    assert_int_equal(catalogue_open(stage->dir, &catalogue, &why), SCA_OK);
    assert_null(why);
    return catalogue;
}

static void assert_refused(const struct stage *stage, const char *reason)
{
    struct catalogue *catalogue = NULL;
    const char *why = NULL;

    assert_int_equal(catalogue_open(stage->dir, &catalogue, &why), SCA_INVALID);
    assert_null(catalogue);
    assert_string_equal(why, reason);
}

/* Stores the given leaves, numbers as a text such as "021". */
static void store(const struct stage *stage, const char *user_id, const char *numbers)
{
    struct fetched_certificate items[16];
    size_t count = 0;

    for (; numbers[count]; count++)
        items[count] = fetched((size_t)(numbers[count] - '0'));
    assert_int_equal(catalogue_store(stage->dir, URL, user_id, NOW, items, count), SCA_OK);
}

/* "slot:user's last digit:serial ..." of every entry; "-" for a placeholder. */
static void assert_entries(const struct stage *stage, const char *expected)
{
    AUTO(catalogue_closep) struct catalogue *catalogue = open_catalogue(stage);
    char found[512] = "";
    size_t len = 0;

    for (size_t i = 0; i < catalogue_count(catalogue); i++) {
        struct catalogue_entry entry;
        assert_int_equal(catalogue_get(catalogue, i, &entry), SCA_OK);
        assert_string_equal(entry.url, URL);
        len += (size_t)snprintf(found + len, sizeof(found) - len, "%s%u:%s:%.*s", i ? " " : "",
                                entry.slot_id, entry.user_id + strlen(entry.user_id) - 1,
                                entry.has_certificate ? (int)entry.leaf.serial.len : 1,
                                entry.has_certificate ? (const char *)entry.leaf.serial.ptr : "-");
    }
    assert_string_equal(found, expected);
}

static void assert_same_certificate(const struct certificate *found,
                                    const struct certificate *expected)
{
    assert_true(span_equal(found->der, expected->der));
    assert_true(span_equal(found->subject, expected->subject));
    assert_true(span_equal(found->issuer, expected->issuer));
    assert_true(span_equal(found->serial, expected->serial));
    assert_true(span_equal(found->spki, expected->spki));
    assert_true(span_equal(found->id, expected->id));
    assert_true(span_equal(found->modulus, expected->modulus));
    assert_true(span_equal(found->exponent, expected->exponent));
    assert_true(span_equal(found->common_name, expected->common_name));
    assert_true(found->not_before == expected->not_before);
    assert_true(found->not_after == expected->not_after);
}

static struct buf read_bytes(const char *path)
{
    struct buf bytes;
    const char *why = NULL;

    assert_int_equal(file_read_trusted(path, FILE_ANY, FILE_MAX, false, &bytes, &why), SCA_OK);
    return bytes;
}

static void write_bytes(const struct stage *stage, struct span bytes)
{
    assert_int_equal(file_replace(stage->dir, "catalogue", bytes), SCA_OK);
}

static void no_file_is_an_empty_catalogue(void **state)
{
    struct stage *stage = *state;

    assert_entries(stage, "");
    struct stage none;
    (void)snprintf(none.dir, sizeof(none.dir), "%.50s/none", stage->dir);
    assert_entries(&none, "");
}

static void an_entry_comes_back_as_it_was_stored(void **state)
{
    struct stage *stage = *state;
    struct catalogue_entry entry;
    struct fetched_certificate item = fetched(1);
    struct stat info;

    item.state = CERTIFICATE_REVOKED;
    assert_int_equal(catalogue_store(stage->dir, URL, ALICE, NOW, &item, 1), SCA_OK);
    AUTO(catalogue_closep) struct catalogue *catalogue = open_catalogue(stage);

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
    assert_same_certificate(&entry.leaf, &leaves[1]);
    assert_int_equal(entry.chain_len, 2);
    assert_same_certificate(&entry.chain[0], &issuer);
    assert_same_certificate(&entry.chain[1], &root);
    assert_int_equal(catalogue_get(catalogue, 1, &entry), SCA_INVALID);
    assert_int_equal(stat(stage->file, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
}

static void what_was_never_fetched_has_a_placeholder(void **state)
{
    struct stage *stage = *state;
    struct catalogue_entry entry;

    assert_int_equal(catalogue_store(stage->dir, URL, ALICE, 0, NULL, 0), SCA_OK);
    assert_int_equal(catalogue_store(stage->dir, URL, ALICE, 0, NULL, 0), SCA_OK);
    AUTO(catalogue_closep) struct catalogue *catalogue = open_catalogue(stage);

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
    struct stage *stage = *state;

    assert_int_equal(catalogue_store(stage->dir, URL, ALICE, 0, NULL, 0), SCA_OK);
    store(stage, BOB, "7");
    store(stage, ALICE, "01");

    assert_entries(stage, "1:1:s0 3:1:s1 2:2:s7");
}

static void making_sure_of_a_placeholder_changes_nothing_else(void **state)
{
    struct stage *stage = *state;

    store(stage, ALICE, "01");
    assert_int_equal(catalogue_store(stage->dir, URL, ALICE, 0, NULL, 0), SCA_OK);

    assert_entries(stage, "1:1:s0 2:1:s1");
}

static void known_certificates_keep_slot_and_place(void **state)
{
    struct stage *stage = *state;

    store(stage, ALICE, "012");
    store(stage, BOB, "0");
    store(stage, ALICE, "3201");

    assert_entries(stage, "1:1:s0 2:1:s1 3:1:s2 5:1:s3 4:2:s0");
}

static void slot_ids_are_never_given_twice(void **state)
{
    struct stage *stage = *state;

    store(stage, ALICE, "012");
    store(stage, ALICE, "0");
    store(stage, ALICE, "03");
    assert_entries(stage, "1:1:s0 4:1:s3");

    store(stage, ALICE, "");
    assert_entries(stage, "5:1:-");
    store(stage, ALICE, "");
    assert_entries(stage, "5:1:-");
    assert_int_equal(catalogue_forget(stage->dir, URL, ALICE), SCA_OK);
    assert_entries(stage, "");
    store(stage, ALICE, "0");
    assert_entries(stage, "6:1:s0");
}

static void a_certificate_named_twice_has_one_slot(void **state)
{
    struct stage *stage = *state;

    store(stage, ALICE, "0010");
    assert_entries(stage, "1:1:s0 2:1:s1");
    store(stage, ALICE, "0010");

    assert_entries(stage, "1:1:s0 2:1:s1");
}

static void the_same_user_of_another_service_is_another_account(void **state)
{
    struct stage *stage = *state;
    struct catalogue_entry entry;
    struct fetched_certificate item = fetched(0);

    assert_int_equal(catalogue_store(stage->dir, URL, ALICE, NOW, &item, 1), SCA_OK);
    assert_int_equal(catalogue_store(stage->dir, URL "x", ALICE, NOW, &item, 1), SCA_OK);
    AUTO(catalogue_closep) struct catalogue *catalogue = open_catalogue(stage);

    assert_int_equal(catalogue_count(catalogue), 2);
    assert_int_equal(catalogue_get(catalogue, 1, &entry), SCA_OK);
    assert_int_equal(entry.slot_id, 2);
    assert_string_equal(entry.url, URL "x");
}

static void forgetting_leaves_the_others(void **state)
{
    struct stage *stage = *state;

    store(stage, ALICE, "01");
    store(stage, BOB, "2");
    assert_int_equal(catalogue_forget(stage->dir, URL, ALICE), SCA_OK);
    assert_int_equal(catalogue_forget(stage->dir, URL, ALICE), SCA_OK);

    assert_entries(stage, "3:2:s2");
}

static void forgetting_where_there_is_nothing_makes_nothing(void **state)
{
    struct stage *stage = *state;
    char none[128];

    (void)snprintf(none, sizeof(none), "%s/none", stage->dir);
    assert_int_equal(catalogue_forget(none, URL, ALICE), SCA_OK);
    assert_int_equal(catalogue_forget(stage->dir, URL, ALICE), SCA_OK);

    assert_int_equal(access(none, F_OK), -1);
    assert_int_equal(access(stage->file, F_OK), -1);
}

static void an_open_catalogue_does_not_change(void **state)
{
    struct stage *stage = *state;
    struct catalogue_entry entry;

    store(stage, ALICE, "0");
    AUTO(catalogue_closep) struct catalogue *before = open_catalogue(stage);
    store(stage, ALICE, "1");

    assert_int_equal(catalogue_count(before), 1);
    assert_int_equal(catalogue_get(before, 0, &entry), SCA_OK);
    assert_same_certificate(&entry.leaf, &leaves[0]);
}

/* Whether opening it and reading all of it shows that something is wrong. */
static bool is_noticed(const struct stage *stage)
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
static void overwrite(const struct stage *stage, struct span bytes)
{
    AUTO(fd_closep) int fd = open(stage->file, O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(fd_write_all(fd, bytes), SCA_OK);
}

static void every_flipped_byte_is_noticed(void **state)
{
    struct stage *stage = *state;
    static const uint8_t flips[] = {0x01, 0x80, 0xff};

    store(stage, ALICE, "01");
    store(stage, BOB, "");
    struct buf bytes = read_bytes(stage->file);
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
    struct stage *stage = *state;

    store(stage, ALICE, "01");
    struct buf bytes = read_bytes(stage->file);

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
    struct stage *stage = *state;

    store(stage, ALICE, "01");
    struct buf bytes = read_bytes(stage->file);
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
    struct stage *stage = *state;
    char aside[128];

    (void)snprintf(aside, sizeof(aside), "%s.damaged", stage->file);
    write_bytes(stage, span_text("rubbish"));
    assert_refused(stage, "it is shorter than its header");
    store(stage, ALICE, "0");

    assert_entries(stage, "1:1:s0");
    struct buf kept = read_bytes(aside);
    assert_string_equal((const char *)kept.ptr, "rubbish");
    buf_fini(&kept);

    overwrite(stage, span_text(""));
    assert_refused(stage, "it is empty, or larger than any catalogue");
    store(stage, BOB, "1");
    assert_entries(stage, "1:2:s1");
    kept = read_bytes(aside);
    assert_int_equal(kept.len, 0);
    buf_fini(&kept);
}

static void slot_ids_outlive_a_damaged_index(void **state)
{
    struct stage *stage = *state;
    enum { IN_THE_INDEX = 60 };

    store(stage, ALICE, "012");
    struct buf bytes = read_bytes(stage->file);
    bytes.ptr[IN_THE_INDEX] ^= 1;
    overwrite(stage, buf_span(&bytes));
    assert_refused(stage, "its index is damaged");
    store(stage, ALICE, "0");

    assert_entries(stage, "4:1:s0");
    buf_fini(&bytes);
}

static void one_damaged_body_costs_only_its_own_entry(void **state)
{
    struct stage *stage = *state;
    char aside[128];

    (void)snprintf(aside, sizeof(aside), "%s.damaged", stage->file);
    store(stage, ALICE, "01");
    store(stage, BOB, "2");
    struct buf bytes = read_bytes(stage->file);
    uint8_t *at = memmem(bytes.ptr, bytes.len, "54A0", 4);
    assert_non_null(at);
    *at ^= 1;
    overwrite(stage, buf_span(&bytes));
    store(stage, BOB, "23");

    assert_entries(stage, "2:1:s1 3:2:s2 4:2:s3");
    struct buf kept = read_bytes(aside);
    assert_true(span_equal(buf_span(&kept), buf_span(&bytes)));
    buf_fini(&kept);
    buf_fini(&bytes);
}

static void a_catalogue_open_to_others_is_refused_and_left_alone(void **state)
{
    struct stage *stage = *state;
    struct fetched_certificate item = fetched(1);

    store(stage, ALICE, "0");
    assert_int_equal(chmod(stage->file, 0660), 0);
    assert_refused(stage, "writable by its group or by others; run chmod go-w on it");
    assert_int_equal(catalogue_store(stage->dir, URL, ALICE, NOW, &item, 1), SCA_IO);
    assert_int_equal(catalogue_forget(stage->dir, URL, ALICE), SCA_IO);
    assert_int_equal(chmod(stage->file, 0600), 0);

    assert_entries(stage, "1:1:s0");
}

static void too_long_a_chain_is_cut(void **state)
{
    struct stage *stage = *state;
    struct catalogue_entry entry;
    struct fetched_certificate item = fetched(0);

    item.chain_len = CATALOGUE_CHAIN_MAX + 1;
    for (size_t i = 0; i < CATALOGUE_CHAIN_MAX; i++)
        item.chain[i] = &leaves[i + 1];
    assert_int_equal(catalogue_store(stage->dir, URL, ALICE, NOW, &item, 1), SCA_OK);
    AUTO(catalogue_closep) struct catalogue *catalogue = open_catalogue(stage);

    assert_int_equal(catalogue_get(catalogue, 0, &entry), SCA_OK);
    assert_int_equal(entry.chain_len, CATALOGUE_CHAIN_MAX);
    for (size_t i = 0; i < CATALOGUE_CHAIN_MAX; i++)
        assert_same_certificate(&entry.chain[i], &leaves[i + 1]);
}

static void too_large_a_text_is_refused_and_nothing_changes(void **state)
{
    struct stage *stage = *state;
    struct fetched_certificate item = fetched(1);
    enum { TOO_LARGE = 300 * 1024 };
    AUTO(freep) char *text = malloc(TOO_LARGE + 1);

    assert_non_null(text);
    (void)memset(text, 'x', TOO_LARGE);
    text[TOO_LARGE] = 0;
    store(stage, ALICE, "0");
    item.service_status = text;
    assert_int_equal(catalogue_store(stage->dir, URL, ALICE, NOW, &item, 1), SCA_INVALID);

    assert_entries(stage, "1:1:s0");
}

static void a_folder_that_cannot_be_made_is_an_error(void **state)
{
    struct stage *stage = *state;
    char below[128];

    store(stage, ALICE, "0");
    (void)snprintf(below, sizeof(below), "%s/state", stage->file);

    assert_int_equal(catalogue_store(below, URL, ALICE, NOW, NULL, 0), SCA_IO);
}

struct writer {
    pthread_t thread;
    const struct stage *stage;
    char user_id[16];
    bool is_fine;
};

static void *write_often(void *arg)
{
    struct writer *writer = arg;
    struct fetched_certificate items[] = {fetched(0), fetched(1)};
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
    struct stage *stage = *state;
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

    AUTO(catalogue_closep) struct catalogue *catalogue = open_catalogue(stage);
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
    struct stage *stage = *state;
    pthread_t threads[4];

    store(stage, ALICE, "01234567");
    AUTO(catalogue_closep) struct catalogue *catalogue = open_catalogue(stage);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_all, catalogue), 0);

    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        void *good = NULL;
        assert_int_equal(pthread_join(threads[i], &good), 0);
        assert_int_equal((uintptr_t)good, 8);
    }
}

static void ten_thousand_certificates_share_their_issuers(void **state)
{
    struct stage *stage = *state;
    enum { MANY = 10000 };
    AUTO(freep) struct certificate *many = calloc(MANY, sizeof(*many));
    AUTO(freep) struct fetched_certificate *items = calloc(MANY, sizeof(*items));
    AUTO(freep) char(*serials)[16] = calloc(MANY, sizeof(*serials));
    struct catalogue_entry entry;
    struct stat info;

    for (size_t i = 0; i < MANY; i++) {
        (void)snprintf(serials[i], sizeof(serials[i]), "%zu", i);
        many[i] = certificate(serials[i]);
        items[i] = fetched(0);
        items[i].leaf = &many[i];
    }
    assert_int_equal(catalogue_store(stage->dir, URL, ALICE, NOW, items, MANY), SCA_OK);
    assert_int_equal(catalogue_store(stage->dir, URL, ALICE, NOW, items, MANY), SCA_OK);
    AUTO(catalogue_closep) struct catalogue *catalogue = open_catalogue(stage);

    assert_int_equal(catalogue_count(catalogue), MANY);
    assert_int_equal(stat(stage->file, &info), 0);
    assert_in_range(info.st_size, MANY * 200, MANY * 400);
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(catalogue_get(catalogue, i, &entry), SCA_OK);
        assert_int_equal(entry.slot_id, i + 1);
        assert_same_certificate(&entry.leaf, &many[i]);
        assert_same_certificate(&entry.chain[1], &root);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

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
        TEST(the_same_user_of_another_service_is_another_account),
        TEST(forgetting_leaves_the_others),
        TEST(forgetting_where_there_is_nothing_makes_nothing),
        TEST(an_open_catalogue_does_not_change),
        TEST(every_flipped_byte_is_noticed),
        TEST(every_truncation_and_extension_is_noticed),
        TEST(two_bodies_exchanged_are_noticed),
        TEST(a_damaged_catalogue_is_set_aside_and_made_anew),
        TEST(slot_ids_outlive_a_damaged_index),
        TEST(one_damaged_body_costs_only_its_own_entry),
        TEST(a_catalogue_open_to_others_is_refused_and_left_alone),
        TEST(too_long_a_chain_is_cut),
        TEST(too_large_a_text_is_refused_and_nothing_changes),
        TEST(a_folder_that_cannot_be_made_is_an_error),
        TEST(several_writers_lose_nothing),
        TEST(several_threads_read_one_catalogue),
        TEST(ten_thousand_certificates_share_their_issuers),
    };
    return cmocka_run_group_tests(tests, make_certificates, NULL);
}
