/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A module between a client and ours that flips one bit of each signature, so that a client's test
 * can be seen to fail. SMARTCA_SPOIL_MODULE is the module behind it; SMARTCA_SPOIL_LOG a file that
 * gets one byte for each signature spoiled: without it a test that fails for another reason would
 * look right.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "module/cryptoki.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static CK_FUNCTION_LIST *inner;
static CK_FUNCTION_LIST list;

/* A dot in the log is what the test waits for: if it cannot be written, the test says so. */
static void note(void)
{
    const char *path = secure_getenv("SMARTCA_SPOIL_LOG");
    if (!path)
        return;
    int file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0)
        return;
    while (write(file, ".", 1) < 0 && errno == EINTR)
        continue;
    (void)close(file);
}

/* The last byte: an RSA signature stays below its modulus, an ECDSA one a pair of numbers. */
static CK_RV spoil(CK_RV rv, CK_BYTE *signature, const CK_ULONG *len)
{
    if (rv == CKR_OK && signature && *len > 0) {
        signature[*len - 1] ^= 1;
        note();
    }
    return rv;
}

static CK_RV spoiled_sign(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG data_len,
                          CK_BYTE *signature, CK_ULONG *signature_len)
{
    CK_RV rv = inner->C_Sign(session, data, data_len, signature, signature_len);
    return spoil(rv, signature, signature_len);
}

static CK_RV spoiled_sign_final(CK_SESSION_HANDLE session, CK_BYTE *signature,
                                CK_ULONG *signature_len)
{
    CK_RV rv = inner->C_SignFinal(session, signature, signature_len);
    return spoil(rv, signature, signature_len);
}

/* A list is asked for by its name; a module that has none leaves inner NULL. */
static void load(void)
{
    const char *path = secure_getenv("SMARTCA_SPOIL_MODULE");
    void *module = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
    if (!module)
        return;
    union {
        void *symbol;
        CK_C_GetFunctionList function;
    } get = {.symbol = dlsym(module, "C_GetFunctionList")};
    if (!get.symbol || get.function(&inner) != CKR_OK) {
        inner = NULL;
        return;
    }
    list = *inner;
    list.C_GetFunctionList = C_GetFunctionList;
    list.C_Sign = spoiled_sign;
    list.C_SignFinal = spoiled_sign_final;
}

__attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST **ret_list)
{
    if (!ret_list)
        return CKR_ARGUMENTS_BAD;
    if (pthread_once(&once, load) != 0 || !inner)
        return CKR_GENERAL_ERROR;
    *ret_list = &list;
    return CKR_OK;
}
