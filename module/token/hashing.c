/* SPDX-License-Identifier: Apache-2.0 */
#include "module/token/hashing.h"

#include <openssl/evp.h>

#include "module/token/signer.h"

/* A signer has a context of its own, which it keeps for the next message. */
static EVP_MD_CTX *running(const struct operation *operation)
{
    return operation->key.signer ? signer_md(operation->key.signer) : operation->md;
}

CK_RV hashing_start(struct operation *operation)
{
    if (operation->mechanism->hash == CRYPTO_NO_HASH)
        return CKR_OK;
    bool has_ctx = operation->key.signer || operation->md; /* of the message before */
    if (!has_ctx && !(operation->md = EVP_MD_CTX_new()))
        return CKR_HOST_MEMORY;
    const EVP_MD *md = crypto_md(operation->mechanism->hash);
    return md && EVP_DigestInit_ex2(running(operation), md, NULL) == 1 ? CKR_OK : CKR_HOST_MEMORY;
}

CK_RV hashing_add(struct operation *operation, const CK_BYTE *part, CK_ULONG part_len)
{
    return EVP_DigestUpdate(running(operation), part, part_len) == 1 ? CKR_OK : CKR_FUNCTION_FAILED;
}

CK_RV hashing_end(struct operation *operation, uint8_t out[static HASHING_MAX], CK_ULONG *ret_len)
{
    unsigned len = 0;
    if (EVP_DigestFinal_ex(running(operation), out, &len) != 1)
        return CKR_FUNCTION_FAILED;
    *ret_len = len;
    return CKR_OK;
}

CK_RV hashing_all(struct operation *operation, struct span data, uint8_t out[static HASHING_MAX],
                  struct span *ret_input)
{
    CK_ULONG len = 0;
    if (operation->mechanism->hash == CRYPTO_NO_HASH) {
        *ret_input = data;
        return CKR_OK;
    }
    CK_RV rv = hashing_add(operation, data.ptr, data.len);
    if (rv == CKR_OK)
        rv = hashing_end(operation, out, &len);
    if (rv == CKR_OK)
        *ret_input = span_of(out, len);
    return rv;
}
