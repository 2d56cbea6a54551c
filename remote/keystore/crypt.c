/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/keystore/crypt.h"

#include <limits.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"
#include "remote/base/secret.h"

static void md_ctx_freep(EVP_MD_CTX **ctx)
{
    EVP_MD_CTX_free(*ctx);
}

static void mac_freep(EVP_MAC **mac)
{
    EVP_MAC_free(*mac);
}

static void mac_ctx_freep(EVP_MAC_CTX **ctx)
{
    EVP_MAC_CTX_free(*ctx);
}

static void kdf_freep(EVP_KDF **kdf)
{
    EVP_KDF_free(*kdf);
}

static void kdf_ctx_freep(EVP_KDF_CTX **ctx)
{
    EVP_KDF_CTX_free(*ctx);
}

/* The host's error queue stays as it was. */
static enum sca_status leave(bool is_ok)
{
    ERR_pop_to_mark();
    return is_ok ? SCA_OK : SCA_NOMEM;
}

enum sca_status crypt_random(uint8_t *out, size_t len)
{
    OSSL_LIB_CTX *libctx = crypto_libctx();

    ERR_set_mark();
    return leave(libctx && RAND_priv_bytes_ex(libctx, out, len, 0) == 1);
}

enum sca_status crypt_digest(const struct span *parts, size_t count,
                             uint8_t ret_digest[static CRYPT_DIGEST_SIZE])
{
    const EVP_MD *md = crypto_md(CRYPTO_SHA256);
    AUTO(md_ctx_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    ERR_set_mark();
    bool is_ok = md && ctx && EVP_DigestInit_ex(ctx, md, NULL) == 1;
    for (size_t i = 0; is_ok && i < count; i++)
        is_ok = EVP_DigestUpdate(ctx, parts[i].ptr, parts[i].len) == 1;
    return leave(is_ok && EVP_DigestFinal_ex(ctx, ret_digest, NULL) == 1);
}

enum sca_status crypt_hmac(struct span key, const struct span *parts, size_t count,
                           uint8_t ret_mac[static CRYPT_DIGEST_SIZE])
{
    char hash[] = "SHA256";
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, hash, 0),
                                 OSSL_PARAM_END};
    OSSL_LIB_CTX *libctx = crypto_libctx();
    size_t len = 0;

    ERR_set_mark();
    AUTO(mac_freep) EVP_MAC *mac = libctx ? EVP_MAC_fetch(libctx, "HMAC", NULL) : NULL;
    AUTO(mac_ctx_freep) EVP_MAC_CTX *ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;
    bool is_ok = ctx && EVP_MAC_init(ctx, key.ptr, key.len, params) == 1;
    for (size_t i = 0; is_ok && i < count; i++)
        is_ok = parts[i].len == 0 || EVP_MAC_update(ctx, parts[i].ptr, parts[i].len) == 1;
    return leave(is_ok && EVP_MAC_final(ctx, ret_mac, &len, CRYPT_DIGEST_SIZE) == 1);
}

/* OpenSSL only reads what these point to; its parameters have one type for both directions. */
static OSSL_PARAM octets(const char *name, struct span bytes)
{
    union {
        const uint8_t *in;
        void *out;
    } ptr = {.in = bytes.ptr};
    return OSSL_PARAM_construct_octet_string(name, ptr.out, bytes.len);
}

static enum sca_status run_kdf(const char *name, const OSSL_PARAM *params,
                               uint8_t ret_key[static CRYPT_KEY_SIZE])
{
    OSSL_LIB_CTX *libctx = crypto_libctx();

    ERR_set_mark();
    AUTO(kdf_freep) EVP_KDF *kdf = libctx ? EVP_KDF_fetch(libctx, name, NULL) : NULL;
    AUTO(kdf_ctx_freep) EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    return leave(ctx && EVP_KDF_derive(ctx, ret_key, CRYPT_KEY_SIZE, params) == 1);
}

enum sca_status crypt_derive(struct span secret, struct span salt, const char *purpose,
                             uint8_t ret_key[static CRYPT_KEY_SIZE])
{
    char hash[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, hash, 0),
        octets(OSSL_KDF_PARAM_KEY, secret),
        octets(OSSL_KDF_PARAM_SALT, salt),
        octets(OSSL_KDF_PARAM_INFO, span_text(purpose)),
        OSSL_PARAM_END,
    };
    return run_kdf("HKDF", params, ret_key);
}

enum sca_status crypt_stretch(struct span pin, struct span salt, unsigned cost,
                              uint8_t ret_key[static CRYPT_KEY_SIZE])
{
    if (cost < CRYPT_COST_MIN || cost > CRYPT_COST_MAX)
        return SCA_INVALID;

    uint64_t n = UINT64_C(1) << cost;
    uint32_t r = CRYPT_BLOCKS;
    uint32_t p = CRYPT_LANES;
    /* RFC 7914 section 6: N blocks of 128 r bytes, and a few more. */
    uint64_t memory = 128 * (uint64_t)r * (n + p + 2);
    const OSSL_PARAM params[] = {
        octets(OSSL_KDF_PARAM_PASSWORD, pin),
        octets(OSSL_KDF_PARAM_SALT, salt),
        OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n),
        OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &r),
        OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &p),
        OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &memory),
        OSSL_PARAM_END,
    };
    return run_kdf("SCRYPT", params, ret_key);
}

struct crypt_box {
    EVP_CIPHER *cipher;
    EVP_CIPHER_CTX *ctx;
};

void crypt_box_free(struct crypt_box *box)
{
    if (!box)
        return;
    EVP_CIPHER_CTX_free(box->ctx); /* wipes the key */
    EVP_CIPHER_free(box->cipher);
    free(box);
}

void crypt_box_freep(struct crypt_box **box)
{
    crypt_box_free(*box);
    *box = NULL;
}

enum sca_status crypt_box_new(const uint8_t key[static CRYPT_KEY_SIZE], struct crypt_box **ret_box)
{
    AUTO(crypt_box_freep) struct crypt_box *box = calloc(1, sizeof(*box));
    OSSL_LIB_CTX *libctx = crypto_libctx();

    if (!box || !libctx)
        return SCA_NOMEM;
    ERR_set_mark();
    box->cipher = EVP_CIPHER_fetch(libctx, "AES-256-GCM", NULL);
    box->ctx = EVP_CIPHER_CTX_new();
    enum sca_status st = leave(box->cipher && box->ctx &&
                               EVP_CipherInit_ex2(box->ctx, box->cipher, key, NULL, 1, NULL) == 1);
    if (st == SCA_OK)
        *ret_box = TAKE(box);
    return st;
}

/* Nonce and authenticated data of the next message. */
static bool begin(struct crypt_box *box, struct span bound, const uint8_t *nonce, int is_sealing)
{
    int len = 0;
    return EVP_CipherInit_ex2(box->ctx, NULL, NULL, nonce, is_sealing, NULL) == 1 &&
           EVP_CipherUpdate(box->ctx, NULL, &len, bound.ptr, (int)bound.len) == 1;
}

/* Where the second part's output goes; out may be NULL where there is none. */
static uint8_t *after(uint8_t *out, size_t len)
{
    return len ? out + len : out;
}

static bool feed(struct crypt_box *box, struct span in, uint8_t *out)
{
    int len = 0;
    return in.len == 0 ||
           (in.len <= INT_MAX && EVP_CipherUpdate(box->ctx, out, &len, in.ptr, (int)in.len) == 1);
}

enum sca_status crypt_seal(struct crypt_box *box, struct span bound, const struct span parts[2],
                           uint8_t *out, struct crypt_mark *ret_mark)
{
    uint8_t none[CRYPT_TAG_SIZE];
    struct crypt_mark mark;
    int len = 0;

    enum sca_status st = crypt_random(mark.nonce, sizeof(mark.nonce));
    if (st != SCA_OK)
        return st;
    ERR_set_mark();
    st = leave(begin(box, bound, mark.nonce, 1) && feed(box, parts[0], out) &&
               feed(box, parts[1], after(out, parts[0].len)) &&
               EVP_CipherFinal_ex(box->ctx, none, &len) == 1 &&
               EVP_CIPHER_CTX_ctrl(box->ctx, EVP_CTRL_AEAD_GET_TAG, CRYPT_TAG_SIZE, mark.tag) == 1);
    if (st == SCA_OK)
        *ret_mark = mark;
    return st;
}

enum sca_status crypt_open(struct crypt_box *box, struct span bound, const struct crypt_mark *mark,
                           struct span sealed, uint8_t *out)
{
    uint8_t none[CRYPT_TAG_SIZE];
    uint8_t tag[CRYPT_TAG_SIZE];
    int len = 0;

    memcpy(tag, mark->tag, sizeof(tag));
    ERR_set_mark();
    bool is_ready = begin(box, bound, mark->nonce, 0) && feed(box, sealed, out) &&
                    EVP_CIPHER_CTX_ctrl(box->ctx, EVP_CTRL_AEAD_SET_TAG, CRYPT_TAG_SIZE, tag) == 1;
    bool is_authentic = is_ready && EVP_CipherFinal_ex(box->ctx, none, &len) == 1;
    (void)leave(true);
    if (is_authentic)
        return SCA_OK;
    secret_wipe(out, sealed.len);
    return is_ready ? SCA_MISMATCH : SCA_NOMEM;
}
