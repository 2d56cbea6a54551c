/* SPDX-License-Identifier: Apache-2.0 */
#include "module/token/failure.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct failure_note note;

static int begin(void **state)
{
    (void)state;
    failure_begin(&note);
    return 0;
}

static int end(void **state)
{
    (void)state;
    failure_end(&note);
    return 0;
}

#define NOTED(test) cmocka_unit_test_setup_teardown(test, begin, end)

static void without_a_call_there_is_no_note(void **state)
{
    (void)state;

    assert_int_equal(failure(CKR_DEVICE_ERROR, "no %s", "route"), CKR_DEVICE_ERROR);
    assert_string_equal(failure_take(), "");
}

static void a_note_is_taken_once(void **state)
{
    (void)state;

    assert_string_equal(failure_take(), "");
    assert_int_equal(failure(CKR_DEVICE_ERROR, "no %s", "route"), CKR_DEVICE_ERROR);
    assert_string_equal(failure_take(), "no route");
    assert_string_equal(failure_take(), "");
}

static void the_last_note_counts(void **state)
{
    char longer[400];
    (void)state;
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = 0;

    (void)failure(CKR_OK, "first");
    (void)failure(CKR_OK, "%s", longer);

    assert_int_equal(strlen(failure_take()), 255);
}

static void a_status_brings_its_code_and_the_calls_note(void **state)
{
    struct call call;
    (void)state;
    call_init(&call, &clock_system, 0);

    assert_int_equal(failure_of(SCA_OK, &call), CKR_OK);
    assert_string_equal(failure_take(), "");
    assert_int_equal(failure_of(SCA_REJECTED, &call), CKR_FUNCTION_REJECTED);
    assert_string_equal(failure_take(), "rejected by the person");
    (void)call_fail(&call, SCA_EXHAUSTED, "100%% used");
    assert_int_equal(failure_of(SCA_EXHAUSTED, &call), CKR_TOKEN_RESOURCE_EXCEEDED);
    assert_string_equal(failure_take(), "100% used");
    assert_int_equal(failure_of(SCA_NOMEM, NULL), CKR_HOST_MEMORY);
    assert_string_equal(failure_take(), "out of memory");
    call_fini(&call);
}

/* A row left out of the table would be CKR_OK: a failure taken for a success. */
static void no_failure_is_a_success(void **state)
{
    (void)state;

    for (int i = SCA_OK + 1; i < SCA_STATUS_COUNT; i++)
        assert_int_not_equal(failure_of((enum sca_status)i, NULL), CKR_OK);
    (void)failure_take();
}

static void *take(void *arg)
{
    *(int *)arg = strcmp(failure_take(), "") == 0;
    return NULL;
}

static void a_note_is_its_threads_own(void **state)
{
    pthread_t thread;
    int is_empty = 0;
    (void)state;

    (void)failure(CKR_OK, "mine");
    assert_int_equal(pthread_create(&thread, NULL, take, &is_empty), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);

    assert_true(is_empty);
    assert_string_equal(failure_take(), "mine");
}

static void a_call_within_a_call_has_its_own(void **state)
{
    struct failure_note inner;
    (void)state;

    (void)failure(CKR_OK, "outer");
    failure_begin(&inner);
    assert_string_equal(failure_take(), "");
    (void)failure(CKR_OK, "inner");
    failure_end(&inner);

    assert_string_equal(failure_take(), "outer");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_call_there_is_no_note),
        NOTED(a_note_is_taken_once),
        NOTED(the_last_note_counts),
        NOTED(a_status_brings_its_code_and_the_calls_note),
        NOTED(no_failure_is_a_success),
        NOTED(a_note_is_its_threads_own),
        NOTED(a_call_within_a_call_has_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
