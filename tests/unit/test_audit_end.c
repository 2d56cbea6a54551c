/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of the audit log that are not on the disk yet: what a crash may take, and what it may not.
 */
#include "remote/audit/audit.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "tests/unit/audit_stage.h"

enum { FIRST_NOTE = 86, NOTE = 209, BOOT = 37 }; /* bytes of audit.lock, and the last of them */

/* Not known to be on the disk. */
static void append_lazily(struct audit_stage *stage, size_t count)
{
    const struct audit_log log = {.state_dir = stage->dir};

    for (size_t i = 1; i <= count; i++) {
        struct audit_entry entry = audit_stage_entry();
        entry.slot = (int64_t)i;
        assert_int_equal(audit_append_all(&log, &stage->clock, &entry, 1, false), SCA_OK);
    }
}

static void expect(const struct audit_stage *stage, const struct audit_report *expected)
{
    struct audit_report report = audit_stage_verify(stage);

    assert_int_equal(report.fault, expected->fault);
    assert_int_equal(report.bad_file, 0);
    assert_int_equal(report.bad_line, expected->bad_line);
    assert_int_equal(report.torn_count, expected->torn_count);
    assert_int_equal(report.unsaved_count, expected->unsaved_count);
    assert_int_equal(report.ends_torn, expected->ends_torn);
    assert_int_equal(report.ends_unsaved, expected->ends_unsaved);
    if (expected->line_count > 0)
        assert_int_equal(report.line_count, expected->line_count);
}

#define EXPECT(stage, ...) expect((stage), &(const struct audit_report){__VA_ARGS__})

/* The first count lines are left. */
static void cut(struct audit_stage *stage, size_t count)
{
    off_t size = 0;

    audit_stage_read(stage);
    for (size_t i = 0; i < count; i++)
        size += (off_t)stage->lines[i].len + 1;
    assert_int_equal(truncate(stage->path, size), 0);
}

static size_t read_note(const struct audit_stage *stage, char out[static NOTE + 1])
{
    AUTO(freep) char *path = path_join(stage->dir, "audit.lock");
    AUTO(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    ssize_t len = pread(fd, out, NOTE + 1, 0);
    assert_in_range(len, 0, NOTE);
    return (size_t)len;
}

static void write_note(const struct audit_stage *stage, struct span note)
{
    AUTO(freep) char *path = path_join(stage->dir, "audit.lock");
    AUTO(fd_closep) int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(fd_write_all(fd, note), SCA_OK);
}

/* As if the system had been started anew since. */
static void restart(const struct audit_stage *stage)
{
    static const char other[] = "00000000-1111-2222-3333-444444444444\n";
    char note[NOTE + 1];

    assert_int_equal(read_note(stage, note), NOTE);
    memcpy(note + NOTE - BOOT, other, BOOT);
    write_note(stage, span_of(note, NOTE));
}

static void lines_that_are_not_on_the_disk_yet_cannot_be_taken_off(void **state)
{
    struct audit_stage *stage = *state;

    for (size_t durable = 0; durable < 3; durable++)
        for (size_t left = 0; left < 4; left++) {
            (void)unlink(stage->path);
            if (durable + left > 0)
                audit_stage_behead(stage);
            audit_stage_append(stage, durable);
            append_lazily(stage, 4 - durable);
            EXPECT(stage, .line_count = 4);
            cut(stage, left);
            EXPECT(stage, .fault = AUDIT_MISSING_END, .bad_line = left + 1);
        }
}

static void a_system_that_stops_takes_along_what_was_not_on_the_disk(void **state)
{
    struct audit_stage *stage = *state;
    audit_stage_append(stage, 2);
    append_lazily(stage, 2);
    restart(stage);
    EXPECT(stage, .line_count = 4);

    cut(stage, 3);
    EXPECT(stage, .line_count = 3, .ends_unsaved = true);
    cut(stage, 2);
    EXPECT(stage, .line_count = 2, .ends_unsaved = true);
    cut(stage, 1);
    EXPECT(stage, .fault = AUDIT_MISSING_END, .bad_line = 2);
}

static void the_next_line_tells_of_it_and_stays(void **state)
{
    struct audit_stage *stage = *state;
    char before[AUDIT_HEX_SIZE];
    char last[AUDIT_HEX_SIZE];
    audit_stage_append(stage, 1);
    append_lazily(stage, 2);
    restart(stage);
    audit_stage_read(stage);
    (void)audit_stage_chain(stage, 0, before);
    (void)audit_stage_chain(stage, 2, last);
    cut(stage, 1);

    append_lazily(stage, 1);

    EXPECT(stage, .line_count = 3, .unsaved_count = 1);
    audit_stage_read(stage);
    AUTO(freep) char *object = NULL;
    assert_true(asprintf(&object,
                         "{\"time\":\"" AUDIT_TIME "\",\"outcome\":\"unsaved\",\"last\":\"%s\"}",
                         last) > 0);
    AUTO(freep) char *expected = audit_stage_sealed(before, object);
    assert_int_equal(stage->lines[1].len, strlen(expected));
    assert_memory_equal(stage->lines[1].ptr, expected, strlen(expected));
    cut(stage, 2);
    EXPECT(stage, .fault = AUDIT_MISSING_END, .bad_line = 3, .unsaved_count = 1);
}

static void a_cut_is_told_once_by_lines_that_are_not_durable(void **state)
{
    struct audit_stage *stage = *state;
    append_lazily(stage, 4);
    cut(stage, 2);

    append_lazily(stage, 2);

    EXPECT(stage, .fault = AUDIT_BAD_LINE, .bad_line = 3);
    audit_stage_read(stage);
    assert_int_equal(stage->line_count, 5);
    const char *first = strstr(stage->text, "\"outcome\":\"lost\"");
    assert_non_null(first);
    assert_null(strstr(first + 1, "\"outcome\":\"lost\""));
}

static void a_crash_before_the_end_was_noted_is_none(void **state)
{
    struct audit_stage *stage = *state;
    char older[NOTE + 1];
    append_lazily(stage, 1);
    assert_int_equal(read_note(stage, older), NOTE);
    append_lazily(stage, 2);

    write_note(stage, span_of(older, NOTE));

    EXPECT(stage, .line_count = 3);
    append_lazily(stage, 1);
    EXPECT(stage, .line_count = 4);
}

static void an_empty_durable_append_saves_what_is_there(void **state)
{
    struct audit_stage *stage = *state;
    const struct audit_log log = {.state_dir = stage->dir};
    append_lazily(stage, 3);

    assert_int_equal(audit_append_all(&log, &stage->clock, NULL, 0, true), SCA_OK);

    EXPECT(stage, .line_count = 3);
    cut(stage, 2);
    restart(stage);
    EXPECT(stage, .fault = AUDIT_MISSING_END, .bad_line = 3);
}

static void add_bytes(const struct audit_stage *stage, const char *bytes)
{
    AUTO(fd_closep) int fd = open(stage->path, O_WRONLY | O_APPEND | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(fd_write_all(fd, span_text(bytes)), SCA_OK);
}

static void a_part_of_a_line_behind_the_noted_end_is_a_crash(void **state)
{
    struct audit_stage *stage = *state;
    append_lazily(stage, 2);

    add_bytes(stage, "{\"time\":\"2026-05-");

    EXPECT(stage, .line_count = 3, .ends_torn = true);
    append_lazily(stage, 1);
    EXPECT(stage, .line_count = 5, .torn_count = 1);
}

static void what_is_no_part_of_a_line_there_is_not(void **state)
{
    static const char *const rows[] = {"x\n", "x\ny", "\n"};
    struct audit_stage *stage = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        append_lazily(stage, 2);
        add_bytes(stage, rows[i]);
        EXPECT(stage, .fault = AUDIT_BAD_LINE, .bad_line = 3);
        assert_int_equal(unlink(stage->path), 0);
        audit_stage_behead(stage);
    }
}

static void the_noted_end_may_not_be_torn(void **state)
{
    struct audit_stage *stage = *state;
    append_lazily(stage, 3);
    audit_stage_read(stage);

    assert_int_equal(truncate(stage->path, (off_t)stage->len - 30), 0);

    EXPECT(stage, .fault = AUDIT_BAD_LINE, .bad_line = 3);
}

static void a_note_of_an_older_version_is_understood(void **state)
{
    struct audit_stage *stage = *state;
    char note[NOTE + 1];
    audit_stage_append(stage, 2);
    assert_int_equal(read_note(stage, note), NOTE);
    append_lazily(stage, 1);

    write_note(stage, span_of(note, FIRST_NOTE));

    cut(stage, 2);
    EXPECT(stage, .line_count = 2);
    cut(stage, 1);
    EXPECT(stage, .fault = AUDIT_MISSING_END, .bad_line = 2);
}

static void a_note_that_is_spoiled_is_none(void **state)
{
    static const size_t places[] = {0, 64, 65, 85, 86, 150, 151, 171, 208};
    struct audit_stage *stage = *state;
    char note[NOTE + 1];
    append_lazily(stage, 2);
    assert_int_equal(read_note(stage, note), NOTE);
    cut(stage, 1);

    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        char was = note[places[i]];
        note[places[i]] = 'z';
        write_note(stage, span_of(note, NOTE));
        EXPECT(stage, .line_count = 1);
        note[places[i]] = was;
    }
    write_note(stage, span_of(note, NOTE));
    EXPECT(stage, .fault = AUDIT_MISSING_END, .bad_line = 2);
}

/* Until it is killed, or nobody listens any more: a byte for each batch. */
static void append_for_ever(const struct audit_stage *stage, int told)
{
    enum { COUNT = 400 }; /* more than is written at a time */
    const struct audit_log log = {.state_dir = stage->dir, .size_max = 400000, .keep = 2};
    struct audit_entry entries[COUNT];

    for (size_t i = 0; i < COUNT; i++)
        entries[i] = audit_stage_entry();
    for (unsigned i = 0;; i++)
        if (audit_append_all(&log, &stage->clock, entries, COUNT, i % 4 == 3) != SCA_OK ||
            write(told, "+", 1) != 1)
            _exit(1);
}

static pid_t begin_writer(const struct audit_stage *stage, const int ends[static 2])
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        (void)close(ends[0]);
        append_for_ever(stage, ends[1]);
    }
    return pid;
}

static void kill_writer(pid_t pid)
{
    int status = 0;

    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
}

static void writers_that_are_killed_leave_a_log_that_is_right(void **state)
{
    enum { KILLS = 25, WRITERS = 2 };
    struct audit_stage *stage = *state;
    audit_stage_append(stage, 1);

    for (size_t i = 0; i < KILLS; i++) {
        int ends[2] = {-1, -1};
        pid_t pids[WRITERS];
        char byte = 0;
        assert_int_equal(pipe(ends), 0);
        for (size_t w = 0; w < WRITERS; w++)
            pids[w] = begin_writer(stage, ends);
        (void)close(ends[1]);
        for (size_t n = 0; n < 1 + i % 4; n++)
            assert_int_equal(read(ends[0], &byte, 1), 1);
        for (size_t w = 0; w < WRITERS; w++)
            kill_writer(pids[w]);
        (void)close(ends[0]);

        struct audit_report report = audit_stage_verify(stage);
        assert_int_equal(report.fault, AUDIT_RIGHT);
        assert_false(report.ends_unsaved);
        assert_int_equal(report.unsaved_count, 0);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, audit_stage_begin, audit_stage_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lines_that_are_not_on_the_disk_yet_cannot_be_taken_off),
        TEST(a_system_that_stops_takes_along_what_was_not_on_the_disk),
        TEST(the_next_line_tells_of_it_and_stays),
        TEST(a_cut_is_told_once_by_lines_that_are_not_durable),
        TEST(a_crash_before_the_end_was_noted_is_none),
        TEST(an_empty_durable_append_saves_what_is_there),
        TEST(a_part_of_a_line_behind_the_noted_end_is_a_crash),
        TEST(what_is_no_part_of_a_line_there_is_not),
        TEST(the_noted_end_may_not_be_torn),
        TEST(a_note_of_an_older_version_is_understood),
        TEST(a_note_that_is_spoiled_is_none),
        TEST(writers_that_are_killed_leave_a_log_that_is_right),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
