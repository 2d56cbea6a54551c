/* SPDX-License-Identifier: Apache-2.0 */
/* Many entries of the audit log at once. */
#include "remote/audit/audit.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "tests/unit/audit_stage.h"

static const uint8_t digests[][4] = {{1, 2, 3, 4}, {0xff, 0, 0xff, 0}, {9, 9, 9, 9}};

/* Entries that are alike but for time, digest and, in a pattern, everything else. */
static void fill(struct audit_entry *entries, size_t count)
{
    static const char tricky[] = "x\",\"digest\":\"00000000";

    for (size_t i = 0; i < count; i++) {
        entries[i] = audit_stage_entry();
        entries[i].at = 1780000000 + (int64_t)(i / 3);
        entries[i].digest = span_of(digests[i % ARRAY_LEN(digests)], 4);
        if (i % 5 == 3)
            entries[i].milliseconds = 7;
        if (i % 7 == 4)
            entries[i].digest.len = 0;
        if (i % 4 == 2)
            entries[i].owner = "anh.nv", entries[i].user = NULL;
        if (i % 6 == 1)
            entries[i].account = tricky;
    }
}

static void a_batch_is_what_its_entries_are_one_by_one(void **state)
{
    enum { COUNT = 16 };
    struct audit_stage *stage = *state;
    const struct audit_log log = {.state_dir = stage->dir};
    struct audit_entry entries[COUNT];
    fill(entries, COUNT);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(audit_append_all(&log, &stage->clock, &entries[i], 1, true), SCA_OK);
    audit_stage_read(stage);
    AUTO(freep) char *expected = strdup(stage->text);
    assert_int_equal(unlink(stage->path), 0);
    audit_stage_write(stage, span_text(""));

    assert_int_equal(audit_append_all(&log, &stage->clock, entries, COUNT, true), SCA_OK);

    audit_stage_read(stage);
    assert_string_equal(stage->text, expected);
    assert_int_equal(audit_stage_verify(stage).line_count, COUNT);
}

static void an_entry_has_its_own_time_and_owner(void **state)
{
    struct audit_stage *stage = *state;
    const struct audit_log log = {.state_dir = stage->dir};
    const struct audit_entry entry = {
        .at = 1780000001, .owner = "Nguyễn Văn Ánh", .slot = -1, .milliseconds = -1};
    AUTO(freep)
    char *expected = audit_stage_sealed(
        AUDIT_ZERO, "{\"time\":\"2026-05-28T20:26:41Z\",\"user\":\"Nguyễn Văn Ánh\"}");

    assert_int_equal(audit_append_all(&log, &stage->clock, &entry, 1, true), SCA_OK);

    audit_stage_read(stage);
    assert_int_equal(stage->lines[0].len, strlen(expected));
    assert_memory_equal(stage->text, expected, strlen(expected));
}

static void the_largest_batch_is_written_and_a_larger_one_refused(void **state)
{
    struct audit_stage *stage = *state;
    const struct audit_log log = {.state_dir = stage->dir};
    AUTO(freep) struct audit_entry *entries = calloc(AUDIT_BATCH_MAX + 1, sizeof(*entries));
    assert_non_null(entries);
    fill(entries, AUDIT_BATCH_MAX + 1);

    assert_int_equal(audit_append_all(&log, &stage->clock, entries, AUDIT_BATCH_MAX + 1, true),
                     SCA_INVALID);
    assert_int_equal(access(stage->path, F_OK), -1);
    assert_int_equal(audit_append_all(&log, &stage->clock, entries, AUDIT_BATCH_MAX, true), SCA_OK);

    assert_int_equal(audit_stage_verify(stage).line_count, AUDIT_BATCH_MAX);
}

static void a_time_without_a_year_of_four_digits_is_refused(void **state)
{
    struct audit_stage *stage = *state;
    const struct audit_log log = {.state_dir = stage->dir};
    struct audit_entry entries[2] = {audit_stage_entry(), audit_stage_entry()};
    entries[1].at = INT64_MAX;
    audit_stage_append(stage, 1);

    assert_int_equal(audit_append_all(&log, &stage->clock, entries, 2, true), SCA_INVALID);

    assert_int_equal(audit_stage_verify(stage).line_count, 1);
}

/* In a child: the limit would stay. */
static int append_on_a_full_disk(struct audit_stage *stage, bool is_durable, uint64_t size_max)
{
    enum { COUNT = 8 };
    const struct audit_log log = {.state_dir = stage->dir, .size_max = size_max};
    const struct rlimit limit = {.rlim_cur = stage->len + 1000, .rlim_max = stage->len + 1000};
    struct audit_entry entries[COUNT];
    int status = -1;
    fill(entries, COUNT);
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        /* SIGXFSZ is not ignored: it would end the host. */
        if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
            _exit(100);
        _exit((int)audit_append_all(&log, &stage->clock, entries, COUNT, is_durable));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void a_full_disk_takes_all_or_nothing(void **state)
{
    struct audit_stage *stage = *state;
    audit_stage_append(stage, 2);
    audit_stage_read(stage);

    for (int is_durable = 0; is_durable < 2; is_durable++)
        for (uint64_t size_max = 0; size_max < 2; size_max++) /* 1: the file is to be closed */
            assert_int_equal(append_on_a_full_disk(stage, is_durable, size_max), SCA_NO_SPACE);

    struct audit_report report = audit_stage_verify(stage);
    assert_int_equal(report.fault, AUDIT_RIGHT);
    assert_int_equal(report.line_count, 2);
    audit_stage_append(stage, 1);
    assert_int_equal(audit_stage_verify(stage).line_count, 3);
}

struct appender {
    struct audit_stage *stage;
    size_t failed;
};

static size_t append_batches(struct audit_stage *stage)
{
    enum { COUNT = 10, ROUNDS = 20 };
    const struct audit_log log = {.state_dir = stage->dir, .size_max = 20000};
    struct audit_entry entries[COUNT];
    size_t failed = 0;

    fill(entries, COUNT);
    for (int i = 0; i < ROUNDS; i++)
        failed += audit_append_all(&log, &stage->clock, entries, COUNT, i % 2) != SCA_OK;
    return failed;
}

static void *append_in_thread(void *arg)
{
    struct appender *appender = arg;
    appender->failed = append_batches(appender->stage);
    return NULL;
}

static void threads_and_processes_close_files_together(void **state)
{
    enum { EACH = 3 };
    struct audit_stage *stage = *state;
    pid_t pids[EACH];
    pthread_t threads[EACH];
    struct appender appenders[EACH];

    for (size_t i = 0; i < EACH; i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (pids[i] == 0)
            _exit(append_batches(stage) == 0 ? 0 : 1);
    }
    for (size_t i = 0; i < EACH; i++) {
        appenders[i].stage = stage;
        assert_int_equal(pthread_create(&threads[i], NULL, append_in_thread, &appenders[i]), 0);
    }
    struct audit_report report = {.fault = AUDIT_RIGHT};
    while (audit_verify(stage->dir, &report) == SCA_OK && report.line_count < 100)
        assert_int_equal(report.fault, AUDIT_RIGHT); /* who reads is in nobody's way */
    for (size_t i = 0; i < EACH; i++) {
        int status = -1;
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(appenders[i].failed, 0);
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }

    report = audit_stage_verify(stage);
    assert_int_equal(report.fault, AUDIT_RIGHT);
    assert_in_range(report.file_count, 10, 100);
    assert_int_equal(report.line_count, 2 * EACH * 200 + report.file_count - 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, audit_stage_begin, audit_stage_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_batch_is_what_its_entries_are_one_by_one),
        TEST(an_entry_has_its_own_time_and_owner),
        TEST(the_largest_batch_is_written_and_a_larger_one_refused),
        TEST(a_time_without_a_year_of_four_digits_is_refused),
        TEST(a_full_disk_takes_all_or_nothing),
        TEST(threads_and_processes_close_files_together),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
