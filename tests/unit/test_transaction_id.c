/* SPDX-License-Identifier: Apache-2.0 */
/* Whoever knows a transaction's id may ask for its state: it must not be guessed. */
#include "remote/smartca/service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#include <cmocka.h>

#include "remote/base/clock.h"

static struct call call;
static ssize_t given = 16; /* bytes that the system has */

/* The linker puts this in its place. */
ssize_t __wrap_getrandom(void *bytes, size_t len, unsigned flags);
ssize_t __wrap_getrandom(void *bytes, size_t len, unsigned flags)
{
    (void)flags;
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)bytes)[i] = (uint8_t)(0xf0 + i);
    return given;
}

static int begin(void **state)
{
    (void)state;
    call_init(&call, &clock_system, 0);
    given = 16;
    return 0;
}

static int end(void **state)
{
    (void)state;
    call_fini(&call);
    return 0;
}

static void an_id_is_a_random_uuid_in_lower_case(void **state)
{
    char id[SERVICE_ID_SIZE];
    (void)state;

    assert_int_equal(service_new_id(&call, id), SCA_OK);

    assert_string_equal(id, "f0f1f2f3-f4f5-46f7-b8f9-fafbfcfdfeff");
}

static void without_random_bytes_there_is_no_id(void **state)
{
    static const ssize_t rows[] = {-1, 0, 15};
    char id[SERVICE_ID_SIZE];
    (void)state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        given = rows[i];
        assert_int_equal(service_new_id(&call, id), SCA_IO);
        assert_non_null(strstr(call.note, "random"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_id_is_a_random_uuid_in_lower_case, begin, end),
        cmocka_unit_test_setup_teardown(without_random_bytes_there_is_no_id, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
