/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/remote.h"

#include "remote/http/http.h"
#include "remote/smartca/client.h"
#include "remote/smartca/fetch.h"
#include "remote/smartca/gather.h"

__attribute__((visibility("default"))) const struct remote_ops smartca_remote = {
    .abi = REMOTE_ABI,
    .attach = client_attach,
    .abandon = client_abandon,
    .close_idle = http_close_idle,
    .client_new = client_new,
    .client_free = client_free,
    .fetch = fetch_certificates,
    .sign = gather_sign,
    .begin = gather_begin,
    .poll = gather_poll,
    .number = gather_number,
    .join = gather_join,
    .keep = gather_keep,
    .drop = gather_drop,
};
