/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/http/exchange.h"

#include "remote/base/secret.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { STALL_MS = 10000 };

bool exchange_may_write(struct exchange *exchange)
{
    if (exchange->attempts > 0 && !exchange->request->is_repeatable)
        return false;
    exchange->attempts++;
    exchange->response->was_sent = true;
    return true;
}

char *exchange_authorization(const struct exchange *exchange)
{
    static const char scheme[] = "Authorization: Bearer ";
    const size_t scheme_len = sizeof(scheme) - 1;
    struct span token = secret_get(exchange->request->bearer);
    char *text = malloc(scheme_len + token.len + 1);

    if (!text)
        return NULL;
    memcpy(text, scheme, scheme_len);
    memcpy(text + scheme_len, token.ptr, token.len);
    text[scheme_len + token.len] = 0;
    return text;
}

void exchange_forget(char *authorization)
{
    if (authorization)
        secret_wipe(authorization, strlen(authorization));
    free(authorization);
}

static unsigned retry_after_ms(struct span value)
{
    unsigned seconds = 0;
    size_t i = 0;

    while (i < value.len && (value.ptr[i] == ' ' || value.ptr[i] == '\t'))
        i++;
    if (i == value.len || !isdigit(value.ptr[i]))
        return 0; /* a date, or nothing we know */
    for (; i < value.len && isdigit(value.ptr[i]); i++)
        if (seconds < HTTP_RETRY_AFTER_MAX_S)
            seconds = seconds * 10 + (unsigned)(value.ptr[i] - '0');
    return (seconds < HTTP_RETRY_AFTER_MAX_S ? seconds : HTTP_RETRY_AFTER_MAX_S) * 1000;
}

bool exchange_header(struct exchange *exchange, struct span line)
{
    static const char name[] = "Retry-After:";
    const size_t name_len = sizeof(name) - 1;

    exchange->heard_ms = call_now_ms(exchange->call);
    if (line.len > HTTP_HEADERS_MAX - exchange->header_bytes)
        return false;
    exchange->header_bytes += line.len;
    if (line.len > name_len && strncasecmp((const char *)line.ptr, name, name_len) == 0)
        exchange->response->retry_after_ms =
            retry_after_ms(span_of(line.ptr + name_len, line.len - name_len));
    return true;
}

bool exchange_body(struct exchange *exchange, struct span bytes)
{
    exchange->heard_ms = call_now_ms(exchange->call);
    return buf_append(&exchange->response->body, bytes) == SCA_OK;
}

bool exchange_is_stalled(const struct exchange *exchange)
{
    return exchange->heard_ms != 0 && call_now_ms(exchange->call) - exchange->heard_ms > STALL_MS;
}
