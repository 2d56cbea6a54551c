/* SPDX-License-Identifier: Apache-2.0 */
/* Which public keys are taken to verify with. */
#include "remote/smartca/result.h"

#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

static struct span spki_of(EVP_PKEY *pkey, uint8_t **ret_der)
{
    *ret_der = NULL;
    int len = i2d_PUBKEY(pkey, ret_der);
    assert_true(len > 0);
    return span_of(*ret_der, (size_t)len);
}

static void only_rsa_keys_of_a_fair_size_are_taken(void **state)
{
    (void)state;
    EVP_PKEY *refused[] = {
        EVP_PKEY_Q_keygen(crypto_libctx(), NULL, "RSA", (size_t)1024),
        EVP_PKEY_Q_keygen(crypto_libctx(), NULL, "EC", "P-256"),
        EVP_PKEY_Q_keygen(crypto_libctx(), NULL, "ED25519"),
    };

    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct result_key *key = NULL;
        uint8_t *der = NULL;
        assert_int_equal(result_key_new(crypto_libctx(), spki_of(refused[i], &der), &key),
                         SCA_INVALID);
        assert_null(key);
        OPENSSL_free(der);
        EVP_PKEY_free(refused[i]);
    }
}

static void a_key_that_is_not_one_whole_spki_is_refused(void **state)
{
    (void)state;
    struct result_key *key = NULL;
    uint8_t *der = NULL;
    uint8_t longer[1024] = {0};
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(crypto_libctx(), NULL, "RSA", (size_t)2048);
    struct span spki = spki_of(pkey, &der);
    memcpy(longer, spki.ptr, spki.len);

    assert_int_equal(result_key_new(crypto_libctx(), span_of(longer, spki.len + 1), &key),
                     SCA_INVALID);
    assert_int_equal(result_key_new(crypto_libctx(), span_of(longer, spki.len - 1), &key),
                     SCA_INVALID);
    assert_int_equal(result_key_new(crypto_libctx(), span_of(NULL, 0), &key), SCA_INVALID);
    assert_null(key);
    result_key_free(NULL);
    OPENSSL_free(der);
    EVP_PKEY_free(pkey);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_rsa_keys_of_a_fair_size_are_taken),
        cmocka_unit_test(a_key_that_is_not_one_whole_spki_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
