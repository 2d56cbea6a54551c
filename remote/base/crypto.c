/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/base/crypto.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

#include "remote/base/reentry.h"

static const struct {
    const char *name;
    size_t len;
} hashes[CRYPTO_HASH_COUNT] = {
    [CRYPTO_SHA1] = {"SHA1", 20},
    [CRYPTO_SHA256] = {"SHA256", 32},
    [CRYPTO_SHA384] = {"SHA384", 48},
    [CRYPTO_SHA512] = {"SHA512", 64},
};

/* Published by compare-and-swap: no lock that a fork could leave held. */
static _Atomic(OSSL_LIB_CTX *) shared;
static _Atomic(EVP_MD *) mds[CRYPTO_HASH_COUNT];

static atomic_bool has_ended;

static void stop_freeing(void)
{
    atomic_store(&has_ended, true);
}

static void register_end(void)
{
    (void)OPENSSL_atexit(stop_freeing); /* without it, all is freed as ever */
}

static void watch_end(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, register_end);
}

OSSL_LIB_CTX *crypto_libctx(void)
{
    OSSL_LIB_CTX *libctx = atomic_load(&shared);
    if (libctx)
        return libctx;

    /*
     * OpenSSL would load the host's configuration into the host's context at some later call of
     * ours (EVP_DigestInit does). Here, once, it may not lead back into the module.
     */
    reentry_enter();
    (void)OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL);
    reentry_leave();
    watch_end();
    OSSL_LIB_CTX *fresh = OSSL_LIB_CTX_new();
    OSSL_PROVIDER *provider = fresh ? OSSL_PROVIDER_load(fresh, "default") : NULL;
    if (provider && atomic_compare_exchange_strong(&shared, &libctx, fresh))
        return fresh;
    if (provider)
        (void)OSSL_PROVIDER_unload(provider);
    OSSL_LIB_CTX_free(fresh);
    return libctx; /* another thread's, or NULL */
}

void crypto_adopt(OSSL_LIB_CTX *libctx)
{
    watch_end();
    atomic_store(&shared, libctx);
}

void crypto_abandon(void)
{
    atomic_store(&shared, NULL);
    for (int i = 0; i < CRYPTO_HASH_COUNT; i++)
        atomic_store(&mds[i], NULL);
}

const EVP_MD *crypto_md(enum crypto_hash hash)
{
    if (hash >= CRYPTO_HASH_COUNT)
        return NULL;
    EVP_MD *md = atomic_load(&mds[hash]);
    if (md)
        return md;

    OSSL_LIB_CTX *libctx = crypto_libctx();
    EVP_MD *fresh = libctx ? EVP_MD_fetch(libctx, hashes[hash].name, NULL) : NULL;
    if (!fresh)
        return NULL;
    if (atomic_compare_exchange_strong(&mds[hash], &md, fresh))
        return fresh;
    EVP_MD_free(fresh);
    return md;
}

bool crypto_lacked_memory(unsigned long before)
{
    unsigned long last = ERR_peek_last_error();

    /* The oldest error is the reason of the others. */
    return (before == 0 && ERR_GET_REASON(ERR_peek_error()) == ERR_R_MALLOC_FAILURE) ||
           (last != before && ERR_GET_REASON(last) == ERR_R_MALLOC_FAILURE);
}

bool crypto_is_whole(const EVP_PKEY *key)
{
    return EVP_PKEY_get_bits(key) > 0;
}

EVP_PKEY_CTX *crypto_key_ctx(const char *kind)
{
    /* By these names OpenSSL 3.0 finds its own, but no engine: those have numbers, which it has for
     * the short and long names only (RFC 8017 appendix C, RFC 5480 section 2.1.1). */
    const char *name = strcmp(kind, "RSA") == 0 ? "1.2.840.113549.1.1.1" : "1.2.840.10045.2.1";

    return EVP_PKEY_CTX_new_from_name(crypto_libctx(), name, NULL);
}

bool crypto_has_ended(void)
{
    return atomic_load(&has_ended);
}

void crypto_pkey_free(EVP_PKEY *key)
{
    if (!crypto_has_ended())
        EVP_PKEY_free(key);
}

void crypto_pkey_freep(EVP_PKEY **key)
{
    crypto_pkey_free(*key);
}

size_t crypto_hash_len(enum crypto_hash hash)
{
    return hash < CRYPTO_HASH_COUNT ? hashes[hash].len : 0;
}

enum crypto_hash crypto_hash_of_len(size_t len)
{
    for (int i = 0; i < CRYPTO_HASH_COUNT; i++)
        if (hashes[i].len == len)
            return (enum crypto_hash)i;
    return CRYPTO_NO_HASH;
}

const char *crypto_hash_name(enum crypto_hash hash)
{
    return hash < CRYPTO_HASH_COUNT ? hashes[hash].name : "";
}
