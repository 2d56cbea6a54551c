/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/base/wording.h"
#include "remote/config/config.h"

static bool has_byte(struct span bytes, int byte)
{
    return memchr(bytes.ptr, byte, bytes.len);
}

/* A second line is another secret, or a mistake: nobody could type one with a line feed in it. */
static const char *fault_of(struct span bytes)
{
    if (bytes.len == 0)
        return wording("the secret is empty");
    if (bytes.len > SECRET_MAX)
        return wording("the secret is longer than 4096 bytes");
    if (has_byte(bytes, 0))
        return wording("the secret holds a NUL byte");
    return has_byte(bytes, '\n') || has_byte(bytes, '\r')
               ? wording("the secret has more than one line")
               : NULL;
}

static enum sca_status make(struct span bytes, struct secret **ret_secret, const char **why)
{
    *why = fault_of(bytes);
    if (*why)
        return SCA_INVALID;
    enum sca_status st = secret_new(bytes, ret_secret);
    *why = st == SCA_OK ? NULL : wording("no memory for the secret");
    return st;
}

static enum sca_status fetch_file(const char *path, struct secret **ret_secret, const char **why)
{
    AUTO(buf_fini) struct buf bytes;
    const unsigned trust = FILE_NOT_WRITABLE_BY_OTHERS | FILE_NOT_READABLE_BY_OTHERS;

    enum sca_status st = file_read_trusted(path, trust, SECRET_MAX + 2, true, &bytes, why);
    if (st != SCA_OK)
        return st == SCA_NOT_FOUND ? SCA_IO : st;

    size_t len = bytes.len;
    if (len > 0 && bytes.ptr[len - 1] == '\n')
        len--;
    if (len < bytes.len && len > 0 && bytes.ptr[len - 1] == '\r')
        len--;
    return make(span_of(bytes.ptr, len), ret_secret, why);
}

static enum sca_status fetch_env(const char *name, struct secret **ret_secret, const char **why)
{
    const char *value = secure_getenv(name);
    if (!value) {
        *why = wording("the environment variable is not set");
        return SCA_INVALID;
    }
    return make(span_text(value), ret_secret, why);
}

enum sca_status secret_ref_fetch(const struct secret_ref *ref, struct secret **ret_secret,
                                 const char **why)
{
    switch (ref->kind) {
    case SECRET_LITERAL:
        return make(span_text(ref->text), ret_secret, why);
    case SECRET_FILE:
        return fetch_file(ref->text, ret_secret, why);
    case SECRET_ENV:
        return fetch_env(ref->text, ret_secret, why);
    case SECRET_VAULT:
        *why = wording("it is in the vault: log in with the account's PIN");
        return SCA_USER_AUTH;
    case SECRET_NONE:
        break;
    }
    *why = wording("no secret is configured");
    return SCA_NOT_FOUND;
}

const char *secret_ref_place(const struct secret_ref *ref, char out[static SECRET_PLACE_SIZE])
{
    enum { ROOM = SECRET_PLACE_SIZE - 8 };
    size_t len = ref->text ? strlen(ref->text) : 0;

    out[0] = 0;
    if (ref->kind == SECRET_FILE)
        (void)snprintf(out, SECRET_PLACE_SIZE, " (%s%s)", len > ROOM ? "..." : "",
                       ref->text + (len > ROOM ? len - ROOM : 0));
    else if (ref->kind == SECRET_ENV)
        (void)snprintf(out, SECRET_PLACE_SIZE, wording(" (variable %.*s)"), ROOM / 2, ref->text);
    return out;
}
