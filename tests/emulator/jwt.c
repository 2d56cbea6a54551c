/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/emulator/jwt.h"

#include <stdint.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/rand.h>

enum { SIGNATURE_LEN = 256, PART_MAX = 256 };

/* Base64 in the alphabet for URLs, without padding (RFC 4648 section 5); the end of it. */
static char *append(char *out, const void *bytes, size_t len)
{
    int written = EVP_EncodeBlock((unsigned char *)out, bytes, (int)len);
    char *end = out + written;
    while (end > out && end[-1] == '=')
        end--;
    *end = '\0';
    for (char *c = out; *c; c++)
        if (*c == '+' || *c == '/')
            *c = *c == '+' ? '-' : '_';
    return end;
}

void jwt_make(const char *header, const char *claims, char out[JWT_MAX + 1])
{
    uint8_t signature[SIGNATURE_LEN];
    _Static_assert(((size_t)PART_MAX + SIGNATURE_LEN) * 4 / 3 + 16 <= JWT_MAX, "room for all");
    out[0] = '\0';
    if (strlen(header) + strlen(claims) > PART_MAX)
        return;
    (void)RAND_bytes(signature, sizeof(signature)); /* test data, as in uuid.c */
    char *end = append(out, header, strlen(header));
    *end++ = '.';
    end = append(end, claims, strlen(claims));
    *end++ = '.';
    (void)append(end, signature, sizeof(signature));
}
