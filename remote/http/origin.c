/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/http/origin.h"

#include "remote/base/cleanup.h"

#include <string.h>

static const char authority_chars[] = "abcdefghijklmnopqrstuvwxyz"
                                      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "0123456789.-:[]";

static const char *const loopback_hosts[] = {"127.0.0.1", "[::1]", "localhost"};

static bool is_loopback(const char *authority, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(loopback_hosts); i++) {
        size_t host_len = strlen(loopback_hosts[i]);
        if (len >= host_len && memcmp(authority, loopback_hosts[i], host_len) == 0 &&
            (len == host_len || authority[host_len] == ':'))
            return true;
    }
    return false;
}

bool origin_parse(const char *url, struct origin *ret_origin)
{
    bool is_tls = strncmp(url, "https://", 8) == 0;
    if (!is_tls && strncmp(url, "http://", 7) != 0)
        return false;

    size_t scheme_len = is_tls ? 8 : 7;
    const char *authority = url + scheme_len;
    size_t len = strspn(authority, authority_chars);
    bool is_whole = authority[len] == 0 || authority[len] == '/' || authority[len] == '?';
    if (!is_whole || len == 0 || scheme_len + len >= ORIGIN_SIZE)
        return false;
    if (!is_tls && !is_loopback(authority, len))
        return false;

    memcpy(ret_origin->text, url, scheme_len + len);
    ret_origin->text[scheme_len + len] = 0;
    ret_origin->is_tls = is_tls;
    return true;
}
