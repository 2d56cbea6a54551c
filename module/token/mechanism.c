/* SPDX-License-Identifier: Apache-2.0 */
#include "module/token/mechanism.h"

#include <stdlib.h>

#include "module/token/handlers.h"
#include "module/token/outbuf.h"
#include "module/token/slot.h"
#include "remote/base/cleanup.h"

enum { RSA_BITS_MIN = 2048, RSA_BITS_MAX = 8192 };

#define RSA_SIGNING                                                                                \
    {                                                                                              \
        RSA_BITS_MIN, RSA_BITS_MAX, CKF_SIGN | CKF_VERIFY                                          \
    }
#define NO_KEY CK_UNAVAILABLE_INFORMATION

/*
 * All there are. Signing rows are offered by the tokens that list them (token->mechanisms);
 * digests, computed here, by every token. pkcs11-tool and others try the first that signs, so that
 * is one that takes any data.
 */
static const struct mechanism mechanisms[] = {
    {CKM_SHA256_RSA_PKCS, CKK_RSA, CRYPTO_SHA256, RSA_SIGNING},
    {CKM_SHA384_RSA_PKCS, CKK_RSA, CRYPTO_SHA384, RSA_SIGNING},
    {CKM_SHA512_RSA_PKCS, CKK_RSA, CRYPTO_SHA512, RSA_SIGNING},
    {CKM_RSA_PKCS, CKK_RSA, CRYPTO_NO_HASH, RSA_SIGNING},
    {CKM_SHA_1, NO_KEY, CRYPTO_SHA1, {0, 0, CKF_DIGEST}},
    {CKM_SHA256, NO_KEY, CRYPTO_SHA256, {0, 0, CKF_DIGEST}},
    {CKM_SHA384, NO_KEY, CRYPTO_SHA384, {0, 0, CKF_DIGEST}},
    {CKM_SHA512, NO_KEY, CRYPTO_SHA512, {0, 0, CKF_DIGEST}},
};

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
        if (mechanisms[i].type == type && is_offered(token, &mechanisms[i]))
            return &mechanisms[i];
    return NULL;
}

CK_RV mechanism_find(const struct token *token, const CK_MECHANISM *wanted, CK_FLAGS operation,
                     const struct mechanism **ret_mechanism)
{
    const struct mechanism *mechanism = find(token, wanted->mechanism);
    if (!mechanism || !(mechanism->info.flags & operation))
        return CKR_MECHANISM_INVALID;
    if (wanted->ulParameterLen)
        return CKR_MECHANISM_PARAM_INVALID;
    *ret_mechanism = mechanism;
    return CKR_OK;
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
    *info = mechanism->info;
    return CKR_OK;
}
