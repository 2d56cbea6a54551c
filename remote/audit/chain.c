/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/audit/chain.h"

#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"

/* Quotes are escaped inside JSON texts, so none of these can be part of a value. */
static const char chain_begin[] = ",\"chain\":\"";
static const char chain_close[] = "\"}";
static const char bridge_torn[] = ",\"outcome\":\"torn\"";
static const char bridge_damaged[] = ",\"outcome\":\"damaged\"";
static const char bridge_follows[] = ",\"follows\":\"";
static const char bridge_skipped[] = "\",\"skipped\":\"";
static const char bridge_close[] = "\"";
static const char link_outcome[] = ",\"outcome\":\"continued\",\"after\":";
static const char link_oldest[] = ",\"oldest\":";
static const char lost_outcome[] = ",\"outcome\":\"lost\"";
static const char unsaved_outcome[] = ",\"outcome\":\"unsaved\",\"last\":\"";

#define TEXT_LEN(text) (sizeof(text) - 1)

const struct chain chain_origin = {
    "0000000000000000000000000000000000000000000000000000000000000000",
};
const char chain_file[] = "audit.jsonl";
const char chain_lock[] = "audit.lock";

/* Takes text off the end of *bytes. */
static bool strip_text(struct span *bytes, const char *text)
{
    size_t len = strlen(text);

    if (bytes->len < len || memcmp(bytes->ptr + bytes->len - len, text, len) != 0)
        return false;
    bytes->len -= len;
    return true;
}

static bool is_lower_hex(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static bool strip_hash(struct span *bytes, struct chain *ret_hash)
{
    if (bytes->len < CHAIN_DIGITS)
        return false;
    const uint8_t *digits = bytes->ptr + bytes->len - CHAIN_DIGITS;
    for (size_t i = 0; i < CHAIN_DIGITS; i++)
        if (!is_lower_hex(digits[i]))
            return false;
    memcpy(ret_hash->hex, digits, CHAIN_DIGITS);
    ret_hash->hex[CHAIN_DIGITS] = 0;
    bytes->len -= CHAIN_DIGITS;
    return true;
}

bool chain_read(struct span line, struct chain_line *ret_line)
{
    struct chain_line read = {.members = line};

    if (!strip_text(&read.members, chain_close) || !strip_hash(&read.members, &read.chain) ||
        !strip_text(&read.members, chain_begin) || read.members.len == 0 ||
        read.members.ptr[0] != '{')
        return false;
    *ret_line = read;
    return true;
}

bool chain_read_ended(struct span line, struct chain_line *ret_line)
{
    return chain_read(span_of(line.ptr, line.len - (line.ptr[line.len - 1] == '\n')), ret_line);
}

/* Takes decimal digits off the end of *bytes; files are counted from 1. */
static bool strip_number(struct span *bytes, unsigned *ret_number)
{
    enum { DIGITS_MAX = 9 };
    unsigned number = 0;
    unsigned scale = 1;

    for (int i = 0; i < DIGITS_MAX && bytes->len > 0; i++, scale *= 10) {
        uint8_t c = bytes->ptr[bytes->len - 1];
        if (c < '0' || c > '9')
            break;
        number += scale * (unsigned)(c - '0');
        bytes->len--;
    }
    *ret_number = number;
    return number > 0;
}

bool chain_read_link(struct span members, struct chain_link *ret_link)
{
    struct chain_link read = {.after = 0};

    if (!strip_text(&members, bridge_close) || !strip_hash(&members, &read.follows) ||
        !strip_text(&members, bridge_follows) || !strip_number(&members, &read.oldest) ||
        !strip_text(&members, link_oldest) || !strip_number(&members, &read.after) ||
        !strip_text(&members, link_outcome))
        return false;
    *ret_link = read;
    return true;
}

bool chain_read_bridge(struct span members, struct chain_bridge *ret_bridge)
{
    struct chain_bridge read = {.is_torn = false};

    if (!strip_text(&members, bridge_close) || !strip_hash(&members, &read.skipped) ||
        !strip_text(&members, bridge_skipped) || !strip_hash(&members, &read.follows) ||
        !strip_text(&members, bridge_follows))
        return false;
    read.is_torn = strip_text(&members, bridge_torn);
    if (!read.is_torn && !strip_text(&members, bridge_damaged))
        return false;
    *ret_bridge = read;
    return true;
}

bool chain_is_unsaved(struct span members)
{
    struct chain last;

    return strip_text(&members, bridge_close) && strip_hash(&members, &last) &&
           strip_text(&members, unsaved_outcome);
}

static void md_ctx_freep(EVP_MD_CTX **ctx)
{
    EVP_MD_CTX_free(*ctx);
}

static enum sca_status hash_parts(const struct span *parts, size_t count, EVP_MD_CTX *ctx,
                                  struct chain *ret_hash)
{
    const EVP_MD *md = crypto_md(CRYPTO_SHA256);
    uint8_t hash[CHAIN_DIGITS / 2];

    bool is_done = md && ctx && EVP_DigestInit_ex2(ctx, md, NULL) == 1;
    for (size_t i = 0; is_done && i < count; i++)
        is_done = EVP_DigestUpdate(ctx, parts[i].ptr, parts[i].len) == 1;
    if (!is_done || EVP_DigestFinal_ex(ctx, hash, NULL) != 1)
        return SCA_NOMEM;
    hex_encode(span_of(hash, sizeof(hash)), ret_hash->hex);
    return SCA_OK;
}

/* The host's error queue stays as it was. */
static enum sca_status hash_quietly(const struct span *parts, size_t count, struct chain *ret_hash)
{
    (void)ERR_set_mark();
    AUTO(md_ctx_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    enum sca_status st = hash_parts(parts, count, ctx, ret_hash);
    (void)ERR_pop_to_mark();
    return st;
}

enum sca_status chain_hash(struct span bytes, struct chain *ret_hash)
{
    return hash_quietly(&bytes, 1, ret_hash);
}

static enum sca_status next_with(EVP_MD_CTX *ctx, const struct chain *previous, struct span members,
                                 struct chain *ret_chain)
{
    enum { USUAL_MAX = 1024 };
    struct span parts[] = {span_of(previous->hex, CHAIN_DIGITS), members, span_of("}", 1)};
    size_t count = ARRAY_LEN(parts);
    uint8_t whole[USUAL_MAX];

    /* In one piece: each more costs as much as hashing a hundred bytes. */
    if (members.len < USUAL_MAX - CHAIN_DIGITS) {
        memcpy(whole, previous->hex, CHAIN_DIGITS);
        memcpy(whole + CHAIN_DIGITS, members.ptr, members.len);
        whole[CHAIN_DIGITS + members.len] = '}';
        parts[0] = span_of(whole, CHAIN_DIGITS + members.len + 1);
        count = 1;
    }
    return ctx ? hash_parts(parts, count, ctx, ret_chain) : hash_quietly(parts, count, ret_chain);
}

enum sca_status chain_next(const struct chain *previous, struct span members,
                           struct chain *ret_chain)
{
    return next_with(NULL, previous, members, ret_chain);
}

enum sca_status chain_seal(struct buf *lines, struct span object, EVP_MD_CTX *ctx,
                           struct chain *chain)
{
    enum { BEGIN = TEXT_LEN(chain_begin), CLOSE = TEXT_LEN(chain_close) };
    const struct span members = span_of(object.ptr, object.len - 1);
    char end[BEGIN + CHAIN_DIGITS + CLOSE + 1]; /* of the line, with its newline */
    struct chain next;

    enum sca_status st = next_with(ctx, chain, members, &next);
    if (st == SCA_OK)
        st = buf_append(lines, members);
    if (st != SCA_OK)
        return st;
    memcpy(end, chain_begin, BEGIN);
    memcpy(end + BEGIN, next.hex, CHAIN_DIGITS);
    memcpy(end + BEGIN + CHAIN_DIGITS, chain_close, CLOSE);
    end[sizeof(end) - 1] = '\n';
    st = buf_append(lines, span_of(end, sizeof(end)));
    if (st == SCA_OK)
        *chain = next;
    return st;
}

enum sca_status chain_seal_bridge(struct buf *lines, const char *time,
                                  const struct chain_bridge *bridge, struct chain *chain)
{
    char object[512];
    int len = snprintf(object, sizeof(object), "{\"time\":\"%s\"%s%s%s%s%s%s}", time,
                       bridge->is_torn ? bridge_torn : bridge_damaged, bridge_follows,
                       bridge->follows.hex, bridge_skipped, bridge->skipped.hex, bridge_close);

    if (len <= 0 || (size_t)len >= sizeof(object))
        return SCA_INVALID;
    return chain_seal(lines, span_of(object, (size_t)len), NULL, chain);
}

enum sca_status chain_seal_link(struct buf *lines, const char *time, const struct chain_link *link,
                                struct chain *chain)
{
    char object[512];
    int len = snprintf(object, sizeof(object), "{\"time\":\"%s\"%s%u%s%u%s%s%s}", time,
                       link_outcome, link->after, link_oldest, link->oldest, bridge_follows,
                       link->follows.hex, bridge_close);

    if (len <= 0 || (size_t)len >= sizeof(object))
        return SCA_INVALID;
    return chain_seal(lines, span_of(object, (size_t)len), NULL, chain);
}

enum sca_status chain_seal_lost(struct buf *lines, const char *time, struct chain *chain)
{
    char object[256];
    int len = snprintf(object, sizeof(object), "{\"time\":\"%s\"%s%s%s%s}", time, lost_outcome,
                       bridge_follows, chain->hex, bridge_close);

    if (len <= 0 || (size_t)len >= sizeof(object))
        return SCA_INVALID;
    return chain_seal(lines, span_of(object, (size_t)len), NULL, chain);
}

enum sca_status chain_seal_unsaved(struct buf *lines, const char *time, const struct chain *last,
                                   struct chain *chain)
{
    char object[256];
    int len = snprintf(object, sizeof(object), "{\"time\":\"%s\"%s%s%s}", time, unsaved_outcome,
                       last->hex, bridge_close);

    if (len <= 0 || (size_t)len >= sizeof(object))
        return SCA_INVALID;
    return chain_seal(lines, span_of(object, (size_t)len), NULL, chain);
}

bool chain_find_end(struct span bytes, bool is_all, struct chain_end *ret_end)
{
    struct chain_line line;
    size_t end = bytes.len;

    while (end > 0) {
        size_t stop = end - (bytes.ptr[end - 1] == '\n');
        const uint8_t *before = stop ? memrchr(bytes.ptr, '\n', stop) : NULL;
        size_t start = before ? (size_t)(before - bytes.ptr) + 1 : 0;
        if (start == 0 && !is_all)
            return false;
        if (chain_read(span_of(bytes.ptr + start, stop - start), &line)) {
            *ret_end = (struct chain_end){.chain = line.chain, .rest = end};
            return true;
        }
        end = start;
    }
    if (is_all)
        *ret_end = (struct chain_end){.chain = chain_origin, .rest = 0};
    return is_all;
}
