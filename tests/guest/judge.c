/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/guest/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

enum { DER_MAX = 128 };

static EVP_PKEY *keys[HOST_SLOTS];

void judge_start(void)
{
    for (enum host_slot slot = 0; slot < HOST_SLOTS; slot++) {
        char path[512];
        (void)snprintf(path, sizeof(path), "%s/slots/%s/public.pem", getenv("HOME"),
                       host_slot_name(slot));
        FILE *file = fopen(path, "re");
        keys[slot] = file ? PEM_read_PUBKEY(file, NULL, NULL, NULL) : NULL;
        if (!keys[slot])
            host_fail("%s is no public key", path);
        (void)fclose(file);
    }
}

/* PKCS#11 has r and s one after the other, OpenSSL wants them in DER. */
static size_t ecdsa_to_der(const CK_BYTE *raw, CK_ULONG len, CK_BYTE der[DER_MAX])
{
    int half = (int)(len / 2);
    ECDSA_SIG *both = ECDSA_SIG_new();
    unsigned char *end = der;
    if (!both || len != 64 ||
        ECDSA_SIG_set0(both, BN_bin2bn(raw, half, NULL), BN_bin2bn(raw + half, half, NULL)) != 1)
        host_fail("an ECDSA signature of %lu bytes", len);
    int der_len = i2d_ECDSA_SIG(both, &end);
    ECDSA_SIG_free(both);
    return (size_t)der_len;
}

void judge_signature(enum host_slot slot, const char *text, const CK_BYTE *signature, CK_ULONG len)
{
    CK_BYTE der[DER_MAX];
    if (slot == HOST_EC) {
        len = ecdsa_to_der(signature, len, der);
        signature = der;
    }
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool is_right =
        ctx && EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, keys[slot]) == 1 &&
        EVP_DigestVerify(ctx, signature, len, (const unsigned char *)text, strlen(text)) == 1;
    EVP_MD_CTX_free(ctx);
    if (!is_right)
        host_fail("a wrong signature of slot %s", host_slot_name(slot));
}
