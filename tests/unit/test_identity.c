/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/base/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"

#define URL    "https://gwsca.vnpt.vn/sca/sp769"
#define PERSON "012345678901"

static void both_parts_make_an_identity(void **state)
{
    static const struct {
        struct identity identity;
        bool is_same;
    } rows[] = {
        {{URL, PERSON}, true},
        {{URL, "012345678902"}, false},
        {{"https://localhost/sca", PERSON}, false},
        {{URL "/", PERSON}, false},
        {{"", ""}, false},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(identity_equal(rows[i].identity, (struct identity){URL, PERSON}),
                         rows[i].is_same);
}

/* As sha256sum says it of the two lines: files with such names are on disk. */
static void the_name_is_the_digest_that_files_are_called_by(void **state)
{
    char name[IDENTITY_NAME_SIZE];
    (void)state;

    assert_int_equal(identity_name((struct identity){URL, PERSON}, name), SCA_OK);

    assert_string_equal(name, "91b0455e379c3c256e9ed3a5f9112531670449a1f5c04e476617e5d18c35d64b");
}

static void what_is_in_one_part_is_not_in_the_other(void **state)
{
    char name[IDENTITY_NAME_SIZE];
    char other[IDENTITY_NAME_SIZE];
    (void)state;

    assert_int_equal(identity_name((struct identity){"ab", "c"}, name), SCA_OK);
    assert_int_equal(identity_name((struct identity){"a", "bc"}, other), SCA_OK);

    assert_string_not_equal(name, other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_parts_make_an_identity),
        cmocka_unit_test(the_name_is_the_digest_that_files_are_called_by),
        cmocka_unit_test(what_is_in_one_part_is_not_in_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
