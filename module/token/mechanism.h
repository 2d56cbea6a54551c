/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODULE_TOKEN_MECHANISM_H
#define MODULE_TOKEN_MECHANISM_H

#include "module/backend/backend.h"
#include "module/cryptoki.h"
#include "remote/base/crypto.h"

/* One mechanism as the module does it. */
struct mechanism {
    CK_MECHANISM_TYPE type;
    CK_KEY_TYPE key_type;  /* of signing mechanisms */
    enum crypto_hash hash; /* what it hashes with, CRYPTO_NO_HASH if the caller did */
    CK_MECHANISM_INFO info;
};

/*
 * The mechanism for an operation (a CKF_ bit of CK_MECHANISM_INFO) on that token: CKR_OK,
 * CKR_MECHANISM_INVALID, or CKR_MECHANISM_PARAM_INVALID (none of ours takes a parameter).
 */
CK_RV mechanism_find(const struct token *token, const CK_MECHANISM *wanted, CK_FLAGS operation,
                     const struct mechanism **ret_mechanism);

#endif
