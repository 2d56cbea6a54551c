/* SPDX-License-Identifier: Apache-2.0 */
/* One request on its way: what is counted, limited and remembered while it is out. */
#ifndef REMOTE_HTTP_EXCHANGE_H
#define REMOTE_HTTP_EXCHANGE_H

#include "remote/http/http.h"

struct exchange {
    struct call *call;
    const struct http_request *request;
    struct http_response *response;
    unsigned connect_timeout_ms;
    unsigned timeout_ms; /* both within the call's deadline, never 0 */

    size_t header_bytes;
    unsigned attempts; /* how often the request was about to be written */
    uint64_t heard_ms; /* when the last bytes of the answer came; 0: none yet */
};

/* Asked right before the request is written to a ready connection; false: it must not be. */
bool exchange_may_write(struct exchange *exchange);

/* The header of request->bearer, for exchange_forget, which wipes it; NULL without memory. */
char *exchange_authorization(const struct exchange *exchange);
void exchange_forget(char *authorization); /* NULL is allowed */

/* One header line, a piece of the body. False over the limit or without memory. */
bool exchange_header(struct exchange *exchange, struct span line);
bool exchange_body(struct exchange *exchange, struct span bytes);

/* The answer has begun and then paused for too long. Before it begins, request_timeout is the
 * limit. */
bool exchange_is_stalled(const struct exchange *exchange);

#endif
