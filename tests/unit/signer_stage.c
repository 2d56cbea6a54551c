/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/signer_stage.h"

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "remote/base/cleanup.h"

static EVP_PKEY *keys[KEY_COUNT];

EVP_PKEY *stage_key(enum stage_key which)
{
    static const struct {
        const char *type;
        const char *curve;
    } kinds[KEY_COUNT] = {
        [KEY_RSA] = {"RSA", NULL},         [KEY_P256] = {"EC", "P-256"},
        [KEY_P384] = {"EC", "P-384"},      [KEY_P521] = {"EC", "P-521"},
        [KEY_ED25519] = {"ED25519", NULL},
    };
    if (keys[which])
        return keys[which];
    if (which == KEY_RSA)
        keys[which] = EVP_PKEY_Q_keygen(crypto_libctx(), NULL, "RSA", (size_t)2048);
    else if (kinds[which].curve)
        keys[which] = EVP_PKEY_Q_keygen(crypto_libctx(), NULL, "EC", kinds[which].curve);
    else
        keys[which] = EVP_PKEY_Q_keygen(crypto_libctx(), NULL, kinds[which].type);
    assert_non_null(keys[which]);
    return keys[which];
}

int stage_keys_free(void **state)
{
    (void)state;
    for (size_t i = 0; i < KEY_COUNT; i++) {
        EVP_PKEY_free(keys[i]);
        keys[i] = NULL;
    }
    return 0;
}

const struct mechanism *stage_mechanism(enum scheme scheme, enum crypto_hash hash)
{
    static struct mechanism all[SCHEME_EDDSA + 1][CRYPTO_HASH_COUNT + 1];
    struct mechanism *mechanism = &all[scheme][hash];
    mechanism->scheme = scheme;
    mechanism->hash = hash;
    return mechanism;
}

static struct signer *make(enum stage_key which, const struct mechanism *mechanism,
                           const struct mechanism_parameter *parameter, CK_FLAGS purpose)
{
    struct signer *signer = NULL;
    assert_int_equal(signer_new(stage_key(which), mechanism, parameter, purpose, &signer), CKR_OK);
    assert_non_null(signer);
    return signer;
}

struct signer *stage_signer(enum stage_key which, const struct mechanism *mechanism,
                            CK_FLAGS purpose)
{
    struct mechanism_parameter none = {.hash = CRYPTO_NO_HASH};
    return make(which, mechanism, &none, purpose);
}

struct signer *stage_pss(enum crypto_hash hash, bool is_raw, CK_ULONG salt_len, CK_FLAGS purpose)
{
    struct mechanism_parameter parameter = {.hash = hash, .salt_len = salt_len};
    return make(KEY_RSA, stage_mechanism(SCHEME_PSS, is_raw ? CRYPTO_NO_HASH : hash), &parameter,
                purpose);
}

/* r and s by BIGNUMs, which the code under test does without. */
static unsigned char *der_of(struct span raw, size_t *ret_len)
{
    unsigned char *der = NULL;
    ECDSA_SIG *sig = ECDSA_SIG_new();
    int half = (int)(raw.len / 2);
    assert_non_null(sig);
    assert_int_equal(
        ECDSA_SIG_set0(sig, BN_bin2bn(raw.ptr, half, NULL), BN_bin2bn(raw.ptr + half, half, NULL)),
        1);
    int len = i2d_ECDSA_SIG(sig, &der);
    assert_true(len > 0);
    ECDSA_SIG_free(sig);
    *ret_len = (size_t)len;
    return der;
}

bool stage_verifies(enum stage_key which, enum crypto_hash hash, int salt_len, struct span message,
                    struct span signature)
{
    EVP_PKEY_CTX *pkey_ctx = NULL;
    unsigned char *der = NULL;
    const char *name = hash == CRYPTO_NO_HASH ? NULL : crypto_hash_name(hash);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    assert_non_null(ctx);
    if (which != KEY_RSA && which != KEY_ED25519) {
        size_t len = 0;
        der = der_of(signature, &len);
        signature = span_of(der, len);
    }
    assert_int_equal(EVP_DigestVerifyInit_ex(ctx, &pkey_ctx, name, crypto_libctx(), NULL,
                                             stage_key(which), NULL),
                     1);
    if (salt_len >= 0) {
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(pkey_ctx, RSA_PKCS1_PSS_PADDING), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(pkey_ctx, salt_len), 1);
    }
    int rc = EVP_DigestVerify(ctx, signature.ptr, signature.len, message.ptr, message.len);
    EVP_MD_CTX_free(ctx);
    OPENSSL_free(der);
    return rc == 1;
}

struct span stage_digest(enum crypto_hash hash, struct span message, uint8_t *out)
{
    unsigned len = 0;
    assert_int_equal(EVP_Digest(message.ptr, message.len, out, &len, crypto_md(hash), NULL), 1);
    return span_of(out, len);
}
