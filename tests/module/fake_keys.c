/* SPDX-License-Identifier: Apache-2.0 */
/* The key pair of the fake tokens, in OpenSSL's default context: not the module's. */
#include "tests/module/fake_keys.h"

#include <pthread.h>
#include <stdlib.h>

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "tests/module/fake_backends.h"

static struct {
    EVP_PKEY *pair;
    unsigned char *public_der; /* SubjectPublicKeyInfo */
    int public_len;
    unsigned char modulus[FAKE_KEY_BYTES];
} keys;

static void make_keys(void)
{
    BIGNUM *modulus = NULL;

    keys.pair = EVP_RSA_gen(8U * FAKE_KEY_BYTES);
    keys.public_len = keys.pair ? i2d_PUBKEY(keys.pair, &keys.public_der) : -1;
    if (keys.public_len <= 0 || EVP_PKEY_get_bn_param(keys.pair, "n", &modulus) != 1 ||
        BN_bn2binpad(modulus, keys.modulus, FAKE_KEY_BYTES) != FAKE_KEY_BYTES)
        abort();
    BN_free(modulus);
}

static EVP_PKEY *key_pair(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_keys);
    return keys.pair;
}

struct span fake_public_key_info(void)
{
    (void)key_pair();
    return span_of(keys.public_der, (size_t)keys.public_len);
}

struct span fake_modulus(void)
{
    (void)key_pair();
    return span_of(keys.modulus, sizeof(keys.modulus));
}

enum sca_status fake_keys_sign(enum crypto_hash hash, struct span input, uint8_t *sig)
{
    size_t len = FAKE_KEY_BYTES;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key_pair(), NULL);
    const EVP_MD *md = hash == CRYPTO_NO_HASH ? NULL : EVP_get_digestbyname(crypto_hash_name(hash));
    bool is_made = ctx && EVP_PKEY_sign_init(ctx) == 1 &&
                   EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
                   (!md || EVP_PKEY_CTX_set_signature_md(ctx, md) == 1) &&
                   EVP_PKEY_sign(ctx, sig, &len, input.ptr, input.len) == 1;
    EVP_PKEY_CTX_free(ctx);
    return is_made && len == FAKE_KEY_BYTES ? SCA_OK : SCA_INVALID;
}

bool fake_verifies(enum crypto_hash hash, struct span message, struct span signature)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const EVP_MD *md = EVP_get_digestbyname(crypto_hash_name(hash));
    bool is_valid =
        ctx && EVP_DigestVerifyInit(ctx, NULL, md, NULL, key_pair()) == 1 &&
        EVP_DigestVerify(ctx, signature.ptr, signature.len, message.ptr, message.len) == 1;
    EVP_MD_CTX_free(ctx);
    return is_valid;
}

bool fake_recovers(struct span input, struct span signature)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key_pair(), NULL);
    unsigned char out[FAKE_KEY_BYTES];
    size_t len = sizeof(out);
    bool is_valid = ctx && EVP_PKEY_verify_recover_init(ctx) == 1 &&
                    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
                    EVP_PKEY_verify_recover(ctx, out, &len, signature.ptr, signature.len) == 1;
    EVP_PKEY_CTX_free(ctx);
    return is_valid && span_equal(input, span_of(out, len));
}
