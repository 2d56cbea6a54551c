/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/base/bytes.h"

#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"

/* Bytes of the UTF-8 character at text, 0 if it is not a valid one (RFC 3629). */
static size_t utf8_char_len(struct span text)
{
    const uint8_t *p = text.ptr;
    size_t len = p[0] < 0x80 ? 1 : p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;

    if (len == 1)
        return 1;
    if (p[0] < 0xc2 || p[0] > 0xf4 || len > text.len)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    bool is_overlong = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
    bool is_surrogate = p[0] == 0xed && p[1] > 0x9f;
    bool is_beyond = p[0] == 0xf4 && p[1] > 0x8f;
    return is_overlong || is_surrogate || is_beyond ? 0 : len;
}

size_t utf8_cut(const char *text, size_t max_len)
{
    size_t len = strlen(text);
    if (len <= max_len)
        return len;
    len = max_len;
    while (len > 0 && ((uint8_t)text[len] & 0xc0) == 0x80)
        len--;
    return len;
}

bool utf8_is_valid(struct span text)
{
    for (size_t i = 0; i < text.len;) {
        size_t len = utf8_char_len(span_of(text.ptr + i, text.len - i));
        if (len == 0)
            return false;
        i += len;
    }
    return true;
}

char *utf8_repair(const char *text)
{
    static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */
    size_t left = strlen(text);
    char *whole = malloc(left * (sizeof(replacement) - 1) + 1);
    char *out = whole;

    while (whole && left > 0) {
        size_t len = utf8_char_len(span_of(text, left));
        size_t put = len ? len : sizeof(replacement) - 1;
        memcpy(out, len ? text : replacement, put);
        out += put;
        len += !len;
        text += len;
        left -= len;
    }
    if (whole)
        *out = 0;
    return whole;
}

/* C0, DEL, C1; what turns the direction of the text beside it, has no width or no ink, or ends a
 * line. */
static const struct {
    uint32_t first;
    uint32_t last;
} unprintable[] = {
    {0x0, 0x1f},      {0x7f, 0x9f},     {0xad, 0xad},       {0x61c, 0x61c},   {0x115f, 0x1160},
    {0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e},   {0x2060, 0x206f}, {0x3164, 0x3164},
    {0xfeff, 0xfeff}, {0xffa0, 0xffa0}, {0xe0000, 0xe007f},
};

/* Of a character of that length, which is not 0. */
static bool is_printable(const uint8_t *at, size_t len)
{
    static const uint8_t bits_of_first[] = {[1] = 0x7f, [2] = 0x1f, [3] = 0xf, [4] = 0x7};
    uint32_t character = at[0] & bits_of_first[len];

    for (size_t i = 1; i < len; i++)
        character = character << 6 | (at[i] & 0x3fu);
    for (size_t i = 0; i < ARRAY_LEN(unprintable); i++)
        if (character >= unprintable[i].first && character <= unprintable[i].last)
            return false;
    return true;
}

size_t utf8_unprintable(struct span text)
{
    size_t len = text.len ? utf8_char_len(text) : 0;

    return len > 0 && !is_printable(text.ptr, len) ? len : 0;
}

void text_make_printable(char *text)
{
    size_t left = strlen(text);

    while (left > 0) {
        size_t len = utf8_char_len(span_of(text, left));
        bool is_shown = len > 0 && is_printable((const uint8_t *)text, len);
        if (len == 0)
            len = 1;
        if (!is_shown)
            memset(text, '?', len);
        text += len;
        left -= len;
    }
}
