/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/base/log.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"

struct stage {
    char dir[64];
    char path[96];
    struct log log;
    char text[8192];
};

static int begin(void **state)
{
    struct stage *stage = calloc(1, sizeof(*stage));
    assert_non_null(stage);
    (void)strcpy(stage->dir, "/tmp/log.XXXXXX");
    assert_non_null(mkdtemp(stage->dir));
    (void)snprintf(stage->path, sizeof(stage->path), "%s/log", stage->dir);
    stage->log.sink = LOG_SINK_NONE;
    *state = stage;
    return 0;
}

static int end(void **state)
{
    struct stage *stage = *state;
    log_attach(NULL);
    log_close(&stage->log);
    (void)unlink(stage->path);
    assert_int_equal(rmdir(stage->dir), 0);
    free(stage);
    return 0;
}

static void open_at(struct stage *stage, enum log_level level)
{
    assert_int_equal(log_open(&stage->log, stage->path, level), SCA_OK);
    log_attach(&stage->log);
}

static const char *read_log(struct stage *stage)
{
    int fd = open(stage->path, O_RDONLY);
    assert_true(fd >= 0);
    ssize_t len = read(fd, stage->text, sizeof(stage->text) - 1);
    assert_true(len >= 0);
    stage->text[len] = 0;
    (void)close(fd);
    return stage->text;
}

static void a_line_says_when_who_and_how_bad(void **state)
{
    struct stage *stage = *state;
    char expected[64];
    open_at(stage, LOG_LEVEL_WARNING);

    log_line(LOG_LEVEL_ERROR, "%d and %s", 7, "text");

    const char *text = read_log(stage);
    (void)snprintf(expected, sizeof(expected), "Z smartca-pkcs11[%ld] error: 7 and text\n",
                   (long)getpid());
    assert_int_equal(strlen(text), strlen("2026-01-01T00:00:00") + strlen(expected));
    assert_string_equal(text + strlen("2026-01-01T00:00:00"), expected);
}

static void lines_below_the_level_are_left_out(void **state)
{
    struct stage *stage = *state;
    open_at(stage, LOG_LEVEL_WARNING);

    log_line(LOG_LEVEL_INFO, "left out");
    log_line(LOG_LEVEL_DEBUG, "left out");
    log_line(LOG_LEVEL_WARNING, "written");

    assert_null(strstr(read_log(stage), "left out"));
    assert_non_null(strstr(stage->text, " warning: written\n"));
    assert_true(log_is_on(LOG_LEVEL_WARNING));
    assert_false(log_is_on(LOG_LEVEL_INFO));
}

static void nothing_is_written_before_a_log_is_attached(void **state)
{
    struct stage *stage = *state;
    assert_int_equal(log_open(&stage->log, stage->path, LOG_LEVEL_DEBUG), SCA_OK);

    log_line(LOG_LEVEL_ERROR, "nobody listens");
    assert_false(log_is_on(LOG_LEVEL_ERROR));
    assert_null(log_attached());
    log_attach(&stage->log);
    assert_ptr_equal(log_attached(), &stage->log);
    log_close(&stage->log);
    log_line(LOG_LEVEL_ERROR, "closed");

    assert_string_equal(read_log(stage), "");
}

static void control_characters_cannot_forge_a_line(void **state)
{
    struct stage *stage = *state;
    open_at(stage, LOG_LEVEL_WARNING);

    log_line(LOG_LEVEL_WARNING, "%s", "a\nb\r\tc\x1b[31m\x7f Nguyễn");

    assert_non_null(strstr(read_log(stage), " warning: a?b??c?[31m? Nguyễn\n"));
    assert_ptr_equal(strchr(stage->text, '\n'), stage->text + strlen(stage->text) - 1);
}

static void a_long_line_is_cut(void **state)
{
    struct stage *stage = *state;
    char longer[3000];
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = 0;
    open_at(stage, LOG_LEVEL_WARNING);

    log_line(LOG_LEVEL_WARNING, "%s", longer);
    log_line(LOG_LEVEL_WARNING, "next");

    assert_in_range(strlen(read_log(stage)), 1000, 1300);
    assert_non_null(strstr(stage->text, "xxx\n"));
    assert_non_null(strstr(stage->text, " warning: next\n"));
}

static void a_file_is_appended_to_and_private(void **state)
{
    struct stage *stage = *state;
    struct stat info;
    open_at(stage, LOG_LEVEL_WARNING);
    log_line(LOG_LEVEL_WARNING, "first");
    log_attach(NULL);
    log_close(&stage->log);
    open_at(stage, LOG_LEVEL_WARNING);
    log_line(LOG_LEVEL_WARNING, "second");

    assert_non_null(strstr(read_log(stage), "first"));
    assert_non_null(strstr(stage->text, "second"));
    assert_int_equal(stat(stage->path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(fcntl(stage->log.fd, F_GETFD), FD_CLOEXEC);
}

static void other_targets_are_refused(void **state)
{
    struct stage *stage = *state;
    char elsewhere[128];
    struct log log;

    assert_int_equal(log_open(&log, "stdout", LOG_LEVEL_ERROR), SCA_INVALID);
    assert_int_equal(log_open(&log, "", LOG_LEVEL_ERROR), SCA_INVALID);
    assert_int_equal(log_open(&log, "relative/path", LOG_LEVEL_ERROR), SCA_INVALID);
    assert_int_equal(log_open(&log, stage->dir, LOG_LEVEL_ERROR), SCA_IO); /* a folder */
    (void)snprintf(elsewhere, sizeof(elsewhere), "%s/none/log", stage->dir);
    assert_int_equal(log_open(&log, elsewhere, LOG_LEVEL_ERROR), SCA_IO);
    assert_int_equal(symlink(elsewhere, stage->path), 0);
    assert_int_equal(log_open(&log, stage->path, LOG_LEVEL_ERROR), SCA_IO); /* not through links */
    assert_int_equal(log.sink, LOG_SINK_NONE);
    assert_int_equal(log_open(&log, "syslog", LOG_LEVEL_ERROR), SCA_OK);
    assert_int_equal(log.sink, LOG_SINK_SYSLOG);
    assert_int_equal(log_open(&log, "stderr", LOG_LEVEL_ERROR), SCA_OK);
    assert_int_equal(log.sink, LOG_SINK_STDERR);
}

static void log_to(struct stage *stage, int fd)
{
    struct stat info;
    assert_int_equal(fstat(fd, &info), 0);
    stage->log = (struct log){.level = LOG_LEVEL_ERROR,
                              .sink = LOG_SINK_FILE,
                              .fd = fd,
                              .device = info.st_dev,
                              .inode = info.st_ino};
    log_attach(&stage->log);
}

/* The host must not die because the reader of its log went away. */
static void a_broken_pipe_is_no_signal(void **state)
{
    struct stage *stage = *state;
    int ends[2];
    sigset_t pending;
    assert_int_equal(pipe(ends), 0);
    (void)close(ends[0]);
    log_to(stage, ends[1]);

    log_line(LOG_LEVEL_ERROR, "to nobody");

    assert_int_equal(sigpending(&pending), 0);
    assert_false(sigismember(&pending, SIGPIPE));
}

/* Nor because the log has as many bytes as its files may have, and its own signal stays its own. */
static void a_log_that_may_not_grow_is_no_signal(void **state)
{
    struct stage *stage = *state;
    struct rlimit before;
    sigset_t signals;
    sigset_t pending;
    open_at(stage, LOG_LEVEL_ERROR);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    const struct rlimit none = {.rlim_cur = 0, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);

    log_line(LOG_LEVEL_ERROR, "nowhere");
    assert_int_equal(sigpending(&pending), 0);
    bool is_raised = sigismember(&pending, SIGXFSZ);
    sigemptyset(&signals);
    sigaddset(&signals, SIGXFSZ);
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
    (void)raise(SIGXFSZ);
    log_line(LOG_LEVEL_ERROR, "nowhere");
    (void)sigpending(&pending);
    bool is_kept = sigismember(&pending, SIGXFSZ);
    if (is_kept)
        (void)sigwaitinfo(&signals, NULL);
    (void)pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
    (void)setrlimit(RLIMIT_FSIZE, &before);
    log_line(LOG_LEVEL_ERROR, "there");

    assert_false(is_raised);
    assert_true(is_kept);
    assert_non_null(strstr(read_log(stage), "there"));
    assert_null(strstr(stage->text, "nowhere"));
}

static void levels_have_names(void **state)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    enum log_level level = LOG_LEVEL_ERROR;
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_true(log_level_parse(names[i], &level));
        assert_int_equal(level, i);
    }
    assert_false(log_level_parse("Debug", &level));
    assert_false(log_level_parse("", &level));
    assert_int_equal(level, LOG_LEVEL_DEBUG);
}

static void identity_numbers_are_masked(void **state)
{
    static const struct {
        const char *id;
        const char *shown;
    } rows[] = {
        {"012345678901", "*********901"},
        {"1234567", "****567"},
        {"123456", "******"}, /* three of six would be half of it */
        {"1", "*"},
        {"", ""},
        {"0123456789012345678901234567890123456789", "****************************890"},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char out[LOG_MASK_SIZE];
        assert_ptr_equal(log_mask(rows[i].id, out), out);
        assert_string_equal(out, rows[i].shown);
    }
}

#define STAGED(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGED(a_line_says_when_who_and_how_bad),
        STAGED(lines_below_the_level_are_left_out),
        STAGED(nothing_is_written_before_a_log_is_attached),
        STAGED(control_characters_cannot_forge_a_line),
        STAGED(a_long_line_is_cut),
        STAGED(a_file_is_appended_to_and_private),
        STAGED(other_targets_are_refused),
        STAGED(a_broken_pipe_is_no_signal),
        STAGED(a_log_that_may_not_grow_is_no_signal),
        cmocka_unit_test(levels_have_names),
        cmocka_unit_test(identity_numbers_are_masked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
