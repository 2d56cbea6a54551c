/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens on this computer as the token layer sees them: slots, and the state folder below. */
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
#include "tests/unit/backend_stage.h"

static struct token_state state_of(struct token *token)
{
    struct token_state state;
    assert_int_equal(token->ops->state(token, &state), SCA_OK);
    return state;
}

static void an_empty_slot_is_offered_and_no_file_is_made(void **state)
{
    struct backend_stage *stage = *state;
    char path[128];

    backend_stage_slots(stage, "+0");
    struct token *token = backend_stage_token(stage, 0);
    struct token_state empty = state_of(token);

    assert_false(empty.is_initialized);
    assert_string_equal(empty.label, "");
    assert_string_equal(empty.serial, "");
    assert_string_equal(token->identity.slot_description, "Self-signed: a new token");
    assert_string_equal(token->identity.manufacturer, "VNPT eContract");
    assert_string_equal(token->identity.model, "Self-signed");
    assert_true(token->is_present && token->needs_login && token->has_random);
    assert_int_equal(token->pin_min, 6);
    assert_int_equal(token->pin_max, 64);
    assert_int_equal(token->mechanism_count, 17);
    assert_true(token->ops->write->stamp(token) == 0);
    backend_stage_lists(token, "");
    (void)snprintf(path, sizeof(path), "%s/catalogue", stage->dir);
    assert_int_equal(access(path, F_OK), -1);
    (void)snprintf(path, sizeof(path), "%s/tokens", stage->dir);
    assert_int_equal(access(path, F_OK), -1);
}

static void the_empty_slot_becomes_a_token_and_a_new_one_is_offered(void **state)
{
    struct backend_stage *stage = *state;

    assert_int_equal(backend_stage_init_token(stage, 0, SO_PIN, "Nguyễn Văn A"), SCA_OK);
    backend_stage_look(stage);
    backend_stage_slots(stage, "0 +1");
    struct token_state made = state_of(backend_stage_token(stage, 0));

    assert_true(made.is_initialized);
    assert_false(made.has_user_pin);
    assert_int_equal(made.wrong_so_pins, 0);
    assert_string_equal(made.label, "Nguyễn Văn A");
    assert_int_equal(strspn(made.serial, "0123456789abcdef"), 16);
    backend_stage_lists(backend_stage_token(stage, 0), "profiles");
}

static void tokens_are_in_the_same_slots_in_every_run(void **state)
{
    struct backend_stage *stage = *state;
    struct backend_stage other;

    (void)backend_stage_make(stage, 0, "a");
    backend_stage_look(stage);
    (void)backend_stage_make(stage, 1, "b");
    backend_stage_other(stage, &other);

    backend_stage_slots(&other, "0 1 +2");
    assert_string_equal(state_of(backend_stage_token(&other, 0)).label, "a");
    assert_string_equal(state_of(backend_stage_token(&other, 1)).label, "b");
    assert_true(state_of(backend_stage_token(&other, 1)).has_user_pin);
    assert_memory_equal(backend_stage_token(&other, 1)->identity.slot_description,
                        "Self-signed token ", 18);
    assert_int_equal(strlen(backend_stage_token(&other, 1)->identity.slot_description), 26);
    backend_stage_close(&other);
}

/* How many files of tokens there are; a lock stays, for whoever waits for it. */
static unsigned count_token_files(const struct backend_stage *stage)
{
    char path[128];
    unsigned count = 0;

    (void)snprintf(path, sizeof(path), "%s/tokens", stage->dir);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (const struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
        count += strstr(entry->d_name, ".lock") == NULL;
    (void)closedir(dir);
    return count;
}

static void an_empty_slot_that_another_process_took_is_gone(void **state)
{
    struct backend_stage *stage = *state;
    struct backend_stage other;

    backend_stage_other(stage, &other);
    (void)backend_stage_make(&other, 0, "theirs");
    unsigned files = count_token_files(stage);
    assert_int_equal(backend_stage_init_token(stage, 0, SO_PIN, "ours"), SCA_GONE);

    assert_non_null(strstr(stage->call.note, "another program has just taken this empty slot"));
    assert_int_equal(count_token_files(stage), files);
    backend_stage_slots(stage, "+0");
    backend_stage_look(stage);
    backend_stage_slots(stage, "0 +1");
    assert_string_equal(state_of(backend_stage_token(stage, 0)).label, "theirs");
    assert_int_equal(backend_stage_init_token(stage, 1, SO_PIN, "ours"), SCA_OK);
    backend_stage_close(&other);
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

static void a_lost_catalogue_is_made_anew_with_the_same_slots(void **state)
{
    struct backend_stage *stage = *state;
    struct backend_stage other;
    char path[128];

    (void)backend_stage_make(stage, 0, "a");
    backend_stage_look(stage);
    (void)backend_stage_make(stage, 1, "b");
    (void)snprintf(path, sizeof(path), "%s/catalogue", stage->dir);
    assert_int_equal(unlink(path), 0);
    backend_stage_other(stage, &other);

    backend_stage_slots(&other, "0 1 +2");
    assert_string_equal(state_of(backend_stage_token(&other, 0)).label, "a");
    assert_string_equal(state_of(backend_stage_token(&other, 1)).label, "b");
    assert_int_equal(access(path, F_OK), 0);
    backend_stage_close(&other);
}

static void damage(const char *path)
{
    AUTO(fd_closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(fd_write_all(fd, span_text("rubbish")), SCA_OK);
}

static void a_damaged_catalogue_is_made_anew_with_the_same_slots(void **state)
{
    struct backend_stage *stage = *state;
    struct backend_stage other;
    char path[128];

    (void)backend_stage_make(stage, 0, "a");
    (void)snprintf(path, sizeof(path), "%s/catalogue", stage->dir);
    damage(path);
    backend_stage_other(stage, &other);
    backend_stage_slots(&other, "0 +1");
    damage(path);
    (void)backend_stage_make(&other, 1, "b"); /* damaged while it is needed */
    backend_stage_look(&other);

    backend_stage_slots(&other, "0 1 +2");
    (void)strcat(path, ".damaged");
    assert_int_equal(access(path, F_OK), 0);
    backend_stage_close(&other);
}

static void a_damaged_catalogue_without_tokens_is_left_alone(void **state)
{
    struct backend_stage *stage = *state;
    struct backend_stage other;
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/catalogue", stage->dir);
    damage(path);
    backend_stage_other(stage, &other);

    assert_int_equal(other.tokens.count, 0);
    (void)strcat(path, ".damaged");
    assert_int_equal(access(path, F_OK), -1);
    backend_stage_close(&other);
}

/* The path of the only token's file. */
static void token_file(const struct backend_stage *stage, char *out, size_t size)
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
    struct backend_stage *stage = *state;
    char path[192];

    struct token *token = backend_stage_make(stage, 0, "a");
    token_file(stage, path, sizeof(path));
    assert_int_equal(unlink(path), 0);
    assert_false(state_of(token).is_initialized);
    backend_stage_lists(token, "");
    assert_int_equal(backend_stage_init_token(stage, 0, "another-pin", "b"), SCA_OK);

    assert_string_equal(state_of(token).label, "b");
    backend_stage_look(stage);
    backend_stage_slots(stage, "0 +1");
}

static void a_damaged_token_says_so(void **state)
{
    struct backend_stage *stage = *state;
    struct token_state token_state;
    char path[192];

    struct token *token = backend_stage_make(stage, 0, "a");
    token_file(stage, path, sizeof(path));
    damage(path);

    assert_int_equal(token->ops->state(token, &token_state), SCA_INVALID);
    assert_int_equal(backend_stage_login(stage, 0, TOKEN_USER, USER_PIN), SCA_INVALID);
    assert_non_null(strstr(stage->call.note, "damaged"));
}

static void ten_thousand_tokens_are_listed_without_looking_at_their_files(void **state)
{
    struct backend_stage *stage = *state;
    struct backend_stage other;
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
    backend_stage_other(stage, &other);

    assert_int_equal(other.tokens.count, MANY + 1);
    assert_int_equal(other.tokens.items[MANY]->slot_id, MANY);
    assert_true(other.tokens.items[MANY]->is_spare);
    backend_stage_look(&other);
    assert_int_equal(other.tokens.count, MANY + 1);
    backend_stage_close(&other);
}

/*
 * An application that finishes in an exit handler registered before OpenSSL was first used: what
 * it does runs after OpenSSL's own. Here in a program of its own, which this one starts.
 */
static struct backend_stage exiting;
static const char *self; /* how this program was called */

static void finish_at_exit(void)
{
    char path[128];

    backend_stage_close(&exiting);
    (void)snprintf(path, sizeof(path), "%s/finished", exiting.config.state_dir);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    fd_closep(&fd);
}

static void exit_with_an_open_login(char *dir)
{
    if (atexit(finish_at_exit) != 0)
        abort();
    exiting.config.state_dir = dir;
    exiting.config.main_file = dir;
    call_init(&exiting.call, &clock_system, 60000);
    backend_stage_open(&exiting);
    if (backend_stage_login(&exiting, 0, TOKEN_USER, USER_PIN) != SCA_OK)
        abort();
    EVP_PKEY_free(load(&exiting, backend_stage_token(&exiting, 0), 1));
    exit(3);
}

static void a_login_that_is_open_when_the_process_ends_does_no_harm(void **state)
{
    struct backend_stage *stage = *state;
    AUTO(buf_fini) struct buf der;
    unsigned number = 0;
    char path[128];
    int status = 0;

    backend_stage_new_key(&der);
    struct token *token = backend_stage_make(stage, 0, "a");
    assert_int_equal(backend_stage_login(stage, 0, TOKEN_USER, USER_PIN), SCA_OK);
    assert_int_equal(
        backend_stage_write(stage, token, CKO_PRIVATE_KEY, "key", buf_span(&der), &number), SCA_OK);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)execlp(self, self, stage->dir, (char *)NULL);
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);

    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 3);
    (void)snprintf(path, sizeof(path), "%s/finished", stage->dir);
    assert_int_equal(access(path, F_OK), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, backend_stage_begin, backend_stage_end)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(an_empty_slot_is_offered_and_no_file_is_made),
        TEST(the_empty_slot_becomes_a_token_and_a_new_one_is_offered),
        TEST(tokens_are_in_the_same_slots_in_every_run),
        TEST(an_empty_slot_that_another_process_took_is_gone),
        TEST(a_lost_catalogue_is_made_anew_with_the_same_slots),
        TEST(a_damaged_catalogue_is_made_anew_with_the_same_slots),
        TEST(a_damaged_catalogue_without_tokens_is_left_alone),
        TEST(a_token_whose_file_is_gone_can_be_made_again),
        TEST(a_damaged_token_says_so),
        TEST(ten_thousand_tokens_are_listed_without_looking_at_their_files),
        TEST(a_login_that_is_open_when_the_process_ends_does_no_harm),
    };
    self = argv[0];
    if (argc == 2)
        exit_with_an_open_login(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
