/* SPDX-License-Identifier: Apache-2.0 */
/* What accidents, and people without a PIN, do to a token file. */
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

/* Two public and three private objects; the user is logged in. */
static void fill(struct keystore_stage *stage)
{
    assert_int_equal(keystore_stage_login(stage, KEYSTORE_USER, USER_PIN), SCA_OK);
    (void)keystore_stage_add(stage, "pub1", NULL, NULL);
    (void)keystore_stage_add(stage, "priv2", "key2", NULL);
    (void)keystore_stage_add(stage, "priv3", "key3", NULL);
    (void)keystore_stage_add(stage, "pub4", NULL, NULL);
    (void)keystore_stage_add(stage, "priv5", "key5", NULL);
}

static void expect(enum sca_status status, enum sca_status expected, size_t at)
{
    if (status != expected)
        fail_msg("at %zu: %s", at, sca_status_name(status));
}

/* Nothing reads, opens or overwrites it. */
static void is_refused_with(struct keystore_stage *stage, enum sca_status expected, size_t at)
{
    char found[STAGE_TEXT_SIZE];
    enum sca_status st = SCA_OK;

    expect(keystore_stage_read(stage, found), expected, at);
    assert_string_equal(found, "");
    stage->call.note[0] = 0;
    (void)keystore_stage_add(stage, "x", NULL, &st);
    expect(st, expected, at);
    assert_non_null(strstr(stage->call.note, stage->name));
}

static void is_refused(struct keystore_stage *stage, size_t at)
{
    is_refused_with(stage, SCA_INVALID, at);
}

/* Not damaged: what is in it is not looked at. */
static void is_distrusted(struct keystore_stage *stage, size_t at)
{
    is_refused_with(stage, SCA_IO, at);
}

static void every_flipped_byte_is_found(void **state)
{
    struct keystore_stage *stage = *state;
    AUTO(buf_fini) struct buf file;
    struct keystore_info info;
    const char *why = NULL;

    fill(stage);
    keystore_stage_load(stage, "token", &file);
    for (size_t i = 0; i < file.len; i++) {
        file.ptr[i] ^= (uint8_t)(1u << i % 8);
        keystore_stage_put(stage, "token", buf_span(&file));
        file.ptr[i] ^= (uint8_t)(1u << i % 8);

        is_refused(stage, i);
        bool is_in_head = i < sizeof(struct tokenfile_head);
        expect(keystore_info(&stage->keystore, &info, &why), is_in_head ? SCA_INVALID : SCA_OK, i);
        if (is_in_head)
            expect(keystore_stage_login(stage, KEYSTORE_USER, USER_PIN), SCA_INVALID, i);
    }
    keystore_stage_put(stage, "token", buf_span(&file));
    keystore_stage_holds(stage, "1:pub1 2:priv2/key2 3:priv3/key3 4:pub4 5:priv5/key5");
}

static void every_truncation_is_found(void **state)
{
    struct keystore_stage *stage = *state;
    AUTO(buf_fini) struct buf file;
    struct keystore_info info;
    const char *why = NULL;

    fill(stage);
    keystore_stage_load(stage, "token", &file);
    for (size_t len = 0; len < file.len; len++) {
        keystore_stage_put(stage, "token", span_of(file.ptr, len));
        is_refused(stage, len);
        expect(keystore_info(&stage->keystore, &info, &why), SCA_INVALID, len);
        assert_non_null(strstr(why, "damaged"));
    }
}

static void an_appended_byte_is_found(void **state)
{
    struct keystore_stage *stage = *state;
    AUTO(buf_fini) struct buf file;

    fill(stage);
    keystore_stage_load(stage, "token", &file);
    assert_int_equal(buf_append(&file, span_of("", 1)), SCA_OK);
    keystore_stage_put(stage, "token", buf_span(&file));
    is_refused(stage, file.len);
    assert_int_equal(keystore_stage_login(stage, KEYSTORE_USER, USER_PIN), SCA_INVALID);
}

static void the_reason_names_the_way_back_and_it_is_one(void **state)
{
    struct keystore_stage *stage = *state;
    AUTO(buf_fini) struct buf old;
    const char *why = NULL;

    fill(stage);
    keystore_stage_put(stage, "token", span_text("rubbish"));
    assert_int_equal(keystore_read(&stage->keystore, stage->master_key, 0, NULL, NULL, &why),
                     SCA_INVALID);
    assert_non_null(strstr(why, "NAME.token.old"));
    assert_int_equal(keystore_stage_login(stage, KEYSTORE_USER, USER_PIN), SCA_INVALID);
    assert_non_null(strstr(stage->call.note, "damaged"));
    assert_non_null(strstr(stage->call.note, "NAME.token.old"));

    keystore_stage_load(stage, "token.old", &old);
    keystore_stage_put(stage, "token", buf_span(&old));
    assert_int_equal(keystore_stage_login(stage, KEYSTORE_USER, USER_PIN), SCA_OK);
    keystore_stage_holds(stage, "1:pub1 2:priv2/key2 3:priv3/key3 4:pub4");
}

static struct tokenfile_head *head_of(const struct buf *file)
{
    return (void *)file->ptr;
}

static struct tokenfile_record *record_of(const struct buf *file, uint32_t number)
{
    struct tokenfile_record *records = (void *)(file->ptr + sizeof(struct tokenfile_head));

    for (uint32_t i = 0; i < head_of(file)->object_count; i++)
        if (records[i].number == number)
            return &records[i];
    fail_msg("no object %u", number);
    return NULL;
}

static uint8_t *body_of(const struct buf *file, uint32_t number)
{
    const struct tokenfile_head *head = head_of(file);
    const struct tokenfile_record *records = (void *)(file->ptr + sizeof(*head));
    uint8_t *body = file->ptr + sizeof(*head) + head->object_count * sizeof(*records);

    for (uint32_t i = 0; i < head->object_count && records[i].number != number; i++)
        body += records[i].body_len + records[i].key_len;
    return body;
}

/* The digests fit, but not what the master key knows: public objects read, nothing else. */
static void is_found_after_login(struct keystore_stage *stage, struct buf *file)
{
    char found[STAGE_TEXT_SIZE];
    enum sca_status st = SCA_OK;

    keystore_stage_put_right(file);
    keystore_stage_put(stage, "token", buf_span(file));
    assert_int_equal(keystore_stage_login(stage, KEYSTORE_USER, USER_PIN), SCA_OK);
    assert_int_equal(keystore_stage_read(stage, found), SCA_INVALID);
    assert_null(strstr(found, "key"));
    (void)keystore_stage_add(stage, "x", "y", &st);
    assert_int_equal(st, SCA_INVALID);
    assert_int_equal(keystore_stage_set_pin(stage, KEYSTORE_USER, USER_PIN, "654321"), SCA_INVALID);
}

static void sealed_objects_exchanged_are_found(void **state)
{
    struct keystore_stage *stage = *state;
    AUTO(buf_fini) struct buf file;
    uint8_t body[9];

    fill(stage);
    keystore_stage_load(stage, "token", &file);
    struct tokenfile_record *two = record_of(&file, 2);
    struct tokenfile_record *three = record_of(&file, 3);
    struct crypt_mark mark = two->mark;
    two->mark = three->mark;
    three->mark = mark;
    memcpy(body, body_of(&file, 2), sizeof(body));
    memcpy(body_of(&file, 2), body_of(&file, 3), sizeof(body));
    memcpy(body_of(&file, 3), body, sizeof(body));

    is_found_after_login(stage, &file);
}

/* The manifest has its tag only, and the tag has the content: found when it is opened. */
static void a_sealed_object_changed_is_found(void **state)
{
    struct keystore_stage *stage = *state;
    AUTO(buf_fini) struct buf file;
    char found[STAGE_TEXT_SIZE];

    fill(stage);
    keystore_stage_load(stage, "token", &file);
    body_of(&file, 3)[6] ^= 1;
    keystore_stage_put_right(&file);
    keystore_stage_put(stage, "token", buf_span(&file));

    assert_int_equal(keystore_stage_read(stage, found), SCA_INVALID);
    assert_string_equal(found, "1:pub1 2:priv2/key2");
    assert_int_equal(keystore_stage_change(stage, 3, "x", "", true), SCA_INVALID);
    assert_int_equal(keystore_stage_remove(stage, 3), SCA_OK);
    keystore_stage_holds(stage, "1:pub1 2:priv2/key2 4:pub4 5:priv5/key5");
}

static void a_sealed_object_brought_back_is_found(void **state)
{
    struct keystore_stage *stage = *state;
    AUTO(buf_fini) struct buf before;
    AUTO(buf_fini) struct buf file;

    fill(stage);
    keystore_stage_load(stage, "token", &before);
    assert_int_equal(keystore_stage_change(stage, 3, "other", "abcd", true), SCA_OK);
    keystore_stage_load(stage, "token", &file);
    *record_of(&file, 3) = *record_of(&before, 3);
    memcpy(body_of(&file, 3), body_of(&before, 3), 9);

    is_found_after_login(stage, &file);
}

static void a_sealed_object_removed_is_found(void **state)
{
    struct keystore_stage *stage = *state;
    AUTO(buf_fini) struct buf file;

    fill(stage);
    keystore_stage_load(stage, "token", &file);
    uint8_t *last = (uint8_t *)record_of(&file, 5);
    uint8_t *end = file.ptr + file.len;
    size_t len = sizeof(struct tokenfile_record);
    memmove(last, last + len, (size_t)(end - last) - len);
    head_of(&file)->object_count--;
    head_of(&file)->bodies_len -= 9;
    file.len -= len + 9; /* its body was the last, before the digest that is made anew */

    is_found_after_login(stage, &file);
}

static void a_sealed_object_shown_as_a_public_one_is_found(void **state)
{
    struct keystore_stage *stage = *state;
    AUTO(buf_fini) struct buf file;

    fill(stage);
    keystore_stage_load(stage, "token", &file);
    struct tokenfile_record *record = record_of(&file, 2);
    record->is_private = 0;
    record->body_len += record->key_len;
    record->key_len = 0;
    memset(&record->mark, 0, sizeof(record->mark));

    is_found_after_login(stage, &file);
}

static void wraps_exchanged_or_weakened_open_nothing(void **state)
{
    struct keystore_stage *stage = *state;
    AUTO(buf_fini) struct buf file;

    keystore_stage_load(stage, "token", &file);
    struct wrap wrap = head_of(&file)->wraps[KEYSTORE_USER];
    head_of(&file)->wraps[KEYSTORE_SO] = wrap; /* the user as security officer */
    head_of(&file)->wraps[KEYSTORE_USER].cost++;
    keystore_stage_put_right(&file);
    keystore_stage_put(stage, "token", buf_span(&file));

    assert_int_equal(keystore_stage_login(stage, KEYSTORE_SO, USER_PIN), SCA_USER_AUTH);
    assert_int_equal(keystore_stage_login(stage, KEYSTORE_USER, USER_PIN), SCA_USER_AUTH);
}

static void a_bomb_is_refused(void **state)
{
    static const struct {
        uint32_t cost;
        uint32_t r;
        uint32_t p;
    } rows[] = {{21, 8, 1}, {9, 8, 1},  {31, 8, 1}, {32, 8, 1},          {UINT32_MAX, 8, 1},
                {10, 9, 1}, {10, 0, 1}, {10, 8, 2}, {10, 8, UINT32_MAX}, {0, 8, 1}};
    struct keystore_stage *stage = *state;
    AUTO(buf_fini) struct buf file;

    keystore_stage_load(stage, "token", &file);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct wrap *wrap = &head_of(&file)->wraps[i % 2];
        const struct wrap sound = *wrap;
        wrap->cost = rows[i].cost;
        wrap->r = rows[i].r;
        wrap->p = rows[i].p;
        keystore_stage_put_right(&file);
        keystore_stage_put(stage, "token", buf_span(&file));
        *wrap = sound;
        expect(keystore_stage_login(stage, KEYSTORE_USER, USER_PIN), SCA_INVALID, i);
        expect(keystore_stage_login(stage, KEYSTORE_SO, SO_PIN), SCA_INVALID, i);
    }
}

static void heads_that_make_no_sense_are_refused(void **state)
{
    struct keystore_stage *stage = *state;
    AUTO(buf_fini) struct buf file;
    enum { ROWS = 8 };

    keystore_stage_load(stage, "token", &file);
    struct tokenfile_head *head = head_of(&file);
    const struct tokenfile_head sound = *head;
    for (size_t i = 0; i < ROWS; i++) {
        head->version += i == 0;
        head->byte_order = i == 1 ? 0x04030201 : head->byte_order;
        head->object_count = i == 2 ? UINT32_MAX : head->object_count;
        head->bodies_len = i == 3 ? UINT64_MAX : head->bodies_len;
        head->next_number = i == 4 ? 0 : head->next_number;
        head->serial[3] = i == 5 ? 'X' : head->serial[3];
        head->label[31] = i == 6 ? 'x' : head->label[31];
        head->token_id[0] ^= i == 7;
        keystore_stage_put_right(&file);
        keystore_stage_put(stage, "token", buf_span(&file));
        is_refused(stage, i);
        *head = sound;
    }
    keystore_stage_put_right(&file);
    keystore_stage_put(stage, "token", buf_span(&file));
    keystore_stage_holds(stage, "");
}

/* The first object is a public one, the second is not. */
static void spoil_records(size_t row, struct tokenfile_record *one, struct tokenfile_record *two)
{
    static const uint32_t numbers[] = {0, 2, 3};

    if (row < ARRAY_LEN(numbers))
        one->number = numbers[row];
    else if (row == 3)
        one->is_private = 2;
    else if (row == 4)
        one->reserved = 1;
    else if (row == 5)
        one->mark.tag[0] = 1;
    else if (row == 6)
        one->generation = UINT64_MAX;
    else if (row == 7)
        one->body_len++; /* and the bodies are too short */
    else {
        one->body_len = UINT32_MAX; /* whose sum with the next is right again in 32 bits */
        two->key_len += 5;
    }
}

static void records_that_make_no_sense_are_refused(void **state)
{
    struct keystore_stage *stage = *state;
    AUTO(buf_fini) struct buf file;
    enum { ROWS = 9 };

    fill(stage);
    keystore_stage_load(stage, "token", &file);
    struct tokenfile_record *one = record_of(&file, 1);
    struct tokenfile_record *two = record_of(&file, 2);
    const struct tokenfile_record sound[] = {*one, *two};
    for (size_t i = 0; i < ROWS; i++) {
        spoil_records(i, one, two);
        keystore_stage_put_right(&file);
        keystore_stage_put(stage, "token", buf_span(&file));
        is_refused(stage, i);
        *one = sound[0];
        *two = sound[1];
    }
}

static void files_that_others_could_have_made_are_refused(void **state)
{
    struct keystore_stage *stage = *state;
    static const mode_t modes[] = {0640, 0604, 0620, 0602, 0610, 0601};
    struct keystore_info info;
    char path[128];
    char other[140];
    const char *why = NULL;

    keystore_stage_path(stage, "token", path);
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        assert_int_equal(chmod(path, modes[i]), 0);
        is_distrusted(stage, i);
        assert_int_equal(keystore_info(&stage->keystore, &info, &why), SCA_IO);
        assert_non_null(strstr(why, "chmod"));
    }
    assert_int_equal(chmod(path, 0600), 0);
    (void)snprintf(other, sizeof(other), "%s.elsewhere", path);
    assert_int_equal(rename(path, other), 0);
    assert_int_equal(symlink(other, path), 0);
    is_distrusted(stage, 100);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    is_distrusted(stage, 101);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rename(other, path), 0);
    keystore_stage_holds(stage, "");
}

static void a_folder_open_to_others_is_refused(void **state)
{
    struct keystore_stage *stage = *state;
    static const mode_t modes[] = {0750, 0705, 0720, 0777};
    char path[128];

    keystore_stage_path(stage, "token", path);
    *strrchr(path, '/') = 0;
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        assert_int_equal(chmod(path, modes[i]), 0);
        is_distrusted(stage, i);
        assert_int_equal(keystore_new_name(stage->name), SCA_OK);
        assert_int_equal(keystore_stage_create(stage), SCA_IO);
    }
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, keystore_stage_begin, keystore_stage_end)
    const struct CMUnitTest tests[] = {
        WITH(every_flipped_byte_is_found),
        WITH(every_truncation_is_found),
        WITH(an_appended_byte_is_found),
        WITH(the_reason_names_the_way_back_and_it_is_one),
        WITH(sealed_objects_exchanged_are_found),
        WITH(a_sealed_object_changed_is_found),
        WITH(a_sealed_object_brought_back_is_found),
        WITH(a_sealed_object_removed_is_found),
        WITH(a_sealed_object_shown_as_a_public_one_is_found),
        WITH(wraps_exchanged_or_weakened_open_nothing),
        WITH(a_bomb_is_refused),
        WITH(heads_that_make_no_sense_are_refused),
        WITH(records_that_make_no_sense_are_refused),
        WITH(files_that_others_could_have_made_are_refused),
        WITH(a_folder_open_to_others_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
