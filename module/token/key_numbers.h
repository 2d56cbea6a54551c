/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers on their way into and out of a key of OpenSSL's; wiped, since some are secret. */
#ifndef MODULE_TOKEN_KEY_NUMBERS_H
#define MODULE_TOKEN_KEY_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/param_build.h>
#include <openssl/types.h>

#include "module/cryptoki.h"
#include "remote/base/bytes.h"

/* Of an RSA key, in the order of RSAPrivateKey (RFC 8017 A.1.2): first what is public. */
enum { KEY_RSA_MODULUS, KEY_RSA_EXPONENT, KEY_RSA_PUBLIC_NUMBERS, KEY_RSA_NUMBERS = 8 };
extern const struct key_rsa_number {
    CK_ATTRIBUTE_TYPE type;
    const char *name; /* OSSL_PKEY_PARAM_ */
} key_rsa_numbers[KEY_RSA_NUMBERS];

enum { KEY_NUMBERS_MAX = KEY_RSA_NUMBERS };

struct key_numbers {
    OSSL_PARAM_BLD *builder;
    BIGNUM *list[KEY_NUMBERS_MAX];
    size_t count;
    bool is_bad; /* one of them was too large, or there was no memory */
};

/* False without memory. _fini may be called after that, too. */
bool key_numbers_init(struct key_numbers *numbers);
void key_numbers_fini(struct key_numbers *numbers);

/* name: of an OSSL_PKEY_PARAM; value: big endian, and not zero. At most KEY_NUMBERS_MAX of them. */
void key_numbers_add(struct key_numbers *numbers, const char *name, struct span value);

/* A key ("RSA", "EC") of all that was given. NULL if OpenSSL takes it for none. */
EVP_PKEY *key_numbers_make(const struct key_numbers *numbers, const char *type, bool is_private);

enum { KEY_NUMBER_SIZE = 1024 }; /* bytes of the largest modulus */

/*
 * A number of the key, big endian: as many bytes as it needs, or width of them unless that is 0.
 * Returns how many; 0 if the key has none of that name. The caller wipes what is secret.
 */
size_t key_number_get(const EVP_PKEY *key, const char *name, size_t width,
                      uint8_t out[static KEY_NUMBER_SIZE]);

/* The private part of an Ed25519 key, which is no number but bytes. */
enum { KEY_EDWARDS_SIZE = 32 };
bool key_edwards_get(const EVP_PKEY *key, uint8_t out[static KEY_EDWARDS_SIZE]);

#endif
