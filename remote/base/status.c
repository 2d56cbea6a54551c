/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/base/status.h"

#include "remote/base/wording.h"

static const char *const names[SCA_STATUS_COUNT] = {
    [SCA_OK] = N_("ok"),
    [SCA_NOMEM] = N_("out of memory"),
    [SCA_INVALID] = N_("not acceptable"),
    [SCA_NOT_FOUND] = N_("not found"),
    [SCA_IO] = N_("input/output error"),
    [SCA_NETWORK] = N_("network failure"),
    [SCA_PROTOCOL] = N_("malformed answer"),
    [SCA_SERVICE_AUTH] = N_("service credentials refused"),
    [SCA_USER_AUTH] = N_("user credentials refused"),
    [SCA_REJECTED] = N_("rejected by the person"),
    [SCA_CANCELLED] = N_("cancelled"),
    [SCA_UNCONFIRMED] = N_("not confirmed in time"),
    [SCA_NOT_PERMITTED] = N_("certificate not usable"),
    [SCA_EXHAUSTED] = N_("signing package used up"),
    [SCA_MISMATCH] = N_("signature does not verify"),
    [SCA_UNSUPPORTED] = N_("not supported"),
    [SCA_PIN_LOCKED] = N_("PIN locked"),
    [SCA_NO_SPACE] = N_("no space left"),
    [SCA_GONE] = N_("replaced by another program"),
    [SCA_BUSY] = N_("kept busy by another program"),
    [SCA_DEVICE] = N_("refused by the token"),
    [SCA_PENDING] = N_("pending"),
};

const char *sca_status_name(enum sca_status status)
{
    return status < SCA_STATUS_COUNT ? wording(names[status]) : "unknown";
}
