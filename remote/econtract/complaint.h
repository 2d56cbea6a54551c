/* SPDX-License-Identifier: Apache-2.0 */
/* What an answer of eContract means for a call, and what to do next. */
#ifndef REMOTE_ECONTRACT_COMPLAINT_H
#define REMOTE_ECONTRACT_COMPLAINT_H

#include "remote/base/call.h"
#include "remote/econtract/econtract.h"

enum complaint_about { COMPLAINT_OF_LOGIN, COMPLAINT_OF_REQUEST };

/* The token, or user name and password, were refused: by HTTP 401 or by code 401. */
bool complaint_is_unauthorised(const struct econtract_verdict *verdict);

/* Of an answer that is not good: its status, with the service's own words in the note. */
enum sca_status complaint_fail(const struct econtract_verdict *verdict, struct call *call,
                               enum complaint_about what);

/* Of an answer that is no envelope, or not the one that was expected; st, or SCA_NETWORK where the
 * HTTP status says that the service is not well. why: static text. */
enum sca_status complaint_unreadable(const struct econtract_verdict *verdict, struct call *call,
                                     enum sca_status st, const char *why);

#endif
