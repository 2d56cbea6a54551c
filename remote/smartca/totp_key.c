/* SPDX-License-Identifier: Apache-2.0 */
/* The secret key of one-time passwords, in every form that people are given it. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <liboath/oath.h>

#include "remote/base/bytes.h"
#include "remote/base/cleanup.h"
#include "remote/base/wording.h"
#include "remote/smartca/totp.h"

enum { KEY_MIN = 10, DIGITS = 6, PERIOD_S = 30, PERIOD_MAX_S = 3600 };

void totp_key_fini(struct totp_key *key)
{
    secret_wipe(key, sizeof(*key));
}

static bool take_bytes(struct totp_key *key, struct span bytes)
{
    if (bytes.len == 0 || bytes.len > sizeof(key->bytes))
        return bytes.len == 0; /* too short, which is said elsewhere */
    memcpy(key->bytes, bytes.ptr, bytes.len);
    key->len = bytes.len;
    return true;
}

static bool read_base64(const char *text, size_t len, struct totp_key *key)
{
    struct buf bytes;

    if (base64_decode(span_of(text, len), TOTP_KEY_MAX, &bytes) != SCA_OK)
        return false;
    /* base64_decode's buffer is an ordinary one. */
    bytes.is_sensitive = true;
    bool is_taken = take_bytes(key, buf_span(&bytes));
    buf_fini(&bytes);
    return is_taken;
}

static bool read_base32(const char *text, size_t len, struct totp_key *key)
{
    char *bytes = NULL;
    size_t bytes_len = 0;

    if (oath_base32_decode(text, len, &bytes, &bytes_len) != OATH_OK)
        return false;
    bool is_taken = take_bytes(key, span_of(bytes, bytes_len));
    secret_wipe(bytes, bytes_len);
    free(bytes);
    return is_taken;
}

static bool read_hex(const char *text, size_t len, struct totp_key *key)
{
    char digits[2 * TOTP_KEY_MAX + 1];

    if (len >= sizeof(digits))
        return false;
    memcpy(digits, text, len);
    digits[len] = 0;
    bool is_read = hex_decode(digits, key->bytes, sizeof(key->bytes), &key->len) == SCA_OK;
    secret_wipe(digits, sizeof(digits));
    return is_read;
}

static bool read_raw(const char *text, size_t len, struct totp_key *key)
{
    return take_bytes(key, span_of(text, len));
}

/* The last row is what VNPT shows: no prefix. */
static const struct form {
    const char *prefix;
    bool (*read)(const char *text, size_t len, struct totp_key *key);
    const char *complaint;
} forms[] = {
    {"base32:", read_base32, N_("what follows base32: is not base32 of at most 128 bytes")},
    {"hex:", read_hex, N_("what follows hex: is not pairs of hex digits, at most 128")},
    {"raw:", read_raw, N_("what follows raw: is longer than 128 bytes")},
    {"base64:", read_base64, N_("what follows base64: is not base64 of at most 128 bytes")},
    {"", read_base64,
     N_("the secret key is not base64 as VNPT shows it; write base32:, hex: or raw: before a key "
        "in another form")},
};

/* The value of a parameter of the URI, up to '&' or the end; NULL without. */
static const char *find_parameter(const char *query, const char *name, size_t *ret_len)
{
    size_t name_len = strlen(name);

    for (const char *at = query; at; at = strchr(at, '&')) {
        at += *at == '?' || *at == '&';
        if (strncasecmp(at, name, name_len) == 0 && at[name_len] == '=') {
            *ret_len = strcspn(at + name_len + 1, "&");
            return at + name_len + 1;
        }
    }
    return NULL;
}

static bool read_number(const char *query, const char *name, unsigned min, unsigned max,
                        unsigned *number)
{
    size_t len = 0;
    const char *text = find_parameter(query, name, &len);

    if (!text)
        return true;
    if (len == 0 || len > 4 || strspn(text, "0123456789") != len)
        return false;
    *number = (unsigned)strtoul(text, NULL, 10);
    return *number >= min && *number <= max;
}

/* otpauth://totp/LABEL?secret=...&digits=...&period=...&algorithm=SHA1 */
static enum sca_status read_uri(const char *text, struct totp_key *key, const char **why)
{
    const char *query = strchr(text, '?');
    size_t len = 0;
    const char *value = query ? find_parameter(query, "secret", &len) : NULL;

    *why = wording("the otpauth: address is not one of TOTP");
    if (strncasecmp(text, "otpauth://totp/", 15) != 0)
        return SCA_INVALID;
    *why = wording("the otpauth: address has no secret in base32");
    /* Padding is percent-encoded, and not needed. */
    if (!value || !read_base32(value, strcspn(value, "&%="), key))
        return SCA_INVALID;
    *why = wording(
        "the otpauth: address has digits other than 6 to 8, or a period other than 1 to 3600");
    if (!read_number(query, "digits", 6, 8, &key->digits) ||
        !read_number(query, "period", 1, PERIOD_MAX_S, &key->period_s))
        return SCA_INVALID;
    value = find_parameter(query, "algorithm", &len);
    *why = wording("the otpauth: address has an algorithm other than SHA1");
    if (value && !(len == 4 && strncasecmp(value, "SHA1", 4) == 0))
        return SCA_INVALID;
    return SCA_OK;
}

static enum sca_status read_form(const char *text, struct totp_key *key, const char **why)
{
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        size_t len = strlen(forms[i].prefix);
        if (strncasecmp(text, forms[i].prefix, len) != 0)
            continue;
        *why = wording(forms[i].complaint);
        return forms[i].read(text + len, strlen(text + len), key) ? SCA_OK : SCA_INVALID;
    }
    return SCA_INVALID;
}

enum sca_status totp_key_read(const struct secret *text, struct totp_key *ret_key, const char **why)
{
    struct totp_key key = {.digits = DIGITS, .period_s = PERIOD_S};
    struct span bytes = secret_get(text);
    const char *first = (const char *)bytes.ptr;

    *why = wording("the secret key has a NUL in it");
    enum sca_status st = SCA_INVALID;
    if (!memchr(bytes.ptr, 0, bytes.len))
        st = strncasecmp(first, "otpauth:", 8) == 0 ? read_uri(first, &key, why)
                                                    : read_form(first, &key, why);
    if (st == SCA_OK && key.len < KEY_MIN) {
        *why = wording("the secret key has less than 10 bytes: a part of it is missing");
        st = SCA_INVALID;
    }
    if (st == SCA_OK)
        *ret_key = key;
    totp_key_fini(&key);
    return st;
}

bool totp_key_is_doubtful(const struct secret *text)
{
    static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    struct span bytes = secret_get(text);
    const char *first = (const char *)bytes.ptr;

    /* Ten random bytes are 16 digits of base32; base64 has all of them in that half of its digits
     * once in ten thousand keys, and once in millions for keys of the usual length. */
    size_t len = strspn(first, base32);
    return len >= 16 && first[len + strspn(first + len, "=")] == 0;
}
