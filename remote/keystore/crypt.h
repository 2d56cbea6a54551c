/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cryptographic steps of the keystore, each from OpenSSL in our own library context with the
 * error queue left as found. SCA_NOMEM when OpenSSL refuses for a reason that is not in the data.
 */
#ifndef REMOTE_KEYSTORE_CRYPT_H
#define REMOTE_KEYSTORE_CRYPT_H

#include <stddef.h>
#include <stdint.h>

#include "remote/base/bytes.h"
#include "remote/base/status.h"

enum {
    CRYPT_KEY_SIZE = 32,
    CRYPT_DIGEST_SIZE = 32,
    CRYPT_NONCE_SIZE = 12,
    CRYPT_TAG_SIZE = 16,
    CRYPT_COST_MIN = 10,
    CRYPT_COST_MAX = 20,
    CRYPT_BLOCKS = 8, /* scrypt's r */
    CRYPT_LANES = 1,  /* and p */
};

enum sca_status crypt_random(uint8_t *out, size_t len);

/* SHA-256 of the parts one after the other. */
enum sca_status crypt_digest(const struct span *parts, size_t count,
                             uint8_t ret_digest[static CRYPT_DIGEST_SIZE]);

/* HMAC-SHA256 of the parts one after the other. */
enum sca_status crypt_hmac(struct span key, const struct span *parts, size_t count,
                           uint8_t ret_mac[static CRYPT_DIGEST_SIZE]);

/* HKDF-SHA256 (RFC 5869). purpose tells the keys derived from one secret apart. The caller wipes
 * ret_key. */
enum sca_status crypt_derive(struct span secret, struct span salt, const char *purpose,
                             uint8_t ret_key[static CRYPT_KEY_SIZE]);

/* scrypt (RFC 7914) with N = 2^cost, r and p as above: 2^cost KiB of memory. SCA_INVALID for a cost
 * out of bounds, before anything is allocated. The caller wipes ret_key. */
enum sca_status crypt_stretch(struct span pin, struct span salt, unsigned cost,
                              uint8_t ret_key[static CRYPT_KEY_SIZE]);

/* AES-256-GCM under one key, for many messages. One thread at a time. */
struct crypt_box;

/* What a sealed message needs to be opened, beside the key. */
struct crypt_mark {
    uint8_t nonce[CRYPT_NONCE_SIZE];
    uint8_t tag[CRYPT_TAG_SIZE];
};

enum sca_status crypt_box_new(const uint8_t key[static CRYPT_KEY_SIZE], struct crypt_box **ret_box);
void crypt_box_free(struct crypt_box *box);
void crypt_box_freep(struct crypt_box **box);

/* Two parts, sealed one after the other into out (as many bytes) under a new random nonce.
 * bound: what is authenticated, and not kept with the message. */
enum sca_status crypt_seal(struct crypt_box *box, struct span bound, const struct span parts[2],
                           uint8_t *out, struct crypt_mark *ret_mark);

/* SCA_MISMATCH, and out is wiped, when mark, bound and sealed do not belong together. */
enum sca_status crypt_open(struct crypt_box *box, struct span bound, const struct crypt_mark *mark,
                           struct span sealed, uint8_t *out);

#endif
