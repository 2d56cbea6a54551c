/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/base/library_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "tests/lib/folder.h"

struct stage {
    char dir[64];
    char sub[96];
    char file[128];
};

static int begin(void **state)
{
    struct stage *stage = calloc(1, sizeof(*stage));
    assert_non_null(stage);
    (void)strcpy(stage->dir, "/tmp/library.XXXXXX");
    assert_non_null(mkdtemp(stage->dir));
    (void)snprintf(stage->sub, sizeof(stage->sub), "%s/sub", stage->dir);
    (void)snprintf(stage->file, sizeof(stage->file), "%s/module.so", stage->sub);
    assert_int_equal(mkdir(stage->sub, 0755), 0);
    AUTO(fd_closep) int fd = open(stage->file, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    *state = stage;
    return 0;
}

static int end(void **state)
{
    struct stage *stage = *state;
    folder_remove(stage->dir);
    free(stage);
    return 0;
}

static void expect(const char *path, enum sca_status status, const char *reason)
{
    AUTO(library_file_fini) struct library_file file = {.path = NULL};
    const char *why = NULL;

    assert_int_equal(library_file_check(path, &file, &why), status);
    if (reason)
        assert_string_equal(why, reason);
}

static void a_file_that_only_its_owner_can_change_is_taken(void **state)
{
    const struct stage *stage = *state;
    AUTO(library_file_fini) struct library_file file = {.path = NULL};
    const char *why = NULL;
    struct stat info;

    assert_int_equal(library_file_check(stage->file, &file, &why), SCA_OK);

    assert_int_equal(stat(stage->file, &info), 0);
    assert_string_equal(file.path, stage->file);
    assert_int_equal(file.device, info.st_dev);
    assert_int_equal(file.inode, info.st_ino);
}

static void a_link_is_resolved(void **state)
{
    const struct stage *stage = *state;
    AUTO(library_file_fini) struct library_file file = {.path = NULL};
    const char *why = NULL;
    char link[96];

    (void)snprintf(link, sizeof(link), "%s/link.so", stage->dir);
    assert_int_equal(symlink(stage->file, link), 0);
    assert_int_equal(library_file_check(link, &file, &why), SCA_OK);

    assert_string_equal(file.path, stage->file);
}

static void a_file_that_others_may_write_is_refused(void **state)
{
    const struct stage *stage = *state;
    static const char reason[] = "writable by its group or by others; run chmod go-w on it";

    assert_int_equal(chmod(stage->file, 0664), 0);
    expect(stage->file, SCA_INVALID, reason);
    assert_int_equal(chmod(stage->file, 0646), 0);
    expect(stage->file, SCA_INVALID, reason);
}

static void a_folder_that_others_may_write_is_refused(void **state)
{
    const struct stage *stage = *state;
    static const char reason[] = "a folder on the way to it is writable by its group or by others";

    assert_int_equal(chmod(stage->sub, 0775), 0);
    expect(stage->file, SCA_INVALID, reason);
    assert_int_equal(chmod(stage->sub, 0755), 0);
    assert_int_equal(chmod(stage->dir, 0707), 0);
    expect(stage->file, SCA_INVALID, reason);
}

static void in_a_sticky_folder_nobody_takes_anothers_place(void **state)
{
    const struct stage *stage = *state;

    assert_int_equal(chmod(stage->sub, 01777), 0);

    expect(stage->file, SCA_OK, NULL);
}

static void a_link_in_a_folder_of_others_is_refused(void **state)
{
    const struct stage *stage = *state;
    char folder[96];
    char link[128];

    (void)snprintf(folder, sizeof(folder), "%s/open", stage->dir);
    (void)snprintf(link, sizeof(link), "%s/link.so", folder);
    assert_int_equal(mkdir(folder, 0755), 0);
    assert_int_equal(chmod(folder, 0777), 0);
    assert_int_equal(symlink(stage->file, link), 0);

    expect(link, SCA_INVALID, "a folder on the way to it is writable by its group or by others");
}

static void another_users_file_or_folder_is_refused(void **state)
{
    const struct stage *stage = *state;
    enum { NOBODY = 65534 };

    if (geteuid() != 0)
        skip();
    assert_int_equal(chown(stage->file, NOBODY, (gid_t)-1), 0);
    expect(stage->file, SCA_INVALID, "owned by another user; only your own or root's is loaded");
    assert_int_equal(chown(stage->file, 0, (gid_t)-1), 0);
    assert_int_equal(chown(stage->sub, NOBODY, (gid_t)-1), 0);
    expect(stage->file, SCA_INVALID, "a folder on the way to it belongs to another user");
}

static void what_is_no_file_is_refused(void **state)
{
    const struct stage *stage = *state;
    char path[160];

    expect(stage->sub, SCA_INVALID, "not a regular file");
    expect("module.so", SCA_INVALID, "not an absolute path");
    expect("", SCA_INVALID, "not an absolute path");
    (void)snprintf(path, sizeof(path), "%s/none.so", stage->sub);
    expect(path, SCA_NOT_FOUND, "not there");
    (void)snprintf(path, sizeof(path), "%s/below", stage->file);
    expect(path, SCA_NOT_FOUND, "not there");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_that_only_its_owner_can_change_is_taken),
        TEST(a_link_is_resolved),
        TEST(a_file_that_others_may_write_is_refused),
        TEST(a_folder_that_others_may_write_is_refused),
        TEST(in_a_sticky_folder_nobody_takes_anothers_place),
        TEST(a_link_in_a_folder_of_others_is_refused),
        TEST(another_users_file_or_folder_is_refused),
        TEST(what_is_no_file_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
