/* SPDX-License-Identifier: Apache-2.0 */
#include "module/token/mechanism.h"

#include <stdlib.h>

#include "module/token/handlers.h"
#include "module/token/outbuf.h"
#include "module/token/slot.h"
#include "remote/base/cleanup.h"

/* Bits. Keys that are elsewhere are as long as the service makes them, and any may be verified. */
enum { RSA_MIN = 2048, RSA_MAX = 4096, RSA_MAX_ELSEWHERE = 8192, RSA_MIN_FOREIGN = 1024 };
enum { CURVE_MIN = 256, CURVE_MAX = 521, ED25519_BITS = 255 };

enum { RECOVERS = CKF_SIGN_RECOVER | CKF_VERIFY_RECOVER };
enum { EC_FORMS = CKF_EC_F_P | CKF_EC_NAMEDCURVE | CKF_EC_UNCOMPRESS };

/*
 * What keys in this process do, and the first four what keys elsewhere can. pkcs11-tool and others
 * try the first that signs, so that is one that takes any data. CKM_ECDSA_SHA1 is there for
 * pkcs11-tool --test-ec, which signs with nothing else; CKM_ECDSA takes a SHA-1 digest anyway.
 */
/* clang-format off */
#define RSA_SIGNS       {RSA_MIN, RSA_MAX, CKF_SIGN | CKF_VERIFY}
#define RSA_RECOVERS    {RSA_MIN, RSA_MAX, CKF_SIGN | CKF_VERIFY | RECOVERS}
#define RSA_GENERATES   {RSA_MIN, RSA_MAX, CKF_GENERATE_KEY_PAIR}
#define ECDSA_SIGNS     {CURVE_MIN, CURVE_MAX, CKF_SIGN | CKF_VERIFY | EC_FORMS}
#define EC_GENERATES    {CURVE_MIN, CURVE_MAX, CKF_GENERATE_KEY_PAIR | EC_FORMS}
#define EDDSA_SIGNS     {ED25519_BITS, ED25519_BITS, CKF_SIGN | CKF_VERIFY | EC_FORMS}
#define EDDSA_GENERATES {ED25519_BITS, ED25519_BITS, CKF_GENERATE_KEY_PAIR | EC_FORMS}

#define KEY_MECHANISMS(ROW)                                                                        \
    ROW(CKM_SHA256_RSA_PKCS,         CKK_RSA,        SCHEME_PKCS1, CRYPTO_SHA256,  RSA_SIGNS)      \
    ROW(CKM_SHA384_RSA_PKCS,         CKK_RSA,        SCHEME_PKCS1, CRYPTO_SHA384,  RSA_SIGNS)      \
    ROW(CKM_SHA512_RSA_PKCS,         CKK_RSA,        SCHEME_PKCS1, CRYPTO_SHA512,  RSA_SIGNS)      \
    ROW(CKM_RSA_PKCS,                CKK_RSA,        SCHEME_PKCS1, CRYPTO_NO_HASH, RSA_RECOVERS)   \
    ROW(CKM_SHA256_RSA_PKCS_PSS,     CKK_RSA,        SCHEME_PSS,   CRYPTO_SHA256,  RSA_SIGNS)      \
    ROW(CKM_SHA384_RSA_PKCS_PSS,     CKK_RSA,        SCHEME_PSS,   CRYPTO_SHA384,  RSA_SIGNS)      \
    ROW(CKM_SHA512_RSA_PKCS_PSS,     CKK_RSA,        SCHEME_PSS,   CRYPTO_SHA512,  RSA_SIGNS)      \
    ROW(CKM_RSA_PKCS_PSS,            CKK_RSA,        SCHEME_PSS,   CRYPTO_NO_HASH, RSA_SIGNS)      \
    ROW(CKM_ECDSA_SHA256,            CKK_EC,         SCHEME_ECDSA, CRYPTO_SHA256,  ECDSA_SIGNS)    \
    ROW(CKM_ECDSA_SHA384,            CKK_EC,         SCHEME_ECDSA, CRYPTO_SHA384,  ECDSA_SIGNS)    \
    ROW(CKM_ECDSA_SHA512,            CKK_EC,         SCHEME_ECDSA, CRYPTO_SHA512,  ECDSA_SIGNS)    \
    ROW(CKM_ECDSA,                   CKK_EC,         SCHEME_ECDSA, CRYPTO_NO_HASH, ECDSA_SIGNS)    \
    ROW(CKM_ECDSA_SHA1,              CKK_EC,         SCHEME_ECDSA, CRYPTO_SHA1,    ECDSA_SIGNS)    \
    ROW(CKM_EDDSA,                   CKK_EC_EDWARDS, SCHEME_EDDSA, CRYPTO_NO_HASH, EDDSA_SIGNS)    \
    ROW(CKM_RSA_PKCS_KEY_PAIR_GEN,   CKK_RSA,        SCHEME_NONE,  CRYPTO_NO_HASH, RSA_GENERATES)  \
    ROW(CKM_EC_KEY_PAIR_GEN,         CKK_EC,         SCHEME_NONE,  CRYPTO_NO_HASH, EC_GENERATES)   \
    ROW(CKM_EC_EDWARDS_KEY_PAIR_GEN, CKK_EC_EDWARDS, SCHEME_NONE,  CRYPTO_NO_HASH, EDDSA_GENERATES)
/* clang-format on */

#define NO_KEY                                    CK_UNAVAILABLE_INFORMATION
#define ROW_OF(type, key_type, scheme, hash, ...) {type, key_type, scheme, hash, __VA_ARGS__},
#define TYPE_OF(type, ...)                        type,

/* Rows for keys are offered by the tokens that list them; digests, computed here, by every token.
 */
static const struct mechanism mechanisms[] = {
    KEY_MECHANISMS(ROW_OF) /**/
    {CKM_SHA_1, NO_KEY, SCHEME_NONE, CRYPTO_SHA1, {0, 0, CKF_DIGEST}},
    {CKM_SHA256, NO_KEY, SCHEME_NONE, CRYPTO_SHA256, {0, 0, CKF_DIGEST}},
    {CKM_SHA384, NO_KEY, SCHEME_NONE, CRYPTO_SHA384, {0, 0, CKF_DIGEST}},
    {CKM_SHA512, NO_KEY, SCHEME_NONE, CRYPTO_SHA512, {0, 0, CKF_DIGEST}},
};

const CK_MECHANISM_TYPE mechanisms_of_local_keys[] = {KEY_MECHANISMS(TYPE_OF)};
const size_t mechanisms_of_local_keys_count = ARRAY_LEN(mechanisms_of_local_keys);

/*
 * Only a key in this process recovers; for others the service decides about sizes. What signs and
 * verifies does so message by message too, in parts where it hashes them (3.0 section 5.14).
 */
static CK_MECHANISM_INFO info_for(const struct token *token, const struct mechanism *mechanism)
{
    CK_MECHANISM_INFO info = mechanism->info;
    if (info.flags & CKF_SIGN)
        info.flags |= CKF_MESSAGE_SIGN | CKF_MESSAGE_VERIFY;
    if ((info.flags & CKF_SIGN) && mechanism->hash != CRYPTO_NO_HASH)
        info.flags |= CKF_MULTI_MESSAGE;
    if (!token->ops->write && mechanism->key_type == CKK_RSA) {
        info.flags &= ~(CK_FLAGS)RECOVERS;
        info.ulMaxKeySize = RSA_MAX_ELSEWHERE;
        info.ulMinKeySize = token->is_foreign ? RSA_MIN_FOREIGN : RSA_MIN;
    }
    return info;
}

bool mechanism_takes_size(const struct token *token, const struct mechanism *mechanism,
                          CK_FLAGS operation, CK_ULONG bits)
{
    CK_MECHANISM_INFO info = info_for(token, mechanism);
    bool is_checking = operation == CKF_VERIFY || operation == CKF_VERIFY_RECOVER;
    if (is_checking && mechanism->key_type == CKK_RSA)
        info.ulMaxKeySize = RSA_MAX_ELSEWHERE;
    return bits >= info.ulMinKeySize && bits <= info.ulMaxKeySize;
}

static bool is_offered(const struct token *token, const struct mechanism *mechanism)
{
    if (mechanism->info.flags & CKF_DIGEST)
        return true;
    for (size_t i = 0; i < token->mechanism_count; i++)
        if (token->mechanisms[i] == mechanism->type)
            return true;
    return false;
}

static const struct mechanism *find(const struct token *token, CK_MECHANISM_TYPE type)
{
    for (size_t i = 0; i < ARRAY_LEN(mechanisms); i++)
        if (mechanisms[i].type == type)
            return is_offered(token, &mechanisms[i]) ? &mechanisms[i] : NULL;
    return NULL;
}

CK_RV mechanism_find(const struct token *token, const CK_MECHANISM *wanted, CK_FLAGS operation,
                     const struct mechanism **ret_mechanism,
                     struct mechanism_parameter *ret_parameter)
{
    const struct mechanism *mechanism = find(token, wanted->mechanism);
    if (!mechanism || !(info_for(token, mechanism).flags & operation))
        return CKR_MECHANISM_INVALID;
    CK_RV rv = mechanism_parameter_read(mechanism, wanted, ret_parameter);
    if (rv == CKR_OK)
        *ret_mechanism = mechanism;
    return rv;
}

CK_RV mechanism_list(CK_SLOT_ID id, CK_MECHANISM_TYPE *types, CK_ULONG *count)
{
    struct slot *slot = NULL;
    CK_RV rv = slot_find_present(id, &slot);
    if (rv != CKR_OK)
        return rv;
    if (!count)
        return CKR_ARGUMENTS_BAD;

    CK_MECHANISM_TYPE offered[ARRAY_LEN(mechanisms)];
    CK_ULONG offered_count = 0;
    for (size_t i = 0; i < ARRAY_LEN(mechanisms); i++)
        if (is_offered(slot->token, &mechanisms[i]))
            offered[offered_count++] = mechanisms[i].type;
    return outbuf_list(types, count, offered, offered_count);
}

CK_RV mechanism_info(CK_SLOT_ID id, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *info)
{
    struct slot *slot = NULL;
    CK_RV rv = slot_find_present(id, &slot);
    if (rv != CKR_OK)
        return rv;
    if (!info)
        return CKR_ARGUMENTS_BAD;
    const struct mechanism *mechanism = find(slot->token, type);
    if (!mechanism)
        return CKR_MECHANISM_INVALID;
    *info = info_for(slot->token, mechanism);
    return CKR_OK;
}
