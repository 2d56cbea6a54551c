/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "module/entry/trace.h"
#include "remote/base/cleanup.h"

#define NAMED(value)                                                                               \
    {                                                                                              \
        value, #value                                                                              \
    }

static void codes_that_occur_have_names(void **state)
{
    static const struct {
        CK_RV rv;
        const char *name;
    } rows[] = {
        NAMED(CKR_OK),
        NAMED(CKR_SESSION_CLOSED),
        NAMED(CKR_FUNCTION_REJECTED),
        NAMED(CKR_TOKEN_RESOURCE_EXCEEDED),
        NAMED(CKR_CRYPTOKI_NOT_INITIALIZED),
        NAMED(CKR_SESSION_ASYNC_NOT_SUPPORTED),
        NAMED(CKR_FUNCTION_NOT_PARALLEL),
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_string_equal(trace_rv_name(rows[i].rv), rows[i].name);
}

/* A value listed twice would hide the second name; a name must be of the right kind. */
static void no_name_is_told_for_two_values(void **state)
{
    static const struct {
        const char *(*name)(CK_ULONG value);
        const char *kind;
        CK_ULONG last;
    } tables[] = {
        {trace_rv_name, "CKR_", 0x300},
        {trace_mechanism_name, "CKM_", 0x2200},
        {trace_attribute_name, "CKA_", 0x700},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        unsigned known = 0;
        for (CK_ULONG value = 0; value <= tables[i].last; value++) {
            const char *name = tables[i].name(value);
            if (!name)
                continue;
            known++;
            assert_memory_equal(name, tables[i].kind, 4);
            assert_ptr_equal(tables[i].name(value), name);
        }
        assert_true(known > 60);
        assert_null(tables[i].name((CK_ULONG)-1));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_that_occur_have_names),
        cmocka_unit_test(no_name_is_told_for_two_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
