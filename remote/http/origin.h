/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REMOTE_HTTP_ORIGIN_H
#define REMOTE_HTTP_ORIGIN_H

#include <stdbool.h>

enum { ORIGIN_SIZE = 320 }; /* "https://", a name of at most 253 bytes, a port, NUL */

/* Where a request goes, without its path: what notes name and what a connection is good for. */
struct origin {
    char text[ORIGIN_SIZE]; /* "https://gwsca.vnpt.vn" */
    bool is_tls;
};

/*
 * Stricter than libcurl's parser, so that both read the same host: letters, digits, ". - :" and an
 * IPv6 address in brackets; no user information. http is accepted for 127.0.0.1, [::1] and
 * localhost only. False for anything else.
 */
bool origin_parse(const char *url, struct origin *ret_origin);

#endif
