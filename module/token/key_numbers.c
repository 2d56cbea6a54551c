/* SPDX-License-Identifier: Apache-2.0 */
#include "module/token/key_numbers.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "module/token/key_material.h"
#include "remote/base/crypto.h"
#include "remote/base/secret.h"

const struct key_rsa_number key_rsa_numbers[KEY_RSA_NUMBERS] = {
    [KEY_RSA_MODULUS] = {CKA_MODULUS, OSSL_PKEY_PARAM_RSA_N},
    [KEY_RSA_EXPONENT] = {CKA_PUBLIC_EXPONENT, OSSL_PKEY_PARAM_RSA_E},
    {CKA_PRIVATE_EXPONENT, OSSL_PKEY_PARAM_RSA_D},
    {CKA_PRIME_1, OSSL_PKEY_PARAM_RSA_FACTOR1},
    {CKA_PRIME_2, OSSL_PKEY_PARAM_RSA_FACTOR2},
    {CKA_EXPONENT_1, OSSL_PKEY_PARAM_RSA_EXPONENT1},
    {CKA_EXPONENT_2, OSSL_PKEY_PARAM_RSA_EXPONENT2},
    {CKA_COEFFICIENT, OSSL_PKEY_PARAM_RSA_COEFFICIENT1},
};

/* Not each function of OpenSSL's says so: for crypto_lacked_memory. False. */
static bool no_memory(void)
{
    ERR_raise(ERR_LIB_USER, ERR_R_MALLOC_FAILURE);
    return false;
}

bool key_numbers_init(struct key_numbers *numbers)
{
    *numbers = (struct key_numbers){.builder = OSSL_PARAM_BLD_new()};
    return numbers->builder || no_memory();
}

void key_numbers_fini(struct key_numbers *numbers)
{
    for (size_t i = 0; i < numbers->count; i++)
        BN_clear_free(numbers->list[i]);
    OSSL_PARAM_BLD_free(numbers->builder);
    *numbers = (struct key_numbers){.builder = NULL};
}

void key_numbers_add(struct key_numbers *numbers, const char *name, struct span value)
{
    /* One more byte than the largest modulus: a leading zero. Secure numbers have their parameters
     * wiped by OSSL_PARAM_free. */
    BIGNUM *number = value.len <= RSA_PUBLIC_BITS_MAX / 8 + 1 ? BN_secure_new() : NULL;
    if (!number || !BN_bin2bn(value.ptr, (int)value.len, number) || BN_is_zero(number) ||
        OSSL_PARAM_BLD_push_BN(numbers->builder, name, number) != 1)
        numbers->is_bad = true;
    if (number)
        numbers->list[numbers->count++] = number;
}

EVP_PKEY *key_numbers_make(const struct key_numbers *numbers, const char *type, bool is_private)
{
    EVP_PKEY *key = NULL;
    int selection = is_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY;
    if (numbers->is_bad)
        return NULL;
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(numbers->builder);
    EVP_PKEY_CTX *ctx = crypto_key_ctx(type);
    bool is_ready = params && ctx && EVP_PKEY_fromdata_init(ctx) == 1;
    if (!is_ready || EVP_PKEY_fromdata(ctx, &key, selection, params) != 1)
        key = NULL;
    if (key && !crypto_is_whole(key)) {
        EVP_PKEY_free(key);
        key = NULL;
        is_ready = false;
    }
    if (!is_ready)
        (void)no_memory();
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    return key;
}

size_t key_number_get(const EVP_PKEY *key, const char *name, size_t width,
                      uint8_t out[static KEY_NUMBER_SIZE])
{
    /* EVP_PKEY_get_bn_param has a buffer of its own, which it does not wipe. */
    uint8_t native[KEY_NUMBER_SIZE];
    BIGNUM *number = NULL;
    size_t len = 0;
    OSSL_PARAM params[] = {OSSL_PARAM_construct_BN(name, native, sizeof(native)),
                           OSSL_PARAM_construct_end()};
    if (EVP_PKEY_get_params(key, params) == 1 && OSSL_PARAM_modified(params) &&
        OSSL_PARAM_get_BN(params, &number) == 1) {
        size_t needed = (size_t)BN_num_bytes(number);
        len = width ? width : needed;
        if (needed > len || len > KEY_NUMBER_SIZE || BN_bn2binpad(number, out, (int)len) < 0)
            len = 0;
    }
    BN_clear_free(number);
    secret_wipe(native, sizeof(native));
    return len;
}

bool key_edwards_get(const EVP_PKEY *key, uint8_t out[static KEY_EDWARDS_SIZE])
{
    /* EVP_PKEY_get_raw_private_key exports the key, and does not wipe what it exported. */
    size_t len = 0;
    return EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PRIV_KEY, out, KEY_EDWARDS_SIZE,
                                           &len) == 1 &&
           len == KEY_EDWARDS_SIZE;
}
