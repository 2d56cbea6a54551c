/* SPDX-License-Identifier: Apache-2.0 */
/* Keys for the tests of signing, and OpenSSL by another road to check what was signed. */
#ifndef TESTS_UNIT_SIGNER_STAGE_H
#define TESTS_UNIT_SIGNER_STAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "module/token/signer.h"

enum stage_key { KEY_RSA, KEY_P256, KEY_P384, KEY_P521, KEY_ED25519, KEY_COUNT };

enum { SIGNATURE_MAX = 256 };

/* Made when first asked for, kept until stage_keys_free. Lent. */
EVP_PKEY *stage_key(enum stage_key which);
int stage_keys_free(void **state); /* cmocka group teardown */

/* salt_len of PSS; hash both of the mechanism and of PSS. The mechanism lives for ever. */
const struct mechanism *stage_mechanism(enum scheme scheme, enum crypto_hash hash);

/* A signer that must come about. The caller frees it. */
struct signer *stage_signer(enum stage_key which, const struct mechanism *mechanism,
                            CK_FLAGS purpose);
struct signer *stage_pss(enum crypto_hash hash, bool is_raw, CK_ULONG salt_len, CK_FLAGS purpose);

/* Is signature one of that message with a hash, by EVP_DigestVerify? salt_len < 0: no PSS. */
bool stage_verifies(enum stage_key which, enum crypto_hash hash, int salt_len, struct span message,
                    struct span signature);

/* The hash of the message, into 64 bytes. */
struct span stage_digest(enum crypto_hash hash, struct span message, uint8_t *out);

#endif
