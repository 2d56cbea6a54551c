/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signing and verifying with a key in this process, by OpenSSL, for the mechanisms of the table:
 * PKCS#1 v1.5, PSS, ECDSA (r and s of fixed length, as PKCS#11 wants), Ed25519.
 */
#ifndef MODULE_TOKEN_SIGNER_H
#define MODULE_TOKEN_SIGNER_H

#include <stdbool.h>

#include <openssl/types.h>

#include "module/cryptoki.h"
#include "module/token/mechanism.h"
#include "remote/base/bytes.h"

/*
 * A key made ready for one mechanism and its parameters. Used by one thread at a time; a session
 * keeps it between operations, so that signing again with the same key and mechanism costs
 * nothing but the signature: no allocation of ours, no system call, no lock.
 */
struct signer;

enum { SIGNER_LENGTH_MAX = 8192 / 8 }; /* of a signature; longer RSA keys make no signer */

/* key is a reference of the caller's; the signer takes one of its own (a duplicate for EC, where
 * sharing between threads is slow). CKR_HOST_MEMORY, CKR_FUNCTION_FAILED. */
CK_RV signer_new(EVP_PKEY *key, const struct mechanism *mechanism,
                 const struct mechanism_parameter *parameter, CK_FLAGS purpose,
                 struct signer **ret_signer);
void signer_free(struct signer *signer);

/* Bytes of a signature: modulus length, 2 * field length, 64. */
CK_ULONG signer_length(const struct signer *signer);

/* Lends the context for the running hash of a mechanism that hashes, to be initialised for each
 * message (hashing.c). */
EVP_MD_CTX *signer_md(const struct signer *signer);

/* input: the digest where the mechanism hashes, else what the caller gave. signature has room for
 * signer_length, is filled completely and may overlap input. CKR_DATA_LEN_RANGE,
 * CKR_FUNCTION_FAILED. */
CK_RV signer_sign(struct signer *signer, struct span input, CK_BYTE *signature);

/* CKR_OK, CKR_SIGNATURE_INVALID, CKR_SIGNATURE_LEN_RANGE, CKR_DATA_LEN_RANGE. */
CK_RV signer_verify(struct signer *signer, struct span input, struct span signature);

/* PKCS#1 v1.5 only: what was signed, into out (room for signer_length). CKR_SIGNATURE_INVALID,
 * CKR_SIGNATURE_LEN_RANGE. */
CK_RV signer_recover(struct signer *signer, struct span signature, CK_BYTE *out, CK_ULONG *ret_len);

#endif
