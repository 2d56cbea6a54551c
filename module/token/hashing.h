/* SPDX-License-Identifier: Apache-2.0 */
/* The running hash of an operation, for digests and for mechanisms that hash first. */
#ifndef MODULE_TOKEN_HASHING_H
#define MODULE_TOKEN_HASHING_H

#include <stdint.h>

#include "module/token/operation.h"
#include "remote/base/bytes.h"

enum { HASHING_MAX = 64 };

/* Starts it, or starts anew, if the operation's mechanism hashes at all. */
CK_RV hashing_start(struct operation *operation);
CK_RV hashing_add(struct operation *operation, const CK_BYTE *part, CK_ULONG part_len);

/* Ends it: the digest goes to out, its length to ret_len. */
CK_RV hashing_end(struct operation *operation, uint8_t out[static HASHING_MAX], CK_ULONG *ret_len);

/* What a one-shot call signs or verifies: the digest of data, in out, where the mechanism hashes,
 * else data itself. */
CK_RV hashing_all(struct operation *operation, struct span data, uint8_t out[static HASHING_MAX],
                  struct span *ret_input);

#endif
