/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REMOTE_BASE_CRYPTO_H
#define REMOTE_BASE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/types.h>

/*
 * OpenSSL in a library context of our own with the default provider only: what the host's
 * openssl.cnf sets up (it may load this very module) is not used by us.
 */

/* The context, made at the first call and kept for the life of the process; NULL without memory. */
OSSL_LIB_CTX *crypto_libctx(void);

/* Uses one that another part of the process made. */
void crypto_adopt(OSSL_LIB_CTX *libctx);

/* In a forked child: forgets the inherited context, whose locks may be held for ever. */
void crypto_abandon(void);

/*
 * Was it memory that OpenSSL lacked? To be asked of a call that failed, before ERR_pop_to_mark.
 * before: what ERR_peek_last_error() said before that call, 0 for an empty queue. An error that was
 * there already is the host's.
 */
bool crypto_lacked_memory(unsigned long before);

/*
 * To make keys of that kind with, "RSA" or "EC", or to make them of their parts; the caller frees
 * it. An engine that the host has set for all RSA or EC keys (openssl -engine pkcs11 does) has no
 * part in it. NULL without memory.
 */
EVP_PKEY_CTX *crypto_key_ctx(const char *kind);

/* OpenSSL takes a key whose size it had no memory to find out, and then it has none. */
bool crypto_is_whole(const EVP_PKEY *key);

/*
 * C_Finalize may come from an exit handler that runs after OpenSSL's own (strongSwan and Poppler
 * call it that late). What is left of OpenSSL then is not to be called: when it has ended, keys and
 * contexts are left to the end of the process.
 */
bool crypto_has_ended(void);
void crypto_pkey_free(EVP_PKEY *key); /* unless it has; NULL is allowed */

/* AUTO(crypto_pkey_freep) EVP_PKEY *key = NULL. */
void crypto_pkey_freep(EVP_PKEY **key);

enum crypto_hash {
    CRYPTO_SHA1,
    CRYPTO_SHA256,
    CRYPTO_SHA384,
    CRYPTO_SHA512,
    CRYPTO_HASH_COUNT,
    CRYPTO_NO_HASH = CRYPTO_HASH_COUNT,
};

/* The hash function, fetched once; NULL if OpenSSL refuses. */
const EVP_MD *crypto_md(enum crypto_hash hash);

/* Bytes of its digest; 0 for CRYPTO_NO_HASH. */
size_t crypto_hash_len(enum crypto_hash hash);

/* The hash whose digest has that many bytes, CRYPTO_NO_HASH if there is none. */
enum crypto_hash crypto_hash_of_len(size_t len);

/* "SHA256" and so on, as OpenSSL calls it. */
const char *crypto_hash_name(enum crypto_hash hash);

#endif
