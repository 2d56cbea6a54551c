/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/base/crypto.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

#include "remote/base/cleanup.h"

static void the_context_is_ours_and_made_once(void **state)
{
    (void)state;

    OSSL_LIB_CTX *libctx = crypto_libctx();

    assert_non_null(libctx);
    assert_ptr_equal(crypto_libctx(), libctx);
    assert_ptr_not_equal(libctx, OSSL_LIB_CTX_get0_global_default());
    assert_int_equal(OSSL_PROVIDER_available(libctx, "default"), 1);
    assert_int_equal(OSSL_PROVIDER_available(libctx, "legacy"), 0);
}

static void hashes_have_names_and_lengths(void **state)
{
    static const struct {
        enum crypto_hash hash;
        const char *name;
        size_t len;
    } rows[] = {
        {CRYPTO_SHA1, "SHA1", 20},     {CRYPTO_SHA256, "SHA256", 32}, {CRYPTO_SHA384, "SHA384", 48},
        {CRYPTO_SHA512, "SHA512", 64}, {CRYPTO_NO_HASH, "", 0},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const EVP_MD *md = crypto_md(rows[i].hash);
        assert_string_equal(crypto_hash_name(rows[i].hash), rows[i].name);
        assert_int_equal(crypto_hash_len(rows[i].hash), rows[i].len);
        assert_int_equal(md == NULL, rows[i].hash == CRYPTO_NO_HASH);
        assert_ptr_equal(crypto_md(rows[i].hash), md);
        if (md)
            assert_int_equal((size_t)EVP_MD_get_size(md), rows[i].len);
    }
}

static void another_parts_context_is_used(void **state)
{
    (void)state;
    OSSL_LIB_CTX *ours = crypto_libctx();
    OSSL_LIB_CTX *theirs = OSSL_LIB_CTX_new();
    assert_non_null(theirs);

    crypto_adopt(theirs);
    assert_ptr_equal(crypto_libctx(), theirs);

    crypto_adopt(ours);
    OSSL_LIB_CTX_free(theirs);
}

static void *fetch(void *arg)
{
    const EVP_MD **md = arg;
    *md = crypto_libctx() ? crypto_md(CRYPTO_SHA384) : NULL;
    return NULL;
}

/* The first test: nobody has asked for a context yet. */
static void threads_that_come_first_agree(void **state)
{
    enum { THREADS = 8 };
    pthread_t threads[THREADS];
    const EVP_MD *mds[THREADS] = {NULL};
    (void)state;

    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, fetch, &mds[i]), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);

    for (size_t i = 0; i < THREADS; i++) {
        assert_non_null(mds[i]);
        assert_ptr_equal(mds[i], mds[0]);
    }
}

static void a_child_makes_its_own(void **state)
{
    int status = 0;
    (void)state;
    OSSL_LIB_CTX *before = crypto_libctx();
    const EVP_MD *md = crypto_md(CRYPTO_SHA256);

    pid_t child = fork();
    if (child == 0) {
        crypto_abandon();
        bool is_new = crypto_libctx() && crypto_libctx() != before && crypto_md(CRYPTO_SHA256) &&
                      crypto_md(CRYPTO_SHA256) != md;
        if (is_new)
            (void)kill(getpid(), SIGKILL); /* no leak check: what it forgot, it forgot on purpose */
        _exit(1);
    }

    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
    assert_ptr_equal(crypto_libctx(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_that_come_first_agree),
        cmocka_unit_test(the_context_is_ours_and_made_once),
        cmocka_unit_test(hashes_have_names_and_lengths),
        cmocka_unit_test(another_parts_context_is_used),
        cmocka_unit_test(a_child_makes_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
