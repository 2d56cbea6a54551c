/* SPDX-License-Identifier: Apache-2.0 */
/* The two forms of an ECDSA signature: r and s of fixed length (PKCS#11), and DER (OpenSSL). */
#ifndef MODULE_TOKEN_ECDSA_FORM_H
#define MODULE_TOKEN_ECDSA_FORM_H

#include <stdbool.h>

#include "remote/base/bytes.h"

enum {
    ECDSA_HALF_MAX = 66,                          /* bytes of r: the order of P-521 */
    ECDSA_DER_MAX = 3 + 2 * (ECDSA_HALF_MAX + 3), /* each with tag, length and a zero in front */
};

/* der to r and s of half bytes each (at most ECDSA_HALF_MAX), filled up with zeros in front. False,
 * and out unchanged or half written, if der is no signature of that size. */
bool ecdsa_form_from_der(struct span der, size_t half, uint8_t *out);

/* Both halves of raw, whose length is even and at most 2 * ECDSA_HALF_MAX. Returns the length. */
size_t ecdsa_form_to_der(struct span raw, uint8_t out[static ECDSA_DER_MAX]);

#endif
