/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_EMULATOR_CMS_H
#define TESTS_EMULATOR_CMS_H

#include <openssl/types.h>

#include "remote/base/bytes.h"

/*
 * A detached CMS SignedData around a plain PKCS#1 signature: one SignerInfo without signed
 * attributes, so that the signature is over the content's hash itself (RFC 5652 section 5.4). The
 * length of hash names the digest algorithm. The caller OPENSSL_free()s ret_der.
 */
enum sca_status cms_wrap(X509 *certificate, size_t hash_len, struct span signature,
                         uint8_t **ret_der, size_t *ret_len);

#endif
