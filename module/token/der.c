/* SPDX-License-Identifier: Apache-2.0 */
#include "module/token/der.h"

#include <string.h>

/* Lengths below SHORT are one byte; others have a byte that tells how many follow, two at most. */
enum { SHORT = 0x80, LONG_1 = 0x81, LONG_2 = 0x82, SIGN = 0x80 };

struct der_writer der_writer_of(uint8_t *room, size_t size)
{
    return (struct der_writer){.room = room, .start = size};
}

void der_put(struct der_writer *writer, struct span bytes)
{
    if (bytes.len > writer->start) {
        writer->is_full = true;
        return;
    }
    writer->start -= bytes.len;
    if (bytes.len)
        memcpy(writer->room + writer->start, bytes.ptr, bytes.len);
}

void der_wrap(struct der_writer *writer, enum der_tag tag, size_t end)
{
    size_t len = end - writer->start;
    const uint8_t form_0[] = {(uint8_t)tag, (uint8_t)len};
    const uint8_t form_1[] = {(uint8_t)tag, LONG_1, (uint8_t)len};
    const uint8_t form_2[] = {(uint8_t)tag, LONG_2, (uint8_t)(len >> 8), (uint8_t)len};
    if (len < SHORT)
        der_put(writer, span_of(form_0, sizeof(form_0)));
    else if (len <= UINT8_MAX)
        der_put(writer, span_of(form_1, sizeof(form_1)));
    else if (len <= UINT16_MAX)
        der_put(writer, span_of(form_2, sizeof(form_2)));
    else
        writer->is_full = true;
}

void der_put_integer(struct der_writer *writer, struct span number)
{
    static const uint8_t zero = 0;
    size_t end = writer->start;
    while (number.len && number.ptr[0] == 0)
        number = span_of(number.ptr + 1, number.len - 1);
    der_put(writer, number);
    if (!number.len || (number.ptr[0] & SIGN))
        der_put(writer, span_of(&zero, sizeof(zero)));
    der_wrap(writer, DER_INTEGER, end);
}

/* In the shortest form only, as DER demands. */
static bool read_len(struct span header, size_t *ret_len, size_t *ret_used)
{
    const uint8_t *at = header.ptr;
    if (header.len < 2)
        return false;
    size_t used = at[1] < SHORT ? 2 : 2 + (at[1] & 0x7fU);
    if (used > 4 || used > header.len || at[1] == SHORT)
        return false;
    size_t len = at[1];
    if (used == 3)
        len = at[2];
    else if (used == 4)
        len = (size_t)at[2] << 8 | at[3];
    *ret_len = len;
    *ret_used = used;
    return used == 2 || len > (used == 3 ? SHORT - 1 : UINT8_MAX);
}

bool der_take(struct span *rest, enum der_tag tag, struct span *ret_content)
{
    size_t len = 0;
    size_t used = 0;
    if (!read_len(*rest, &len, &used) || rest->ptr[0] != tag || len > rest->len - used)
        return false;
    *ret_content = span_of(rest->ptr + used, len);
    *rest = span_of(rest->ptr + used + len, rest->len - used - len);
    return true;
}
