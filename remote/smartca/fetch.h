/* SPDX-License-Identifier: Apache-2.0 */
/* The identity's certificates, from the service into the catalogue. */
#ifndef REMOTE_SMARTCA_FETCH_H
#define REMOTE_SMARTCA_FETCH_H

#include <stddef.h>

#include "remote/base/call.h"
#include "remote/base/status.h"
#include "remote/smartca/client.h"

/*
 * remote_ops.fetch: asks once, whatever the account's serial is, and replaces what the catalogue
 * knows of the identity. A certificate that cannot be used is logged and left out. SCA_NOT_FOUND:
 * the service does not know the identity. On failure the
 * catalogue is as it was and the call's note says what to do.
 */
enum sca_status fetch_certificates(struct smartca_client *client, struct call *call,
                                   const struct remote_credentials *credentials, size_t *ret_count);

#endif
