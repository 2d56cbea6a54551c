/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "tests/unit/keystore_stage.h"

static void a_new_token_has_no_user_pin_and_no_objects(void **state)
{
    struct keystore_stage *stage = *state;

    assert_int_equal(keystore_stage_create(stage), SCA_OK);

    struct keystore_info info = keystore_stage_info(stage);
    assert_string_equal(info.label, "label");
    assert_int_equal(strspn(info.serial, "0123456789abcdef"), 16);
    assert_int_equal(info.slot_id, 7);
    assert_false(info.has_user_pin);
    assert_int_equal(info.wrong_user_pins, 0);
    assert_int_equal(info.wrong_so_pins, 0);
    assert_int_equal(info.generation, 1);
    keystore_stage_holds(stage, "");
    assert_int_equal(keystore_stage_login(stage, KEYSTORE_USER, USER_PIN), SCA_NOT_FOUND);
}

static void a_token_is_not_made_over_another(void **state)
{
    struct keystore_stage *stage = *state;
    struct keystore_info before = keystore_stage_info(stage);

    assert_int_equal(keystore_stage_create(stage), SCA_INVALID);

    struct keystore_info after = keystore_stage_info(stage);
    assert_string_equal(after.serial, before.serial);
    assert_int_equal(after.generation, before.generation);
}

static void files_and_folder_are_private(void **state)
{
    static const char *const files[] = {"token", "token.old", "pins", "lock", "login"};
    struct keystore_stage *stage = *state;
    struct stat info;
    char path[128];

    (void)keystore_stage_add(stage, "a", NULL, NULL);

    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        keystore_stage_path(stage, files[i], path);
        assert_int_equal(stat(path, &info), 0);
        assert_int_equal(info.st_mode & 07777, 0600);
    }
    *strrchr(path, '/') = 0;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0700);
}

static void no_mode_of_the_host_opens_or_closes_the_file(void **state)
{
    struct keystore_stage *stage = *state;
    struct stat info;
    char path[128];

    assert_int_equal(keystore_stage_create(stage), SCA_OK);
    mode_t before = umask(0777);
    enum sca_status st = SCA_OK;
    (void)keystore_stage_add(stage, "a", NULL, &st);
    (void)umask(before);

    assert_int_equal(st, SCA_OK);
    keystore_stage_path(stage, "token", path);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
}

static void a_name_that_is_none_gets_into_no_path(void **state)
{
    static const char *const names[] = {"",
                                        "../../../../../../../etc/passwd1",
                                        "0123456789abcdef0123456789abcde",
                                        "0123456789abcdef0123456789abcdef0",
                                        "0123456789ABCDEF0123456789ABCDEF",
                                        "0123456789abcdef/123456789abcdef"};
    struct keystore_stage *stage = *state;
    struct keystore_info info;
    const char *why = NULL;

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        stage->keystore.name = names[i];
        assert_int_equal(keystore_stage_create(stage), SCA_INVALID);
        assert_int_equal(keystore_info(&stage->keystore, &info, &why), SCA_INVALID);
        assert_non_null(why);
        assert_int_equal(keystore_stamp(&stage->keystore), 0);
    }
}

static void a_label_is_cut_at_a_character(void **state)
{
    static const struct {
        const char *label;
        const char *expected; /* NULL: not acceptable */
    } rows[] = {
        {"", ""},
        {"0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef"},
        {"0123456789abcdef0123456789abcdef0", "0123456789abcdef0123456789abcdef"},
        {"0123456789abcdef0123456789abcd\xe1\xbb\x85", "0123456789abcdef0123456789abcd"},
        {"\xff", NULL},
    };
    struct keystore_stage *stage = *state;
    AUTO(secret_freep) struct secret *pin = NULL;

    assert_int_equal(secret_new(span_text(SO_PIN), &pin), SCA_OK);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(keystore_new_name(stage->name), SCA_OK);
        enum sca_status st = keystore_create(&stage->keystore, &stage->call, pin,
                                             span_text(rows[i].label), 1, STAGE_COST);
        assert_int_equal(st, rows[i].expected ? SCA_OK : SCA_INVALID);
        if (rows[i].expected)
            assert_string_equal(keystore_stage_info(stage).label, rows[i].expected);
    }
}

static void objects_are_numbered_once_and_for_all(void **state)
{
    struct keystore_stage *stage = *state;

    assert_int_equal(keystore_stage_login(stage, KEYSTORE_USER, USER_PIN), SCA_OK);
    assert_int_equal(keystore_stage_add(stage, "one", NULL, NULL), 1);
    assert_int_equal(keystore_stage_add(stage, "two", "key", NULL), 2);
    assert_int_equal(keystore_stage_remove(stage, 2), SCA_OK);
    assert_int_equal(keystore_stage_add(stage, "three", "", NULL), 3);

    keystore_stage_holds(stage, "1:one 3:three/");
}

static void without_the_master_key_only_public_objects_are_read(void **state)
{
    struct keystore_stage *stage = *state;
    AUTO(buf_fini) struct buf file;

    assert_int_equal(keystore_stage_login(stage, KEYSTORE_USER, USER_PIN), SCA_OK);
    (void)keystore_stage_add(stage, "public", NULL, NULL);
    (void)keystore_stage_add(stage, "private-body", "private-key", NULL);
    keystore_stage_holds(stage, "1:public 2:private-body/private-key");
    secret_freep(&stage->master_key);

    keystore_stage_holds(stage, "1:public");
    keystore_stage_load(stage, "token", &file);
    assert_non_null(memmem(file.ptr, file.len, "public", 6));
    assert_null(memmem(file.ptr, file.len, "private", 7));
}

static void a_change_without_a_key_keeps_the_key(void **state)
{
    struct keystore_stage *stage = *state;

    assert_int_equal(keystore_stage_login(stage, KEYSTORE_USER, USER_PIN), SCA_OK);
    uint32_t kept = keystore_stage_add(stage, "a", "key-a", NULL);
    uint32_t replaced = keystore_stage_add(stage, "b", "key-b", NULL);
    assert_int_equal(keystore_stage_change(stage, kept, "longer than before", "", true), SCA_OK);
    assert_int_equal(keystore_stage_change(stage, replaced, "", "another", true), SCA_OK);

    keystore_stage_holds(stage, "1:longer than before/key-a 2:/another");
}

static void several_changes_are_one_write(void **state)
{
    struct keystore_stage *stage = *state;
    uint32_t one = keystore_stage_add(stage, "one", NULL, NULL);
    uint32_t two = keystore_stage_add(stage, "two", NULL, NULL);
    uint64_t generation = keystore_stage_info(stage).generation;
    struct keystore_change changes[] = {
        {.object = {.body = span_text("new")}},
        {.object = {.number = two, .body = span_text("changed")}},
        {.is_removed = true, .object = {.number = one}},
        {.object = {.body = span_text("newer")}},
    };

    assert_int_equal(
        keystore_write(&stage->keystore, &stage->call, NULL, changes, ARRAY_LEN(changes)), SCA_OK);

    assert_int_equal(changes[0].object.number, 3);
    assert_int_equal(changes[3].object.number, 4);
    assert_int_equal(keystore_stage_info(stage).generation, generation + 1);
    keystore_stage_holds(stage, "2:changed 3:new 4:newer");
}

static void of_several_changes_all_are_made_or_none(void **state)
{
    struct keystore_stage *stage = *state;
    uint32_t one = keystore_stage_add(stage, "one", NULL, NULL);
    uint64_t generation = keystore_stage_info(stage).generation;
    const struct {
        struct keystore_change last;
        enum sca_status expected;
    } rows[] = {
        {{.object = {.number = 9, .body = span_text("x")}}, SCA_NOT_FOUND},
        {{.is_removed = true, .object = {.number = 9}}, SCA_NOT_FOUND},
        {{.is_removed = true}, SCA_INVALID},
        {{.is_removed = true, .object = {.number = one}}, SCA_INVALID}, /* twice in a row */
        {{.object = {.is_private = true, .body = span_text("x")}}, SCA_USER_AUTH},
        {{.object = {.key = span_text("x")}}, SCA_INVALID},
        {{.object = {.body = {.ptr = (const uint8_t *)"", .len = TOKENFILE_OBJECT_MAX + 1}}},
         SCA_INVALID},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct keystore_change changes[] = {{.object = {.body = span_text("new")}},
                                            {.object = {.number = one, .body = span_text("x")}},
                                            rows[i].last};
        enum sca_status st = keystore_write(&stage->keystore, &stage->call, NULL, changes, 3);
        if (st != rows[i].expected)
            fail_msg("row %zu: %s", i, sca_status_name(st));
        assert_int_equal(changes[0].object.number, 0);
    }
    keystore_stage_holds(stage, "1:one");
    assert_int_equal(keystore_stage_info(stage).generation, generation);
}

static void an_object_stays_as_private_as_it_is(void **state)
{
    struct keystore_stage *stage = *state;

    assert_int_equal(keystore_stage_login(stage, KEYSTORE_USER, USER_PIN), SCA_OK);
    uint32_t public = keystore_stage_add(stage, "public", NULL, NULL);
    uint32_t private = keystore_stage_add(stage, "private", "key", NULL);

    assert_int_equal(keystore_stage_change(stage, public, "x", NULL, true), SCA_INVALID);
    assert_int_equal(keystore_stage_change(stage, private, "x", NULL, false), SCA_INVALID);
    secret_freep(&stage->master_key);
    assert_int_equal(keystore_stage_change(stage, private, "x", NULL, false), SCA_USER_AUTH);
    assert_int_equal(keystore_stage_remove(stage, private), SCA_USER_AUTH);

    assert_int_equal(keystore_stage_login(stage, KEYSTORE_USER, USER_PIN), SCA_OK);
    keystore_stage_holds(stage, "1:public 2:private/key");
}

static enum sca_status count_and_stop(void *arg, const struct keystore_object *object)
{
    unsigned *count = arg;
    (void)object;
    return ++*count == 2 ? SCA_CANCELLED : SCA_OK;
}

static void reading_can_ask_for_one_object_and_stops_when_told(void **state)
{
    struct keystore_stage *stage = *state;
    const char *why = NULL;
    unsigned count = 0;

    assert_int_equal(keystore_stage_login(stage, KEYSTORE_USER, USER_PIN), SCA_OK);
    for (int i = 0; i < 4; i++)
        (void)keystore_stage_add(stage, "x", i == 3 ? "key" : NULL, NULL);

    assert_int_equal(keystore_read(&stage->keystore, NULL, 0, count_and_stop, &count, &why),
                     SCA_CANCELLED);
    assert_int_equal(count, 2);
    count = 0;
    assert_int_equal(keystore_read(&stage->keystore, NULL, 3, count_and_stop, &count, &why),
                     SCA_OK);
    assert_int_equal(count, 1);
    assert_int_equal(keystore_read(&stage->keystore, NULL, 4, count_and_stop, &count, &why),
                     SCA_NOT_FOUND);
    assert_int_equal(keystore_read(&stage->keystore, NULL, 9, count_and_stop, &count, &why),
                     SCA_NOT_FOUND);
    assert_int_equal(count, 1);
    count = 0;
    assert_int_equal(
        keystore_read(&stage->keystore, stage->master_key, 4, count_and_stop, &count, &why),
        SCA_OK);
    assert_int_equal(count, 1);
}

static void every_write_changes_the_stamp(void **state)
{
    struct keystore_stage *stage = *state;
    enum { WRITES = 200 };
    uint64_t stamps[WRITES];
    uint32_t number = keystore_stage_add(stage, "x", NULL, NULL);

    for (int i = 0; i < WRITES; i++) {
        assert_int_equal(keystore_stage_change(stage, number, "x", NULL, false), SCA_OK);
        stamps[i] = keystore_stamp(&stage->keystore);
        assert_int_not_equal(stamps[i], 0);
        assert_int_equal(keystore_stamp(&stage->keystore), stamps[i]);
        for (int j = 0; j < i; j++)
            assert_int_not_equal(stamps[i], stamps[j]);
    }
}

static void a_token_that_is_not_there_is_not_found_and_leaves_nothing(void **state)
{
    struct keystore_stage *stage = *state;
    struct keystore_info info;
    char found[STAGE_TEXT_SIZE];
    const char *why = NULL;
    enum sca_status st = SCA_OK;

    assert_int_equal(keystore_info(&stage->keystore, &info, &why), SCA_NOT_FOUND);
    assert_int_equal(keystore_stage_read(stage, found), SCA_NOT_FOUND);
    assert_int_equal(keystore_stage_login(stage, KEYSTORE_SO, SO_PIN), SCA_NOT_FOUND);
    assert_int_equal(keystore_stage_reset(stage, SO_PIN), SCA_NOT_FOUND);
    assert_int_equal(keystore_stage_add(stage, "x", NULL, &st), 0);
    assert_int_equal(st, SCA_NOT_FOUND);
    assert_int_equal(keystore_stamp(&stage->keystore), 0);
    assert_int_equal(rmdir(stage->dir), 0); /* nothing in it */
    assert_int_equal(mkdir(stage->dir, 0700), 0);
}

static void a_reset_leaves_nothing_but_the_numbers(void **state)
{
    struct keystore_stage *stage = *state;

    assert_int_equal(keystore_stage_login(stage, KEYSTORE_USER, USER_PIN), SCA_OK);
    (void)keystore_stage_add(stage, "public", NULL, NULL);
    (void)keystore_stage_add(stage, "private", "key", NULL);
    struct keystore_info before = keystore_stage_info(stage);
    uint64_t stamp = keystore_stamp(&stage->keystore);
    assert_int_equal(keystore_stage_reset(stage, SO_PIN), SCA_OK);

    struct keystore_info after = keystore_stage_info(stage);
    assert_string_equal(after.label, "again");
    assert_string_not_equal(after.serial, before.serial);
    assert_int_equal(after.slot_id, before.slot_id);
    assert_int_equal(after.generation, before.generation + 1);
    assert_false(after.has_user_pin);
    assert_int_not_equal(keystore_stamp(&stage->keystore), stamp);

    char found[STAGE_TEXT_SIZE];
    enum sca_status st = SCA_OK;
    assert_int_equal(keystore_stage_read(stage, found), SCA_GONE);
    (void)keystore_stage_add(stage, "x", "y", &st);
    assert_int_equal(st, SCA_GONE);
    assert_int_equal(keystore_stage_init_pin(stage, USER_PIN), SCA_GONE);
    assert_int_equal(keystore_stage_login(stage, KEYSTORE_USER, USER_PIN), SCA_NOT_FOUND);
    assert_int_equal(keystore_stage_login(stage, KEYSTORE_SO, SO_PIN), SCA_OK);
    keystore_stage_holds(stage, "");
    assert_int_equal(keystore_stage_add(stage, "x", "y", NULL), 3);
}

static void a_reset_with_another_pin_changes_nothing_but_its_counter(void **state)
{
    struct keystore_stage *stage = *state;

    (void)keystore_stage_add(stage, "public", NULL, NULL);
    assert_int_equal(keystore_stage_reset(stage, "not-the-so-pin"), SCA_USER_AUTH);
    assert_int_equal(keystore_stage_reset(stage, "short"), SCA_INVALID);

    assert_int_equal(keystore_stage_info(stage).wrong_so_pins, 1);
    assert_int_equal(keystore_stage_info(stage).wrong_user_pins, 0);
    assert_int_equal(keystore_stage_login(stage, KEYSTORE_USER, USER_PIN), SCA_OK);
    keystore_stage_holds(stage, "1:public");
}

static enum sca_status note_name(void *arg, const char *name)
{
    char *names = arg;
    (void)strcat(strcat(names, name), " ");
    return SCA_OK;
}

static enum sca_status stop(void *arg, const char *name)
{
    (void)name;
    ++*(unsigned *)arg;
    return SCA_GONE;
}

static void names_are_those_of_token_files(void **state)
{
    struct keystore_stage *stage = *state;
    char names[256] = "";
    char expected[256];
    char path[128];
    unsigned count = 0;

    assert_int_equal(keystore_each_name(stage->dir, note_name, names), SCA_OK);
    assert_string_equal(names, "");
    assert_int_equal(keystore_stage_create(stage), SCA_OK);
    (void)keystore_stage_add(stage, "x", NULL, NULL);
    keystore_stage_path(stage, "token", path);
    *strrchr(path, '/') = 0;
    assert_int_equal(file_replace(path, "x.token", span_text("")), SCA_OK);
    assert_int_equal(file_replace(path, "README", span_text("")), SCA_OK);

    assert_int_equal(keystore_each_name(stage->dir, note_name, names), SCA_OK);
    (void)snprintf(expected, sizeof(expected), "%s ", stage->name);
    assert_string_equal(names, expected);
    assert_int_equal(keystore_each_name(stage->dir, stop, &count), SCA_GONE);
    assert_int_equal(count, 1);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, keystore_stage_begin, keystore_stage_end)
#define WITHOUT(test)                                                                              \
    cmocka_unit_test_setup_teardown(test, keystore_stage_begin_empty, keystore_stage_end)
    const struct CMUnitTest tests[] = {
        WITHOUT(a_new_token_has_no_user_pin_and_no_objects),
        WITH(a_token_is_not_made_over_another),
        WITH(files_and_folder_are_private),
        WITHOUT(no_mode_of_the_host_opens_or_closes_the_file),
        WITHOUT(a_name_that_is_none_gets_into_no_path),
        WITHOUT(a_label_is_cut_at_a_character),
        WITH(objects_are_numbered_once_and_for_all),
        WITH(without_the_master_key_only_public_objects_are_read),
        WITH(a_change_without_a_key_keeps_the_key),
        WITH(several_changes_are_one_write),
        WITH(of_several_changes_all_are_made_or_none),
        WITH(an_object_stays_as_private_as_it_is),
        WITH(reading_can_ask_for_one_object_and_stops_when_told),
        WITH(every_write_changes_the_stamp),
        WITHOUT(a_token_that_is_not_there_is_not_found_and_leaves_nothing),
        WITH(a_reset_leaves_nothing_but_the_numbers),
        WITH(a_reset_with_another_pin_changes_nothing_but_its_counter),
        WITHOUT(names_are_those_of_token_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
