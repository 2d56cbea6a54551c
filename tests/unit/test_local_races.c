/* SPDX-License-Identifier: Apache-2.0 */
/* Several threads on one local token, and several on one empty slot. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "tests/unit/backend_stage.h"

enum { THREADS = 4, KEYS = 3, ROUNDS = 200 };

struct worker {
    pthread_t thread;
    struct token *token;
    const unsigned *numbers;
    const struct secret *pin;
    struct token_list *fresh;
    struct backends *backends;
    struct call call;
    enum sca_status st;
    unsigned loaded;
    unsigned refused;
    unsigned others;
};

static void start(struct worker *workers, size_t count, void *(*run)(void *))
{
    for (size_t i = 0; i < count; i++) {
        call_init(&workers[i].call, &clock_system, 60000);
        assert_int_equal(pthread_create(&workers[i].thread, NULL, run, &workers[i]), 0);
    }
}

static void finish(struct worker *workers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
        call_fini(&workers[i].call);
    }
}

static void *load_often(void *arg)
{
    struct worker *worker = arg;

    for (unsigned i = 0; i < ROUNDS; i++) {
        EVP_PKEY *key = NULL;
        enum sca_status st = worker->token->ops->write->load_key(
            worker->token, &worker->call, worker->numbers[i % KEYS], backend_stage_decode, &key);
        worker->loaded += st == SCA_OK && EVP_PKEY_get_bits(key) == 256;
        worker->refused += st == SCA_USER_AUTH;
        worker->others += st != SCA_OK && st != SCA_USER_AUTH;
        EVP_PKEY_free(key);
    }
    return NULL;
}

static void fill(struct backend_stage *stage, struct token *token, unsigned numbers[static KEYS])
{
    AUTO(buf_fini) struct buf der;

    backend_stage_new_key(&der);
    assert_int_equal(backend_stage_login(stage, 0, TOKEN_USER, USER_PIN), SCA_OK);
    for (size_t i = 0; i < KEYS; i++)
        assert_int_equal(
            backend_stage_write(stage, token, CKO_PRIVATE_KEY, "key", buf_span(&der), &numbers[i]),
            SCA_OK);
}

static void keys_are_loaded_by_many_threads_at_once(void **state)
{
    struct backend_stage *stage = *state;
    struct worker workers[THREADS];
    unsigned numbers[KEYS] = {0};

    struct token *token = backend_stage_make(stage, 0, "a");
    fill(stage, token, numbers);
    for (size_t i = 0; i < THREADS; i++)
        workers[i] = (struct worker){.token = token, .numbers = numbers};
    start(workers, THREADS, load_often);
    finish(workers, THREADS);

    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(workers[i].loaded, ROUNDS);
}

static void a_logout_while_keys_are_loaded_refuses_the_rest(void **state)
{
    struct backend_stage *stage = *state;
    struct worker workers[THREADS];
    unsigned numbers[KEYS] = {0};

    struct token *token = backend_stage_make(stage, 0, "a");
    fill(stage, token, numbers);
    for (size_t i = 0; i < THREADS; i++)
        workers[i] = (struct worker){.token = token, .numbers = numbers};
    start(workers, THREADS, load_often);
    token->ops->logout(token);
    assert_int_equal(backend_stage_login(stage, 0, TOKEN_USER, USER_PIN), SCA_OK);
    token->ops->logout(token);
    finish(workers, THREADS);

    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(workers[i].loaded + workers[i].refused, ROUNDS);
        assert_int_equal(workers[i].others, 0);
    }
    struct worker last = {.token = token, .numbers = numbers};
    start(&last, 1, load_often);
    finish(&last, 1);
    assert_int_equal(last.refused, ROUNDS);
}

static void *take_slot(void *arg)
{
    struct worker *worker = arg;
    worker->st = worker->token->ops->write->init_token(worker->token, &worker->call, worker->pin,
                                                       span_text("label"));
    return NULL;
}

static void *look(void *arg)
{
    struct worker *worker = arg;
    struct token *items[] = {worker->token};
    const struct token_list known = {.items = items, .count = 1};
    struct token_state state;

    for (int i = 0; i < 20; i++) {
        struct token_list fresh = {0};
        worker->st = backends_tokens(worker->backends, &known, &fresh);
        token_list_fini(&fresh);
        if (worker->st == SCA_OK)
            worker->st = worker->token->ops->state(worker->token, &state);
        if (worker->st != SCA_OK)
            break;
    }
    return NULL;
}

static void one_of_many_threads_gets_the_empty_slot_while_others_look(void **state)
{
    struct backend_stage *stage = *state;
    AUTO(secret_freep) struct secret *pin = NULL;
    struct worker workers[THREADS];
    unsigned made = 0;

    assert_int_equal(secret_new(span_text(SO_PIN), &pin), SCA_OK);
    struct token *token = backend_stage_token(stage, 0);
    for (size_t i = 0; i < THREADS; i++)
        workers[i] = (struct worker){.token = token, .pin = pin, .backends = stage->backends};
    start(workers, THREADS - 1, take_slot);
    start(&workers[THREADS - 1], 1, look);
    finish(workers, THREADS);

    for (size_t i = 0; i < THREADS - 1; i++) {
        /* Whoever came after it was taken made the token anew: the SO PIN is the same. */
        made += workers[i].st == SCA_OK;
        assert_true(workers[i].st == SCA_OK || workers[i].st == SCA_GONE);
    }
    assert_in_range(made, 1, THREADS - 1);
    assert_int_equal(workers[THREADS - 1].st, SCA_OK);
    backend_stage_look(stage);
    backend_stage_slots(stage, "0 +1");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, backend_stage_begin, backend_stage_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(keys_are_loaded_by_many_threads_at_once),
        TEST(a_logout_while_keys_are_loaded_refuses_the_rest),
        TEST(one_of_many_threads_gets_the_empty_slot_while_others_look),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
