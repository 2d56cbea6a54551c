/* SPDX-License-Identifier: Apache-2.0 */
#include "module/token/hashing.h"

#include <openssl/err.h>
#include <openssl/evp.h>

CK_RV hashing_start(struct operation *operation)
{
    if (operation->mechanism->hash == CRYPTO_NO_HASH)
        return CKR_OK;
    const EVP_MD *md = crypto_md(operation->mechanism->hash);
    operation->md = md ? EVP_MD_CTX_new() : NULL;
    if (!operation->md || EVP_DigestInit_ex2(operation->md, md, NULL) != 1)
        return CKR_HOST_MEMORY;
    return CKR_OK;
}

CK_RV hashing_add(struct operation *operation, const CK_BYTE *part, CK_ULONG part_len)
{
    return EVP_DigestUpdate(operation->md, part, part_len) == 1 ? CKR_OK : CKR_FUNCTION_FAILED;
}

CK_RV hashing_end(struct operation *operation, uint8_t out[static HASHING_MAX], CK_ULONG *ret_len)
{
    unsigned len = 0;
    if (EVP_DigestFinal_ex(operation->md, out, &len) != 1)
        return CKR_FUNCTION_FAILED;
    *ret_len = len;
    return CKR_OK;
}
