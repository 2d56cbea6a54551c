/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same as cheap.c for whole programs: loaded before libcrypto (LD_PRELOAD), it derives keys
 * from PINs at little cost. What one program made so another one opens only so.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

enum { PARAMS_MAX = 16, CHEAP_N = 1024 };

__attribute__((visibility("default"))) int EVP_KDF_derive(EVP_KDF_CTX *ctx, unsigned char *key,
                                                          size_t keylen, const OSSL_PARAM params[])
{
    int (*real)(EVP_KDF_CTX *, unsigned char *, size_t, const OSSL_PARAM[]) = NULL;
    OSSL_PARAM cheap[PARAMS_MAX] = {{0}};
    uint64_t n = CHEAP_N;
    uint64_t wanted = 0;

    *(void **)&real = dlsym(RTLD_NEXT, "EVP_KDF_derive");
    for (size_t i = 0; params && params[i].key && i + 1 < PARAMS_MAX; i++) {
        cheap[i] = params[i];
        if (strcmp(params[i].key, OSSL_KDF_PARAM_SCRYPT_N) == 0 &&
            OSSL_PARAM_get_uint64(&params[i], &wanted) == 1 && wanted > n)
            cheap[i] = OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n);
    }
    return real(ctx, key, keylen, params ? cheap : NULL);
}
