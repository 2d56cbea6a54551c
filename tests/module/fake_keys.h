/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_MODULE_FAKE_KEYS_H
#define TESTS_MODULE_FAKE_KEYS_H

#include <stdint.h>

#include "remote/base/bytes.h"
#include "remote/base/crypto.h"
#include "remote/base/status.h"

enum { FAKE_KEY_BYTES = 256 };

/* PKCS#1 v1.5 with the fake's RSA-2048 key; input is a digest, or with CRYPTO_NO_HASH anything. */
enum sca_status fake_keys_sign(enum crypto_hash hash, struct span input, uint8_t *sig);

#endif
