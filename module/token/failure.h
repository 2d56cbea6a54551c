/* SPDX-License-Identifier: Apache-2.0 */
/* From statuses below the backends to CK_RV, and the note that explains a failure. */
#ifndef MODULE_TOKEN_FAILURE_H
#define MODULE_TOKEN_FAILURE_H

#include "module/cryptoki.h"
#include "remote/base/call.h"
#include "remote/base/status.h"

/* Leaves a note for the gate's one log line and returns rv. */
CK_RV failure(CK_RV rv, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The code of design.md section 5 for a status, with the call's note taken over. call may be NULL.
 */
CK_RV failure_of(enum sca_status status, const struct call *call);

/* This thread's note, which is forgotten by that; "" if there is none. Valid until the next call.
 */
const char *failure_take(void);

#endif
