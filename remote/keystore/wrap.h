/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A 256-bit key under a PIN: scrypt makes a key of the PIN, AES-256-GCM wraps the other one with
 * it. Knows nothing of what the key is for.
 */
#ifndef REMOTE_KEYSTORE_WRAP_H
#define REMOTE_KEYSTORE_WRAP_H

#include <stdbool.h>
#include <stdint.h>

#include "remote/base/secret.h"
#include "remote/base/status.h"
#include "remote/keystore/crypt.h"

enum { WRAP_SALT_SIZE = 32, WRAP_ID_SIZE = 16 };

/* As it is in a file, in the byte order of this computer. All zeros: there is none. */
struct wrap {
    uint32_t cost; /* log2 of scrypt's N */
    uint32_t r;
    uint32_t p;
    uint8_t salt[WRAP_SALT_SIZE];
    struct crypt_mark mark;
    uint8_t key[CRYPT_KEY_SIZE];
};

/* To whom a wrap belongs: it opens in no other place. No padding; unused bytes are zeros. */
struct wrap_place {
    char magic[8]; /* the kind of file */
    uint32_t version;
    uint32_t user;
    uint8_t owner[WRAP_ID_SIZE]; /* which file of its kind */
    uint8_t epoch[WRAP_ID_SIZE]; /* random; another one when the file's content starts anew */
};

bool wrap_is_there(const struct wrap *wrap);

/* All zeros, or parameters within bounds: safe to give to wrap_open. */
bool wrap_is_sound(const struct wrap *wrap);

/* SCA_INVALID for a cost out of bounds. */
enum sca_status wrap_make(const struct wrap_place *place, const struct secret *pin,
                          const struct secret *key, unsigned cost, struct wrap *ret_wrap);

/* SCA_USER_AUTH when it is another PIN; SCA_INVALID when the wrap is not there or not sound. */
enum sca_status wrap_open(const struct wrap_place *place, const struct secret *pin,
                          const struct wrap *wrap, struct secret **ret_key);

#endif
