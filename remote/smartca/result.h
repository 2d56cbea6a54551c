/* SPDX-License-Identifier: Apache-2.0 */
/* From a signature_value to bytes that may be handed out: decoded, unwrapped, verified. */
#ifndef REMOTE_SMARTCA_RESULT_H
#define REMOTE_SMARTCA_RESULT_H

#include <openssl/types.h>

#include "remote/base/bytes.h"
#include "remote/base/status.h"

/* A public key prepared for verifying. Thread-safe. */
struct result_key;

/*
 * spki: DER SubjectPublicKeyInfo of an RSA key of 2048 to 8192 bits, copied; SCA_INVALID for
 * anything else. libctx is borrowed for the life of the key. The caller result_key_free()s it.
 */
enum sca_status result_key_new(OSSL_LIB_CTX *libctx, struct span spki, struct result_key **ret_key);
void result_key_free(struct result_key *key);

/*
 * Decodes value (base64, white space allowed) and writes the PKCS#1 v1.5 signature of digest
 * (its hash function told by its length) to out, of exactly the modulus' length, left padded.
 * A CMS SignedData is opened and the first SignerInfo whose signature verifies over the digest is
 * taken. SCA_MISMATCH unless the signature verifies with key over exactly this digest; SCA_INVALID
 * for a digest of another length, or when out_len is not the modulus' length; SCA_NOMEM. out is
 * untouched unless SCA_OK. The thread's OpenSSL error queue stays as it was.
 */
enum sca_status result_extract(const struct result_key *key, struct span digest, const char *value,
                               uint8_t *out, size_t out_len);

#endif
