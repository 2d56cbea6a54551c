/* SPDX-License-Identifier: Apache-2.0 */
/* Objects and keys of tokens on this computer: written, listed, loaded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "tests/unit/backend_stage.h"

static const struct span no_key = {.ptr = NULL};

static struct token_state state_of(struct token *token)
{
    struct token_state state;
    assert_int_equal(token->ops->state(token, &state), SCA_OK);
    return state;
}

static void private_objects_are_listed_for_the_user_alone(void **state)
{
    struct backend_stage *stage = *state;
    AUTO(buf_fini) struct buf der;
    unsigned certificate = 0;
    unsigned key = 0;

    backend_stage_new_key(&der);
    struct token *token = backend_stage_make(stage, 0, "a");
    assert_int_equal(backend_stage_login(stage, 0, TOKEN_USER, USER_PIN), SCA_OK);
    assert_int_equal(
        backend_stage_write(stage, token, CKO_PRIVATE_KEY, "key", buf_span(&der), &key), SCA_OK);
    assert_int_equal(
        backend_stage_write(stage, token, CKO_CERTIFICATE, "certificate", no_key, &certificate),
        SCA_OK);

    assert_int_equal(key, 1);
    assert_int_equal(certificate, 2);
    backend_stage_lists(token, "key* certificate profiles");
    token->ops->logout(token);
    backend_stage_lists(token, "certificate profiles");
    assert_int_equal(backend_stage_login(stage, 0, TOKEN_SO, SO_PIN), SCA_OK);
    backend_stage_lists(token, "certificate profiles");
}

static void an_object_comes_back_with_its_attributes_and_a_unique_id(void **state)
{
    struct backend_stage *stage = *state;
    char value[64];
    char expected[64];
    unsigned number = 0;

    struct token *token = backend_stage_make(stage, 0, "a");
    assert_int_equal(backend_stage_write(stage, token, CKO_DATA, "first", no_key, &number), SCA_OK);
    (void)snprintf(expected, sizeof(expected), "local-%s-%u", state_of(token).serial, number);
    struct span id = backend_stage_value(token, number, CKA_UNIQUE_ID, value, sizeof(value));
    assert_true(span_equal(id, span_text(expected)));
    uint64_t stamp = token->ops->write->stamp(token);
    assert_int_equal(backend_stage_write(stage, token, CKO_DATA, "second", no_key, &number),
                     SCA_OK);

    assert_int_equal(number, 1);
    assert_true(token->ops->write->stamp(token) != stamp);
    backend_stage_lists(token, "second profiles");
    assert_int_equal(backend_stage_remove(stage, token, number), SCA_OK);
    backend_stage_lists(token, "profiles");
}

static void a_change_of_what_is_not_there_changes_nothing(void **state)
{
    struct backend_stage *stage = *state;
    struct attributes a = {.count = 0};
    unsigned missing = 7;

    struct token *token = backend_stage_make(stage, 0, "a");
    attributes_add_storage(&a, CKO_DATA, false);
    attributes_add_text(&a, CKA_LABEL, "x");
    struct object_change changes[] = {
        {.attributes = a.list, .count = a.count},
        {.number = missing, .is_removed = true},
    };
    stage->call.note[0] = 0;
    assert_int_equal(token->ops->write->apply(token, &stage->call, changes, 2), SCA_NOT_FOUND);

    assert_int_equal(changes[0].number, 0);
    assert_non_null(strstr(stage->call.note, "not there any more"));
    backend_stage_lists(token, "profiles");
    assert_int_equal(backend_stage_write(stage, token, CKO_DATA, "y", no_key, &missing),
                     SCA_NOT_FOUND);
}

static void too_large_an_object_is_refused(void **state)
{
    struct backend_stage *stage = *state;
    enum { TOO_LARGE = 1024 * 1024 + 1 };
    AUTO(freep) void *value = calloc(1, TOO_LARGE);
    CK_ATTRIBUTE attribute = {CKA_VALUE, value, TOO_LARGE};
    struct object_change change = {.attributes = &attribute, .count = 1};

    struct token *token = backend_stage_make(stage, 0, "a");
    stage->call.note[0] = 0;
    assert_int_equal(token->ops->write->apply(token, &stage->call, &change, 1), SCA_NO_SPACE);
    attribute.ulValueLen = CK_UNAVAILABLE_INFORMATION;
    assert_int_equal(token->ops->write->apply(token, &stage->call, &change, 1), SCA_NO_SPACE);

    backend_stage_lists(token, "profiles");
}

static EVP_PKEY *load(struct backend_stage *stage, struct token *token, unsigned number)
{
    EVP_PKEY *key = NULL;
    stage->call.note[0] = 0;
    assert_int_equal(
        token->ops->write->load_key(token, &stage->call, number, backend_stage_decode, &key),
        SCA_OK);
    assert_non_null(key);
    return key;
}

static enum sca_status load_status(struct backend_stage *stage, struct token *token,
                                   unsigned number)
{
    EVP_PKEY *key = NULL;
    stage->call.note[0] = 0;
    enum sca_status st =
        token->ops->write->load_key(token, &stage->call, number, backend_stage_decode, &key);
    assert_null(key);
    return st;
}

static void a_key_is_decoded_once_per_login(void **state)
{
    struct backend_stage *stage = *state;
    AUTO(buf_fini) struct buf der;
    unsigned number = 0;

    backend_stage_new_key(&der);
    struct token *token = backend_stage_make(stage, 0, "a");
    assert_int_equal(backend_stage_login(stage, 0, TOKEN_USER, USER_PIN), SCA_OK);
    assert_int_equal(
        backend_stage_write(stage, token, CKO_PRIVATE_KEY, "key", buf_span(&der), &number), SCA_OK);
    EVP_PKEY *first = load(stage, token, number);
    EVP_PKEY *second = load(stage, token, number);

    assert_ptr_equal(first, second);
    assert_int_equal(EVP_PKEY_get_bits(first), 256);
    token->ops->logout(token);
    assert_int_equal(EVP_PKEY_get_bits(first), 256); /* a reference outlives the login */
    EVP_PKEY_free(first);
    EVP_PKEY_free(second);
}

static void keys_are_for_the_user_alone(void **state)
{
    struct backend_stage *stage = *state;
    AUTO(buf_fini) struct buf der;
    unsigned number = 0;

    backend_stage_new_key(&der);
    struct token *token = backend_stage_make(stage, 0, "a");
    assert_int_equal(load_status(stage, token, 1), SCA_USER_AUTH);
    assert_int_equal(
        backend_stage_write(stage, token, CKO_PRIVATE_KEY, "key", buf_span(&der), &number),
        SCA_USER_AUTH);
    assert_int_equal(backend_stage_login(stage, 0, TOKEN_SO, SO_PIN), SCA_OK);
    assert_int_equal(load_status(stage, token, 1), SCA_USER_AUTH);
    token->ops->logout(token);
    assert_int_equal(backend_stage_login(stage, 0, TOKEN_USER, USER_PIN), SCA_OK);

    assert_int_equal(load_status(stage, token, 1), SCA_NOT_FOUND);
    assert_int_equal(
        backend_stage_write(stage, token, CKO_PRIVATE_KEY, "key", buf_span(&der), &number), SCA_OK);
    EVP_PKEY_free(load(stage, token, number));
    token->ops->logout(token);
    assert_int_equal(load_status(stage, token, number), SCA_USER_AUTH);
}

static void a_removed_key_is_not_found_in_the_cache(void **state)
{
    struct backend_stage *stage = *state;
    AUTO(buf_fini) struct buf der;
    unsigned numbers[3] = {0};

    backend_stage_new_key(&der);
    struct token *token = backend_stage_make(stage, 0, "a");
    assert_int_equal(backend_stage_login(stage, 0, TOKEN_USER, USER_PIN), SCA_OK);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        assert_int_equal(
            backend_stage_write(stage, token, CKO_PRIVATE_KEY, "key", buf_span(&der), &numbers[i]),
            SCA_OK);
    for (size_t i = ARRAY_LEN(numbers); i-- > 0;)
        EVP_PKEY_free(load(stage, token, numbers[i]));
    assert_int_equal(backend_stage_remove(stage, token, numbers[1]), SCA_OK);

    assert_int_equal(load_status(stage, token, numbers[1]), SCA_NOT_FOUND);
    EVP_PKEY_free(load(stage, token, numbers[0]));
    EVP_PKEY_free(load(stage, token, numbers[2]));
}

static void a_changed_key_is_decoded_anew_and_a_changed_label_keeps_it(void **state)
{
    struct backend_stage *stage = *state;
    AUTO(buf_fini) struct buf one;
    AUTO(buf_fini) struct buf two;
    unsigned number = 0;

    backend_stage_new_key(&one);
    backend_stage_new_key(&two);
    struct token *token = backend_stage_make(stage, 0, "a");
    assert_int_equal(backend_stage_login(stage, 0, TOKEN_USER, USER_PIN), SCA_OK);
    assert_int_equal(
        backend_stage_write(stage, token, CKO_PRIVATE_KEY, "key", buf_span(&one), &number), SCA_OK);
    EVP_PKEY *first = load(stage, token, number);
    assert_int_equal(backend_stage_write(stage, token, CKO_PRIVATE_KEY, "renamed", no_key, &number),
                     SCA_OK);
    EVP_PKEY *renamed = load(stage, token, number);
    assert_int_equal(
        backend_stage_write(stage, token, CKO_PRIVATE_KEY, "other", buf_span(&two), &number),
        SCA_OK);
    EVP_PKEY *other = load(stage, token, number);

    assert_ptr_equal(first, renamed);
    assert_int_equal(EVP_PKEY_eq(first, other), 0);
    backend_stage_lists(token, "other* profiles");
    EVP_PKEY_free(first);
    EVP_PKEY_free(renamed);
    EVP_PKEY_free(other);
}

static void what_is_no_key_is_refused_when_it_is_loaded(void **state)
{
    struct backend_stage *stage = *state;
    AUTO(buf_fini) struct buf der;
    unsigned rubbish = 0;
    unsigned trailing = 0;

    backend_stage_new_key(&der);
    assert_int_equal(buf_append(&der, span_text("x")), SCA_OK);
    struct token *token = backend_stage_make(stage, 0, "a");
    assert_int_equal(backend_stage_login(stage, 0, TOKEN_USER, USER_PIN), SCA_OK);
    assert_int_equal(backend_stage_write(stage, token, CKO_PRIVATE_KEY, "rubbish",
                                         span_text("rubbish"), &rubbish),
                     SCA_OK);
    assert_int_equal(
        backend_stage_write(stage, token, CKO_PRIVATE_KEY, "trailing", buf_span(&der), &trailing),
        SCA_OK);

    assert_int_equal(load_status(stage, token, rubbish), SCA_INVALID);
    assert_int_equal(load_status(stage, token, trailing), SCA_INVALID);
    backend_stage_lists(token, "rubbish* trailing* profiles");
}

static void a_token_remade_by_another_process_is_gone_for_who_is_logged_in(void **state)
{
    struct backend_stage *stage = *state;
    struct backend_stage other;
    AUTO(buf_fini) struct buf der;
    unsigned number = 0;

    backend_stage_new_key(&der);
    struct token *token = backend_stage_make(stage, 0, "a");
    assert_int_equal(backend_stage_login(stage, 0, TOKEN_USER, USER_PIN), SCA_OK);
    backend_stage_other(stage, &other);
    uint64_t stamp = token->ops->write->stamp(token);
    assert_int_equal(backend_stage_init_token(&other, 0, SO_PIN, "b"), SCA_OK);

    assert_true(token->ops->write->stamp(token) != stamp);
    assert_int_equal(
        backend_stage_write(stage, token, CKO_PRIVATE_KEY, "key", buf_span(&der), &number),
        SCA_GONE);
    assert_non_null(strstr(stage->call.note, "log out and in again"));
    assert_int_equal(load_status(stage, token, 1), SCA_GONE);
    token->ops->logout(token);
    backend_stage_lists(token, "profiles");
    backend_stage_close(&other);
}

/* Another process has changed the object since its attributes were read: what it said stays. */
static void a_change_of_what_others_have_changed_is_refused(void **state)
{
    struct backend_stage *stage = *state;
    struct token *token = backend_stage_make(stage, 0, "mine");
    struct attributes read = {.count = 0};
    struct attributes wanted = {.count = 0};
    char unique_id[] = "made, not stored";
    unsigned number = 0;
    assert_int_equal(
        backend_stage_write(stage, token, CKO_DATA, "first", span_of(NULL, 0), &number), SCA_OK);
    attributes_add_storage(&read, CKO_DATA, false);
    attributes_add_text(&read, CKA_LABEL, "first");
    attributes_add_text(&read, CKA_UNIQUE_ID, unique_id);
    attributes_add_storage(&wanted, CKO_DATA, false);
    attributes_add_text(&wanted, CKA_LABEL, "ours");
    struct object_change change = {.number = number,
                                   .attributes = wanted.list,
                                   .count = wanted.count,
                                   .base = read.list,
                                   .base_count = read.count};
    assert_int_equal(
        backend_stage_write(stage, token, CKO_DATA, "theirs", span_of(NULL, 0), &number), SCA_OK);

    assert_int_equal(token->ops->write->apply(token, &stage->call, &change, 1), SCA_BUSY);

    backend_stage_lists(token, "theirs profiles");
    assert_int_equal(
        backend_stage_write(stage, token, CKO_DATA, "first", span_of(NULL, 0), &number), SCA_OK);
    assert_int_equal(token->ops->write->apply(token, &stage->call, &change, 1), SCA_OK);
    backend_stage_lists(token, "ours profiles");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, backend_stage_begin, backend_stage_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(private_objects_are_listed_for_the_user_alone),
        TEST(an_object_comes_back_with_its_attributes_and_a_unique_id),
        TEST(a_change_of_what_is_not_there_changes_nothing),
        TEST(a_change_of_what_others_have_changed_is_refused),
        TEST(too_large_an_object_is_refused),
        TEST(a_key_is_decoded_once_per_login),
        TEST(keys_are_for_the_user_alone),
        TEST(a_removed_key_is_not_found_in_the_cache),
        TEST(a_changed_key_is_decoded_anew_and_a_changed_label_keeps_it),
        TEST(what_is_no_key_is_refused_when_it_is_loaded),
        TEST(a_token_remade_by_another_process_is_gone_for_who_is_logged_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
