/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/smartca/confirm.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "remote/base/bytes.h"
#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/base/log.h"
#include "tests/lib/folder.h"

static char plain_name[] = "soffice.bin";
static const uint8_t digest[32] = {0x0a, 0xbc, 0xde, 0xf1, 0x23};

/* A folder with a pipe that whatever is run writes to, and a log. */
struct stage {
    char dir[64];
    char pipe[96];
    char script[96];
    char log_path[96];
    struct log log;
};

static int begin(void **state)
{
    struct stage *stage = calloc(1, sizeof(*stage));

    (void)strcpy(stage->dir, "/tmp/confirm.XXXXXX");
    assert_non_null(mkdtemp(stage->dir));
    (void)snprintf(stage->pipe, sizeof(stage->pipe), "%s/pipe", stage->dir);
    (void)snprintf(stage->script, sizeof(stage->script), "%s/show", stage->dir);
    (void)snprintf(stage->log_path, sizeof(stage->log_path), "%s/log", stage->dir);
    assert_int_equal(mkfifo(stage->pipe, 0600), 0);
    assert_int_equal(log_open(&stage->log, stage->log_path, LOG_LEVEL_DEBUG), SCA_OK);
    log_attach(&stage->log);
    *state = stage;
    return 0;
}

static int end(void **state)
{
    struct stage *stage = *state;

    log_attach(NULL);
    log_close(&stage->log);
    (void)folder_remove(stage->dir);
    free(stage);
    return 0;
}

static void write_script(const struct stage *stage, const char *body)
{
    FILE *file = fopen(stage->script, "w");

    assert_non_null(file);
    (void)fprintf(file, "#!/bin/sh\n{ %s; } > %s\n", body, stage->pipe);
    (void)fclose(file);
    assert_int_equal(chmod(stage->script, 0700), 0);
}

/* Blocks until the script has written and ended. */
static void hear(const struct stage *stage, char *out, size_t size)
{
    AUTO(fd_closep) int fd = open(stage->pipe, O_RDONLY | O_CLOEXEC);
    size_t len = 0;

    assert_true(fd >= 0);
    for (;;) {
        ssize_t got = read(fd, out + len, size - 1 - len);
        assert_true(got >= 0);
        if (got == 0)
            break;
        len += (size_t)got;
    }
    out[len] = 0;
}

static size_t log_size(const struct stage *stage)
{
    struct stat info;

    return stat(stage->log_path, &info) == 0 ? (size_t)info.st_size : 0;
}

static void the_code_is_the_digest_s_beginning(void **state)
{
    char code[CONFIRM_CODE_SIZE];
    (void)state;

    confirm_code(span_of(digest, sizeof(digest)), code);
    assert_string_equal(code, "0ABC-DEF1");
    confirm_code(span_of(digest, 2), code);
    assert_string_equal(code, "0ABC-0000");
}

static void the_description_names_program_host_number_and_code(void **state)
{
    char host[256] = "";
    char expected[400];
    char text[256];
    (void)state;
    program_invocation_short_name = plain_name;
    assert_int_equal(gethostname(host, sizeof(host) - 1), 0);

    confirm_description(span_of(digest, sizeof(digest)), 1, text, sizeof(text));
    (void)snprintf(expected, sizeof(expected),
                   "soffice.bin on %.64s signs 1 document, code 0ABC-DEF1", host);
    assert_string_equal(text, expected);
    confirm_description(span_of(digest, sizeof(digest)), 12, text, sizeof(text));
    (void)snprintf(expected, sizeof(expected),
                   "soffice.bin on %.64s signs 12 documents, code 0ABC-DEF1", host);
    assert_string_equal(text, expected);
}

static void a_strange_program_name_is_made_presentable(void **state)
{
    static const struct {
        const char *name;
        const char *shown;
    } rows[] = {
        {"-bash", "bash on "},
        {"a\nb\tc\x7f", "a?b?c? on "},
        {"k\xc3\xbd", "k\xc3\xbd on "},
        {"bad\xff", "bad? on "},
        {"", "? on "},
        {"--", "? on "},
    };
    char text[256];
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "%s", rows[i].name);
        program_invocation_short_name = name;
        confirm_description(span_of(digest, sizeof(digest)), 1, text, sizeof(text));
        assert_memory_equal(text, rows[i].shown, strlen(rows[i].shown));
    }
    program_invocation_short_name = plain_name;
}

static void a_long_program_name_is_cut_at_a_character(void **state)
{
    char name[200] = "x";
    char text[256];
    (void)state;
    for (size_t i = 0; i < 60; i++)
        memcpy(name + 1 + 2 * i, "\xc4\x91", 3);
    program_invocation_short_name = name;

    confirm_description(span_of(digest, sizeof(digest)), 1, text, sizeof(text));

    assert_memory_equal(text, name, 63); /* 64 would be half a letter */
    assert_memory_equal(text + 63, " on ", 4);
    assert_true(utf8_is_valid(span_text(text)));
    assert_non_null(strstr(text, "code 0ABC-DEF1"));
    program_invocation_short_name = plain_name;
}

static void the_command_gets_its_words_and_the_text_as_they_are(void **state)
{
    struct stage *stage = *state;
    char command[256];
    char heard[512];
    write_script(stage, "printf '<%s>' \"$@\"");
    (void)snprintf(command, sizeof(command), "%s  plain \"two words\" %%s a=\"%%s\"! \"\" $HOME;",
                   stage->script);

    confirm_run(command, "x \"y\" $(id) %s");
    hear(stage, heard, sizeof(heard));

    assert_string_equal(heard,
                        "<plain><two words><x \"y\" $(id) %s><a=x \"y\" $(id) %s!><><$HOME;>");
    assert_int_equal(log_size(stage), 0);
}

static void the_command_inherits_no_descriptor(void **state)
{
    struct stage *stage = *state;
    char heard[2048];
    write_script(stage, "ls -l /proc/$$/fd");
    AUTO(fd_closep) int leak = open("/dev/zero", O_RDONLY); /* no O_CLOEXEC: a careless host */
    assert_true(leak > 2);

    confirm_run(stage->script, "text");
    hear(stage, heard, sizeof(heard));

    assert_non_null(strstr(heard, "0 -> /dev/null"));
    assert_non_null(strstr(heard, "2 -> /dev/null"));
    assert_null(strstr(heard, "/dev/zero"));
    assert_null(strstr(heard, stage->log_path));
}

static void the_command_has_default_signals_and_the_host_keeps_its_own(void **state)
{
    struct stage *stage = *state;
    char command[256];
    char heard[4096];
    sigset_t usr1;
    sigset_t before;
    sigset_t after;
    /* No shell: it would have a mask of its own. */
    (void)snprintf(command, sizeof(command), "/bin/cp /proc/self/status %s", stage->pipe);
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, &usr1, &before), 0);
    (void)signal(SIGUSR2, SIG_IGN);

    confirm_run(command, "text");
    hear(stage, heard, sizeof(heard));
    (void)signal(SIGUSR2, SIG_DFL);
    assert_int_equal(pthread_sigmask(SIG_SETMASK, &before, &after), 0);

    assert_non_null(strstr(heard, "SigBlk:\t0000000000000000"));
    assert_non_null(strstr(heard, "SigIgn:\t0000000000000000"));
    assert_true(sigismember(&after, SIGUSR1));
    assert_false(sigismember(&after, SIGUSR2));
}

static volatile sig_atomic_t child_signals;

static void count_child(int signal)
{
    (void)signal;
    child_signals++;
}

static void the_host_never_hears_of_the_children(void **state)
{
    struct stage *stage = *state;
    char heard[64];
    const struct sigaction counting = {.sa_handler = count_child};
    struct sigaction before;
    write_script(stage, "echo done");
    assert_int_equal(sigaction(SIGCHLD, &counting, &before), 0);

    confirm_run(stage->script, "text");
    hear(stage, heard, sizeof(heard));
    errno = 0;
    pid_t child = waitpid(-1, NULL, WNOHANG);
    int reason = errno;
    assert_int_equal(sigaction(SIGCHLD, &before, NULL), 0);

    assert_string_equal(heard, "done\n");
    assert_int_equal(child, -1);
    assert_int_equal(reason, ECHILD);
    assert_int_equal(child_signals, 0);
}

static void what_cannot_be_run_is_logged_and_ignored(void **state)
{
    struct stage *stage = *state;
    char long_command[6000];
    memset(long_command, 'x', sizeof(long_command) - 1);
    long_command[0] = '/';
    long_command[sizeof(long_command) - 1] = 0;
    const char *const commands[] = {
        "", "   ", "relative words", "/nonexistent %s", "/ %s", "/bin/sh \"open", long_command};

    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        size_t before = log_size(stage);
        confirm_run(commands[i], "text");
        assert_true(log_size(stage) > before);
    }
}

static void more_words_than_there_is_room_for_are_refused(void **state)
{
    struct stage *stage = *state;
    char command[600] = "/bin/true";
    for (size_t i = 0; i < 64; i++)
        memcpy(command + 9 + 5 * i, " word", 6);

    confirm_run(command, "text");

    assert_true(log_size(stage) > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_code_is_the_digest_s_beginning),
        TEST(the_description_names_program_host_number_and_code),
        TEST(a_strange_program_name_is_made_presentable),
        TEST(a_long_program_name_is_cut_at_a_character),
        TEST(the_command_gets_its_words_and_the_text_as_they_are),
        TEST(the_command_inherits_no_descriptor),
        TEST(the_command_has_default_signals_and_the_host_keeps_its_own),
        TEST(the_host_never_hears_of_the_children),
        TEST(what_cannot_be_run_is_logged_and_ignored),
        TEST(more_words_than_there_is_room_for_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
