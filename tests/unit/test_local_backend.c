/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens on this computer as the token layer sees them: slots, objects and keys. */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/evp.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/catalogue/catalogue.h"
#include "tests/unit/local_stage.h"

static const struct span no_key = {.ptr = NULL};

static struct token_state state_of(struct token *token)
{
    struct token_state state;
    assert_int_equal(token->ops->write->state(token, &state), SCA_OK);
    return state;
}

static void an_empty_slot_is_offered_and_no_file_is_made(void **state)
{
    struct local_stage *stage = *state;
    char path[128];

    local_stage_slots(stage, "+0");
    struct token *token = local_stage_token(stage, 0);
    struct token_state empty = state_of(token);

    assert_false(empty.is_initialized);
    assert_string_equal(empty.label, "");
    assert_string_equal(empty.serial, "");
    assert_string_equal(token->identity.slot_description, "Self-signed certificates: new token");
    assert_string_equal(token->identity.manufacturer, "VNPT eContract");
    assert_string_equal(token->identity.model, "Self-signed");
    assert_true(token->is_present && token->needs_login && token->has_random);
    assert_int_equal(token->pin_min, 6);
    assert_int_equal(token->pin_max, 64);
    assert_int_equal(token->mechanism_count, 17);
    assert_true(token->ops->write->stamp(token) == 0);
    local_stage_lists(token, "");
    (void)snprintf(path, sizeof(path), "%s/catalogue", stage->dir);
    assert_int_equal(access(path, F_OK), -1);
    (void)snprintf(path, sizeof(path), "%s/tokens", stage->dir);
    assert_int_equal(access(path, F_OK), -1);
}

static void the_empty_slot_becomes_a_token_and_a_new_one_is_offered(void **state)
{
    struct local_stage *stage = *state;

    assert_int_equal(local_stage_init_token(stage, 0, SO_PIN, "Nguyễn Văn A"), SCA_OK);
    local_stage_look(stage);
    local_stage_slots(stage, "0 +1");
    struct token_state made = state_of(local_stage_token(stage, 0));

    assert_true(made.is_initialized);
    assert_false(made.has_user_pin);
    assert_int_equal(made.wrong_so_pins, 0);
    assert_string_equal(made.label, "Nguyễn Văn A");
    assert_int_equal(strspn(made.serial, "0123456789abcdef"), 17);
    local_stage_lists(local_stage_token(stage, 0), "profiles");
}

static void tokens_are_in_the_same_slots_in_every_run(void **state)
{
    struct local_stage *stage = *state;
    struct local_stage other;

    (void)local_stage_make(stage, 0, "a");
    local_stage_look(stage);
    (void)local_stage_make(stage, 1, "b");
    local_stage_other(stage, &other);

    local_stage_slots(&other, "0 1 +2");
    assert_string_equal(state_of(local_stage_token(&other, 0)).label, "a");
    assert_string_equal(state_of(local_stage_token(&other, 1)).label, "b");
    assert_true(state_of(local_stage_token(&other, 1)).has_user_pin);
    assert_memory_equal(local_stage_token(&other, 1)->identity.slot_description,
                        "Self-signed certificate token ", 30);
    assert_int_equal(strlen(local_stage_token(&other, 1)->identity.slot_description), 38);
    local_stage_close(&other);
}

/* How many files of tokens there are. */
static unsigned count_token_files(const struct local_stage *stage)
{
    char path[128];
    unsigned count = 0;

    (void)snprintf(path, sizeof(path), "%s/tokens", stage->dir);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    while (readdir(dir))
        count++;
    (void)closedir(dir);
    return count;
}

static void an_empty_slot_that_another_process_took_is_gone(void **state)
{
    struct local_stage *stage = *state;
    struct local_stage other;

    local_stage_other(stage, &other);
    (void)local_stage_make(&other, 0, "theirs");
    unsigned files = count_token_files(stage);
    assert_int_equal(local_stage_init_token(stage, 0, SO_PIN, "ours"), SCA_GONE);

    assert_non_null(strstr(stage->call.note, "another program has just taken this empty slot"));
    assert_int_equal(count_token_files(stage), files);
    local_stage_slots(stage, "+0");
    local_stage_look(stage);
    local_stage_slots(stage, "0 +1");
    assert_string_equal(state_of(local_stage_token(stage, 0)).label, "theirs");
    assert_int_equal(local_stage_init_token(stage, 1, SO_PIN, "ours"), SCA_OK);
    local_stage_close(&other);
}

static void private_objects_are_listed_for_the_user_alone(void **state)
{
    struct local_stage *stage = *state;
    AUTO(buf_fini) struct buf der;
    unsigned certificate = 0;
    unsigned key = 0;

    local_stage_new_key(&der);
    struct token *token = local_stage_make(stage, 0, "a");
    assert_int_equal(local_stage_login(stage, 0, TOKEN_USER, USER_PIN), SCA_OK);
    assert_int_equal(local_stage_write(stage, token, CKO_PRIVATE_KEY, "key", buf_span(&der), &key),
                     SCA_OK);
    assert_int_equal(
        local_stage_write(stage, token, CKO_CERTIFICATE, "certificate", no_key, &certificate),
        SCA_OK);

    assert_int_equal(key, 1);
    assert_int_equal(certificate, 2);
    local_stage_lists(token, "key* certificate profiles");
    token->ops->logout(token);
    local_stage_lists(token, "certificate profiles");
    assert_int_equal(local_stage_login(stage, 0, TOKEN_SO, SO_PIN), SCA_OK);
    local_stage_lists(token, "certificate profiles");
}

static void an_object_comes_back_with_its_attributes_and_a_unique_id(void **state)
{
    struct local_stage *stage = *state;
    char value[64];
    char expected[64];
    unsigned number = 0;

    struct token *token = local_stage_make(stage, 0, "a");
    assert_int_equal(local_stage_write(stage, token, CKO_DATA, "first", no_key, &number), SCA_OK);
    (void)snprintf(expected, sizeof(expected), "local-%s-%u", state_of(token).serial, number);
    struct span id = local_stage_value(token, number, CKA_UNIQUE_ID, value, sizeof(value));
    assert_true(span_equal(id, span_text(expected)));
    uint64_t stamp = token->ops->write->stamp(token);
    assert_int_equal(local_stage_write(stage, token, CKO_DATA, "second", no_key, &number), SCA_OK);

    assert_int_equal(number, 1);
    assert_true(token->ops->write->stamp(token) != stamp);
    local_stage_lists(token, "second profiles");
    assert_int_equal(local_stage_remove(stage, token, number), SCA_OK);
    local_stage_lists(token, "profiles");
}

static void a_change_of_what_is_not_there_changes_nothing(void **state)
{
    struct local_stage *stage = *state;
    struct attributes a = {.count = 0};
    unsigned missing = 7;

    struct token *token = local_stage_make(stage, 0, "a");
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
    local_stage_lists(token, "profiles");
    assert_int_equal(local_stage_write(stage, token, CKO_DATA, "y", no_key, &missing),
                     SCA_NOT_FOUND);
}

static void too_large_an_object_is_refused(void **state)
{
    struct local_stage *stage = *state;
    enum { TOO_LARGE = 1024 * 1024 + 1 };
    AUTO(freep) void *value = calloc(1, TOO_LARGE);
    CK_ATTRIBUTE attribute = {CKA_VALUE, value, TOO_LARGE};
    struct object_change change = {.attributes = &attribute, .count = 1};

    struct token *token = local_stage_make(stage, 0, "a");
    stage->call.note[0] = 0;
    assert_int_equal(token->ops->write->apply(token, &stage->call, &change, 1), SCA_NO_SPACE);
    attribute.ulValueLen = CK_UNAVAILABLE_INFORMATION;
    assert_int_equal(token->ops->write->apply(token, &stage->call, &change, 1), SCA_NO_SPACE);

    local_stage_lists(token, "profiles");
}

static EVP_PKEY *load(struct local_stage *stage, struct token *token, unsigned number)
{
    EVP_PKEY *key = NULL;
    stage->call.note[0] = 0;
    assert_int_equal(token->ops->write->load_key(token, &stage->call, number, &key), SCA_OK);
    assert_non_null(key);
    return key;
}

static enum sca_status load_status(struct local_stage *stage, struct token *token, unsigned number)
{
    EVP_PKEY *key = NULL;
    stage->call.note[0] = 0;
    enum sca_status st = token->ops->write->load_key(token, &stage->call, number, &key);
    assert_null(key);
    return st;
}

static void a_key_is_decoded_once_per_login(void **state)
{
    struct local_stage *stage = *state;
    AUTO(buf_fini) struct buf der;
    unsigned number = 0;

    local_stage_new_key(&der);
    struct token *token = local_stage_make(stage, 0, "a");
    assert_int_equal(local_stage_login(stage, 0, TOKEN_USER, USER_PIN), SCA_OK);
    assert_int_equal(
        local_stage_write(stage, token, CKO_PRIVATE_KEY, "key", buf_span(&der), &number), SCA_OK);
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
    struct local_stage *stage = *state;
    AUTO(buf_fini) struct buf der;
    unsigned number = 0;

    local_stage_new_key(&der);
    struct token *token = local_stage_make(stage, 0, "a");
    assert_int_equal(load_status(stage, token, 1), SCA_USER_AUTH);
    assert_int_equal(
        local_stage_write(stage, token, CKO_PRIVATE_KEY, "key", buf_span(&der), &number),
        SCA_USER_AUTH);
    assert_int_equal(local_stage_login(stage, 0, TOKEN_SO, SO_PIN), SCA_OK);
    assert_int_equal(load_status(stage, token, 1), SCA_USER_AUTH);
    token->ops->logout(token);
    assert_int_equal(local_stage_login(stage, 0, TOKEN_USER, USER_PIN), SCA_OK);

    assert_int_equal(load_status(stage, token, 1), SCA_NOT_FOUND);
    assert_int_equal(
        local_stage_write(stage, token, CKO_PRIVATE_KEY, "key", buf_span(&der), &number), SCA_OK);
    EVP_PKEY_free(load(stage, token, number));
    token->ops->logout(token);
    assert_int_equal(load_status(stage, token, number), SCA_USER_AUTH);
}

static void a_removed_key_is_not_found_in_the_cache(void **state)
{
    struct local_stage *stage = *state;
    AUTO(buf_fini) struct buf der;
    unsigned numbers[3] = {0};

    local_stage_new_key(&der);
    struct token *token = local_stage_make(stage, 0, "a");
    assert_int_equal(local_stage_login(stage, 0, TOKEN_USER, USER_PIN), SCA_OK);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        assert_int_equal(
            local_stage_write(stage, token, CKO_PRIVATE_KEY, "key", buf_span(&der), &numbers[i]),
            SCA_OK);
    for (size_t i = ARRAY_LEN(numbers); i-- > 0;)
        EVP_PKEY_free(load(stage, token, numbers[i]));
    assert_int_equal(local_stage_remove(stage, token, numbers[1]), SCA_OK);

    assert_int_equal(load_status(stage, token, numbers[1]), SCA_NOT_FOUND);
    EVP_PKEY_free(load(stage, token, numbers[0]));
    EVP_PKEY_free(load(stage, token, numbers[2]));
}

static void a_changed_key_is_decoded_anew_and_a_changed_label_keeps_it(void **state)
{
    struct local_stage *stage = *state;
    AUTO(buf_fini) struct buf one;
    AUTO(buf_fini) struct buf two;
    unsigned number = 0;

    local_stage_new_key(&one);
    local_stage_new_key(&two);
    struct token *token = local_stage_make(stage, 0, "a");
    assert_int_equal(local_stage_login(stage, 0, TOKEN_USER, USER_PIN), SCA_OK);
    assert_int_equal(
        local_stage_write(stage, token, CKO_PRIVATE_KEY, "key", buf_span(&one), &number), SCA_OK);
    EVP_PKEY *first = load(stage, token, number);
    assert_int_equal(local_stage_write(stage, token, CKO_PRIVATE_KEY, "renamed", no_key, &number),
                     SCA_OK);
    EVP_PKEY *renamed = load(stage, token, number);
    assert_int_equal(
        local_stage_write(stage, token, CKO_PRIVATE_KEY, "other", buf_span(&two), &number), SCA_OK);
    EVP_PKEY *other = load(stage, token, number);

    assert_ptr_equal(first, renamed);
    assert_int_equal(EVP_PKEY_eq(first, other), 0);
    local_stage_lists(token, "other* profiles");
    EVP_PKEY_free(first);
    EVP_PKEY_free(renamed);
    EVP_PKEY_free(other);
}

static void what_is_no_key_is_refused_when_it_is_loaded(void **state)
{
    struct local_stage *stage = *state;
    AUTO(buf_fini) struct buf der;
    unsigned rubbish = 0;
    unsigned trailing = 0;

    local_stage_new_key(&der);
    assert_int_equal(buf_append(&der, span_text("x")), SCA_OK);
    struct token *token = local_stage_make(stage, 0, "a");
    assert_int_equal(local_stage_login(stage, 0, TOKEN_USER, USER_PIN), SCA_OK);
    assert_int_equal(
        local_stage_write(stage, token, CKO_PRIVATE_KEY, "rubbish", span_text("rubbish"), &rubbish),
        SCA_OK);
    assert_int_equal(
        local_stage_write(stage, token, CKO_PRIVATE_KEY, "trailing", buf_span(&der), &trailing),
        SCA_OK);

    assert_int_equal(load_status(stage, token, rubbish), SCA_INVALID);
    assert_int_equal(load_status(stage, token, trailing), SCA_INVALID);
    local_stage_lists(token, "rubbish* trailing* profiles");
}

static void a_lost_catalogue_is_made_anew_with_the_same_slots(void **state)
{
    struct local_stage *stage = *state;
    struct local_stage other;
    char path[128];

    (void)local_stage_make(stage, 0, "a");
    local_stage_look(stage);
    (void)local_stage_make(stage, 1, "b");
    (void)snprintf(path, sizeof(path), "%s/catalogue", stage->dir);
    assert_int_equal(unlink(path), 0);
    local_stage_other(stage, &other);

    local_stage_slots(&other, "0 1 +2");
    assert_string_equal(state_of(local_stage_token(&other, 0)).label, "a");
    assert_string_equal(state_of(local_stage_token(&other, 1)).label, "b");
    assert_int_equal(access(path, F_OK), 0);
    local_stage_close(&other);
}

static void damage(const char *path)
{
    AUTO(fd_closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(fd_write_all(fd, span_text("rubbish")), SCA_OK);
}

static void a_damaged_catalogue_is_made_anew_with_the_same_slots(void **state)
{
    struct local_stage *stage = *state;
    struct local_stage other;
    char path[128];

    (void)local_stage_make(stage, 0, "a");
    (void)snprintf(path, sizeof(path), "%s/catalogue", stage->dir);
    damage(path);
    local_stage_other(stage, &other);
    local_stage_slots(&other, "0 +1");
    damage(path);
    (void)local_stage_make(&other, 1, "b"); /* damaged while it is needed */
    local_stage_look(&other);

    local_stage_slots(&other, "0 1 +2");
    (void)strcat(path, ".damaged");
    assert_int_equal(access(path, F_OK), 0);
    local_stage_close(&other);
}

static void a_damaged_catalogue_without_tokens_is_left_alone(void **state)
{
    struct local_stage *stage = *state;
    struct local_stage other;
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/catalogue", stage->dir);
    damage(path);
    local_stage_other(stage, &other);

    assert_int_equal(other.tokens.count, 0);
    (void)strcat(path, ".damaged");
    assert_int_equal(access(path, F_OK), -1);
    local_stage_close(&other);
}

/* The path of the only token's file. */
static void token_file(const struct local_stage *stage, char *out, size_t size)
{
    AUTO(catalogue_closep) struct catalogue *catalogue = NULL;
    struct catalogue_entry entry;
    const char *why = NULL;

    assert_int_equal(catalogue_open(stage->dir, &catalogue, &why), SCA_OK);
    assert_int_equal(catalogue_get(catalogue, 0, &entry), SCA_OK);
    (void)snprintf(out, size, "%s/tokens/%s.token", stage->dir, entry.user_id);
}

static void a_token_whose_file_is_gone_can_be_made_again(void **state)
{
    struct local_stage *stage = *state;
    char path[192];

    struct token *token = local_stage_make(stage, 0, "a");
    token_file(stage, path, sizeof(path));
    assert_int_equal(unlink(path), 0);
    assert_false(state_of(token).is_initialized);
    local_stage_lists(token, "");
    assert_int_equal(local_stage_init_token(stage, 0, "another-pin", "b"), SCA_OK);

    assert_string_equal(state_of(token).label, "b");
    local_stage_look(stage);
    local_stage_slots(stage, "0 +1");
}

static void a_damaged_token_says_so(void **state)
{
    struct local_stage *stage = *state;
    struct token_state token_state;
    char path[192];

    struct token *token = local_stage_make(stage, 0, "a");
    token_file(stage, path, sizeof(path));
    damage(path);

    assert_int_equal(token->ops->write->state(token, &token_state), SCA_INVALID);
    assert_int_equal(local_stage_login(stage, 0, TOKEN_USER, USER_PIN), SCA_INVALID);
    assert_non_null(strstr(stage->call.note, "damaged"));
}

static void a_token_remade_by_another_process_is_gone_for_who_is_logged_in(void **state)
{
    struct local_stage *stage = *state;
    struct local_stage other;
    AUTO(buf_fini) struct buf der;
    unsigned number = 0;

    local_stage_new_key(&der);
    struct token *token = local_stage_make(stage, 0, "a");
    assert_int_equal(local_stage_login(stage, 0, TOKEN_USER, USER_PIN), SCA_OK);
    local_stage_other(stage, &other);
    uint64_t stamp = token->ops->write->stamp(token);
    assert_int_equal(local_stage_init_token(&other, 0, SO_PIN, "b"), SCA_OK);

    assert_true(token->ops->write->stamp(token) != stamp);
    assert_int_equal(
        local_stage_write(stage, token, CKO_PRIVATE_KEY, "key", buf_span(&der), &number), SCA_GONE);
    assert_non_null(strstr(stage->call.note, "log out and in again"));
    assert_int_equal(load_status(stage, token, 1), SCA_GONE);
    token->ops->logout(token);
    local_stage_lists(token, "profiles");
    local_stage_close(&other);
}

static void ten_thousand_tokens_are_listed_without_looking_at_their_files(void **state)
{
    struct local_stage *stage = *state;
    struct local_stage other;
    enum { MANY = 10000 };
    AUTO(freep) char(*texts)[33] = calloc(MANY, sizeof(*texts));
    AUTO(freep) const char **names = calloc(MANY, sizeof(*names));
    AUTO(freep) uint32_t *ids = calloc(MANY, sizeof(*ids));

    assert_true(texts && names && ids);
    for (uint32_t i = 0; i < MANY; i++) {
        (void)snprintf(texts[i], sizeof(texts[i]), "%032x", i * 2654435761u);
        names[i] = texts[i];
        ids[i] = i;
    }
    assert_int_equal(catalogue_adopt_local(stage->dir, names, ids, MANY), SCA_OK);
    local_stage_other(stage, &other);

    assert_int_equal(other.tokens.count, MANY + 1);
    assert_int_equal(other.tokens.items[MANY]->slot_id, MANY);
    assert_true(other.tokens.items[MANY]->is_spare);
    local_stage_look(&other);
    assert_int_equal(other.tokens.count, MANY + 1);
    local_stage_close(&other);
}

/*
 * An application that finishes in an exit handler registered before OpenSSL was first used: what
 * it does runs after OpenSSL's own. Here in a program of its own, which this one starts.
 */
static struct local_stage exiting;

static void finish_at_exit(void)
{
    char path[128];

    local_stage_close(&exiting);
    (void)snprintf(path, sizeof(path), "%s/finished", exiting.config.state_dir);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    fd_closep(&fd);
}

static void exit_with_an_open_login(char *dir)
{
    if (atexit(finish_at_exit) != 0)
        abort();
    exiting.config.state_dir = dir;
    call_init(&exiting.call, &clock_system, 60000);
    local_stage_open(&exiting);
    if (local_stage_login(&exiting, 0, TOKEN_USER, USER_PIN) != SCA_OK)
        abort();
    EVP_PKEY_free(load(&exiting, local_stage_token(&exiting, 0), 1));
    exit(3);
}

static void a_login_that_is_open_when_the_process_ends_does_no_harm(void **state)
{
    struct local_stage *stage = *state;
    AUTO(buf_fini) struct buf der;
    unsigned number = 0;
    char path[128];
    int status = 0;

    local_stage_new_key(&der);
    struct token *token = local_stage_make(stage, 0, "a");
    assert_int_equal(local_stage_login(stage, 0, TOKEN_USER, USER_PIN), SCA_OK);
    assert_int_equal(
        local_stage_write(stage, token, CKO_PRIVATE_KEY, "key", buf_span(&der), &number), SCA_OK);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)execl("/proc/self/exe", "test_local_backend", stage->dir, (char *)NULL);
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);

    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 3);
    (void)snprintf(path, sizeof(path), "%s/finished", stage->dir);
    assert_int_equal(access(path, F_OK), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, local_stage_begin, local_stage_end)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(an_empty_slot_is_offered_and_no_file_is_made),
        TEST(the_empty_slot_becomes_a_token_and_a_new_one_is_offered),
        TEST(tokens_are_in_the_same_slots_in_every_run),
        TEST(an_empty_slot_that_another_process_took_is_gone),
        TEST(private_objects_are_listed_for_the_user_alone),
        TEST(an_object_comes_back_with_its_attributes_and_a_unique_id),
        TEST(a_change_of_what_is_not_there_changes_nothing),
        TEST(too_large_an_object_is_refused),
        TEST(a_key_is_decoded_once_per_login),
        TEST(keys_are_for_the_user_alone),
        TEST(a_removed_key_is_not_found_in_the_cache),
        TEST(a_changed_key_is_decoded_anew_and_a_changed_label_keeps_it),
        TEST(what_is_no_key_is_refused_when_it_is_loaded),
        TEST(a_lost_catalogue_is_made_anew_with_the_same_slots),
        TEST(a_damaged_catalogue_is_made_anew_with_the_same_slots),
        TEST(a_damaged_catalogue_without_tokens_is_left_alone),
        TEST(a_token_whose_file_is_gone_can_be_made_again),
        TEST(a_damaged_token_says_so),
        TEST(a_token_remade_by_another_process_is_gone_for_who_is_logged_in),
        TEST(ten_thousand_tokens_are_listed_without_looking_at_their_files),
        TEST(a_login_that_is_open_when_the_process_ends_does_no_harm),
    };
    if (argc == 2)
        exit_with_an_open_login(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
