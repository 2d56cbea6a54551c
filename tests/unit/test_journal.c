/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/smartca/journal.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "tests/unit/journal_stage.h"

static void write_all(const struct stage *stage, const char *bytes, size_t len)
{
    AUTO(fd_closep) int fd = open(stage->path, O_WRONLY | O_TRUNC);

    assert_int_equal(fd_write_all(fd, span_of(bytes, len)), SCA_OK);
}

static void what_was_begun_is_joined_with_everything_that_was_known(void **state)
{
    struct stage *stage = *state;
    struct journal_transaction first = stage_draft("id-1", 1, 2);
    struct journal_transaction second =
        stage_draft("id-2", 2, 1); /* the first one's second digest */
    bool is_joined = true;

    assert_int_equal(stage_begin_one(stage, &first, &is_joined), SCA_OK);
    assert_false(is_joined);
    (void)strcpy(first.tran_code, "code-1");
    journal_submitted(stage->journal, &first);
    assert_int_equal(stage_begin_one(stage, &second, &is_joined), SCA_OK);

    assert_true(is_joined);
    assert_string_equal(second.id, "id-1");
    assert_string_equal(second.tran_code, "code-1");
    assert_string_equal(second.url, first.url);
    assert_string_equal(second.user_id, first.user_id);
    assert_string_equal(second.serial, first.serial);
    assert_string_equal(second.description, first.description);
    assert_int_equal(second.begun_at, NOW);
    assert_int_equal(second.pid, getpid());
    assert_int_equal(second.pid_started, first.pid_started);
    assert_int_equal(second.state, JOURNAL_SUBMITTED);
    assert_int_equal(second.document_count, 2);
    assert_memory_equal(second.documents, first.documents, 2 * sizeof(*first.documents));
    journal_transaction_fini(&first);
    journal_transaction_fini(&second);
}

static void another_key_user_or_service_is_never_joined(void **state)
{
    struct stage *stage = *state;
    bool is_joined = true;
    struct journal_transaction others[4] = {stage_draft("o-1", 1, 1), stage_draft("o-2", 1, 1),
                                            stage_draft("o-3", 1, 1), stage_draft("o-4", 1, 2)};

    (void)strcpy(others[0].url, "https://service.test/");
    (void)strcpy(others[1].user_id, "012345678902");
    (void)strcpy(others[2].serial, "54010102");
    assert_int_equal(stage_put(stage, "id-1", 1, &is_joined), SCA_OK);

    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        is_joined = true;
        assert_int_equal(stage_begin_one(stage, &others[i], &is_joined), SCA_OK);
        assert_false(is_joined);
        journal_transaction_fini(&others[i]);
    }
}

static void a_digest_that_differs_in_its_last_byte_is_never_joined(void **state)
{
    struct stage *stage = *state;
    bool is_joined = true;
    struct journal_transaction other = stage_draft("other", 1, 1);

    other.documents[0].digest[31] ^= 1;
    assert_int_equal(stage_put(stage, "id-1", 1, &is_joined), SCA_OK);

    assert_int_equal(stage_begin_one(stage, &other, &is_joined), SCA_OK);
    assert_false(is_joined);
    journal_transaction_fini(&other);
}

static void what_is_over_is_not_joined_and_the_file_is_blanked(void **state)
{
    struct stage *stage = *state;
    bool is_joined = true;

    assert_int_equal(stage_put(stage, "id-1", 1, &is_joined), SCA_OK);
    assert_int_equal(stage_put(stage, "id-2", 2, &is_joined), SCA_OK);
    journal_end(stage->journal, "id-1");
    assert_true(stage_size(stage) > 0);
    assert_true(stage_is_live(stage, 2, "id-2"));
    assert_false(stage_is_live(stage, 1, "id-1"));
    journal_end(stage->journal, "id-2");

    assert_int_equal(stage_size(stage), 0);
}

static void the_end_of_one_is_not_the_end_of_an_id_that_begins_alike(void **state)
{
    struct stage *stage = *state;
    bool is_joined = true;

    assert_int_equal(stage_put(stage, "id-1", 1, &is_joined), SCA_OK);
    assert_int_equal(stage_put(stage, "id-10", 2, &is_joined), SCA_OK);
    journal_end(stage->journal, "id-1");
    assert_true(stage_is_live(stage, 2, "id-10"));
    journal_end(stage->journal, "id-1");
    assert_true(stage_is_live(stage, 2, "id-10"));
    journal_end(stage->journal, "id");

    assert_true(stage_is_live(stage, 2, "id-10"));
}

static void what_is_begun_later_goes_into_the_room_that_is_there(void **state)
{
    struct stage *stage = *state;
    bool is_joined = true;

    assert_int_equal(stage_put(stage, "id-1", 1, &is_joined), SCA_OK);
    size_t size = stage_file_size(stage);
    assert_int_equal(stage_put(stage, "id-2", 2, &is_joined), SCA_OK);
    journal_end(stage->journal, "id-2");
    journal_end(stage->journal, "id-1");
    assert_int_equal(stage_put(stage, "id-3", 3, &is_joined), SCA_OK);

    assert_int_equal(size % 4096, 0);
    assert_int_equal(stage_file_size(stage), size);
    assert_true(stage_is_live(stage, 3, "id-3"));
}

static void a_crowd_leaves_a_small_file_behind(void **state)
{
    enum { CROWD = 60 };
    struct stage *stage = *state;
    bool is_joined = true;
    char id[16];

    for (int i = 0; i < CROWD; i++) {
        (void)snprintf(id, sizeof(id), "id-%d", i);
        assert_int_equal(stage_put(stage, id, (uint8_t)i, &is_joined), SCA_OK);
    }
    size_t largest = stage_file_size(stage);
    for (int i = 0; i < CROWD; i++) {
        (void)snprintf(id, sizeof(id), "id-%d", i);
        assert_true(stage_is_live(stage, (uint8_t)i, id));
        journal_end(stage->journal, id);
    }

    assert_true(largest > 16 * 1024);
    assert_int_equal(stage_file_size(stage), 0);
    assert_int_equal(stage_put(stage, "id-1", 1, &is_joined), SCA_OK);
    assert_false(is_joined);
}

static void a_file_without_room_is_read_and_added_to(void **state)
{
    struct stage *stage = *state;
    char bytes[8192];
    bool is_joined = true;

    assert_int_equal(stage_put(stage, "id-1", 1, &is_joined), SCA_OK);
    size_t len = stage_read(stage, bytes, sizeof(bytes));
    write_all(stage, bytes, len);
    assert_int_equal(stage_put(stage, "id-2", 2, &is_joined), SCA_OK);

    assert_true(stage_is_live(stage, 1, "id-1"));
    assert_true(stage_is_live(stage, 2, "id-2"));
}

static void the_file_is_private(void **state)
{
    struct stage *stage = *state;
    bool is_joined = true;
    struct stat info;
    char dir[128];

    assert_int_equal(stage_put(stage, "id-1", 1, &is_joined), SCA_OK);

    assert_int_equal(stat(stage->path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    (void)snprintf(dir, sizeof(dir), "%s/journal", stage->dir);
    assert_int_equal(stat(dir, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0700);
}

static void a_torn_line_is_skipped_and_the_next_one_starts_anew(void **state)
{
    struct stage *stage = *state;
    char bytes[8192];
    bool is_joined = true;

    assert_int_equal(stage_put(stage, "id-1", 1, &is_joined), SCA_OK);
    assert_int_equal(stage_put(stage, "id-2", 2, &is_joined), SCA_OK);
    size_t len = stage_read(stage, bytes, sizeof(bytes));
    write_all(stage, bytes, len - 20);
    assert_int_equal(stage_put(stage, "id-3", 3, &is_joined), SCA_OK);

    assert_true(stage_is_live(stage, 1, "id-1"));
    assert_false(stage_is_live(stage, 2, "id-2"));
    assert_true(stage_is_live(stage, 3, "id-3"));
}

static void a_note_after_a_torn_line_starts_anew(void **state)
{
    struct stage *stage = *state;
    char bytes[8192];
    bool is_joined = true;
    struct journal_transaction one = stage_draft("id-1", 1, 1);

    assert_int_equal(stage_begin_one(stage, &one, &is_joined), SCA_OK);
    size_t len = stage_read(stage, bytes, sizeof(bytes) - 8);
    (void)snprintf(bytes + len, 8, "0123 {");
    write_all(stage, bytes, len + 6);
    journal_submitted(stage->journal, &one);
    assert_int_equal(stage_begin_one(stage, &one, &is_joined), SCA_OK);

    assert_true(is_joined);
    assert_int_equal(one.state, JOURNAL_SUBMITTED);
    journal_transaction_fini(&one);
}

static void a_damaged_byte_anywhere_costs_at_most_its_own_line(void **state)
{
    struct stage *stage = *state;
    char bytes[8192];
    bool is_joined = true;

    assert_int_equal(stage_put(stage, "id-1", 1, &is_joined), SCA_OK);
    size_t first_len = stage_size(stage);
    assert_int_equal(stage_put(stage, "id-2", 2, &is_joined), SCA_OK);
    size_t len = stage_read(stage, bytes, sizeof(bytes));

    for (size_t i = 0; i < len; i++) {
        char damaged[8192];
        memcpy(damaged, bytes, len);
        damaged[i] ^= 0x11;
        write_all(stage, damaged, len);
        /* The line's end belongs to both: without it neither can be told. */
        if (i >= first_len)
            assert_true(stage_is_live(stage, 1, "id-1"));
        else if (i < first_len - 1)
            assert_true(stage_is_live(stage, 2, "id-2"));
        write_all(stage, damaged, len);
        if (i < first_len)
            assert_false(stage_is_live(stage, 1, "id-1"));
        else if (i < len - 1)
            assert_false(stage_is_live(stage, 2, "id-2"));
    }
}

static void every_truncation_leaves_the_lines_before_it(void **state)
{
    struct stage *stage = *state;
    char bytes[8192];
    bool is_joined = true;

    assert_int_equal(stage_put(stage, "id-1", 1, &is_joined), SCA_OK);
    size_t first_len = stage_size(stage);
    assert_int_equal(stage_put(stage, "id-2", 2, &is_joined), SCA_OK);
    size_t len = stage_read(stage, bytes, sizeof(bytes));

    for (size_t i = 0; i < len; i++) {
        write_all(stage, bytes, i);
        assert_int_equal(stage_is_live(stage, 1, "id-1"), i >= first_len - 1);
        write_all(stage, bytes, i);
        assert_int_equal(stage_is_live(stage, 2, "id-2"), i >= len - 1);
    }
}

static void an_unfinished_transaction_is_forgotten_after_a_day(void **state)
{
    struct stage *stage = *state;
    bool is_joined = true;

    assert_int_equal(stage_put(stage, "id-1", 1, &is_joined), SCA_OK);
    stage->now_s = NOW + JOURNAL_KEEP_S;
    assert_true(stage_is_live(stage, 1, "id-1"));
    stage->now_s = NOW + JOURNAL_KEEP_S + 1;

    assert_false(stage_is_live(stage, 1, "id-1"));
    assert_int_equal(stage_size(stage), 0);
}

static void nothing_is_begun_where_the_folder_cannot_be_made(void **state)
{
    struct stage *stage = *state;
    char dir[128];
    bool is_joined = true;

    (void)snprintf(dir, sizeof(dir), "%s/journal", stage->dir);
    AUTO(fd_closep) int fd = open(dir, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);

    assert_int_equal(stage_put(stage, "id-1", 1, &is_joined), SCA_IO);
    assert_true(is_joined); /* untouched */
    assert_non_null(strstr(stage->call.note, "nothing was sent"));
    assert_non_null(strstr(stage->call.note, dir));
}

static void a_full_disk_leaves_the_file_as_it_was(void **state)
{
    struct stage *stage = *state;
    struct rlimit before;
    bool is_joined = true;

    assert_int_equal(stage_put(stage, "id-1", 1, &is_joined), SCA_OK);
    size_t size = stage_size(stage);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    /* SIGXFSZ is not ignored: it would end the host. */
    const struct rlimit tight = {.rlim_cur = size + 30, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    enum sca_status st = stage_put(stage, "id-2", 2, &is_joined);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);

    assert_int_equal(st, SCA_IO);
    assert_int_equal(stage_size(stage), size);
    assert_true(stage_is_live(stage, 1, "id-1"));
}

static void a_link_in_the_place_of_the_file_is_refused(void **state)
{
    struct stage *stage = *state;
    bool is_joined = true;
    char target[128];

    assert_int_equal(stage_put(stage, "id-1", 1, &is_joined), SCA_OK);
    (void)snprintf(target, sizeof(target), "%s/elsewhere", stage->dir);
    assert_int_equal(rename(stage->path, target), 0);
    assert_int_equal(symlink(target, stage->path), 0);

    assert_int_equal(stage_put(stage, "id-1", 1, &is_joined), SCA_IO);

    /* Nor is a file made where it leads to. */
    assert_int_equal(unlink(target), 0);
    assert_int_equal(stage_put(stage, "id-1", 1, &is_joined), SCA_IO);
    assert_int_equal(access(target, F_OK), -1);
}

static void a_transaction_that_could_not_be_read_back_is_refused(void **state)
{
    struct stage *stage = *state;
    struct journal_transaction wrong[4] = {stage_draft("id", 1, 1), stage_draft("id", 1, 1),
                                           stage_draft("", 1, 1), stage_draft("id", 1, 1)};
    bool is_joined = true;

    (void)strcpy(wrong[0].description, "\xff\xfe");
    wrong[1].documents[0].digest_len = 19;
    wrong[3].document_count = 0;

    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        assert_int_equal(stage_begin_one(stage, &wrong[i], &is_joined), SCA_INVALID);
        journal_transaction_fini(&wrong[i]);
    }
    assert_int_equal(stage_size(stage), 0);
}

static void the_largest_transaction_is_read_back(void **state)
{
    struct stage *stage = *state;
    struct journal_transaction large = stage_draft("id-1", 0, JOURNAL_DOCUMENTS_MAX);
    struct journal_transaction again = stage_draft("id-2", 7, 1);
    bool is_joined = true;

    assert_int_equal(stage_begin_one(stage, &large, &is_joined), SCA_OK);
    assert_int_equal(stage_begin_one(stage, &again, &is_joined), SCA_OK);

    assert_true(is_joined);
    assert_int_equal(again.document_count, JOURNAL_DOCUMENTS_MAX);
    assert_memory_equal(again.documents, large.documents,
                        large.document_count * sizeof(*large.documents));
    journal_transaction_fini(&large);
    journal_transaction_fini(&again);
}

static void a_file_that_never_empties_stays_small(void **state)
{
    struct stage *stage = *state;
    bool is_joined = true;
    size_t largest = 0;

    assert_int_equal(stage_put(stage, "kept", 1, &is_joined), SCA_OK);
    for (int i = 0; i < 400; i++) {
        char id[32];
        (void)snprintf(id, sizeof(id), "id-%d", i);
        assert_int_equal(stage_put(stage, id, (uint8_t)(2 + i % 200), &is_joined), SCA_OK);
        journal_end(stage->journal, id);
        largest = stage_size(stage) > largest ? stage_size(stage) : largest;
    }

    assert_true(largest < 20000);
    assert_true(stage_is_live(stage, 1, "kept"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_begin, stage_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_begun_is_joined_with_everything_that_was_known),
        TEST(another_key_user_or_service_is_never_joined),
        TEST(a_digest_that_differs_in_its_last_byte_is_never_joined),
        TEST(what_is_over_is_not_joined_and_the_file_is_blanked),
        TEST(the_end_of_one_is_not_the_end_of_an_id_that_begins_alike),
        TEST(what_is_begun_later_goes_into_the_room_that_is_there),
        TEST(a_crowd_leaves_a_small_file_behind),
        TEST(a_file_without_room_is_read_and_added_to),
        TEST(the_file_is_private),
        TEST(a_torn_line_is_skipped_and_the_next_one_starts_anew),
        TEST(a_note_after_a_torn_line_starts_anew),
        TEST(a_damaged_byte_anywhere_costs_at_most_its_own_line),
        TEST(every_truncation_leaves_the_lines_before_it),
        TEST(an_unfinished_transaction_is_forgotten_after_a_day),
        TEST(nothing_is_begun_where_the_folder_cannot_be_made),
        TEST(a_full_disk_leaves_the_file_as_it_was),
        TEST(a_link_in_the_place_of_the_file_is_refused),
        TEST(a_transaction_that_could_not_be_read_back_is_refused),
        TEST(the_largest_transaction_is_read_back),
        TEST(a_file_that_never_empties_stays_small),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
