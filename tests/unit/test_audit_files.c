/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log in several files: how they are closed, what may be missing, and its noted end.
 * Linked with --wrap=readdir. */
#include "remote/audit/audit.h"

#include <dirent.h>
#include <errno.h>
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
#include "tests/unit/audit_stage.h"

enum { SMALL = 700 }; /* bytes: two or three lines */

static void append_small(struct audit_stage *stage, size_t count, unsigned keep)
{
    const struct audit_log log = {.state_dir = stage->dir, .size_max = SMALL, .keep = keep};

    for (size_t i = 1; i <= count; i++) {
        struct audit_entry entry = audit_stage_entry();
        entry.slot = (int64_t)i;
        assert_int_equal(audit_append_all(&log, &stage->clock, &entry, 1, true), SCA_OK);
    }
}

static const char *path_of(const struct audit_stage *stage, unsigned number, char out[static 128])
{
    char name[AUDIT_NAME_SIZE];
    (void)snprintf(out, 128, "%s/%s", stage->dir, audit_file_name(number, name));
    return out;
}

static bool is_there(const struct audit_stage *stage, unsigned number)
{
    char path[128];
    return access(path_of(stage, number, path), F_OK) == 0;
}

static void expect_fault(const struct audit_stage *stage, enum audit_fault fault, unsigned file,
                         size_t line)
{
    struct audit_report report = audit_stage_verify(stage);

    if (report.fault != fault || report.bad_file != file || report.bad_line != line)
        fail_msg("fault %d in file %u, line %zu", (int)report.fault, report.bad_file,
                 report.bad_line);
}

static void expect_right(const struct audit_stage *stage, size_t lines, size_t files)
{
    struct audit_report report = audit_stage_verify(stage);

    expect_fault(stage, AUDIT_RIGHT, 0, 0);
    assert_int_equal(report.line_count, lines);
    assert_int_equal(report.file_count, files);
}

static void a_file_that_has_grown_is_closed_and_the_chain_goes_on(void **state)
{
    struct audit_stage *stage = *state;
    char path[128];
    struct stat info;
    char last[AUDIT_HEX_SIZE];
    append_small(stage, 2, 0);
    assert_false(is_there(stage, 1));
    audit_stage_read(stage);
    (void)audit_stage_chain(stage, 1, last);

    append_small(stage, 1, 0);

    assert_int_equal(stat(path_of(stage, 1, path), &info), 0);
    assert_int_equal(info.st_size, stage->len);
    assert_int_equal(info.st_mode & 07777, 0600);
    audit_stage_read(stage);
    assert_int_equal(stage->line_count, 2);
    AUTO(freep) char *object = NULL;
    assert_true(asprintf(&object,
                         "{\"time\":\"" AUDIT_TIME "\",\"outcome\":\"continued\",\"after\":1,"
                         "\"oldest\":1,\"follows\":\"%s\"}",
                         last) > 0);
    AUTO(freep) char *expected = audit_stage_sealed(last, object);
    assert_int_equal(stage->lines[0].len, strlen(expected));
    assert_memory_equal(stage->lines[0].ptr, expected, strlen(expected));
    expect_right(stage, 4, 2);
}

static void many_files_are_one_log(void **state)
{
    struct audit_stage *stage = *state;

    append_small(stage, 40, 0);

    for (unsigned number = 1; number <= 12; number++)
        assert_true(is_there(stage, number));
    struct audit_report report = audit_stage_verify(stage);
    assert_int_equal(report.fault, AUDIT_RIGHT);
    assert_int_equal(report.line_count, 40 + report.file_count - 1);
}

static void what_is_missing_is_named(void **state)
{
    static const struct {
        unsigned removed;
        enum audit_fault fault;
    } rows[] = {{1, AUDIT_MISSING_FILE}, {3, AUDIT_MISSING_FILE}, {0, AUDIT_MISSING_FILE}};
    struct audit_stage *stage = *state;
    char path[128];
    char kept[128];
    append_small(stage, 12, 0);
    (void)snprintf(kept, sizeof(kept), "%s/kept", stage->parent);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(rename(path_of(stage, rows[i].removed, path), kept), 0);
        expect_fault(stage, rows[i].fault, rows[i].removed, 0);
        assert_int_equal(rename(kept, path), 0);
        expect_fault(stage, AUDIT_RIGHT, 0, 0);
    }
}

static void several_that_are_missing_are_found(void **state)
{
    struct audit_stage *stage = *state;
    char path[128];
    append_small(stage, 12, 0);
    unsigned closed = (unsigned)audit_stage_verify(stage).file_count - 1;

    for (unsigned number = 1; number <= closed; number++)
        assert_int_equal(unlink(path_of(stage, number, path)), 0);

    expect_fault(stage, AUDIT_MISSING_FILE, closed, 0);
}

/* Also without the lock file, which tells how far the log went. */
static void an_emptied_file_after_others_is_found(void **state)
{
    struct audit_stage *stage = *state;
    AUTO(freep) char *lock = path_join(stage->dir, "audit.lock");
    append_small(stage, 12, 0);

    assert_int_equal(truncate(stage->path, 0), 0);
    assert_int_equal(unlink(lock), 0);

    expect_fault(stage, AUDIT_MISSING_END, 0, 1);
}

static void exchanged_files_are_found(void **state)
{
    struct audit_stage *stage = *state;
    char one[128];
    char two[128];
    char aside[128];
    append_small(stage, 12, 0);
    (void)snprintf(aside, sizeof(aside), "%s/aside", stage->parent);

    assert_int_equal(rename(path_of(stage, 2, two), aside), 0);
    assert_int_equal(rename(path_of(stage, 1, one), two), 0);
    assert_int_equal(rename(aside, one), 0);

    expect_fault(stage, AUDIT_BAD_LINE, 1, 1);
}

static void a_closed_file_without_its_end_is_found(void **state)
{
    struct audit_stage *stage = *state;
    char path[128];
    append_small(stage, 12, 0);

    assert_int_equal(truncate(path_of(stage, 2, path), 0), 0);
    expect_fault(stage, AUDIT_MISSING_END, 2, 1);
}

static void an_older_log_of_the_same_folder_is_no_part_of_it(void **state)
{
    struct audit_stage *stage = *state;
    char path[128];
    char stranger[128];
    append_small(stage, 12, 0);

    (void)snprintf(stranger, sizeof(stranger), "%s/audit.jsonl.01", stage->dir);
    assert_int_equal(link(path_of(stage, 1, path), stranger), 0);
    (void)snprintf(stranger, sizeof(stranger), "%s/audit.jsonl.1~", stage->dir);
    assert_int_equal(link(path, stranger), 0);

    expect_fault(stage, AUDIT_RIGHT, 0, 0);
}

static void only_as_many_are_kept_as_are_wanted_and_the_log_knows(void **state)
{
    struct audit_stage *stage = *state;
    char path[128];

    append_small(stage, 12, 2);

    unsigned newest = 12;
    while (newest > 0 && !is_there(stage, newest))
        newest--;
    assert_in_range(newest, 4, 12);
    assert_true(is_there(stage, newest - 1));
    assert_false(is_there(stage, newest - 2));
    expect_fault(stage, AUDIT_RIGHT, 0, 0);
    assert_int_equal(unlink(path_of(stage, newest - 1, path)), 0);
    expect_fault(stage, AUDIT_MISSING_FILE, newest - 1, 0);
}

static void what_was_to_be_deleted_and_was_not_does_no_harm(void **state)
{
    struct audit_stage *stage = *state;
    char path[128];
    char kept[128];
    append_small(stage, 3, 1);
    (void)snprintf(kept, sizeof(kept), "%s/kept", stage->parent);
    assert_int_equal(link(path_of(stage, 1, path), kept), 0);
    while (is_there(stage, 1))
        append_small(stage, 1, 1);

    assert_int_equal(rename(kept, path), 0); /* a crash came before */

    expect_fault(stage, AUDIT_RIGHT, 0, 0);
}

static void a_crash_between_the_two_names_changes_nothing(void **state)
{
    struct audit_stage *stage = *state;
    char one[128];
    append_small(stage, 2, 0);
    assert_int_equal(link(stage->path, path_of(stage, 1, one)), 0);
    expect_right(stage, 2, 1);

    append_small(stage, 1, 0);

    expect_right(stage, 4, 2);
    assert_true(is_there(stage, 1));
}

static void a_crash_before_the_end_was_noted_changes_nothing(void **state)
{
    struct audit_stage *stage = *state;
    AUTO(freep) char *lock = path_join(stage->dir, "audit.lock");
    AUTO(buf_fini) struct buf before;
    const char *why = NULL;
    append_small(stage, 2, 0);
    assert_int_equal(file_read_trusted(lock, FILE_ANY, 4096, false, &before, &why), SCA_OK);

    append_small(stage, 1, 0); /* closes the file */
    AUTO(fd_closep) int fd = -1;
    assert_int_equal(file_lock(stage->dir, "audit.lock", 1000, &fd), SCA_OK);
    assert_int_equal(pwrite(fd, before.ptr, before.len, 0), (ssize_t)before.len);
    fd_unlock_closep(&fd);
    fd = -1;

    expect_right(stage, 4, 2);
    append_small(stage, 1, 0);
    expect_right(stage, 5, 2);
}

static void a_number_that_is_taken_stops_nobody(void **state)
{
    struct audit_stage *stage = *state;
    char path[128];
    append_small(stage, 2, 0);
    FILE *stranger = fopen(path_of(stage, 1, path), "we");
    assert_non_null(stranger);
    (void)fclose(stranger);

    append_small(stage, 3, 0);

    assert_int_equal(unlink(path), 0);
    expect_right(stage, 5, 1);
    append_small(stage, 1, 0);
    expect_right(stage, 7, 2);
}

static void a_torn_line_is_told_of_before_the_file_is_closed(void **state)
{
    struct audit_stage *stage = *state;
    AUTO(buf_fini) struct buf torn;
    append_small(stage, 2, 0);
    audit_stage_read(stage);
    buf_init(&torn, 4096, false);
    assert_int_equal(buf_append(&torn, span_of(stage->text, stage->len)), SCA_OK);
    assert_int_equal(buf_append(&torn, span_text("{\"time\":\"20")), SCA_OK);
    audit_stage_write(stage, buf_span(&torn));

    append_small(stage, 2, 0);

    struct audit_report report = audit_stage_verify(stage);
    assert_int_equal(report.fault, AUDIT_RIGHT);
    assert_int_equal(report.torn_count, 1);
    assert_int_equal(report.file_count, 2);
}

/* The first count lines of the stage are left. */
static void cut(const struct audit_stage *stage, size_t count)
{
    off_t size = 0;

    for (size_t i = 0; i < count; i++)
        size += (off_t)stage->lines[i].len + 1;
    assert_int_equal(truncate(stage->path, size), 0);
}

static void lines_taken_off_the_end_are_found(void **state)
{
    struct audit_stage *stage = *state;

    for (size_t left = 0; left < 4; left++) {
        (void)unlink(stage->path);
        if (left > 0)
            audit_stage_behead(stage);
        audit_stage_append(stage, 4);
        audit_stage_read(stage);
        cut(stage, left);
        expect_fault(stage, AUDIT_MISSING_END, 0, left + 1);
    }
}

static void signing_on_does_not_hide_that_lines_are_gone(void **state)
{
    struct audit_stage *stage = *state;
    audit_stage_append(stage, 4);
    audit_stage_read(stage);
    char fourth[AUDIT_HEX_SIZE];
    (void)audit_stage_chain(stage, 3, fourth);
    cut(stage, 2);

    audit_stage_append(stage, 2);

    expect_fault(stage, AUDIT_BAD_LINE, 0, 3);
    audit_stage_read(stage);
    assert_int_equal(stage->line_count, 5);
    AUTO(freep) char *object = NULL;
    assert_true(asprintf(&object,
                         "{\"time\":\"" AUDIT_TIME "\",\"outcome\":\"lost\",\"follows\":\"%s\"}",
                         fourth) > 0);
    AUTO(freep) char *expected = audit_stage_sealed(fourth, object);
    assert_int_equal(stage->lines[2].len, strlen(expected));
    assert_memory_equal(stage->lines[2].ptr, expected, strlen(expected));
}

static void a_removed_log_does_not_begin_anew(void **state)
{
    struct audit_stage *stage = *state;
    audit_stage_append(stage, 4);
    assert_int_equal(unlink(stage->path), 0);
    expect_fault(stage, AUDIT_MISSING_FILE, 0, 0);

    audit_stage_append(stage, 1);

    expect_fault(stage, AUDIT_BAD_LINE, 0, 1);
}

static void a_note_of_the_end_that_cannot_be_read_is_none(void **state)
{
    static const char *const notes[] = {"", "x", "0123456789abcdef 5\n"};
    struct audit_stage *stage = *state;
    AUTO(freep) char *lock = path_join(stage->dir, "audit.lock");
    audit_stage_append(stage, 1);

    for (size_t i = 0; i < ARRAY_LEN(notes); i++) {
        FILE *file = fopen(lock, "we");
        assert_non_null(file);
        assert_true(fputs(notes[i], file) >= 0);
        (void)fclose(file);
        expect_fault(stage, AUDIT_RIGHT, 0, 0);
    }
}

struct seen {
    size_t count;
    size_t limit;
};

static bool see(void *arg, struct span line)
{
    struct seen *seen = arg;
    assert_true(line.len > 0 && line.ptr[0] == '{' && line.ptr[line.len - 1] == '}');
    return ++seen->count < seen->limit;
}

static void every_line_is_given_oldest_first_until_it_is_enough(void **state)
{
    struct audit_stage *stage = *state;
    struct seen all = {.limit = 1000};
    struct seen some = {.limit = 7};
    assert_int_equal(audit_each(stage->dir, see, &all), SCA_NOT_FOUND);
    append_small(stage, 12, 0);

    assert_int_equal(audit_each(stage->dir, see, &all), SCA_OK);
    assert_int_equal(audit_each(stage->dir, see, &some), SCA_OK);

    assert_int_equal(all.count, audit_stage_verify(stage).line_count);
    assert_int_equal(some.count, 7);
}

static bool is_unreadable; /* the folder: for the next look at it */

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's names */
struct dirent *__real_readdir(DIR *dir);
struct dirent *__wrap_readdir(DIR *dir);

struct dirent *__wrap_readdir(DIR *dir)
{
    if (!is_unreadable)
        return __real_readdir(dir);
    is_unreadable = false;
    errno = EIO;
    return NULL;
}
/* NOLINTEND(bugprone-reserved-identifier) */

static void a_folder_that_cannot_be_read_is_no_folder_without_files(void **state)
{
    struct audit_stage *stage = *state;
    struct audit_report report = {.fault = AUDIT_RIGHT};
    struct seen all = {.limit = 1000};
    append_small(stage, 12, 0);

    is_unreadable = true;
    assert_int_equal(audit_verify(stage->dir, &report), SCA_IO);
    is_unreadable = true;
    assert_int_equal(audit_each(stage->dir, see, &all), SCA_IO);

    assert_int_equal(all.count, 0);
    assert_int_equal(audit_stage_verify(stage).fault, AUDIT_RIGHT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, audit_stage_begin, audit_stage_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_that_has_grown_is_closed_and_the_chain_goes_on),
        TEST(many_files_are_one_log),
        TEST(what_is_missing_is_named),
        TEST(several_that_are_missing_are_found),
        TEST(an_emptied_file_after_others_is_found),
        TEST(exchanged_files_are_found),
        TEST(a_closed_file_without_its_end_is_found),
        TEST(an_older_log_of_the_same_folder_is_no_part_of_it),
        TEST(only_as_many_are_kept_as_are_wanted_and_the_log_knows),
        TEST(what_was_to_be_deleted_and_was_not_does_no_harm),
        TEST(a_crash_between_the_two_names_changes_nothing),
        TEST(a_crash_before_the_end_was_noted_changes_nothing),
        TEST(a_number_that_is_taken_stops_nobody),
        TEST(a_torn_line_is_told_of_before_the_file_is_closed),
        TEST(lines_taken_off_the_end_are_found),
        TEST(signing_on_does_not_hide_that_lines_are_gone),
        TEST(a_removed_log_does_not_begin_anew),
        TEST(a_note_of_the_end_that_cannot_be_read_is_none),
        TEST(every_line_is_given_oldest_first_until_it_is_enough),
        TEST(a_folder_that_cannot_be_read_is_no_folder_without_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
