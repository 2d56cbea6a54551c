/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FUZZ_DECODED_KEY_H
#define TESTS_FUZZ_DECODED_KEY_H

#include "remote/base/bytes.h"

/* Any bytes as the stored form of a key: what is read as one is written as one, and read again as
 * the same, in whole and in its parts. */
void decoded_key(struct span der);

#endif
