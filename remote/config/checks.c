/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/config/checks.h"

#include <stdbool.h>
#include <string.h>

#include "remote/base/bytes.h"
#include "remote/base/cleanup.h"
#include "remote/base/wording.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"

static bool has_only(const char *text, const char *allowed)
{
    return text[strspn(text, allowed)] == 0;
}

const char *check_text(const char *text)
{
    (void)text;
    return NULL;
}

const char *check_word(const char *text)
{
    return strpbrk(text, " \t") ? wording("must not contain white space") : NULL;
}

const char *check_identity(const char *text)
{
    return strlen(text) <= 64 && has_only(text, LETTERS DIGITS "-_.:")
               ? NULL
               : wording(
                     "must be a CCCD, passport or tax number: at most 64 letters, digits, - _ . :");
}

const char *check_hex(const char *text)
{
    return strlen(text) <= 80 && has_only(text, DIGITS "abcdefABCDEF")
               ? NULL
               : wording("must be a certificate's serial number: at most 80 hexadecimal digits");
}

const char *check_country(const char *text)
{
    return strlen(text) == 2 && has_only(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
               ? NULL
               : wording("must be a country code of two capital letters, such as VN");
}

const char *check_path(const char *text)
{
    return text[0] == '/' ? NULL : wording("must be an absolute path, beginning with /");
}

const char *check_log_target(const char *text)
{
    bool is_name = strcmp(text, "stderr") == 0 || strcmp(text, "syslog") == 0;
    return is_name || text[0] == '/' ? NULL : wording("must be stderr, syslog or an absolute path");
}

/* Digits of a port from 1 to 65535, or nothing at all. */
static bool is_port(const char *text)
{
    unsigned port = 0;

    if (text[0] != ':')
        return text[0] == 0;
    size_t len = strlen(text + 1);
    if (len == 0 || len > 5 || !has_only(text + 1, DIGITS))
        return false;
    for (const char *p = text + 1; *p; p++)
        port = port * 10 + (unsigned)(*p - '0');
    return port >= 1 && port <= 65535;
}

/* A host name or address, an IPv6 one in brackets, and a port; ret_host_len counts the host. */
static bool is_authority(const char *text, size_t *ret_host_len)
{
    size_t len = strspn(text, LETTERS DIGITS ".-");

    if (text[0] == '[') {
        len = 1 + strspn(text + 1, DIGITS "abcdefABCDEF:.");
        if (len < 3 || text[len] != ']')
            return false;
        len++;
    }
    *ret_host_len = len;
    return len > 0 && len <= 253 && is_port(text + len);
}

/* The names the transport takes for this computer itself. */
static bool is_loopback(const char *host, size_t len)
{
    static const char *const names[] = {"127.0.0.1", "[::1]", "localhost"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strlen(names[i]) == len && memcmp(host, names[i], len) == 0)
            return true;
    return false;
}

const char *check_url(const char *text)
{
    const char *expected =
        wording("must be https://HOST[:PORT][/PATH], without user name, query or white space");
    char authority[264];
    size_t host_len = 0;
    bool is_plain = strncmp(text, "http://", 7) == 0;

    if (!is_plain && strncmp(text, "https://", 8) != 0)
        return expected;
    const char *host = text + (is_plain ? 7 : 8);
    size_t len = strcspn(host, "/");
    if (len >= sizeof(authority) || strpbrk(host + len, "?# \t"))
        return expected;
    memcpy(authority, host, len);
    authority[len] = 0;
    if (!is_authority(authority, &host_len))
        return expected;
    if (is_plain && !is_loopback(host, host_len))
        return wording(
            "must be https://; http:// is accepted for 127.0.0.1, [::1] and localhost only");
    return NULL;
}

const char *check_proxy(const char *text)
{
    const char *expected = wording("must be http://HOST:PORT or https://HOST:PORT");
    bool is_plain = strncmp(text, "http://", 7) == 0;
    size_t host_len = 0;

    if ((!is_plain && strncmp(text, "https://", 8) != 0) || strpbrk(text, " \t"))
        return expected;
    const char *host = text + (is_plain ? 7 : 8);
    const char *at = strrchr(host, '@');
    return is_authority(at ? at + 1 : host, &host_len) ? NULL : expected;
}

static bool is_pin(struct span text)
{
    static const char scheme[] = "sha256//";
    enum { SCHEME_LEN = sizeof(scheme) - 1, DIGEST_LEN = 32 };
    struct buf digest;

    if (text.len < SCHEME_LEN || memcmp(text.ptr, scheme, SCHEME_LEN) != 0)
        return false;
    struct span encoded = span_of(text.ptr + SCHEME_LEN, text.len - SCHEME_LEN);
    enum sca_status st = base64_decode(encoded, DIGEST_LEN, &digest);
    bool is_digest = st == SCA_OK && digest.len == DIGEST_LEN;
    buf_fini(&digest);
    return is_digest;
}

const char *check_pins(const char *text)
{
    for (const char *pin = text;; pin++) {
        size_t len = strcspn(pin, ";");
        if (memchr(pin, ' ', len) || !is_pin(span_of(pin, len)))
            return wording(
                "must be sha256//BASE64 of a public key, several divided by ; without spaces");
        pin += len;
        if (!*pin)
            return NULL;
    }
}

const char *check_command(const char *text)
{
    size_t quotes = 0;

    for (const char *p = text; *p; p++)
        quotes += *p == '"';
    if (text[text[0] == '"'] != '/')
        return wording("must begin with the absolute path of a program; it is run without a shell");
    return quotes % 2 ? wording("has a quotation mark without its partner") : NULL;
}
