/* SPDX-License-Identifier: Apache-2.0 */
/* What the tool says of a failure, as programs read it. */
#include "remote/cli/output.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

enum { SAID_SIZE = 1024 };

static const struct cli json = {.is_json = true};
static size_t allowed;

/* Memory for so many allocations of cJSON. */
static void *allocate_some(size_t size)
{
    if (allowed == 0)
        return NULL;
    allowed--;
    return malloc(size);
}

/* output_fail with that much memory; what it said on stderr is the caller's to delete. */
static cJSON *fail_with(size_t allocations, const char *message)
{
    cJSON_Hooks few = {allocate_some, free};
    char said[SAID_SIZE] = "";
    int ours = memfd_create("said", MFD_CLOEXEC);
    int before = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);

    assert_true(ours >= 0 && before >= 0 && dup2(ours, STDERR_FILENO) >= 0);
    allowed = allocations;
    cJSON_InitHooks(&few);
    enum cli_exit result = output_fail(&json, "io", "look there", "%s", message);
    cJSON_InitHooks(NULL);
    assert_true(dup2(before, STDERR_FILENO) >= 0);
    ssize_t len = pread(ours, said, sizeof(said) - 1, 0);
    close(before);
    close(ours);
    assert_int_equal(result, CLI_FAILED);
    assert_true(len > 0);
    cJSON *whole = cJSON_ParseWithOpts(said, NULL, false);
    if (!whole)
        fail_msg("no JSON: %s", said);
    return whole;
}

static const char *member(const cJSON *whole, const char *name)
{
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(whole, "error");
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(error, name));

    assert_non_null(text);
    return text;
}

static void a_failure_has_code_message_and_next_step(void **state)
{
    (void)state;
    cJSON *whole = fail_with(SIZE_MAX, "it \"is\" so\n");

    assert_string_equal(member(whole, "code"), "io");
    assert_string_equal(member(whole, "message"), "it \"is\" so?");
    assert_string_equal(member(whole, "next_step"), "look there");
    cJSON_Delete(whole);
}

static void without_memory_a_failure_still_has_its_code(void **state)
{
    (void)state;
    bool is_complete = false;

    for (size_t allocations = 0; !is_complete; allocations++) {
        assert_in_range(allocations, 0, 100);
        cJSON *whole = fail_with(allocations, "so it is");
        assert_string_equal(member(whole, "code"), "io");
        assert_string_not_equal(member(whole, "message"), "");
        (void)member(whole, "next_step");
        is_complete = strcmp(member(whole, "message"), "so it is") == 0;
        cJSON_Delete(whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_has_code_message_and_next_step),
        cmocka_unit_test(without_memory_a_failure_still_has_its_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
