/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of key that are issued: what `--key` calls them and what PKCS#11 and X.509 need. */
#ifndef REMOTE_CLI_KEY_SPEC_H
#define REMOTE_CLI_KEY_SPEC_H

#include <openssl/types.h>
#include <p11-kit/pkcs11.h>

#include "remote/base/bytes.h"
#include "remote/base/crypto.h"

#ifndef CKK_EC_EDWARDS
#define CKK_EC_EDWARDS 0x40UL
#endif
#ifndef CKM_EC_EDWARDS_KEY_PAIR_GEN
#define CKM_EC_EDWARDS_KEY_PAIR_GEN 0x1055UL
#endif
#ifndef CKM_EDDSA
#define CKM_EDDSA 0x1057UL
#endif

struct key_spec {
    const char *name; /* rsa:2048 ... */
    CK_KEY_TYPE type;
    CK_MECHANISM_TYPE generate;
    CK_MECHANISM_TYPE sign;
    CK_ULONG bits;         /* RSA */
    const char *group;     /* OpenSSL's name of the curve; NULL for RSA */
    struct span params;    /* CKA_EC_PARAMS: the curve's OBJECT IDENTIFIER in DER */
    enum crypto_hash hash; /* made here before signing; CRYPTO_NO_HASH: the token is given all */
    int signature_nid;     /* of the X.509 signature algorithm */
};

#define KEY_SPEC_DEFAULT "rsa:2048"

/* NULL if nothing is called so. */
const struct key_spec *key_spec_find(const char *name);

/* What a key is; NULL for one that is not issued here. */
const struct key_spec *key_spec_of(EVP_PKEY *key);

/* "rsa:2048, rsa:3072, ..." */
extern const char key_spec_names[];

#endif
