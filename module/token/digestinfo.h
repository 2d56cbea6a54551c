/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODULE_TOKEN_DIGESTINFO_H
#define MODULE_TOKEN_DIGESTINFO_H

#include <stdbool.h>

#include "remote/base/bytes.h"
#include "remote/base/crypto.h"

/*
 * Takes a DER DigestInfo (RFC 8017 section 9.2) apart: exactly one of the known hash algorithms,
 * parameters NULL or absent, a digest of that algorithm's length, nothing before or after.
 * Returns the hash, with the digest lent from der; CRYPTO_NO_HASH for anything else.
 * ret_is_length: it is a DigestInfo, only its digest has the wrong length.
 */
enum crypto_hash digestinfo_parse(struct span der, struct span *ret_digest, bool *ret_is_length);

#endif
