/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/base/status.h"

static const char *const names[SCA_STATUS_COUNT] = {
    [SCA_OK] = "ok",
    [SCA_NOMEM] = "out of memory",
    [SCA_INVALID] = "not acceptable",
    [SCA_NOT_FOUND] = "not found",
    [SCA_IO] = "input/output error",
    [SCA_NETWORK] = "network failure",
    [SCA_PROTOCOL] = "malformed answer",
    [SCA_SERVICE_AUTH] = "service credentials refused",
    [SCA_USER_AUTH] = "user credentials refused",
    [SCA_REJECTED] = "rejected by the person",
    [SCA_CANCELLED] = "cancelled",
    [SCA_UNCONFIRMED] = "not confirmed in time",
    [SCA_NOT_PERMITTED] = "certificate not usable",
    [SCA_EXHAUSTED] = "signing package used up",
    [SCA_MISMATCH] = "signature does not verify",
    [SCA_UNSUPPORTED] = "not supported",
    [SCA_PIN_LOCKED] = "PIN locked",
    [SCA_NO_SPACE] = "no space left",
    [SCA_GONE] = "replaced by another program",
    [SCA_BUSY] = "kept busy by another program",
    [SCA_DEVICE] = "refused by the token",
    [SCA_PENDING] = "pending",
};

const char *sca_status_name(enum sca_status status)
{
    return status < SCA_STATUS_COUNT ? names[status] : "unknown";
}
