/* SPDX-License-Identifier: Apache-2.0 */
#include "module/token/digestinfo.h"

#include <string.h>

/*
 * DigestInfo ::= SEQUENCE { SEQUENCE { OID, NULL OPTIONAL }, OCTET STRING }. All lengths are below
 * 128, so that each header is two bytes, and DER allows one encoding only: comparing with what
 * it must be is stricter than parsing, and shorter.
 */
enum { TAG_SEQUENCE = 0x30, TAG_OID = 0x06, TAG_NULL = 0x05, TAG_OCTETS = 0x04, HEADER = 2 };

enum { PREFIX_MAX = 32 };

/* Object identifiers of RFC 8017 appendix B.1, the OID's content bytes. */
static const struct {
    uint8_t len;
    uint8_t bytes[9];
} oids[CRYPTO_HASH_COUNT] = {
    [CRYPTO_SHA1] = {5, {0x2b, 0x0e, 0x03, 0x02, 0x1a}},
    [CRYPTO_SHA256] = {9, {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01}},
    [CRYPTO_SHA384] = {9, {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02}},
    [CRYPTO_SHA512] = {9, {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03}},
};

/* Everything in front of the digest, for a digest of that length. Returns its length. */
static size_t build_prefix(enum crypto_hash hash, bool has_null, size_t digest_len, uint8_t *out)
{
    size_t oid_len = oids[hash].len;
    size_t algorithm_len = HEADER + oid_len + (has_null ? HEADER : 0);
    uint8_t *p = out;

    *p++ = TAG_SEQUENCE;
    *p++ = (uint8_t)(HEADER + algorithm_len + HEADER + digest_len);
    *p++ = TAG_SEQUENCE;
    *p++ = (uint8_t)algorithm_len;
    *p++ = TAG_OID;
    *p++ = (uint8_t)oid_len;
    memcpy(p, oids[hash].bytes, oid_len);
    p += oid_len;
    if (has_null) {
        *p++ = TAG_NULL;
        *p++ = 0;
    }
    *p++ = TAG_OCTETS;
    *p++ = (uint8_t)digest_len;
    return (size_t)(p - out);
}

static size_t prefix_len(enum crypto_hash hash, bool has_null)
{
    uint8_t prefix[PREFIX_MAX];
    return build_prefix(hash, has_null, 0, prefix);
}

static bool has_prefix(struct span der, enum crypto_hash hash, bool has_null, size_t digest_len)
{
    uint8_t prefix[PREFIX_MAX];
    size_t len = build_prefix(hash, has_null, digest_len, prefix);
    return der.len >= len && memcmp(der.ptr, prefix, len) == 0;
}

enum crypto_hash digestinfo_parse(struct span der, struct span *ret_digest, bool *ret_is_length)
{
    enum { DER_SHORT_MAX = 127 };

    *ret_is_length = false;
    for (int i = 0; i < 2 * CRYPTO_HASH_COUNT; i++) {
        enum crypto_hash hash = (enum crypto_hash)(i / 2);
        bool has_null = i % 2 == 0;
        size_t before = prefix_len(hash, has_null);
        if (der.len < before || der.len > DER_SHORT_MAX + HEADER ||
            !has_prefix(der, hash, has_null, der.len - before))
            continue;
        if (der.len - before != crypto_hash_len(hash)) {
            *ret_is_length = true;
            break;
        }
        *ret_digest = span_of(der.ptr + before, der.len - before);
        return hash;
    }
    return CRYPTO_NO_HASH;
}
