/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a signer, for signer.c and the schemes: RSA, ECDSA, Ed25519. */
#ifndef MODULE_TOKEN_SIGNER_SCHEME_H
#define MODULE_TOKEN_SIGNER_SCHEME_H

#include <stdbool.h>

#include "module/token/signer.h"

struct signer {
    const struct mechanism *mechanism;
    struct mechanism_parameter parameter;
    CK_FLAGS purpose;
    EVP_PKEY *key;     /* owned */
    EVP_PKEY_CTX *ctx; /* owned; initialised for the purpose; NULL for Ed25519 */
    EVP_MD_CTX *md;    /* owned; the running hash, or Ed25519's context; NULL: neither */
    size_t length;     /* of a signature */
    size_t input_min;
    size_t input_max;
};

/* What differs between the schemes. All of them within an error mark of OpenSSL. */
struct signer_scheme {
    /* Sets ctx or md, length, and what input may be where the mechanism does not hash. */
    bool (*prepare)(struct signer *signer);
    bool (*sign)(struct signer *signer, struct span input, CK_BYTE *signature);

    /* signature is as long as it has to be. */
    bool (*verify)(struct signer *signer, struct span input, struct span signature);
};

extern const struct signer_scheme signer_rsa;
extern const struct signer_scheme signer_ecdsa;
extern const struct signer_scheme signer_eddsa;

/* A context of the key for the purpose, into signer->ctx. */
bool signer_open_ctx(struct signer *signer, CK_FLAGS purpose);

#endif
