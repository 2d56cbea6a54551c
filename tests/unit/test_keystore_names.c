/* SPDX-License-Identifier: Apache-2.0 */
/* Which tokens there are, where the folder cannot be read. Linked with --wrap=opendir and
 * --wrap=readdir. */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "tests/unit/keystore_stage.h"

static int open_error; /* 0: none */
static int read_error;

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's names */
DIR *__real_opendir(const char *path);
DIR *__wrap_opendir(const char *path);
struct dirent *__real_readdir(DIR *dir);
struct dirent *__wrap_readdir(DIR *dir);

DIR *__wrap_opendir(const char *path)
{
    errno = open_error;
    return open_error ? NULL : __real_opendir(path);
}

struct dirent *__wrap_readdir(DIR *dir)
{
    if (!read_error)
        return __real_readdir(dir);
    errno = read_error;
    return NULL;
}
/* NOLINTEND(bugprone-reserved-identifier) */

static enum sca_status count(void *arg, const char *name)
{
    (void)name;
    ++*(unsigned *)arg;
    return SCA_OK;
}

static void a_folder_that_cannot_be_read_is_not_an_empty_one(void **state)
{
    static const struct {
        int error;
        enum sca_status status;
    } rows[] = {
        {ENOMEM, SCA_NOMEM}, {EMFILE, SCA_NOMEM}, {EIO, SCA_IO}, {EACCES, SCA_IO}, {0, SCA_OK},
    };
    const struct keystore_stage *stage = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        unsigned names = 0;
        open_error = rows[i].error;
        assert_int_equal(keystore_each_name(stage->dir, count, &names), rows[i].status);
        open_error = 0;
        read_error = rows[i].error;
        assert_int_equal(keystore_each_name(stage->dir, count, &names), rows[i].status);
        read_error = 0;
        assert_int_equal(names, rows[i].error ? 0 : 2); /* seen both times */
    }
}

static void a_folder_that_is_not_there_has_no_names(void **state)
{
    const struct keystore_stage *stage = *state;
    unsigned names = 0;

    open_error = ENOENT;
    assert_int_equal(keystore_each_name(stage->dir, count, &names), SCA_OK);
    open_error = 0;

    assert_int_equal(names, 0);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, keystore_stage_begin, keystore_stage_end)
    const struct CMUnitTest tests[] = {
        WITH(a_folder_that_cannot_be_read_is_not_an_empty_one),
        WITH(a_folder_that_is_not_there_has_no_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
