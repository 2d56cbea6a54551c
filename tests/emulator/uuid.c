/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/emulator/uuid.h"

#include <stdint.h>
#include <string.h>

#include <openssl/rand.h>

#include "remote/base/bytes.h"

void uuid_make(char out[UUID_LEN + 1])
{
    static const size_t groups[] = {8, 4, 4, 4, 12};
    uint8_t bytes[16];
    char hex[33];
    (void)RAND_bytes(bytes, sizeof(bytes)); /* test data: a failure would show as a repeated id */
    bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
    hex_encode(span_of(bytes, sizeof(bytes)), hex);
    const char *from = hex;
    for (size_t i = 0; i < 5; i++) {
        memcpy(out, from, groups[i]);
        from += groups[i];
        out += groups[i];
        *out++ = i < 4 ? '-' : '\0';
    }
}
