/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/smartca/fold.h"

#include "remote/base/cleanup.h"

#include <stdint.h>
#include <string.h>

enum { DROPPED = 0, OTHER = '?' };

/* Code points, ascending: everything Vietnamese is spelled with outside ASCII, and its neighbours.
 */
static const struct {
    uint32_t first;
    uint32_t last;
    char base;
} letters[] = {
    {0x00c0, 0x00c5, 'a'}, {0x00c8, 0x00cb, 'e'},     {0x00cc, 0x00cf, 'i'},
    {0x00d0, 0x00d0, 'd'}, /* Eth, often typed for the Vietnamese letter that looks the same */
    {0x00d2, 0x00d6, 'o'}, {0x00d9, 0x00dc, 'u'},     {0x00dd, 0x00dd, 'y'},
    {0x00e0, 0x00e5, 'a'}, {0x00e8, 0x00eb, 'e'},     {0x00ec, 0x00ef, 'i'},
    {0x00f0, 0x00f0, 'd'}, {0x00f2, 0x00f6, 'o'},     {0x00f9, 0x00fc, 'u'},
    {0x00fd, 0x00fd, 'y'}, {0x0102, 0x0103, 'a'},     {0x0110, 0x0111, 'd'},
    {0x0128, 0x0129, 'i'}, {0x0168, 0x0169, 'u'},     {0x01a0, 0x01a1, 'o'},
    {0x01af, 0x01b0, 'u'}, {0x0300, 0x036f, DROPPED}, /* combining accents */
    {0x1ea0, 0x1eb7, 'a'}, {0x1eb8, 0x1ec7, 'e'},     {0x1ec8, 0x1ecb, 'i'},
    {0x1ecc, 0x1ee3, 'o'}, {0x1ee4, 0x1ef1, 'u'},     {0x1ef2, 0x1ef9, 'y'},
};

static char base_of(uint32_t point)
{
    for (size_t i = 0; i < ARRAY_LEN(letters); i++)
        if (point >= letters[i].first && point <= letters[i].last)
            return letters[i].base;
    return OTHER;
}

/* The character at text and its bytes; a byte that begins none is one of its own, and no letter. */
static uint32_t next_point(const uint8_t *text, size_t *ret_len)
{
    size_t len = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : text[0] >= 0xc0 ? 2 : 1;
    uint32_t point = len == 1 ? UINT32_MAX : text[0] & (0x7fu >> len);

    for (size_t i = 1; i < len; i++) {
        if ((text[i] & 0xc0) != 0x80) {
            *ret_len = 1;
            return UINT32_MAX;
        }
        point = point << 6 | (text[i] & 0x3fu);
    }
    *ret_len = len;
    return point;
}

static char lower(uint8_t c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

void fold_text(const char *text, char *out, size_t size)
{
    const uint8_t *p = (const uint8_t *)text;
    size_t used = 0;
    size_t len = 1;

    for (; *p && used + 1 < size; p += len) {
        len = 1;
        char c = *p < 0x80 ? lower(*p) : base_of(next_point(p, &len));
        if (c != DROPPED)
            out[used++] = c;
    }
    out[used] = 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

void fold_words(const char *text, char out[static FOLD_WORDS_SIZE])
{
    char folded[FOLD_WORDS_SIZE - 2];
    size_t used = 0;

    fold_text(text, folded, sizeof(folded));
    out[used++] = ' ';
    for (const char *p = folded; *p; p++) {
        if ((*p >= 'a' && *p <= 'z') || is_digit(*p))
            out[used++] = *p;
        else if (out[used - 1] != ' ')
            out[used++] = ' ';
    }
    if (out[used - 1] != ' ')
        out[used++] = ' ';
    out[used] = 0;
}

static bool has_one(const char *words, const char *stem)
{
    size_t len = strlen(stem);

    for (const char *at = strstr(words, stem); at; at = strstr(at + 1, stem)) {
        bool is_inside_left = is_digit(stem[0]) && at > words && is_digit(at[-1]);
        bool is_inside_right = is_digit(stem[len - 1]) && is_digit(at[len]);
        if (!is_inside_left && !is_inside_right)
            return true;
    }
    return false;
}

bool fold_has(const char *words, const char *const *stems)
{
    for (; *stems; stems++)
        if (has_one(words, *stems))
            return true;
    return false;
}
