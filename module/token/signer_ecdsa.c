/* SPDX-License-Identifier: Apache-2.0 */
/* ECDSA (FIPS 186-4 section 6) of a digest of any length: its leftmost bits count. */
#include <openssl/evp.h>

#include "module/token/ecdsa_form.h"
#include "module/token/signer_scheme.h"

enum { INPUT_MAX = 128 }; /* 3.0 section 2.3.6: CKM_ECDSA takes up to 1024 bits */

static bool prepare(struct signer *signer)
{
    int bits = EVP_PKEY_get_bits(signer->key); /* of the order */
    if (bits <= 0 || bits > 8 * ECDSA_HALF_MAX || !signer_open_ctx(signer, signer->purpose))
        return false;
    signer->length = 2 * (((size_t)bits + 7) / 8);
    signer->input_min = 1;
    signer->input_max = INPUT_MAX;
    return true;
}

static bool sign(struct signer *signer, struct span input, CK_BYTE *signature)
{
    uint8_t der[ECDSA_DER_MAX];
    size_t len = sizeof(der);
    return EVP_PKEY_sign(signer->ctx, der, &len, input.ptr, input.len) == 1 &&
           ecdsa_form_from_der(span_of(der, len), signer->length / 2, signature);
}

static bool verify(struct signer *signer, struct span input, struct span signature)
{
    uint8_t der[ECDSA_DER_MAX];
    size_t len = ecdsa_form_to_der(signature, der);
    return EVP_PKEY_verify(signer->ctx, der, len, input.ptr, input.len) == 1;
}

const struct signer_scheme signer_ecdsa = {prepare, sign, verify};
