/* SPDX-License-Identifier: Apache-2.0 */
/* The folder of what runs of smartca sign have asked for: whose it is, and what is removed there.
 * Linked with --wrap=readdir. */
#include "remote/cli/sign_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "tests/lib/folder.h"

enum { PATH_SIZE = 512 };

#define DIGEST "0101010101010101010101010101010101010101010101010101010101010101"

static char dir[64];

static int begin(void **state)
{
    (void)state;
    (void)strcpy(dir, "/tmp/notes.XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    return folder_remove(dir);
}

static void a_question_makes_no_folder(void **state)
{
    struct trouble trouble = {.code = ""};
    char path[PATH_SIZE];
    int folder = 0;
    (void)state;
    (void)snprintf(path, sizeof(path), "%s/" SIGN_NOTE_FOLDER, dir);

    assert_true(sign_folder_open(dir, false, &folder, &trouble));

    assert_int_equal(folder, -1);
    assert_int_equal(access(path, F_OK), -1);
}

static void a_folder_that_is_not_ours_alone_is_refused(void **state)
{
    struct trouble trouble = {.code = ""};
    char path[PATH_SIZE];
    int folder = -1;
    (void)state;
    (void)snprintf(path, sizeof(path), "%s/" SIGN_NOTE_FOLDER, dir);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(chmod(path, 0770), 0);

    assert_false(sign_folder_open(dir, false, &folder, &trouble));
    assert_string_equal(trouble.code, "io");
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(symlink(".", path), 0);
    assert_false(sign_folder_open(dir, false, &folder, &trouble));
    assert_false(sign_folder_open(dir, true, &folder, &trouble));

    assert_int_equal(folder, -1);
}

static enum sca_status count_note(const char *name, struct sign_entries *entries, bool is_held,
                                  void *arg)
{
    size_t *count = arg;

    assert_int_equal(strlen(name), SIGN_NOTE_NAME_SIZE - 1);
    assert_int_equal(entries->count, 1);
    assert_false(is_held);
    (*count)++;
    return SCA_OK;
}

static void put(int folder, const char *name, const char *text)
{
    AUTO(fd_closep) int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(fd_write_all(fd, span_text(text)), SCA_OK);
}

static void nothing_but_notes_is_removed(void **state)
{
    static const struct {
        const char *name;
        const char *text;
        bool is_old;
        bool is_left;
    } rows[] = {
        {"0000000000000000", "file 01 " DIGEST " 1 " DIGEST "\nend\n", false, true},
        {"0000000000000001", "file 01 " DIGEST " 1 " DIGEST "\nend\n", true, false},
        {"0000000000000002", "file 01 " DIGEST " 1 " DIGEST "\n", false, false},
        {"0000000000000003", "fi", false, false},
        {"0000000000000004", "", false, false},
        {"0000000000000005", "precious", false, true},
        {"0000000000000006", "precious", true, true},
        {"000000000000000", "file", true, true},
        {"00000000000000000", "file", true, true},
        {"000000000000000G", "file", true, true},
        {"notes", "file", true, true},
    };
    const struct timespec yesterday[2] = {{.tv_sec = time(NULL) - 2L * JOURNAL_KEEP_S},
                                          {.tv_sec = time(NULL) - 2L * JOURNAL_KEEP_S}};
    AUTO(fd_closep) int folder = -1;
    struct trouble trouble = {.code = ""};
    size_t count = 0;
    (void)state;
    assert_true(sign_folder_open(dir, true, &folder, &trouble));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        put(folder, rows[i].name, rows[i].text);
        if (rows[i].is_old)
            assert_int_equal(utimensat(folder, rows[i].name, yesterday, 0), 0);
    }
    assert_int_equal(mkfifoat(folder, "0000000000000007", 0600), 0);
    assert_int_equal(symlinkat("notes", folder, "0000000000000008"), 0);

    assert_int_equal(sign_folder_each(folder, count_note, &count), SCA_OK);

    assert_int_equal(count, 1);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        print_message("%s\n", rows[i].name);
        assert_int_equal(faccessat(folder, rows[i].name, F_OK, 0) == 0, rows[i].is_left);
    }
    assert_int_equal(unlinkat(folder, "0000000000000007", 0), 0);
    assert_int_equal(unlinkat(folder, "0000000000000008", 0), 0);
}

static bool is_unreadable; /* the folder: for the next look at it */

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's names */
struct dirent *__real_readdir(DIR *all);
struct dirent *__wrap_readdir(DIR *all);

struct dirent *__wrap_readdir(DIR *all)
{
    if (!is_unreadable)
        return __real_readdir(all);
    is_unreadable = false;
    errno = EIO;
    return NULL;
}
/* NOLINTEND(bugprone-reserved-identifier) */

static void what_cannot_be_looked_at_is_told(void **state)
{
    AUTO(fd_closep) int folder = -1;
    struct trouble trouble = {.code = ""};
    struct sign_files files = {.count = 0};
    struct rlimit usual;
    size_t count = 0;
    (void)state;
    assert_true(sign_folder_open(dir, true, &folder, &trouble));
    put(folder, "0000000000000000", "file 01 " DIGEST " 1 " DIGEST "\nend\n");
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &usual), 0);

    is_unreadable = true;
    assert_int_equal(sign_folder_each(folder, count_note, &count), SCA_IO);
    is_unreadable = true;
    assert_false(sign_folder_is_free(folder, &files, &trouble));
    assert_string_equal(trouble.code, "io");
    /* The folder itself is opened, its note is not. */
    const struct rlimit one = {.rlim_cur = (rlim_t)folder + 2, .rlim_max = usual.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &one), 0);
    enum sca_status st = sign_folder_each(folder, count_note, &count);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &usual), 0);

    assert_int_equal(st, SCA_NOMEM);
    assert_int_equal(count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_question_makes_no_folder),
        TEST(a_folder_that_is_not_ours_alone_is_refused),
        TEST(nothing_but_notes_is_removed),
        TEST(what_cannot_be_looked_at_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
