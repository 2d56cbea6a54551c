/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODULE_TOKEN_MECHANISM_H
#define MODULE_TOKEN_MECHANISM_H

#include <stdbool.h>

#include "module/backend/backend.h"
#include "module/cryptoki.h"
#include "remote/base/crypto.h"

/* How a signing mechanism makes a signature of its input. */
enum scheme {
    SCHEME_NONE, /* digests, key generation */
    SCHEME_PKCS1,
    SCHEME_PSS,
    SCHEME_ECDSA,
    SCHEME_EDDSA,
};

/* One mechanism as the module does it. */
struct mechanism {
    CK_MECHANISM_TYPE type;
    CK_KEY_TYPE key_type; /* of signing mechanisms and key generation */
    enum scheme scheme;
    enum crypto_hash hash; /* what it hashes with, CRYPTO_NO_HASH if the caller did */
    CK_MECHANISM_INFO info;
};

/* What a mechanism's parameter says, checked: CK_RSA_PKCS_PSS_PARAMS, CK_EDDSA_PARAMS. */
struct mechanism_parameter {
    enum crypto_hash hash; /* PSS: of the data; MGF1 uses the same */
    CK_ULONG salt_len;     /* PSS: bytes */
};

/*
 * The mechanism for an operation (a CKF_ bit of CK_MECHANISM_INFO) on that token: CKR_OK,
 * CKR_MECHANISM_INVALID, or CKR_MECHANISM_PARAM_INVALID.
 */
CK_RV mechanism_find(const struct token *token, const CK_MECHANISM *wanted, CK_FLAGS operation,
                     const struct mechanism **ret_mechanism,
                     struct mechanism_parameter *ret_parameter);

/* May a key of that many bits (RSA: of the modulus, EC: of the field) be used for it? */
bool mechanism_takes_size(const struct token *token, const struct mechanism *mechanism,
                          CK_FLAGS operation, CK_ULONG bits);

/* mechanism_parameter.c: what came with the mechanism, checked as far as it can be without a key;
 * and whether it suits an RSA key of that size. CKR_MECHANISM_PARAM_INVALID. */
CK_RV mechanism_parameter_read(const struct mechanism *mechanism, const CK_MECHANISM *wanted,
                               struct mechanism_parameter *ret_parameter);
bool mechanism_parameter_fits(const struct mechanism *mechanism,
                              const struct mechanism_parameter *parameter, CK_ULONG modulus_bits);

/* What a token with keys of its own in this process can do: for token->mechanisms. */
extern const CK_MECHANISM_TYPE mechanisms_of_local_keys[];
extern const size_t mechanisms_of_local_keys_count;

#endif
