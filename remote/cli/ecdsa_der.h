/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REMOTE_CLI_ECDSA_DER_H
#define REMOTE_CLI_ECDSA_DER_H

#include "remote/base/bytes.h"
#include "remote/base/status.h"

/* PKCS#11 gives r and s side by side, X.509 and CMS want them as a SEQUENCE (RFC 5480, RFC 3279):
 * appended to ret_signature. SCA_NOMEM. */
enum sca_status ecdsa_der(struct span raw, struct buf *ret_signature);

#endif
