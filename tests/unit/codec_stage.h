/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of requests share. */
#ifndef TESTS_UNIT_CODEC_STAGE_H
#define TESTS_UNIT_CODEC_STAGE_H

#include "remote/smartca/codec.h"

extern const uint8_t digest[64];
extern const struct codec_sign_file file; /* of the digest's first 32 bytes */

/* The caller secret_free()s it. */
struct secret *secret_of(const char *text);
struct codec_sign_request request_of(const struct codec_sign_file *files, size_t count);

#endif
