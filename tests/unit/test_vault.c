/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "remote/vault/vault.h"
#include "tests/lib/folder.h"

enum { COST = 10 };

#define PIN      "246824"
#define PASSWORD "the persons password"
#define TOTP     "aGFsZiBhIHNlY3JldA=="

struct stage {
    char dir[32];
    struct vault vault;
    struct call call;
    struct pin_memory memory;
};

static struct secret *secret_of(const char *text)
{
    struct secret *secret = NULL;
    assert_int_equal(secret_new(span_text(text), &secret), SCA_OK);
    return secret;
}

static int begin(void **state)
{
    struct stage *stage = calloc(1, sizeof(*stage));

    assert_non_null(stage);
    (void)strcpy(stage->dir, "/tmp/vault.XXXXXX");
    assert_non_null(mkdtemp(stage->dir));
    stage->vault = (struct vault){.state_dir = stage->dir,
                                  .identity = {"https://localhost/sca", "0312345678"}};
    call_init(&stage->call, &clock_system, 30000);
    *state = stage;
    return 0;
}

static int end(void **state)
{
    struct stage *stage = *state;

    call_fini(&stage->call);
    assert_int_equal(folder_remove(stage->dir), 0);
    free(stage);
    return 0;
}

static enum sca_status create(struct stage *stage, const char *pin, const char *password,
                              const char *totp_secret)
{
    AUTO(secret_freep) struct secret *pin_secret = secret_of(pin);
    AUTO(vault_contents_fini) struct vault_contents contents = {.items = {NULL}};

    if (password)
        contents.items[VAULT_PASSWORD] = secret_of(password);
    if (totp_secret)
        contents.items[VAULT_TOTP_SECRET] = secret_of(totp_secret);
    return vault_create(&stage->vault, &stage->call, pin_secret, &contents, COST);
}

static enum sca_status open_with(struct stage *stage, const char *pin,
                                 struct vault_contents *ret_contents)
{
    AUTO(secret_freep) struct secret *secret = secret_of(pin);
    return vault_open(&stage->vault, &stage->call, secret, &stage->memory, ret_contents);
}

static enum sca_status try_pin(struct stage *stage, const char *pin)
{
    AUTO(vault_contents_fini) struct vault_contents contents = {.items = {NULL}};
    return open_with(stage, pin, &contents);
}

static struct vault_info info_of(struct stage *stage)
{
    struct vault_info info;
    const char *why = NULL;
    assert_int_equal(vault_info(&stage->vault, &info, &why), SCA_OK);
    return info;
}

static void assert_secret(const struct secret *secret, const char *text)
{
    if (!text) {
        assert_null(secret);
        return;
    }
    assert_non_null(secret);
    assert_string_equal((const char *)secret_get(secret).ptr, text);
}

static void the_pin_opens_what_was_put_in(void **state)
{
    AUTO(vault_contents_fini) struct vault_contents contents = {.items = {NULL}};
    struct stage *stage = *state;
    assert_int_equal(create(stage, PIN, PASSWORD, TOTP), SCA_OK);

    assert_int_equal(open_with(stage, PIN, &contents), SCA_OK);

    assert_secret(contents.items[VAULT_PASSWORD], PASSWORD);
    assert_secret(contents.items[VAULT_TOTP_SECRET], TOTP);
    assert_secret(contents.items[VAULT_SP_PASSWORD], NULL);
}

static void an_empty_vault_is_a_pin_alone(void **state)
{
    AUTO(vault_contents_fini) struct vault_contents contents = {.items = {NULL}};
    struct stage *stage = *state;
    assert_int_equal(create(stage, PIN, NULL, NULL), SCA_OK);

    assert_int_equal(open_with(stage, PIN, &contents), SCA_OK);

    for (int i = 0; i < VAULT_ITEMS; i++)
        assert_secret(contents.items[i], NULL);
}

static void no_vault_has_no_pin(void **state)
{
    struct stage *stage = *state;

    assert_false(info_of(stage).has_pin);
    assert_int_equal(try_pin(stage, PIN), SCA_NOT_FOUND);
}

static void wrong_pins_are_counted_and_ten_lock(void **state)
{
    struct stage *stage = *state;
    char pin[16];
    assert_int_equal(create(stage, PIN, PASSWORD, NULL), SCA_OK);

    for (unsigned i = 0; i < KEYSTORE_PIN_TRIES; i++) {
        (void)snprintf(pin, sizeof(pin), "wrong-%u", i);
        assert_int_equal(try_pin(stage, pin), SCA_USER_AUTH);
        assert_int_equal(info_of(stage).wrong_pins, i + 1);
    }

    assert_int_equal(try_pin(stage, PIN), SCA_PIN_LOCKED);
}

static void a_locked_vault_is_made_anew(void **state)
{
    AUTO(vault_contents_fini) struct vault_contents contents = {.items = {NULL}};
    struct stage *stage = *state;
    char pin[16];
    assert_int_equal(create(stage, PIN, PASSWORD, TOTP), SCA_OK);
    for (unsigned i = 0; i < KEYSTORE_PIN_TRIES; i++) {
        (void)snprintf(pin, sizeof(pin), "wrong-%u", i);
        assert_int_equal(try_pin(stage, pin), SCA_USER_AUTH);
    }

    assert_int_equal(create(stage, "135791", "another", NULL), SCA_OK);

    assert_int_equal(info_of(stage).wrong_pins, 0);
    assert_int_equal(open_with(stage, "135791", &contents), SCA_OK);
    assert_secret(contents.items[VAULT_PASSWORD], "another");
    assert_secret(contents.items[VAULT_TOTP_SECRET], NULL);
}

static void a_changed_pin_opens_and_the_old_one_does_not(void **state)
{
    AUTO(secret_freep) struct secret *old_pin = secret_of(PIN);
    AUTO(secret_freep) struct secret *new_pin = secret_of("987654");
    AUTO(vault_contents_fini) struct vault_contents contents = {.items = {NULL}};
    struct stage *stage = *state;
    assert_int_equal(create(stage, PIN, PASSWORD, NULL), SCA_OK);

    assert_int_equal(
        vault_set_pin(&stage->vault, &stage->call, old_pin, new_pin, &stage->memory, COST), SCA_OK);

    assert_int_equal(try_pin(stage, PIN), SCA_USER_AUTH);
    assert_int_equal(open_with(stage, "987654", &contents), SCA_OK);
    assert_secret(contents.items[VAULT_PASSWORD], PASSWORD);
}

static void a_pin_of_another_length_makes_no_vault(void **state)
{
    static const char *const pins[] = {"12345", "", NULL};
    struct stage *stage = *state;
    char long_pin[KEYSTORE_PIN_MAX + 2];

    memset(long_pin, '1', sizeof(long_pin) - 1);
    long_pin[sizeof(long_pin) - 1] = 0;
    for (size_t i = 0; pins[i]; i++)
        assert_int_equal(create(stage, pins[i], PASSWORD, NULL), SCA_INVALID);
    assert_int_equal(create(stage, long_pin, PASSWORD, NULL), SCA_INVALID);
    assert_false(info_of(stage).has_pin);
}

static void a_bad_pin_leaves_the_vault_that_is_there(void **state)
{
    struct stage *stage = *state;
    assert_int_equal(create(stage, PIN, PASSWORD, NULL), SCA_OK);

    assert_int_equal(create(stage, "short", "another", NULL), SCA_INVALID);

    assert_int_equal(try_pin(stage, PIN), SCA_OK);
}

/* A disk that takes nothing more: every file ends at its first byte. */
static int create_on_a_full_disk(struct stage *stage)
{
    const struct rlimit limit = {.rlim_cur = 0, .rlim_max = RLIM_INFINITY};

    if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
        return SCA_STATUS_COUNT;
    return (int)create(stage, "135791", "another", NULL);
}

static void a_full_disk_leaves_the_vault_that_is_there(void **state)
{
    AUTO(vault_contents_fini) struct vault_contents contents = {.items = {NULL}};
    struct stage *stage = *state;
    int status = 0;
    assert_int_equal(create(stage, PIN, PASSWORD, TOTP), SCA_OK);
    assert_int_equal(try_pin(stage, "wrong-1"), SCA_USER_AUTH);

    pid_t child = fork();
    if (child == 0)
        _exit(create_on_a_full_disk(stage));
    assert_int_equal(waitpid(child, &status, 0), child);

    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), SCA_NO_SPACE);
    assert_int_equal(info_of(stage).wrong_pins, 1);
    assert_int_equal(open_with(stage, PIN, &contents), SCA_OK);
    assert_secret(contents.items[VAULT_PASSWORD], PASSWORD);
    assert_secret(contents.items[VAULT_TOTP_SECRET], TOTP);
}

static void a_damaged_vault_is_made_anew(void **state)
{
    struct stage *stage = *state;
    char command[128];
    assert_int_equal(create(stage, PIN, PASSWORD, NULL), SCA_OK);
    (void)snprintf(command, sizeof(command), "truncate -s 20 %s/vault/*.token", stage->dir);
    assert_int_equal(system(command), 0);
    assert_int_equal(try_pin(stage, PIN), SCA_INVALID);

    assert_int_equal(create(stage, "135791", "another", NULL), SCA_OK);

    assert_int_equal(try_pin(stage, "135791"), SCA_OK);
}

/* Neither the old PIN nor what it guarded stays behind in the generation before. */
static void a_new_vault_leaves_nothing_of_the_old_one(void **state)
{
    struct stage *stage = *state;
    char command[256];
    assert_int_equal(create(stage, PIN, PASSWORD, NULL), SCA_OK);

    assert_int_equal(create(stage, "135791", "another", NULL), SCA_OK);

    (void)snprintf(command, sizeof(command),
                   "cd %s/vault && for f in *.old; do cmp -s \"$f\" \"${f%%.old}\" || exit 1; done",
                   stage->dir);
    assert_int_equal(system(command), 0);
}

static void another_identity_has_another_vault(void **state)
{
    struct stage *stage = *state;
    assert_int_equal(create(stage, PIN, PASSWORD, NULL), SCA_OK);

    stage->vault.identity.user_id = "0312345679";

    assert_false(info_of(stage).has_pin);
    assert_int_equal(try_pin(stage, PIN), SCA_NOT_FOUND);
}

static void a_removed_vault_is_gone_and_removing_none_is_fine(void **state)
{
    struct stage *stage = *state;
    assert_int_equal(create(stage, PIN, PASSWORD, NULL), SCA_OK);

    assert_int_equal(vault_remove(&stage->vault), SCA_OK);
    assert_int_equal(vault_remove(&stage->vault), SCA_OK);

    assert_false(info_of(stage).has_pin);
    assert_int_equal(try_pin(stage, PIN), SCA_NOT_FOUND);
}

/* No file of the vault has a secret, or whose it is, in clear. */
static void nothing_is_on_the_disk_in_clear(void **state)
{
    struct stage *stage = *state;
    char command[256];
    assert_int_equal(create(stage, PIN, PASSWORD, TOTP), SCA_OK);

    (void)snprintf(command, sizeof(command), "grep -rqE '%s|%s|%s|%s' %s/vault", PIN, PASSWORD,
                   "aGFsZiBhIHNl", stage->vault.identity.user_id, stage->dir);
    assert_int_not_equal(system(command), 0);
    (void)snprintf(command, sizeof(command), "test -n \"$(ls %s/vault/*.token)\"", stage->dir);
    assert_int_equal(system(command), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_pin_opens_what_was_put_in),
        TEST(an_empty_vault_is_a_pin_alone),
        TEST(no_vault_has_no_pin),
        TEST(wrong_pins_are_counted_and_ten_lock),
        TEST(a_locked_vault_is_made_anew),
        TEST(a_changed_pin_opens_and_the_old_one_does_not),
        TEST(a_pin_of_another_length_makes_no_vault),
        TEST(a_bad_pin_leaves_the_vault_that_is_there),
        TEST(a_full_disk_leaves_the_vault_that_is_there),
        TEST(a_damaged_vault_is_made_anew),
        TEST(a_new_vault_leaves_nothing_of_the_old_one),
        TEST(another_identity_has_another_vault),
        TEST(a_removed_vault_is_gone_and_removing_none_is_fine),
        TEST(nothing_is_on_the_disk_in_clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
