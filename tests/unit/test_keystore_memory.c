/* SPDX-License-Identifier: Apache-2.0 */
/* What of a PIN and of private objects is left in the memory of the process (R-C1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "tests/unit/keystore_stage.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED 1
#endif
#endif

/* Never in memory as they are, but where the tests put them: every letter is one too large. */
static const char masked_pin[] = "dbobsz.qjo.5812";
static const char masked_key[] = "dbobsz.lfz.9374";
enum { CANARY_LEN = sizeof(masked_pin) - 1 };

static struct secret *canary_of(const char *masked)
{
    char text[CANARY_LEN];
    struct secret *secret = NULL;

    for (size_t i = 0; i < CANARY_LEN; i++)
        text[i] = (char)(masked[i] - 1);
    assert_int_equal(secret_new(span_of(text, CANARY_LEN), &secret), SCA_OK);
    secret_wipe(text, sizeof(text));
    return secret;
}

static bool is_canary(const volatile char *at, const char *masked)
{
    for (size_t i = 0; i < CANARY_LEN; i++)
        if (at[i] + 1 != masked[i])
            return false;
    return true;
}

static unsigned count_in(const volatile char *begin, const volatile char *end, const char *masked)
{
    unsigned count = 0;
    for (const volatile char *at = begin; end - at >= CANARY_LEN; at++)
        count += *at + 1 == masked[0] && is_canary(at, masked);
    return count;
}

/* Copies in all memory that can be read and written. */
static unsigned copies_of(const char *masked)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];
    unsigned count = 0;

    assert_non_null(maps);
    while (fgets(line, sizeof(line), maps)) {
        char *begin = NULL;
        char *end = NULL;
        char mode[8] = "";
        if (sscanf(line, "%p-%p %7s", (void **)&begin, (void **)&end, mode) == 3 &&
            strncmp(mode, "rw", 2) == 0)
            count += count_in(begin, end, masked);
    }
    (void)fclose(maps);
    return count;
}

static void no_pin_stays_after_login(void **state)
{
    struct keystore_stage *stage = *state;
    struct secret *pin = canary_of(masked_pin);
    struct secret *master_key = NULL;
    struct pin_memory memory = {.is_set = false};

    assert_int_equal(keystore_stage_login(stage, KEYSTORE_SO, SO_PIN), SCA_OK);
    assert_int_equal(
        keystore_login(&stage->keystore, &stage->call, KEYSTORE_USER, pin, &memory, &master_key),
        SCA_USER_AUTH);
    assert_int_equal(copies_of(masked_pin), 1); /* ours: the search does find one */
    assert_int_equal(
        keystore_init_pin(&stage->keystore, &stage->call, stage->master_key, pin, STAGE_COST),
        SCA_OK);
    assert_int_equal(
        keystore_login(&stage->keystore, &stage->call, KEYSTORE_USER, pin, &memory, &master_key),
        SCA_OK);
    assert_int_equal(keystore_set_pin(&stage->keystore, &stage->call, KEYSTORE_USER, pin, pin,
                                      &memory, STAGE_COST),
                     SCA_OK);
    secret_free(pin);
    secret_free(master_key);

    assert_int_equal(copies_of(masked_pin), 0);
}

static enum sca_status look(void *arg, const struct keystore_object *object)
{
    *(bool *)arg = object->key.len == CANARY_LEN &&
                   is_canary((const volatile char *)object->key.ptr, masked_key);
    return SCA_OK;
}

static void no_private_object_stays_after_reading_and_writing(void **state)
{
    struct keystore_stage *stage = *state;
    struct secret *key = canary_of(masked_key);
    struct keystore_change change = {.object = {.is_private = true}};
    const char *why = NULL;
    bool is_seen = false;

    assert_int_equal(keystore_stage_login(stage, KEYSTORE_USER, USER_PIN), SCA_OK);
    change.object.key = secret_get(key);
    assert_int_equal(keystore_write(&stage->keystore, &stage->call, stage->master_key, &change, 1),
                     SCA_OK);
    secret_free(key);
    assert_int_equal(keystore_read(&stage->keystore, stage->master_key, 0, look, &is_seen, &why),
                     SCA_OK);
    assert_true(is_seen);
    assert_int_equal(keystore_stage_change(stage, 1, "another body", "", true), SCA_OK);

    assert_int_equal(copies_of(masked_key), 0);
}

int main(void)
{
#ifdef IS_SANITIZED
    (void)
        no_pin_stays_after_login; /* their shadows are memory, too, and larger than any patience */
    (void)no_private_object_stays_after_reading_and_writing;
    return 0;
#else
#define WITH(test) cmocka_unit_test_setup_teardown(test, keystore_stage_begin, keystore_stage_end)
    const struct CMUnitTest tests[] = {
        WITH(no_pin_stays_after_login),
        WITH(no_private_object_stays_after_reading_and_writing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
#endif
}
