/* SPDX-License-Identifier: Apache-2.0 */
/* Borrowed bytes, growing bytes with a ceiling, and the text encodings of the wire. */
#ifndef REMOTE_BASE_BYTES_H
#define REMOTE_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "remote/base/status.h"

/* Bytes that somebody else owns. ptr may be NULL when len is 0. */
struct span {
    const uint8_t *ptr;
    size_t len;
};

/* Bytes that this struct owns. Always NUL-terminated once something was appended (len excludes it).
 */
struct buf {
    uint8_t *ptr;
    size_t len;
    size_t room;
    size_t limit;      /* append fails with SCA_PROTOCOL above this many bytes */
    bool is_sensitive; /* wiped before it is released or moved */
};

struct span span_of(const void *ptr, size_t len);
struct span span_text(const char *text); /* without the NUL; NULL gives an empty span */
bool span_equal(struct span a, struct span b);

/* limit: ceiling in bytes. Nothing is allocated yet. */
void buf_init(struct buf *buf, size_t limit, bool is_sensitive);
void buf_fini(struct buf *buf);

/* SCA_PROTOCOL over the limit, SCA_NOMEM; the buffer is unchanged then. */
enum sca_status buf_append(struct buf *buf, struct span bytes);
void buf_clear(struct buf *buf);
struct span buf_span(const struct buf *buf);

/* Lower-case hex of bytes and a NUL into out, which has room for 2 * bytes.len + 1. */
void hex_encode(struct span bytes, char *out);

/* Hex of either case, an even number of digits, at most room bytes; else SCA_INVALID. */
enum sca_status hex_decode(const char *text, uint8_t *out, size_t room, size_t *ret_len);

/*
 * Base64 (RFC 4648 section 4). White space inside is skipped (the service puts CR/LF there);
 * anything else outside the alphabet, wrong padding or more than limit bytes is SCA_PROTOCOL.
 * ret_bytes is initialised by this call; the caller buf_fini()s it, on failure it is empty.
 */
enum sca_status base64_decode(struct span text, size_t limit, struct buf *ret_bytes);

/* Length of the longest prefix of text that is at most max_len bytes and ends at a character. */
size_t utf8_cut(const char *text, size_t max_len);
bool utf8_is_valid(struct span text);

/* A copy with U+FFFD in place of every byte that is no UTF-8; NULL: no memory. The caller frees. */
char *utf8_repair(const char *text);

/*
 * Bytes of the character that text begins with if it is not to be shown: a control character (C0,
 * DEL, C1), or one that turns the direction of the text beside it, has no width or ends a line
 * (U+061C, U+200B to 200F, 2028 to 202E, 2060 to 206F, FEFF). 0: it may be, or is no UTF-8.
 */
size_t utf8_unprintable(struct span text);

/*
 * Puts a question mark in place of every byte of those, and of every byte that is no UTF-8: what
 * others wrote must neither steer a terminal, nor begin a line of its own, nor seem to be other
 * text than it is.
 */
void text_make_printable(char *text);

#endif
