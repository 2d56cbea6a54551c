/* SPDX-License-Identifier: Apache-2.0 */
/* Texts in the shape of a JSON Web Token (RFC 7515 section 3.1). Nobody can verify them. */
#ifndef TESTS_EMULATOR_JWT_H
#define TESTS_EMULATOR_JWT_H

enum { JWT_MAX = 767 };

/* header "." claims "." random bytes, each in base64url; together they are short enough. */
void jwt_make(const char *header, const char *claims, char out[JWT_MAX + 1]);

#endif
