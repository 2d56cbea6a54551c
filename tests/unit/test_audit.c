/* SPDX-License-Identifier: Apache-2.0 */
/* What the audit log says, who may write it at once, and what happens when nobody can. */
#include "remote/audit/audit.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "tests/unit/audit_stage.h"

#define NOTHING_KNOWN                                                                              \
    {                                                                                              \
        .slot = -1, .milliseconds = -1                                                             \
    }

static void an_entry_is_one_line_sealed_by_its_chain(void **state)
{
    struct audit_stage *stage = *state;
    struct audit_entry entry = audit_stage_entry();
    AUTO(freep)
    char *expected =
        audit_stage_sealed(AUDIT_ZERO, "{\"time\":\"" AUDIT_TIME "\",\"user\":\"*********901\","
                                       "\"account\":\"work\",\"program\":\"soffice\",\"slot\":7,"
                                       "\"serial\":\"54010101aabbccdd\","
                                       "\"mechanism\":\"CKM_SHA256_RSA_PKCS\","
                                       "\"digest\":\"abcd0123\",\"doc_id\":\"ABCD-0123\","
                                       "\"transaction\":\"1b4e28ba-2fa1-41d2-883f-0016d3cca427\","
                                       "\"outcome\":\"signed\",\"milliseconds\":12345}");

    assert_int_equal(audit_append(stage->dir, &stage->clock, &entry), SCA_OK);

    audit_stage_read(stage);
    assert_int_equal(stage->line_count, 1);
    assert_int_equal(stage->text[stage->len - 1], '\n');
    stage->text[stage->len - 1] = 0;
    assert_string_equal(stage->text, expected);
}

static void what_is_not_known_is_left_out(void **state)
{
    struct audit_stage *stage = *state;
    const struct audit_entry entry = NOTHING_KNOWN;
    AUTO(freep) char *expected = audit_stage_sealed(AUDIT_ZERO, "{\"time\":\"" AUDIT_TIME "\"}");

    assert_int_equal(audit_append(stage->dir, &stage->clock, &entry), SCA_OK);

    audit_stage_read(stage);
    assert_int_equal(stage->line_count, 1);
    assert_int_equal(stage->lines[0].len, strlen(expected));
    assert_memory_equal(stage->text, expected, strlen(expected));
}

static void each_line_s_chain_depends_on_the_line_before(void **state)
{
    struct audit_stage *stage = *state;
    char previous[AUDIT_HEX_SIZE] = AUDIT_ZERO;

    audit_stage_append(stage, 5);

    audit_stage_read(stage);
    assert_int_equal(stage->line_count, 5);
    for (size_t i = 0; i < 5; i++) {
        struct span line = stage->lines[i];
        AUTO(freep) char *object = strndup((const char *)line.ptr, line.len);
        (void)strcpy(strstr(object, ",\"chain\":\""), "}");
        AUTO(freep) char *expected = audit_stage_sealed(previous, object);
        assert_int_equal(line.len, strlen(expected));
        assert_memory_equal(line.ptr, expected, line.len);
        (void)audit_stage_chain(stage, i, previous);
    }
    struct audit_report report = audit_stage_verify(stage);
    assert_int_equal(report.line_count, 5);
    assert_int_equal(report.torn_count, 0);
    assert_int_equal(report.bad_line, 0);
}

static void the_log_is_private(void **state)
{
    struct audit_stage *stage = *state;
    struct stat folder;
    struct stat file;

    audit_stage_append(stage, 1);

    assert_int_equal(stat(stage->dir, &folder), 0);
    assert_int_equal(stat(stage->path, &file), 0);
    assert_int_equal(folder.st_mode & 07777, 0700);
    assert_int_equal(file.st_mode & 07777, 0600);
}

static void no_identity_number_and_no_whole_digest_is_in_the_file(void **state)
{
    struct audit_stage *stage = *state;
    struct audit_entry entry = audit_stage_entry();
    entry.account = "cccd-" AUDIT_USER;
    entry.program = AUDIT_USER;
    entry.outcome = "refused for " AUDIT_USER ", " AUDIT_USER;

    assert_int_equal(audit_append(stage->dir, &stage->clock, &entry), SCA_OK);

    audit_stage_read(stage);
    assert_null(strstr(stage->text, AUDIT_USER));
    assert_null(strstr(stage->text, "abcd01234"));
    assert_non_null(strstr(stage->text, "\"user\":\"*********901\""));
    assert_non_null(strstr(stage->text, "\"account\":\"cccd-************\""));
    assert_non_null(strstr(stage->text, "\"program\":\"************\""));
    assert_non_null(strstr(stage->text, "\"refused for ************, ************\""));
}

static void texts_cannot_break_the_line(void **state)
{
    struct audit_stage *stage = *state;
    char quotes[600];
    struct audit_entry entry = NOTHING_KNOWN;
    memset(quotes, '"', sizeof(quotes) - 1);
    quotes[sizeof(quotes) - 1] = 0;
    entry.account = "a\n\"}\t\x7f\\";
    entry.program = "\xff\xfeký";
    entry.doc_id = "ký";
    entry.serial = quotes;

    assert_int_equal(audit_append(stage->dir, &stage->clock, &entry), SCA_OK);

    audit_stage_read(stage);
    assert_int_equal(stage->line_count, 1);
    assert_non_null(strstr(stage->text, "\"account\":\"a?\\\"}??\\\\\""));
    assert_non_null(strstr(stage->text, "\"program\":\"??k??\""));
    assert_non_null(strstr(stage->text, "\"doc_id\":\"ký\""));
    const char *cut = strstr(stage->text, "\"serial\":\"");
    assert_non_null(cut);
    assert_int_equal(strspn(cut + strlen("\"serial\":\""), "\\\""), 2 * AUDIT_TEXT_MAX + 1);
    assert_int_equal(audit_stage_verify(stage).bad_line, 0);
}

static void the_longest_lines_make_a_chain_too(void **state)
{
    struct audit_stage *stage = *state;
    char quotes[AUDIT_TEXT_MAX + 1];
    struct audit_entry entry = audit_stage_entry();
    memset(quotes, '"', AUDIT_TEXT_MAX);
    quotes[AUDIT_TEXT_MAX] = 0;
    entry.account = entry.program = entry.serial = entry.mechanism = quotes;
    entry.doc_id = entry.transaction = entry.outcome = entry.user = quotes;
    entry.slot = entry.milliseconds = INT64_MAX;
    entry.user = NULL;

    for (int i = 0; i < 5; i++)
        assert_int_equal(audit_append(stage->dir, &stage->clock, &entry), SCA_OK);

    audit_stage_read(stage);
    assert_true(stage->lines[0].len > 3500);
    struct audit_report report = audit_stage_verify(stage);
    assert_int_equal(report.line_count, 5);
    assert_int_equal(report.bad_line, 0);
}

static pid_t append_in_a_child(struct audit_stage *stage, size_t count)
{
    const struct audit_entry entry = audit_stage_entry();
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid != 0)
        return pid;
    for (size_t i = 0; i < count; i++)
        if (audit_append(stage->dir, &stage->clock, &entry) != SCA_OK)
            _exit(1);
    _exit(0);
}

static void two_processes_keep_one_chain(void **state)
{
    struct audit_stage *stage = *state;
    pid_t pids[2];

    for (size_t i = 0; i < 2; i++)
        pids[i] = append_in_a_child(stage, 100);
    for (size_t i = 0; i < 2; i++) {
        int status = -1;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }

    struct audit_report report = audit_stage_verify(stage);
    assert_int_equal(report.line_count, 200);
    assert_int_equal(report.torn_count, 0);
    assert_int_equal(report.bad_line, 0);
}

static void *append_some(void *arg)
{
    struct audit_stage *stage = arg;
    const struct audit_entry entry = audit_stage_entry();
    uintptr_t failed = 0;

    for (int i = 0; i < 25; i++)
        failed += audit_append(stage->dir, &stage->clock, &entry) != SCA_OK;
    return (void *)failed;
}

static void threads_keep_one_chain(void **state)
{
    struct audit_stage *stage = *state;
    pthread_t threads[4];

    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, append_some, stage), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        void *failed = stage;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }

    struct audit_report report = audit_stage_verify(stage);
    assert_int_equal(report.line_count, 100);
    assert_int_equal(report.bad_line, 0);
}

static void a_folder_that_cannot_be_made_is_an_error(void **state)
{
    struct audit_stage *stage = *state;
    const struct audit_entry entry = audit_stage_entry();
    FILE *in_the_way = fopen(stage->dir, "we");
    assert_non_null(in_the_way);
    (void)fclose(in_the_way);

    assert_int_equal(audit_append(stage->dir, &stage->clock, &entry), SCA_IO);
}

static void only_a_file_of_ours_is_written(void **state)
{
    struct audit_stage *stage = *state;
    const struct audit_entry entry = audit_stage_entry();
    char target[96];
    struct stat info;
    (void)snprintf(target, sizeof(target), "%s/target", stage->dir);
    audit_stage_append(stage, 1);

    assert_int_equal(rename(stage->path, target), 0);
    assert_int_equal(symlink(target, stage->path), 0);
    assert_int_equal(stat(target, &info), 0);
    assert_int_equal(audit_append(stage->dir, &stage->clock, &entry), SCA_IO);
    off_t before = info.st_size;
    assert_int_equal(stat(target, &info), 0);
    assert_int_equal(info.st_size, before);

    assert_int_equal(unlink(stage->path), 0);
    assert_int_equal(mkdir(stage->path, 0700), 0);
    assert_int_equal(audit_append(stage->dir, &stage->clock, &entry), SCA_IO);

    assert_int_equal(rmdir(stage->path), 0);
    assert_int_equal(mkfifo(stage->path, 0600), 0);
    assert_int_equal(audit_append(stage->dir, &stage->clock, &entry), SCA_IO);
}

/* In a child: the limit would stay. */
static int append_on_a_full_disk(struct audit_stage *stage, rlim_t room)
{
    const struct audit_entry entry = audit_stage_entry();
    const struct rlimit limit = {.rlim_cur = room, .rlim_max = room};
    int status = -1;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        /* SIGXFSZ is not ignored: it would end the host. */
        if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
            _exit(100);
        _exit((int)audit_append(stage->dir, &stage->clock, &entry));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void a_full_disk_leaves_the_log_as_it_was(void **state)
{
    struct audit_stage *stage = *state;
    audit_stage_append(stage, 2);
    audit_stage_read(stage);
    char before[AUDIT_HEX_SIZE];
    char after[AUDIT_HEX_SIZE];
    audit_stage_sha256(span_of(stage->text, stage->len), before);

    assert_int_equal(append_on_a_full_disk(stage, (rlim_t)stage->len + 100), SCA_NO_SPACE);

    audit_stage_read(stage);
    audit_stage_sha256(span_of(stage->text, stage->len), after);
    assert_string_equal(after, before);
    assert_int_equal(audit_stage_verify(stage).line_count, 2);
}

static void a_log_that_is_not_there_is_not_found(void **state)
{
    struct audit_stage *stage = *state;
    struct audit_report report = {.bad_line = 77};

    assert_int_equal(audit_verify(stage->dir, &report), SCA_NOT_FOUND);
    assert_int_equal(mkdir(stage->dir, 0700), 0);
    assert_int_equal(audit_verify(stage->dir, &report), SCA_NOT_FOUND);

    assert_int_equal(report.bad_line, 77);
}

static void a_log_that_others_may_write_proves_nothing(void **state)
{
    struct audit_stage *stage = *state;
    struct audit_report report = {.bad_line = 77};
    audit_stage_append(stage, 1);
    assert_int_equal(chmod(stage->path, 0620), 0);

    assert_int_equal(audit_verify(stage->dir, &report), SCA_INVALID);

    assert_int_equal(report.bad_line, 77);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, audit_stage_begin, audit_stage_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_entry_is_one_line_sealed_by_its_chain),
        TEST(what_is_not_known_is_left_out),
        TEST(each_line_s_chain_depends_on_the_line_before),
        TEST(the_log_is_private),
        TEST(no_identity_number_and_no_whole_digest_is_in_the_file),
        TEST(texts_cannot_break_the_line),
        TEST(the_longest_lines_make_a_chain_too),
        TEST(two_processes_keep_one_chain),
        TEST(threads_keep_one_chain),
        TEST(a_folder_that_cannot_be_made_is_an_error),
        TEST(only_a_file_of_ours_is_written),
        TEST(a_full_disk_leaves_the_log_as_it_was),
        TEST(a_log_that_is_not_there_is_not_found),
        TEST(a_log_that_others_may_write_proves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
