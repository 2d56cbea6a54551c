/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_EMULATOR_VERIFY_H
#define TESTS_EMULATOR_VERIFY_H

#include <stdbool.h>

#include "tests/emulator/harness.h"

/* Whether value (base64, white space allowed) is a PKCS#1 signature of the hash under the leaf. */
bool verify_pkcs1(const struct harness *h, const char *hash_hex, const char *value);

/* Whether value is a detached CMS over content that OpenSSL accepts from the leaf, chain included.
 */
bool verify_cms(const struct harness *h, const char *content, const char *value);

/* Whether the leaf's chain is good for OpenSSL. */
bool verify_chain(const struct harness *h);

#endif
