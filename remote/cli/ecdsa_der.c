/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/ecdsa_der.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>

enum sca_status ecdsa_der(struct span raw, struct buf *ret_signature)
{
    ECDSA_SIG *pair = ECDSA_SIG_new();
    size_t half = raw.len / 2;
    BIGNUM *r = BN_bin2bn(raw.ptr, (int)half, NULL);
    BIGNUM *s = BN_bin2bn(raw.ptr + half, (int)half, NULL);
    unsigned char *der = NULL;
    enum sca_status st = SCA_NOMEM;

    if (pair && r && s && ECDSA_SIG_set0(pair, r, s) == 1) {
        r = NULL;
        s = NULL;
        int len = i2d_ECDSA_SIG(pair, &der);
        if (len > 0)
            st = buf_append(ret_signature, span_of(der, (size_t)len));
        OPENSSL_free(der);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(pair);
    return st;
}
