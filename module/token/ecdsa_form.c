/* SPDX-License-Identifier: Apache-2.0 */
#include "module/token/ecdsa_form.h"

#include <string.h>

/*
 * Ecdsa-Sig-Value ::= SEQUENCE { r INTEGER, s INTEGER } (RFC 3279 section 2.2.3). Done here because
 * a trip through BIGNUMs costs more than everything else the module adds to a signature.
 */
enum { TAG_SEQUENCE = 0x30, TAG_INTEGER = 0x02, LONG_FORM_1 = 0x81, SHORT_MAX = 0x7f };

/* Takes tag and length off the front; what is left of der are the contents. */
static bool enter_sequence(struct span *der)
{
    const uint8_t *p = der->ptr;
    size_t header = der->len > 2 && p[1] == LONG_FORM_1 ? 3 : 2;
    if (der->len < header || p[0] != TAG_SEQUENCE)
        return false;
    size_t len = p[header - 1];
    if ((header == 2) != (len <= SHORT_MAX) || len != der->len - header)
        return false;
    *der = span_of(p + header, len);
    return true;
}

static bool take_integer(struct span *der, size_t half, uint8_t *out)
{
    if (der->len < 2 || der->ptr[0] != TAG_INTEGER || der->ptr[1] > der->len - 2)
        return false;
    size_t len = der->ptr[1];
    const uint8_t *value = der->ptr + 2;
    *der = span_of(value + len, der->len - 2 - len);
    if (len == half + 1 && value[0] == 0) {
        value++;
        len--;
    }
    if (len == 0 || len > half)
        return false;
    memset(out, 0, half - len);
    memcpy(out + half - len, value, len);
    return true;
}

bool ecdsa_form_from_der(struct span der, size_t half, uint8_t *out)
{
    return enter_sequence(&der) && take_integer(&der, half, out) &&
           take_integer(&der, half, out + half) && der.len == 0;
}

/* Returns the place behind the INTEGER. */
static uint8_t *put_integer(uint8_t *p, const uint8_t *value, size_t len)
{
    while (len > 1 && value[0] == 0) {
        value++;
        len--;
    }
    size_t sign = len && value[0] > SHORT_MAX ? 1 : 0; /* an INTEGER with the top bit is negative */
    *p++ = TAG_INTEGER;
    *p++ = (uint8_t)(sign + len);
    if (sign)
        *p++ = 0;
    memcpy(p, value, len);
    return p + len;
}

size_t ecdsa_form_to_der(struct span raw, uint8_t out[static ECDSA_DER_MAX])
{
    enum { HEADER_MAX = 3 };
    size_t half = raw.len / 2;
    uint8_t *end = put_integer(out + HEADER_MAX, raw.ptr, half);
    end = put_integer(end, raw.ptr + half, half);

    size_t len = (size_t)(end - out) - HEADER_MAX;
    size_t header = len > SHORT_MAX ? 3 : 2;
    memmove(out + header, out + HEADER_MAX, len);
    out[0] = TAG_SEQUENCE;
    if (header == 3)
        out[1] = LONG_FORM_1;
    out[header - 1] = (uint8_t)len;
    return header + len;
}
