/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/base/bytes.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

enum { BUF_FIRST_ROOM = 256 };

struct span span_of(const void *ptr, size_t len)
{
    return (struct span){.ptr = ptr, .len = len};
}

struct span span_text(const char *text)
{
    return span_of(text, text ? strlen(text) : 0);
}

bool span_equal(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

void buf_init(struct buf *buf, size_t limit, bool is_sensitive)
{
    *buf = (struct buf){.limit = limit, .is_sensitive = is_sensitive};
}

static void buf_release(struct buf *buf)
{
    if (buf->ptr && buf->is_sensitive)
        OPENSSL_cleanse(buf->ptr, buf->room);
    free(buf->ptr);
}

void buf_fini(struct buf *buf)
{
    buf_release(buf);
    buf_init(buf, buf->limit, buf->is_sensitive);
}

static enum sca_status buf_grow(struct buf *buf, size_t need)
{
    size_t room = buf->room ? buf->room : BUF_FIRST_ROOM;
    while (room < need)
        room *= 2;

    /* Not realloc: it may leave a copy of a secret behind. */
    uint8_t *bigger = malloc(room);
    if (!bigger)
        return SCA_NOMEM;
    if (buf->len)
        memcpy(bigger, buf->ptr, buf->len);
    buf_release(buf);
    buf->ptr = bigger;
    buf->room = room;
    return SCA_OK;
}

enum sca_status buf_append(struct buf *buf, struct span bytes)
{
    if (bytes.len > buf->limit || buf->len > buf->limit - bytes.len)
        return SCA_PROTOCOL;
    if (buf->room - buf->len < bytes.len + 1) {
        enum sca_status st = buf_grow(buf, buf->len + bytes.len + 1);
        if (st != SCA_OK)
            return st;
    }
    if (bytes.len)
        memcpy(buf->ptr + buf->len, bytes.ptr, bytes.len);
    buf->len += bytes.len;
    buf->ptr[buf->len] = 0;
    return SCA_OK;
}

void buf_clear(struct buf *buf)
{
    if (buf->ptr && buf->is_sensitive)
        OPENSSL_cleanse(buf->ptr, buf->len);
    buf->len = 0;
}

struct span buf_span(const struct buf *buf)
{
    return span_of(buf->ptr, buf->len);
}

static char hex_digit_of(unsigned value)
{
    return (char)(value + (value < 10 ? '0' : 'a' - 10));
}

/* Arithmetic, not a table: compilers make vectors of it. */
void hex_encode(struct span bytes, char *out)
{
    for (size_t i = 0; i < bytes.len; i++) {
        out[2 * i] = hex_digit_of(bytes.ptr[i] >> 4);
        out[2 * i + 1] = hex_digit_of(bytes.ptr[i] & 15);
    }
    out[2 * bytes.len] = 0;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

enum sca_status hex_decode(const char *text, uint8_t *out, size_t room, size_t *ret_len)
{
    size_t len = strlen(text);
    if (len % 2 || len / 2 > room)
        return SCA_INVALID;
    for (size_t i = 0; i < len / 2; i++) {
        int high = hex_digit(text[2 * i]);
        int low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return SCA_INVALID;
        out[i] = (uint8_t)(high << 4 | low);
    }
    *ret_len = len / 2;
    return SCA_OK;
}

static bool is_base64_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_base64_digit(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/';
}

/* Copies text without white space to out; false unless it is whole groups of four, padded at the
 * end. */
static bool base64_compact(struct span text, uint8_t *out, size_t *ret_len, size_t *ret_padding)
{
    size_t len = 0;
    size_t padding = 0;

    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (is_base64_space(c))
            continue;
        if (c == '=')
            padding++;
        else if (padding || !is_base64_digit(c))
            return false;
        out[len++] = c;
    }
    *ret_len = len;
    *ret_padding = padding;
    return len % 4 == 0 && padding <= 2;
}

enum sca_status base64_decode(struct span text, size_t limit, struct buf *ret_bytes)
{
    buf_init(ret_bytes, limit, false);
    if (text.len == 0)
        return SCA_OK;

    uint8_t *compact = malloc(text.len);
    uint8_t *bytes = malloc(text.len + 3);
    size_t len = 0;
    size_t padding = 0;
    enum sca_status st = compact && bytes ? SCA_OK : SCA_NOMEM;

    if (st == SCA_OK && !base64_compact(text, compact, &len, &padding))
        st = SCA_PROTOCOL;
    if (st == SCA_OK && len > 0) {
        int got = EVP_DecodeBlock(bytes, compact, (int)len);
        st = got < 0 ? SCA_PROTOCOL : buf_append(ret_bytes, span_of(bytes, (size_t)got - padding));
    }
    free(compact);
    free(bytes);
    return st;
}
